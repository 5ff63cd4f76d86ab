"""Every fault that a story can hold: what it does to the site, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable

from tandem.codec.beat import Role
from tools.bench.plan import other
from tools.sim.fault import Fault
from tools.sim.member import Member
from tools.sim.site import Site
from tools.sim.world import MS, SECOND

BURST = 300


class Faults:
    """The hands of fate. `hurt` does one fault; all are mended by themselves, or by `mend_all`."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        self.air = site.air
        self.bench = site.bench
        self.kinds: list[str] = []
        """What was done so far."""
        self.froze: Callable[[str, int], None] = lambda letter, began: None
        """Called with a member and since when it stood still, before it goes on."""
        site.aims.steps = self._steps

    def arm(self, fault: Fault) -> None:
        """Let the fault happen when its time comes."""
        hurt = lambda: self.hurt(fault)  # noqa: E731
        aim = fault.aim
        if aim is None:
            self.world.after(fault.at_ms * MS, hurt)
        else:
            self.world.after(fault.at_ms * MS, lambda: self.site.aims.wait(aim, hurt))

    def _steps(self, letter: str, what: str, steps: int, fire: Callable[[], None]) -> None:
        member = self.site.members[letter]
        process = member.heart if what.startswith("heart") else member.supervisor
        if steps:
            process.after_steps(steps, fire)
        else:
            fire()

    def hurt(self, fault: Fault) -> None:
        """One fault, mended after a while."""
        member = self.site.members[fault.letter]
        self.world.tell(f"FAULT {fault.kind} of {fault.letter} for {fault.for_ms} ms")
        self.kinds.append(fault.kind)
        mend = KINDS[fault.kind](self, member)

        began = self.world.now

        def mended() -> None:
            if member.supervisor.frozen:
                self.froze(member.letter, began)
            self.world.tell(f"mended: {fault.kind} of {fault.letter}")
            mend()

        if mend is not _NOTHING:
            self.world.after(fault.for_ms * MS, mended)

    def mend_all(self) -> None:
        """Everything is whole again; who was out of service is ordered in."""
        self.air.mute.clear()
        for what in (*self.bench.owner, "crossover"):
            self.bench.cut(what, None, True)
        self.site.third.mend()
        for device in (self.site.line, self.site.tcp):
            device.late_ns, device.silent = 0, False
        for center in self.site.centers.values():
            center.away = False
        for letter, member in self.site.members.items():
            member.flash.mood = "well"
            self._unhang(member)
            self._weld(letter, False)
            self._power(member)
            member.thaw()
            member.rise()

    def back_in(self) -> None:
        """An operator orders in who is out of service."""
        for member in self.site.members.values():
            if member.up and member.node.role.role is Role.OUT_OF_SERVICE:
                member.back_in()

    # --- processes ----------------------------------------------------------------------------------------------

    def _kill(self, member: Member) -> Callable[[], None]:
        member.kill(heart_too=False)
        return member.rise

    def _kill_heart(self, member: Member) -> Callable[[], None]:
        member.die(of_heart=True)
        return member.rise

    def _kill_all(self, member: Member) -> Callable[[], None]:
        member.kill(heart_too=True)
        return member.rise

    def _stall(self, member: Member) -> Callable[[], None]:
        member.freeze()
        return member.thaw

    def _freeze_heart(self, member: Member) -> Callable[[], None]:
        member.freeze(supervisor=False, heart=True)
        return member.thaw

    def _freeze(self, member: Member) -> Callable[[], None]:
        member.freeze(heart=True)
        return member.thaw

    def _end(self, member: Member) -> Callable[[], None]:
        if member.up:
            member.end()
        return member.rise

    # --- boards -------------------------------------------------------------------------------------------------

    def _cut_power(self, member: Member) -> Callable[[], None]:
        self.bench.cut("power", member.letter, False)
        member.power_lost()
        member.kill(heart_too=True)
        member.flash.power_lost()
        return lambda: self._power(member)

    def _power(self, member: Member) -> None:
        if not self.bench.power[member.letter]:
            self.bench.cut("power", member.letter, True)
            member.rise()

    def _hang(self, member: Member) -> Callable[[], None]:
        """The kernel stands: nothing runs, nothing is answered, and its relays hold for as long as they do."""
        self.air.hung.add(member.letter)
        member.freeze(heart=True)
        return lambda: self._unhang(member)

    def _unhang(self, member: Member) -> None:
        """Its reset line is pulled."""
        if member.letter in self.air.hung:
            self._cut_power(member)
            self.air.hung.discard(member.letter)
            self._power(member)

    def _welds(self, member: Member) -> Callable[[], None]:
        self._weld(member.letter, True)
        return lambda: self._weld(member.letter, False)

    def _weld(self, letter: str, on: bool) -> None:
        self.bench.relays.weld(letter, on, self.world.now)
        self.bench.settle(self.world.now)

    # --- cables -------------------------------------------------------------------------------------------------

    def _cut(self, what: str, letter: str | None) -> Callable[[], None]:
        self.bench.cut(what, letter, False)
        return lambda: self.bench.cut(what, letter, True)

    def _lan(self, index: int) -> str:
        lans = list(self.bench.owner)
        return lans[index % len(lans)]

    def _apart(self, member: Member) -> Callable[[], None]:
        """Every cable of the member, and the crossover."""
        mends = [self._cut(lan, member.letter) for lan in self.bench.owner] + [self._cut("crossover", None)]
        return lambda: _all(mends)

    def _between(self, member: Member) -> Callable[[], None]:
        """The members do not hear each other although every cable is whole: the switches filter."""
        ways = [(m, way) for m in ("a", "b") for way in (*self.bench.owner, "crossover")]
        return self._mute(ways)

    def _one_way(self, member: Member) -> Callable[[], None]:
        """Nothing that the member sends arrives anywhere; it hears all."""
        return self._mute([(member.letter, way) for way in (*self.bench.owner, "crossover")])

    def _mute(self, ways: list[tuple[str, str]]) -> Callable[[], None]:
        self.air.mute.update(ways)
        return lambda: self.air.mute.difference_update(ways)

    # --- streams, beats, flash, field, centers, people ------------------------------------------------------------

    def _reset_link(self, member: Member) -> Callable[[], None]:
        if self.site.wires.link is not None:
            self.site.wires.link.tear("reset by a forged segment")
        return _NOTHING

    def _replay(self, member: Member) -> Callable[[], None]:
        """What the member sent lately comes again."""
        return lambda: self.air.replay(member.letter)

    def _reboot_and_replay(self, member: Member) -> Callable[[], None]:
        """The peer of who is replayed begins anew, and hears the old frames before the fresh ones."""
        peer = self.site.members[other(member.letter)]
        rise = self._kill_all(peer)

        def mend() -> None:
            rise()
            for after_ms in (1, 30, 100, 400):
                self.world.after(after_ms * MS, lambda: self.air.replay(member.letter))

        return mend

    def _flash(self, mood: str) -> Callable[[Member], Callable[[], None]]:
        def hurt(member: Member) -> Callable[[], None]:
            member.flash.mood = mood
            return lambda: setattr(member.flash, "mood", "well")

        return hurt

    def _late(self, member: Member) -> Callable[[], None]:
        """Devices answer late: also to somebody else than who asked."""
        self.site.line.late_ns = (270 if member.letter == "a" else 340) * MS  # before its time-out, or after it
        self.site.tcp.late_ns = 400 * MS

        def mend() -> None:
            self.site.line.late_ns = self.site.tcp.late_ns = 0

        return mend

    def _silent(self, member: Member) -> Callable[[], None]:
        self.site.line.silent = self.site.tcp.silent = True

        def mend() -> None:
            self.site.line.silent = self.site.tcp.silent = False

        return mend

    def _device_restarts(self, member: Member) -> Callable[[], None]:
        self.site.tcp.restart()
        return _NOTHING

    def _hang_up(self, member: Member) -> Callable[[], None]:
        for center in self.site.centers.values():
            center.hang_up()
        return _NOTHING

    def _away(self, member: Member) -> Callable[[], None]:
        """One of the centers is away, the other reads on."""
        center = self.site.centers["probe"]
        center.away = True
        center.hang_up()
        return lambda: setattr(center, "away", False)

    def _burst(self, member: Member) -> Callable[[], None]:
        """Everything changes, again and again, in a few milliseconds."""
        for i in range(10):
            self.world.after(i * MS, lambda: self.site.burst(BURST // 10))
        return _NOTHING

    def _switchover(self, member: Member) -> Callable[[], None]:
        if member.up:
            member.order(other(member.letter))
        return _NOTHING

    def _clock(self, member: Member) -> Callable[[], None]:
        """Somebody sets it; by more than a story is long, so that no stamp of a story comes twice."""
        member.clock_step_us += self.world.random.choice((-3600, -61, 61, 86400)) * SECOND // 1000
        return _NOTHING


def _all(calls: list[Callable[[], None]]) -> None:
    for call in calls:
        call()


def _nothing() -> None:
    """What is over by itself."""


_NOTHING = _nothing
KINDS: dict[str, Callable[[Faults, Member], Callable[[], None]]] = {
    "kill": Faults._kill, "kill-all": Faults._kill_all, "kill-heart": Faults._kill_heart, "stall": Faults._stall,
    "freeze-heart": Faults._freeze_heart, "freeze": Faults._freeze, "end": Faults._end, "power": Faults._cut_power,
    "hang": Faults._hang, "weld": Faults._welds, "reset-link": Faults._reset_link, "replay": Faults._replay,
    "reboot-and-replay": Faults._reboot_and_replay, "late": Faults._late, "silent": Faults._silent,
    "device-restart": Faults._device_restarts, "hang-up": Faults._hang_up, "center-away": Faults._away,
    "burst": Faults._burst,
    "switchover": Faults._switchover, "clock": Faults._clock, "apart": Faults._apart, "between": Faults._between,
    "one-way": Faults._one_way,
    "cable-1": lambda f, m: f._cut(f._lan(0), m.letter), "cable-2": lambda f, m: f._cut(f._lan(1), m.letter),
    "switch-1": lambda f, m: f._cut(f._lan(0), None), "switch-2": lambda f, m: f._cut(f._lan(1), None),
    "crossover": lambda f, m: f._cut("crossover", None),
    "one-way-1": lambda f, m: f._mute([(m.letter, f._lan(0))]),
    "one-way-2": lambda f, m: f._mute([(m.letter, f._lan(1))]),
    "flash-slow": lambda f, m: f._flash("slow")(m), "flash-full": lambda f, m: f._flash("full")(m),
    "flash-lies": lambda f, m: f._flash("lies")(m),
    "witness-cut": lambda f, m: f.site.third.hurt("witness-cut", m.letter),
    "witness-gone": lambda f, m: f.site.third.hurt("witness-gone", m.letter),
    "witness-restart": lambda f, m: f.site.third.hurt("witness-restart", m.letter),
    "witness-flash-full": lambda f, m: f.site.third.hurt("witness-flash-full", m.letter),
}  # fmt: skip
GENTLE = frozenset({
    "reset-link", "replay", "late", "silent", "device-restart", "hang-up", "center-away", "burst", "clock", "switch-1",
    "switch-2", "crossover", "one-way-1", "one-way-2", "flash-slow", "flash-full", "flash-lies",
})  # fmt: skip
"""Faults for which no role has to move."""
