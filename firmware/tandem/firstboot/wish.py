"""What the first boot's dialogue asks its port to do, as data."""

from __future__ import annotations

from dataclasses import dataclass

from tandem.config.model import Member


@dataclass(slots=True, frozen=True)
class LookAtSticks:
    """Answer with `sticks`."""


@dataclass(slots=True, frozen=True)
class BeginPairing:
    """Begin a `Pairing`; `group` as there. What it says comes to `pairing`."""

    member: Member
    group: str | None


@dataclass(slots=True, frozen=True)
class Compared:
    """The codes are the same, or are not."""

    same: bool


@dataclass(slots=True, frozen=True)
class EndPairing:
    """Nobody waits for the peer any more."""


@dataclass(slots=True, frozen=True)
class Finish:
    """Write it all. `files` {}: the group stays as it is; `password` "": so does it; not `paired`: it starts alone."""

    member: Member
    files: dict[str, bytes]
    password: str
    paired: bool


Wish = LookAtSticks | BeginPairing | Compared | EndPairing | Finish
