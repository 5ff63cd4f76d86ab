"""A process as the kernel sees it: running, frozen with a full inbox, or dead; also frozen in the middle of a turn."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator


class Process:
    """Runs what comes for it; frozen, it lets it wait; dead, it forgets it."""

    __slots__ = ("_burn", "_fuse", "_inbox", "alive", "frozen")

    def __init__(self) -> None:
        self.alive = True
        self.frozen = False
        self._inbox: deque[Callable[[], None]] = deque()
        self._fuse = 0
        self._burn: Callable[[], None] = lambda: None

    def do(self, call: Callable[[], None]) -> None:
        """Run now, or when thawed."""
        if self.frozen:
            self._inbox.append(call)
        elif self.alive:
            call()

    def thaw(self) -> None:
        """Everything that waited, in order."""
        self.frozen = False
        while self._inbox and self.alive and not self.frozen:
            self._inbox.popleft()()

    def run(self, steps: Iterator[None]) -> None:
        """The steps of a turn: a process that freezes between two of them goes on there, one that dies does not."""
        for _ in steps:
            if self._fuse:
                self._fuse -= 1
                if not self._fuse:
                    self._burn()
            if not self.alive:
                return
            if self.frozen:
                self._inbox.appendleft(lambda: self.run(steps))
                return

    def after_steps(self, steps: int, burn: Callable[[], None]) -> None:
        """Call `burn` between two steps, so many steps from now."""
        self._fuse, self._burn = steps, burn
