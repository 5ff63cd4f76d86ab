"""Faults of what is around the members: streams, recorded beats, flash, devices, centers, and what people do."""

from __future__ import annotations

from collections.abc import Callable

from tools.bench.plan import other
from tools.sim.member import Member
from tools.sim.site import Site
from tools.sim.world import MS, SECOND, World

BURST = 300
FLAPS = 30


def _nothing() -> None:
    """What is over by itself."""


NOTHING = _nothing


class Troubles:
    """Each method does one fault to a member or around it, and returns what mends it."""

    site: Site
    world: World

    def reset_link(self, member: Member) -> Callable[[], None]:
        if self.site.wires.link is not None:
            self.site.wires.link.tear("reset by a forged segment")
        return NOTHING

    def replay(self, member: Member) -> Callable[[], None]:
        """What the member sent lately comes again."""
        return lambda: self.site.air.replay(member.letter)

    def reboot_and_replay(self, member: Member) -> Callable[[], None]:
        """The peer of who is replayed begins anew, and hears the old frames before the fresh ones."""
        peer = self.site.members[other(member.letter)]
        peer.kill(heart_too=True)

        def mend() -> None:
            peer.rise()
            for after_ms in (1, 30, 100, 400):
                self.world.after(after_ms * MS, lambda: self.site.air.replay(member.letter))

        return mend

    def flash(self, mood: str) -> Callable[[Member], Callable[[], None]]:
        def hurt(member: Member) -> Callable[[], None]:
            member.flash.mood = mood
            return lambda: setattr(member.flash, "mood", "well")

        return hurt

    def late(self, member: Member) -> Callable[[], None]:
        """Devices answer late: also to somebody else than who asked."""
        self.site.line.late_ns = (270 if member.letter == "a" else 340) * MS  # before its time-out, or after it
        self.site.tcp.late_ns = 400 * MS

        def mend() -> None:
            self.site.line.late_ns = self.site.tcp.late_ns = 0

        return mend

    def silent(self, member: Member) -> Callable[[], None]:
        self.site.line.silent = self.site.tcp.silent = True

        def mend() -> None:
            self.site.line.silent = self.site.tcp.silent = False

        return mend

    def device_restarts(self, member: Member) -> Callable[[], None]:
        self.site.tcp.restart()
        self.site.unit.restart()
        return NOTHING

    def flap(self, member: Member) -> Callable[[], None]:
        """A contact of the remote unit chatters within a millisecond; a moment later its connection breaks."""
        if self.site.has_unit:
            self.site.unit.flap(FLAPS)
            self.world.after(self.world.random.randrange(40) * MS, self.site.unit.restart)
        return NOTHING

    def hang_up(self, member: Member) -> Callable[[], None]:
        for center in self.site.centers.values():
            center.hang_up()
        return NOTHING

    def away(self, member: Member) -> Callable[[], None]:
        """One of the centers is away, the other reads on."""
        center = self.site.centers["probe"]
        center.away = True
        center.hang_up()
        return lambda: setattr(center, "away", False)

    def burst(self, member: Member) -> Callable[[], None]:
        """Everything changes, again and again, in a few milliseconds."""
        for i in range(10):
            self.world.after(i * MS, lambda: self.site.burst(BURST // 10))
        return NOTHING

    def switchover(self, member: Member) -> Callable[[], None]:
        if member.up:
            member.order(other(member.letter))
        return NOTHING

    def clock(self, member: Member) -> Callable[[], None]:
        """Somebody sets it; by more than a story is long, so that no stamp of a story comes twice."""
        member.clock_step_us += self.world.random.choice((-3600, -61, 61, 86400)) * SECOND // 1000
        return NOTHING
