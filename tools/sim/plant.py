"""The physical world between two members: the relay bench's own model of relays, leases, owners and cables, on the
heap of virtual time, with the octets of the members passing through it."""

from __future__ import annotations

from collections.abc import Callable

from tools.bench.plan import Plan
from tools.bench.relaybench.loop import Timer
from tools.bench.relaybench.world import World as Bench
from tools.sim.world import World


class _HeapLoop:
    """What the relay bench's model needs of a loop, on the heap; nothing is ever late here."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.worst_late_ns = 0

    @property
    def now(self) -> int:
        """Virtual time."""
        return self._world.now

    @property
    def input_ns(self) -> int:
        """What comes in comes in now."""
        return self._world.now

    def at(self, when_ns: int, call: Callable[[], None]) -> Timer:
        """Call at that time, unless cancelled."""
        timer = Timer(when_ns, call)
        self._world.at(when_ns, lambda: timer.call() if timer.alive else None)
        return timer


class Plant:
    """The bench's world and who is told of its contacts."""

    def __init__(self, world: World, plan: Plan, relays: bool = True) -> None:
        self.plan = plan
        self.relays = relays
        self.bench = Bench(plan, _HeapLoop(world))  # type: ignore[arg-type]
        self._sensed: dict[str, bytes] = {}
        self._world = world

    def sense(self, member: str, changed: Callable[[bytes], None]) -> None:
        """Call with the pins' octets (see the relay bench's S message, without the S) at every change."""

        def look() -> None:
            now = self._sense(member)
            if now != self._sensed.get(member):
                self._sensed[member] = now
                changed(now)

        self.bench.changed.append(look)

    def connect(self, member: str) -> bytes:
        """A heart opens its pins: the first reading."""
        self.bench.heart(member, True)
        self._sensed[member] = self._sense(member)
        return self._sensed[member]

    def say(self, member: str, message: bytes) -> None:
        """One message of a heart; a board without relays has no coil."""
        if self.relays or message[:1] != b"C":
            self.bench.said(member, message)

    def _sense(self, member: str) -> bytes:
        return self.bench.sense(member)[1:]
