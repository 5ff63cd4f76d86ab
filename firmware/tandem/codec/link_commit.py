"""Frames of the hot-standby link that carry a configuration from one member to the other; layout: `codec.link`."""

from __future__ import annotations

from struct import Struct, pack
from typing import NamedTuple

HEAD_LAYOUT = Struct("<IB")
PIECE_MAX = 32_768
"""Octets of a configuration in one frame: little beside what a LAN carries in the time an acknowledgement may take."""
WORD_MAX = 65_536


class CommitWord(NamedTuple):
    """One word of the members' conversation about a configuration, a JSON object; see `standby.rolling`."""

    text: str

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        octets = self.text.encode()
        return HEAD_LAYOUT.pack(1 + len(octets), 24) + octets


class Piece(NamedTuple):
    """Octets of a configuration's pack, which begin at `at`."""

    at: int
    octets: bytes

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return HEAD_LAYOUT.pack(5 + len(self.octets), 25) + pack("<I", self.at) + self.octets
