"""Time tags: CP56Time2a, CP24Time2a and CP16Time2a (IEC 60870-5-101 7.2.6.18 to 7.2.6.20), in UTC.

A stamp is UTC microseconds since 1970; a tag has milliseconds, so the last three digits are cut.
Two-digit years from 70 on are 19xx, others 20xx.
"""

from __future__ import annotations

import calendar
import struct
from datetime import UTC, datetime
from typing import NamedTuple

CP56_SIZE = 7
INVALID = 0x80  # in the minute octet
SUMMER = 0x80  # in the hour octet
_MINUTE_US = 60_000_000
_PIVOT = 70
_MS = struct.Struct("<H")
_CACHED_MINUTES = 256
_LAST_MINUTE = calendar.timegm((2069, 12, 31, 23, 59, 0)) // 60  # what two digits can say from 1970 on

_tails: dict[int, tuple[bytes, bytes]] = {}


class Tag(NamedTuple):
    """A decoded CP56Time2a. `us` is None where the octets name no date that exists."""

    us: int | None
    invalid: bool
    summer: bool


_minutes: dict[bytes, Tag] = {}


def minute_tails(minute: int) -> tuple[bytes, bytes]:
    """The last five octets of every tag in a minute (UTC minutes since 1970): with IV = 0, and with IV = 1."""
    known = _tails.get(minute)
    if known is None:
        if len(_tails) >= _CACHED_MINUTES:
            _tails.clear()
        at = datetime.fromtimestamp(min(max(0, minute), _LAST_MINUTE) * 60, UTC)
        head, rest = at.minute, bytes((at.hour, at.isoweekday() << 5 | at.day, at.month, at.year % 100))
        known = _tails[minute] = (bytes((head,)) + rest, bytes((head | INVALID,)) + rest)
    return known


def encode_cp56(us: int, invalid: bool = False) -> bytes:
    """A stamp as seven octets; the day of the week is filled in, SU is 0 (UTC knows no summer time)."""
    minute, rest = divmod(us, _MINUTE_US)
    return _MS.pack(rest // 1000) + minute_tails(minute)[invalid]


def decode_cp56(octets: bytes, at: int = 0) -> Tag:
    """Seven octets as a Tag. With SU = 1 the hour is taken back by one. Never raises for seven octets."""
    tail = octets[at + 2 : at + 7]
    known = _minutes.get(tail)
    if known is None:
        if len(_minutes) >= _CACHED_MINUTES:
            _minutes.clear()
        known = _minutes[tail] = _minute(tail)
    us, invalid, summer = known
    ms = octets[at] | octets[at + 1] << 8
    return known if us is None else Tag(None if ms > 59_999 else us + ms * 1000, invalid, summer)


def _minute(tail: bytes) -> Tag:
    """What the last five octets of a tag say; `us` is the minute's begin."""
    minute, hour = tail[0], tail[1]
    day, month, year = tail[2] & 0x1F, tail[3] & 0x0F, tail[4] & 0x7F
    invalid, summer = bool(minute & INVALID), bool(hour & SUMMER)
    minute, hour = minute & 0x3F, hour & 0x1F
    if minute > 59 or hour > 23 or not 1 <= month <= 12 or year > 99:
        return Tag(None, invalid, summer)
    year += 1900 if year >= _PIVOT else 2000
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return Tag(None, invalid, summer)
    return Tag(calendar.timegm((year, month, day, hour - summer, minute, 0)) * 1_000_000, invalid, summer)


def encode_cp24(ms_of_hour: int, invalid: bool = False) -> bytes:
    """Milliseconds within an hour as three octets."""
    minute, ms = divmod(ms_of_hour, 60_000)
    return _MS.pack(ms) + bytes((minute | (INVALID if invalid else 0),))


def decode_cp24(octets: bytes, at: int = 0) -> tuple[int | None, bool]:
    """(milliseconds within the hour, IV); None where they are no such time."""
    ms, minute = octets[at] | octets[at + 1] << 8, octets[at + 2]
    known = ms <= 59_999 and minute & 0x3F <= 59
    return ((minute & 0x3F) * 60_000 + ms if known else None), bool(minute & INVALID)
