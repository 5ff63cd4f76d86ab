"""Two frames of the hot-standby link: what is your wall clock, and what it was. Layout: `codec.link`."""

from __future__ import annotations

from struct import Struct
from typing import NamedTuple

from tandem.codec.link_commit import HEAD_LAYOUT

ASKED_LAYOUT = Struct("<Q")
TOLD_LAYOUT = Struct("<Qq?")


class TimeAsked(NamedTuple):
    """What is your wall clock? `asked_ns` is the sender's monotonic time."""

    asked_ns: int

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return HEAD_LAYOUT.pack(1 + ASKED_LAYOUT.size, 17) + ASKED_LAYOUT.pack(*self)


class TimeTold(NamedTuple):
    """The sender's wall clock when it read the question of `asked_ns`."""

    asked_ns: int
    utc_us: int
    synced: bool

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return HEAD_LAYOUT.pack(1 + TOLD_LAYOUT.size, 18) + TOLD_LAYOUT.pack(*self)
