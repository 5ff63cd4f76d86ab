"""A process as the kernel sees it: running, frozen with a full inbox, or dead."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable


class Process:
    """Runs what comes for it; frozen, it lets it wait; dead, it forgets it."""

    def __init__(self) -> None:
        self.alive = True
        self.frozen = False
        self._inbox: deque[Callable[[], None]] = deque()

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
