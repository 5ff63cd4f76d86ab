"""TCP as the nodes see it: an ordered octet stream that is delayed, held up by a cut, and torn down by a reset.

A cut drops nothing that TCP would deliver later: octets wait, as in the kernels, and arrive after the cut healed,
unless an end gave up before. A frozen end does not read; what came for it stays in its kernel's buffer.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Protocol

from tools.sim.world import MS, World

_RETRY_NS = 20 * MS  # a held segment is tried again so often


class End(Protocol):
    """Who sits at one end of a pipe. The calls come when that end really reads, so a frozen one gets them later."""

    def pipe_octets(self, pipe: Pipe, octets: bytes) -> None:
        """Octets of the other end."""

    def pipe_closed(self, pipe: Pipe, reason: str) -> None:
        """The other end closed or reset it."""


class Pipe:
    """One TCP connection between `ends[0]` (who dialed) and `ends[1]`.

    `up(to)` says whether what is sent to that end passes now.
    """

    __slots__ = ("_held", "_moving", "closed", "delay_ns", "ends", "name", "up", "world")

    def __init__(
        self, world: World, ends: tuple[End, End], up: Callable[[int], bool], delay_ns: int, name: str
    ) -> None:
        self.world = world
        self.ends = ends
        self.up = up
        self.delay_ns = delay_ns
        self.name = name
        self.closed = [False, False]
        self._held: tuple[deque[bytes | str], deque[bytes | str]] = (deque(), deque())
        self._moving = [False, False]

    def send(self, sender: End, octets: bytes) -> None:
        """Octets from one end to the other."""
        side = 0 if self.ends[0] is sender else 1
        if not self.closed[side]:
            self._push(1 - side, octets)

    def close(self, sender: End, reason: str, reset: bool = False) -> None:
        """One end is gone: the other learns it when the path lets it through. `reset`: nothing that waits is sent."""
        side = 0 if self.ends[0] is sender else 1
        if not self.closed[side]:
            self.closed[side] = True
            self._held[side].clear()
            if reset:
                self._held[1 - side].clear()
            passes = reset and self.up(1 - side)  # what has left meets no fence any more
            self._push(1 - side, reason)
            if passes:
                self.world.after(self.delay_ns, lambda: self._deliver(1 - side, True))

    def power_lost(self, sender: End) -> None:
        """What one end's kernel had not sent yet is gone with its supply."""
        self._held[1 if self.ends[0] is sender else 0].clear()

    def tear(self, reason: str, sides: tuple[int, ...] = (0, 1)) -> None:
        """Somebody else resets it: each of the `sides` learns it, and nothing that waits arrives."""
        self.up = lambda _: True
        for side in (0, 1):
            self._held[side].clear()
        for side in sides:
            self._held[side].append(reason)
            self.world.after(self.delay_ns, partial(self._deliver, side, True))

    def _push(self, to: int, what: bytes | str) -> None:
        self._held[to].append(what)
        if not self._moving[to]:
            self._moving[to] = True
            self.world.after(self.delay_ns, lambda: self._deliver(to))

    def _deliver(self, to: int, passes: bool = False) -> None:
        if self.closed[to]:
            self._held[to].clear()
        elif not passes and not self.up(to):
            self.world.after(_RETRY_NS, lambda: self._deliver(to))
            return
        self._moving[to] = False
        while self._held[to] and not self.closed[to]:
            what = self._held[to].popleft()
            if isinstance(what, str):
                self.closed[to] = True
                self.ends[to].pipe_closed(self, what)
            else:
                self.ends[to].pipe_octets(self, what)
