"""The journal record, octet by octet: the same 32 octets in a ring, on the hot-standby link and in a snapshot.

    offset size  field      little-endian
         0    8  number     sequence number, u64; named together with the epoch of the history it belongs to
         8    8  stamp_us   UTC microseconds since 1970, i64
        16    8  value      float64
        24    4  point_id   u32, from the registry, never reused
        28    2  quality    `point.Quality`, u16
        30    1  cause      `point.Cause`, `point.DEVICE_TIME` or-ed in, u8
        31    1  version    1, u8: a reader refuses a slice that begins with another
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator

RECORD = struct.Struct("<QqdIHBB")
SIZE = RECORD.size
VERSION = 1
_ID_AT = 24
_ID = struct.Struct(f"<{_ID_AT}xI4x")

Record = tuple[int, int, float, int, int, int, int]
"""(number, stamp_us, value, point_id, quality, cause, version), the unpacked form."""

assert SIZE == 32, "the record is on the wire and on flash: its size is part of the format"


def pack(number: int, stamp_us: int, value: float, point_id: int, quality: int, cause: int) -> bytes:
    """One record as octets."""
    return RECORD.pack(number, stamp_us, value, point_id, quality, cause, VERSION)


def unpack(octets: bytes | bytearray | memoryview) -> Iterator[Record]:
    """The records of a slice, in order. Raises ValueError unless it holds whole records of this version."""
    if len(octets) % SIZE:
        raise ValueError(f"a slice of {len(octets)} octets is not a whole number of {SIZE}-octet records")
    if octets and octets[SIZE - 1] != VERSION:
        raise ValueError(f"record version {octets[SIZE - 1]}, this gateway reads version {VERSION}")
    return RECORD.iter_unpack(octets)


def point_ids(octets: bytes | bytearray) -> list[int]:
    """The point ids of whole records, in order; nothing else of them is looked at."""
    if sys.byteorder == "little":
        return memoryview(octets).cast("I")[_ID_AT // 4 :: SIZE // 4].tolist()
    return [row[0] for row in _ID.iter_unpack(octets)]


def number_of(octets: bytes) -> int:
    """The sequence number of the record that these octets begin with."""
    return int.from_bytes(octets[:8], "little")


def up_to(octets: bytes, number: int) -> bytes:
    """The part of a slice, in the order of its numbers, that reaches up to this one."""
    low, high = 0, len(octets) // SIZE
    while low < high:
        middle = (low + high) // 2
        if int.from_bytes(octets[middle * SIZE : middle * SIZE + 8], "little") <= number:
            low = middle + 1
        else:
            high = middle
    return octets[: low * SIZE]
