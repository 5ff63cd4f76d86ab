"""A small epoll loop: callbacks by file descriptor, timers on a heap, and the benefit of the doubt for late wakes."""

from __future__ import annotations

import heapq
import itertools
import select
import signal
import socket
import time
from collections.abc import Callable

IN, OUT, ERR, HUP, RDHUP = select.EPOLLIN, select.EPOLLOUT, select.EPOLLERR, select.EPOLLHUP, select.EPOLLRDHUP
Callback = Callable[[int], None]


class Timer:
    """A call that waits for its time; `cancel` makes it never happen."""

    __slots__ = ("alive", "at", "call")

    def __init__(self, at: int, call: Callable[[], None]) -> None:
        self.at = at
        self.call = call
        self.alive = True

    def cancel(self) -> None:
        """Never call."""
        self.alive = False


class Loop:
    """`now` is monotonic ns of this turn. `input_ns` is when what came in may have come at the earliest:
    a loop that the machine held up judges pulses and renewals by it, so that the bench's own stall kills no lease."""

    def __init__(self) -> None:
        self.now = time.monotonic_ns()
        self.input_ns = self.now
        self.worst_late_ns = 0
        self.running = True
        self.ended = ""
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callback] = {}
        self._first: set[int] = set()
        self._timers: list[tuple[int, int, Timer]] = []
        self._count = itertools.count()

    def stop_at_signals(self) -> None:
        """SIGTERM and SIGINT end `run`."""
        self._woken, waker = socket.socketpair()
        for end in (self._woken, waker):
            end.setblocking(False)
        signal.set_wakeup_fd(waker.detach())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._signalled)
        self.add(self._woken.fileno(), IN, self._stop)

    def _signalled(self, number: int, frame: object) -> None:
        self.ended = f"signal {number}"

    def _stop(self, mask: int) -> None:
        self.running = False

    def add(self, fd: int, mask: int, callback: Callback, first: bool = False) -> None:
        """Call with the event mask when `fd` is ready; `first`: before the others of a turn."""
        self._epoll.register(fd, mask)
        self._callbacks[fd] = callback
        if first:
            self._first.add(fd)

    def modify(self, fd: int, mask: int) -> None:
        """What to wait for at `fd` from now on; errors are told always."""
        self._epoll.modify(fd, mask)

    def remove(self, fd: int) -> None:
        """Forget `fd`; to be called before it is closed."""
        if self._callbacks.pop(fd, None) is not None:
            self._epoll.unregister(fd)
        self._first.discard(fd)

    def at(self, when_ns: int, call: Callable[[], None]) -> Timer:
        """Call at that time."""
        timer = Timer(when_ns, call)
        heapq.heappush(self._timers, (when_ns, next(self._count), timer))
        return timer

    def run(self) -> None:
        """Turn until `running` is set to False."""
        while self.running:
            self.turn()

    def turn(self) -> None:
        """Wait for the next thing and do it."""
        timers, poll = self._timers, self._epoll.poll
        while timers and not timers[0][2].alive:
            heapq.heappop(timers)
        due = timers[0][0] if timers else None
        ready = poll(None if due is None else max(0.0, (due - time.monotonic_ns()) / 1e9))
        self.now = now = time.monotonic_ns()
        self.input_ns = now if due is None or due > now else due
        if self._first and len(ready) > 1:
            ready.sort(key=lambda item: item[0] not in self._first)
        for fd, mask in ready:
            callback = self._callbacks.get(fd)
            if callback is not None:
                callback(mask)
        while timers and timers[0][0] <= now:
            when, _, timer = heapq.heappop(timers)
            if timer.alive:
                self.worst_late_ns = max(self.worst_late_ns, now - when)
                timer.call()
