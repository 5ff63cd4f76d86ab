"""The relays of two boards in virtual milliseconds: watchdog feeds coil, role contacts are cross-interlocked."""

from __future__ import annotations

from dataclasses import dataclass, field

from tandem.config.timing import RelayTimes

RELAY = RelayTimes(watchdog_ms=120, operate_ms=8, release_ms=5, bounce_ms=3, debounce_ms=5)
LEASE_MS = 60
HOLD_MS = 100  # the watchdog relay's, after the last pulse


@dataclass
class Relay:
    """A contact that follows its coil after operate or release time."""

    operate_ms: int
    release_ms: int
    closed: bool = False
    wanted: bool = False
    since_ms: int = 0

    def feed(self, on: bool, now_ms: int) -> None:
        if on != self.wanted:
            self.wanted, self.since_ms = on, now_ms
        if self.wanted != self.closed:
            wait = self.operate_ms if self.wanted else self.release_ms
            self.closed = self.wanted if now_ms - self.since_ms >= wait else self.closed


@dataclass
class Board:
    """What one board's heart drives."""

    coil: bool = False
    pulse_ms: int = -1000
    watchdog: Relay = field(default_factory=lambda: Relay(5, 4))
    role: Relay = field(default_factory=lambda: Relay(8, 5))
    welded: bool = False
    addresses: bool = False
    lease_until_ms: int = -1

    def owns(self, now_ms: int) -> bool:
        return self.addresses and now_ms < self.lease_until_ms


def feed(a: Board, b: Board, now_ms: int) -> None:
    """A millisecond passes."""
    for board, other in ((a, b), (b, a)):
        board.watchdog.feed(now_ms - board.pulse_ms < HOLD_MS, now_ms)
        if not board.welded:
            board.role.feed(board.coil and board.watchdog.closed and not other.role.closed, now_ms)


def read(own: Board, other: Board, now_ms: int) -> tuple[int, ...]:
    """Own contact, the peer's, own watchdog contact, lease: as the pins tell them."""
    alive = now_ms < own.lease_until_ms
    return int(own.role.closed), int(other.role.closed), int(own.watchdog.closed), int(alive)
