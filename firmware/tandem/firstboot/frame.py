"""Frames of the pairing on the crossover line: "TP", type, length (u16), payload, CRC-32 over all before it."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from enum import IntEnum

_MAGIC = b"TP"
_HEAD = 5
PAYLOAD_MAX = 2048
_PENDING_MAX = 4 * PAYLOAD_MAX


class Type(IntEnum):
    """What a frame says. HELLO: letter, wish, commitment. REVEAL: what was committed to. The others carry a MAC."""

    HELLO = 1
    REVEAL = 2
    AGREED = 3
    REFUSED = 4
    PART = 5
    GOT = 6


def pack(kind: Type, payload: bytes) -> bytes:
    """One frame; `payload` at most PAYLOAD_MAX octets."""
    head = _MAGIC + bytes([kind]) + len(payload).to_bytes(2, "big") + payload
    return head + zlib.crc32(head).to_bytes(4, "big")


class Finder:
    """Finds frames in what a line delivers, whatever else is on it."""

    def __init__(self) -> None:
        self._octets = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[Type, bytes]]:
        """Whole and right frames; everything else is passed over, an octet at a time."""
        held = self._octets
        held += data
        del held[:-_PENDING_MAX]
        while len(held) >= _HEAD + 4:
            at = held.find(_MAGIC)
            if at < 0:
                del held[:-1]
                return
            del held[:at]
            if len(held) < _HEAD + 4:
                return
            length = int.from_bytes(held[3:5], "big")
            end = _HEAD + length
            if length > PAYLOAD_MAX or held[2] not in Type._value2member_map_:
                del held[:1]
            elif len(held) < end + 4:
                return
            elif zlib.crc32(held[:end]).to_bytes(4, "big") == held[end : end + 4]:
                yield Type(held[2]), bytes(held[_HEAD:end])
                del held[: end + 4]
            else:
                del held[:1]
