"""Every fault that a story can hold: what it does to the site, and how it is mended."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from tandem.codec.beat import Role
from tools.sim import guardian
from tools.sim.fault import Fault
from tools.sim.member import Member
from tools.sim.site import Site
from tools.sim.troubles import NOTHING, Troubles
from tools.sim.world import MS


class Faults(Troubles):
    """The hands of fate. `hurt` does one fault; all are mended by themselves, or by `mend_all`."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        self.air = site.air
        self.bench = site.bench
        self.kinds: list[str] = []
        """What was done so far."""
        self.together: list[str] = []
        """What gentle ones came to together: "apart" for each time that they left the members no path."""
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
        whole = not self.air.apart()
        mend = KINDS[fault.kind](self, member)
        if fault.kind in GENTLE and whole and self.air.apart():
            self.together.append("apart")

        began = self.world.now

        def mended() -> None:
            if member.supervisor.frozen:
                self.froze(member.letter, began)
            self.world.tell(f"mended: {fault.kind} of {fault.letter}")
            mend()

        if mend is not NOTHING:
            self.world.after(fault.for_ms * MS, mended)

    def mend_all(self) -> None:
        """Everything is whole again; who was out of service is ordered in."""
        self.air.mute.clear()
        for what in (*self.bench.owner, "crossover"):
            self.bench.cut(what, None, True)
        self.site.third.mend()
        for controller in self.site.controllers.values():
            controller.mend()
        for device in (self.site.line, self.site.tcp):
            device.late_ns, device.silent = 0, False
        for center in self.site.centers.values():
            center.away = False
        for letter, member in self.site.members.items():
            member.flash.mood = "well"
            self._unhang(member)
            self._weld(letter, False)
            self._hold(letter, False)
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
        return member.start_again

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

    def _holds(self, member: Member) -> Callable[[], None]:
        """The driver of its role coil is stuck on, and K1 with it."""
        self._hold(member.letter, True)
        return lambda: self._hold(member.letter, False)

    def _hold(self, letter: str, on: bool) -> None:
        self.bench.relays.hold(letter, on, self.world.now)
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


def _all(calls: list[Callable[[], None]]) -> None:
    for call in calls:
        call()


def _of_guardian(kind: str, faults: Faults, member: Member) -> Callable[[], None]:
    """What only a board with a guardian has to fear."""
    controller = faults.site.controllers.get(member.letter)
    return NOTHING if controller is None else controller.hurt(kind)


KINDS: dict[str, Callable[[Faults, Member], Callable[[], None]]] = {
    "kill": Faults._kill, "kill-all": Faults._kill_all, "kill-heart": Faults._kill_heart, "stall": Faults._stall,
    "freeze-heart": Faults._freeze_heart, "freeze": Faults._freeze, "end": Faults._end, "power": Faults._cut_power,
    "hang": Faults._hang, "weld": Faults._welds, "held": Faults._holds, "reset-link": Faults.reset_link,
    "replay": Faults.replay,
    "reboot-and-replay": Faults.reboot_and_replay, "late": Faults.late, "silent": Faults.silent,
    "device-restart": Faults.device_restarts, "hang-up": Faults.hang_up, "center-away": Faults.away,
    "burst": Faults.burst, "flap": Faults.flap,
    "switchover": Faults.switchover, "clock": Faults.clock, "apart": Faults._apart, "between": Faults._between,
    "one-way": Faults._one_way,
    "cable-1": lambda f, m: f._cut(f._lan(0), m.letter), "cable-2": lambda f, m: f._cut(f._lan(1), m.letter),
    "switch-1": lambda f, m: f._cut(f._lan(0), None), "switch-2": lambda f, m: f._cut(f._lan(1), None),
    "crossover": lambda f, m: f._cut("crossover", None),
    "one-way-1": lambda f, m: f._mute([(m.letter, f._lan(0))]),
    "one-way-2": lambda f, m: f._mute([(m.letter, f._lan(1))]),
    "flash-slow": lambda f, m: f.flash("slow")(m), "flash-full": lambda f, m: f.flash("full")(m),
    "flash-lies": lambda f, m: f.flash("lies")(m),
    **{kind: partial(_of_guardian, kind) for kind in guardian.KINDS},
    "witness-cut": lambda f, m: f.site.third.hurt("witness-cut", m.letter),
    "witness-gone": lambda f, m: f.site.third.hurt("witness-gone", m.letter),
    "witness-restart": lambda f, m: f.site.third.hurt("witness-restart", m.letter),
    "witness-flash-full": lambda f, m: f.site.third.hurt("witness-flash-full", m.letter),
}  # fmt: skip
GENTLE = frozenset({
    "reset-link", "replay", "late", "silent", "device-restart", "hang-up", "center-away", "burst", "flap", "clock",
    "switch-1", "switch-2", "crossover", "one-way-1", "one-way-2", "flash-slow", "flash-full", "flash-lies",
})  # fmt: skip
"""Faults for which no role has to move."""
