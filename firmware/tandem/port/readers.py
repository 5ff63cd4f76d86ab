"""Descriptors and who reads them: some end a wait, and all that have something are read when it has ended."""

from __future__ import annotations

import select
from collections.abc import Callable, Iterable

Reader = Callable[[int], None]
"""Called with the time (monotonic ns) when its descriptor has something."""


class Readers:
    """What one small loop listens to. A descriptor must be removed before it is closed."""

    def __init__(self) -> None:
        self._readers: dict[int, Reader] = {}
        self._every = select.epoll()
        self._waking = select.epoll()
        self._resting: frozenset[int] = frozenset()

    def add(self, fd: int, reader: Reader) -> None:
        """Listen to `fd`; one that is known keeps its reader, and one below 0 is none."""
        if fd >= 0 and fd not in self._readers:
            self._readers[fd] = reader
            self._every.register(fd, select.EPOLLIN)
            self._waking.register(fd, select.EPOLLIN)

    def remove(self, fd: int) -> None:
        """Listen no longer; an unknown descriptor is passed over."""
        if self._readers.pop(fd, None):
            self._every.unregister(fd)
            self._waking.unregister(fd)
            self._resting -= {fd}

    def rest(self, fds: Iterable[int]) -> None:
        """These end no wait until they are left out of the next call; a socket's error still does."""
        resting = frozenset(fd for fd in fds if fd in self._readers)
        for fd in resting ^ self._resting:
            self._waking.modify(fd, 0 if fd in resting else select.EPOLLIN)
        self._resting = resting

    def wait(self, most_ns: int) -> list[int]:
        """The descriptors that have something, after at most so long (to the microsecond: epoll alone counts ms)."""
        select.select((self._waking,), (), (), max(0, most_ns) / 1e9)
        return self.ready()

    def ready(self) -> list[int]:
        """The descriptors that have something now."""
        return [fd for fd, _ in self._every.poll(0)]

    def read(self, fd: int, now: int) -> None:
        """Call the reader of `fd`, unless it was removed meanwhile."""
        if reader := self._readers.get(fd):
            reader(now)
