"""The five verbs of every sans-IO engine, and the two that tell it of its channel.

An engine gets octets and the time and never takes either: `now` is monotonic nanoseconds, handed in. It never
opens, closes, sends or sleeps; it says what it wants in `outgoing()` and `events()`, and when it wants to be
woken in `due()`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Engine(Protocol):
    """One protocol conversation over one channel (a TCP connection, a serial line)."""

    def opened(self, now: int) -> None:
        """The channel is up: the engine starts from its initial state."""

    def closed(self, now: int, reason: str) -> None:
        """The channel is gone; what was outstanding ends, nothing may be sent."""

    def receive(self, data: bytes, now: int) -> None:
        """Octets came. Never raises for any octets: a fault becomes an event and a `Close`."""

    def tick(self, now: int) -> None:
        """Do what is due at `now`."""

    def due(self) -> int | None:
        """When `tick` must be called next (monotonic ns); None: nothing waits for time."""

    def outgoing(self) -> bytes:
        """Drain the octets to send, in order."""

    def events(self) -> list[object]:
        """Drain what the owner must know: `Say`, `Close`, `Report`, and the engine's own event types."""


@dataclass(slots=True, frozen=True)
class Close:
    """The engine asks its owner to close the channel. `reset`: without a farewell (RST on TCP)."""

    reason: str
    reset: bool = False


def earliest(*times: int | None) -> int | None:
    """The earliest of several deadlines, of which any may be None."""
    first = None
    for time in times:
        if time is not None and (first is None or time < first):
            first = time
    return first
