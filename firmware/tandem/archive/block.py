"""The blocks of which every file on flash consists: each under its own checksum, each saying what it covers.

    offset size  field    little-endian
         0    4  check    CRC-32 of everything behind it
         4    2  magic    0x7D51
         6    1  kind     `Kind`
         7    1  flags    of the kind
         8    4  length   of the payload in octets
        12    4  epoch    of the records in the payload
        16    8  base     the block covers the numbers above it,
        24    8  head     up to this one
        32       payload

A power cut leaves a torn tail: octets behind the last whole block. Damage in the middle costs the blocks it touches
and no other, since the reader looks for the next magic whose checksum fits.
"""

from __future__ import annotations

import enum
import struct
import zlib
from collections.abc import Iterator
from typing import NamedTuple

HEADER = struct.Struct("<IHBBIIQQ")
SIZE = HEADER.size
PAYLOAD_MAX = 1 << 20
EVENTS_A_BLOCK = 126
"""Records of a block of events: with its header it fits a page of flash, and damage costs no more than that."""
_MAGIC = 0x7D51
_SIGN = _MAGIC.to_bytes(2, "little")


class Kind(enum.IntEnum):
    """What a block holds. Archive: 1 to 6; journal: 1 and 16 to 23."""

    HEAD = 1  # of every segment: JSON, what this file is
    NAMES = 2  # JSON: points whose ids occur in this segment for the first time
    EVENTS = 3  # records
    GAP = 4  # what lies between base and head is not here; flags: `Gap`
    PARTED = 5  # everything above base of what stands before this is of a history that the group does not follow
    INDEX = 6  # beside a file: what it holds, see `archive.index`
    SLICE = 16  # a slice of both rings, and what follows from it
    BEGIN = 17  # an image begins: of the rings up to base
    ROWS = 18  # of the image: present records
    TAIL = 19  # of the image: a slice of both rings
    END = 20  # the image is whole; JSON: up to which numbers its rings hold nothing
    CLAIMS = 21  # JSON: the history
    BESIDE = 22  # JSON: cursors of control centers, and up to where something may have left
    OUTSIDE = 23  # a page of what a center made its station remember: its key behind one octet of length, its octets


SALVAGED = 1
"""Flag of EVENTS: of a history that the group does not follow."""


class Gap(enum.IntEnum):
    """Why records are missing: the flags of a GAP."""

    OVERRUN = 1  # the archive was too slow, or its disk took nothing, and the ring went round
    AWAY = 2  # this member did not run or had no mirror, and its peer's ring no longer had them
    RESTART = 3  # the journal in RAM ended with its processes; what it held above the base and was not written is lost
    FOREIGN = 4  # the history that this member follows does not know where its archive ended


class Block(NamedTuple):
    """One whole block. `kind` is a number, for a later version may know more kinds."""

    kind: int
    flags: int
    epoch: int
    base: int
    head: int
    payload: bytes


class Damage(NamedTuple):
    """Octets that are no block, from `at`."""

    at: int
    length: int


def pack(kind: Kind, payload: bytes = b"", epoch: int = 0, base: int = 0, head: int = 0, flags: int = 0) -> bytes:
    """A block as octets."""
    header = HEADER.pack(0, _MAGIC, kind, flags, len(payload), epoch, base, head)
    check = zlib.crc32(payload, zlib.crc32(header[4:]))
    return check.to_bytes(4, "little") + header[4:] + payload


def _at(octets: bytes, at: int) -> tuple[Block, int] | None:
    """The whole block at this offset, and where it ends."""
    if at + SIZE > len(octets):
        return None
    check, magic, kind, flags, length, epoch, base, head = HEADER.unpack_from(octets, at)
    end = at + SIZE + length
    if magic != _MAGIC or length > PAYLOAD_MAX or end > len(octets):
        return None
    if zlib.crc32(memoryview(octets)[at + 4 : end]) != check:
        return None
    return Block(kind, flags, epoch, base, head, octets[at + SIZE : end]), end


def scan(octets: bytes) -> Iterator[Block | Damage]:
    """Everything in a file, in order; every octet belongs to a whole block or to one `Damage`."""
    at = 0
    while at < len(octets):
        found = _at(octets, at)
        if found is None:
            after = _next(octets, at + 1)
            yield Damage(at, after - at)
            at = after
        else:
            block, at = found
            yield block


def _next(octets: bytes, start: int) -> int:
    """Where the next whole block begins; the end of the file when there is none."""
    sign = octets.find(_SIGN, start + 4)
    while sign >= 0:
        if _at(octets, sign - 4) is not None:
            return sign - 4
        sign = octets.find(_SIGN, sign + 1)
    return len(octets)


def whole(octets: bytes) -> int:
    """Where the torn tail begins: the end of the last whole block."""
    end = at = 0
    while at < len(octets):
        found = _at(octets, at)
        if found is None:
            at = _next(octets, at + 1)
        else:
            end = at = found[1]
    return end

