"""A master channel as the field side sees it: its right, and how its stream fares."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tandem.master.base import Channel
from tandem.point import MS

Right = Literal["service", "lines"]
REDIAL_FIRST_NS = 100 * MS


@dataclass(slots=True)
class FieldLink:
    """A channel and how its stream fares: `attempt` is the current stream's name, a late word of an old one is void.

    `wanted`: the right is ours; `kept`: it is to be connected even without.
    """

    channel: Channel
    right: Right
    wanted: bool = False
    kept: bool = False
    draining: bool = False
    open: bool = False
    attempts: int = 0
    dial_at: int | None = None
    give_up_at: int | None = None
    backoff_ns: int = REDIAL_FIRST_NS

    @property
    def stream(self) -> str:
        """Name of the present attempt."""
        return f"master:{self.channel.name}#{self.attempts}"

    @property
    def lives(self) -> bool:
        """Its stream is to be open."""
        return self.wanted or self.kept
