"""What a full file of the archive holds, to be read in its place: its blocks, and the times of their events.

An index stands beside its file as `INDEX` blocks; each covers the octets from `base` to `head` of the file, and
together they cover all of it, or it is none. A file with damage gets none: it is read as it is.

    entry  kind, flags 1 each | octets that follow 2 | epoch, at, size 4 each | base, head, low, high 8 each | payload

Payloads stand in it but those of events and names, which are read where they are wanted.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from tandem.archive.block import SIZE, Block, Kind, pack, scan
from tandem.codec.record import SIZE as RECORD
from tandem.codec.record import unpack

ENTRIES_A_BLOCK = 8_000
_ENTRY = struct.Struct("<BBHIIIQQqq")
_LARGE = (Kind.EVENTS, Kind.NAMES)
_SMALL_MOST = 0xFFFF


class Entry(NamedTuple):
    """A block without its payload where that is large; it stands at `at`. Stamps of its events: low <= t <= high."""

    block: Block
    at: int
    size: int
    low: int
    high: int


def build(octets: bytes) -> bytes:
    """The index of a file; b"" where the file is damaged or a block does not fit an index."""
    rows: list[bytes] = []
    made: list[bytes] = []
    at = start = 0
    for block in scan(octets):
        if not isinstance(block, Block):
            return b""
        size = SIZE + len(block.payload)
        extra = b"" if block.kind in _LARGE else block.payload
        if len(extra) > _SMALL_MOST:
            return b""
        kind, flags, epoch, base, head, payload = block
        low, high = _times(payload) if kind == Kind.EVENTS else (0, 0)
        rows.append(_ENTRY.pack(kind, flags, len(extra), epoch, at, size, base, head, low, high) + extra)
        at += size
        if len(rows) == ENTRIES_A_BLOCK:
            made.append(pack(Kind.INDEX, b"".join(rows), 0, start, at))
            rows, start = [], at
    if rows:
        made.append(pack(Kind.INDEX, b"".join(rows), 0, start, at))
    return b"".join(made)


def _times(payload: bytes) -> tuple[int, int]:
    stamps = [record[1] for record in unpack(payload)] if len(payload) % RECORD == 0 else []
    return (min(stamps), max(stamps)) if stamps else (0, 0)


def read(index: bytes, size: int) -> list[Entry] | None:
    """The blocks of a file of `size` octets; None where this is not its index."""
    entries: list[Entry] = []
    reached = 0
    for block in scan(index):
        if not isinstance(block, Block) or block.kind != Kind.INDEX or block.base != reached:
            return None
        reached = block.head
        entries += _entries(block.payload)
    return entries if index and reached == size else None


def _entries(payload: bytes) -> list[Entry]:
    found: list[Entry] = []
    at = 0
    while at < len(payload):
        kind, flags, length, epoch, place, size, base, head, low, high = _ENTRY.unpack_from(payload, at)
        at += _ENTRY.size
        block = Block(kind, flags, epoch, base, head, payload[at : at + length])
        found.append(Entry(block, place, size, low, high))
        at += length
    return found
