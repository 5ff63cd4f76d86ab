"""What the mirror tells its owner, besides `Say`, `Close` and `Report`."""

from __future__ import annotations

from dataclasses import dataclass

from tandem.codec.link import Claim, Hello
from tandem.point import Command


@dataclass(slots=True, frozen=True)
class AdoptRegistry:
    """The active's point ids, for a standby with the same configuration: to be persisted, then a restart."""

    json: str


@dataclass(slots=True, frozen=True)
class ClaimAgain:
    """The standby knows an epoch above this active's: it follows only after a claim above `epoch`."""

    epoch: int


@dataclass(slots=True, frozen=True)
class TwoActives:
    """Both members say that they are active; nothing is mirrored."""

    peer: Hello


@dataclass(slots=True, frozen=True)
class ServedApart:
    """The standby was active beside this active, which never followed its claim."""


@dataclass(slots=True, frozen=True)
class PeerCursor:
    """A control center's cursor moved on the other member, in the own numbering."""

    center: str
    number: int


@dataclass(slots=True, frozen=True)
class PeerState:
    """Soft state that the outside remembers, as the active has it."""

    key: str
    octets: bytes


@dataclass(slots=True, frozen=True)
class Ordered:
    """Somebody at the peer gives this member an order, in the words of `orders`."""

    word: str
    origin: str


@dataclass(slots=True, frozen=True)
class ForwardedControl:
    """A control from the standby, under a ref of this member.

    The standby had heard our beat `beat`: whether that is young enough is the node's to say.
    """

    command: Command
    beat: int
    theirs: int  # its ref at the standby


@dataclass(slots=True, frozen=True)
class Salvaged:
    """The own records above `fork`, which the active's history does not have: for the archive."""

    fork: int
    claims: tuple[Claim, ...]
    soe: bytes
    analog: bytes


@dataclass(slots=True, frozen=True)
class ImageSwapped:
    """The whole image was replaced, up to `head`: cursors into the rings are to be made anew."""

    head: int


@dataclass(slots=True, frozen=True)
class HistoryChanged:
    """The journal follows other claims: `History.to_json` is to be persisted."""
