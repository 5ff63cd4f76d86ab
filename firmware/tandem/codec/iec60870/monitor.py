"""Objects of monitored ASDUs as plain tuples, for whoever reads thousands a second; `types` has them in words.

    binary, double, step, bitstring   the state's number; a step's transient flag is dropped
    normalised                        -1 to 1 - 2**-15; scaled, short floating point and totals as they are
    protection events                 state of a single one, bits of a packed one; their times are not read
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct

from tandem.codec.iec60870 import FrameError
from tandem.codec.iec60870 import quality as flags
from tandem.codec.iec60870 import time as tags
from tandem.codec.iec60870.asdu import IEC104, SQ, Profile
from tandem.codec.iec60870.types import TYPES
from tandem.point import Kind, Quality

Object = tuple[int, float, int, int | None]
"""(object address, value, `Quality`, UTC stamp in us or None without a usable time tag)."""
_Read = Callable[[bytes, int], tuple[float, int]]

_S16, _U16, _U32, _S32, _F32 = Struct("<h"), Struct("<H"), Struct("<I"), Struct("<i"), Struct("<f")
_TIME_INVALID = int(Quality.TIME_INVALID)
_INVALID = int(Quality.INVALID)
_SIQ, _QDS = flags.FROM_SIQ, flags.FROM_QDS
_HOUR_US = 3_600_000_000


def _single(octets: bytes, at: int) -> tuple[float, int]:
    return octets[at] & 1, _SIQ[octets[at]]


def _double(octets: bytes, at: int) -> tuple[float, int]:
    return octets[at] & 3, _SIQ[octets[at]]


def _step(octets: bytes, at: int) -> tuple[float, int]:
    return (octets[at] & 0x7F) - ((octets[at] & 0x40) << 1), _QDS[octets[at + 1]]


def _bits(octets: bytes, at: int) -> tuple[float, int]:
    return _U32.unpack_from(octets, at)[0], _QDS[octets[at + 4]]


def _normalised(octets: bytes, at: int) -> tuple[float, int]:
    return _S16.unpack_from(octets, at)[0] / 32768, _QDS[octets[at + 2]]


def _bare(octets: bytes, at: int) -> tuple[float, int]:
    return _S16.unpack_from(octets, at)[0] / 32768, 0


def _scaled(octets: bytes, at: int) -> tuple[float, int]:
    return _S16.unpack_from(octets, at)[0], _QDS[octets[at + 2]]


def _float(octets: bytes, at: int) -> tuple[float, int]:
    return _F32.unpack_from(octets, at)[0], _QDS[octets[at + 4]]


def _total(octets: bytes, at: int) -> tuple[float, int]:
    return _S32.unpack_from(octets, at)[0], _INVALID if octets[at + 4] & flags.BCR_IV else 0


def _packed(octets: bytes, at: int) -> tuple[float, int]:
    return _U16.unpack_from(octets, at)[0], _QDS[octets[at + 4]]


def _starts(octets: bytes, at: int) -> tuple[float, int]:
    return octets[at] & 0x3F, _SIQ[octets[at + 1]]


def _circuits(octets: bytes, at: int) -> tuple[float, int]:
    return octets[at] & 0x0F, _SIQ[octets[at + 1]]


_FAMILIES: tuple[tuple[tuple[int, ...], _Read, tuple[Kind, ...]], ...] = (
    ((1, 2, 30), _single, (Kind.BINARY,)),
    ((3, 4, 31), _double, (Kind.DOUBLE,)),
    ((5, 6, 32), _step, (Kind.STEP,)),
    ((7, 8, 33), _bits, (Kind.BITSTRING,)),
    ((9, 10, 34), _normalised, (Kind.ANALOG, Kind.COUNTER)),
    ((11, 12, 35), _scaled, (Kind.ANALOG, Kind.COUNTER)),
    ((13, 14, 36), _float, (Kind.ANALOG, Kind.COUNTER)),
    ((15, 16, 37), _total, (Kind.COUNTER, Kind.ANALOG)),
    ((17, 38), _double, (Kind.DOUBLE,)),
    ((18, 39), _starts, (Kind.BITSTRING,)),
    ((19, 40), _circuits, (Kind.BITSTRING,)),
    ((20,), _packed, (Kind.BITSTRING,)),
    ((21,), _bare, (Kind.ANALOG, Kind.COUNTER)),
)
KINDS: dict[int, frozenset[Kind]] = {n: frozenset(kinds) for numbers, _, kinds in _FAMILIES for n in numbers}
"""Monitored type -> the kinds of points that its values may feed."""
_TAG_SIZE = {"": 0, "cp24": 3, "cp56": 7}
_READS: dict[int, tuple[_Read, int, int]] = {
    n: (read, TYPES[n].size - _TAG_SIZE[TYPES[n].time], _TAG_SIZE[TYPES[n].time])
    for numbers, read, _ in _FAMILIES
    for n in numbers
}


def objects(octets: bytes, utc_us: int, profile: Profile = IEC104) -> list[Object]:
    """The objects of a whole ASDU of a type in `KINDS`; `utc_us` tells which hour a CP24Time2a means.

    A tag whose time is no date, or not to be trusted, adds TIME_INVALID. Raises FrameError where the octets do not
    bear what the header announces.
    """
    read, wide, tag = _READS[octets[0]]
    count, at, ioa_size = octets[1] & 0x7F, profile.header, profile.ioa
    one_address = octets[1] & SQ
    have, need = len(octets) - at, (1 if one_address else count) * ioa_size + count * (wide + tag)
    if not count or have != need:
        name = TYPES[octets[0]].name
        raise FrameError(f"{name} with {count} object{'s' * (count != 1)} needs {need} octets, {have} are there")
    found: list[Object] = []
    ioa = -1
    for _ in range(count):
        if one_address and ioa >= 0:
            ioa += 1
        else:
            ioa = int.from_bytes(octets[at : at + ioa_size], "little")
            at += ioa_size
        value, quality = read(octets, at)
        at += wide
        if not tag:
            found.append((ioa, value, quality, None))
            continue
        stamp, invalid = _cp56(octets, at) if tag == 7 else _cp24(octets, at, utc_us)
        found.append((ioa, value, quality | invalid, stamp))
        at += tag
    return found


def _cp56(octets: bytes, at: int) -> tuple[int | None, int]:
    us, invalid, _ = tags.decode_cp56(octets, at)
    return us, _TIME_INVALID if invalid or us is None else 0


def _cp24(octets: bytes, at: int, utc_us: int) -> tuple[int | None, int]:
    """The hour is the one that puts the stamp nearest to now."""
    ms, invalid = tags.decode_cp24(octets, at)
    if ms is None:
        return None, _TIME_INVALID
    stamp = utc_us - utc_us % _HOUR_US + ms * 1000
    if stamp - utc_us > _HOUR_US // 2:
        stamp -= _HOUR_US
    elif utc_us - stamp > _HOUR_US // 2:
        stamp += _HOUR_US
    return stamp, _TIME_INVALID if invalid else 0
