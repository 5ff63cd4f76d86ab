"""The clocks of the machine: monotonic for every duration, UTC for stamps, and whether UTC is disciplined."""

from __future__ import annotations

import ctypes
import struct
import time

monotonic_ns = time.monotonic_ns
_TIMEX_OCTETS = 208  # struct timex of 64-bit Linux
_ESTIMATE, _ESTIMATE_AT = struct.Struct("@l"), 4 * struct.calcsize("@l")  # esterror, in microseconds
_ERROR = 5  # TIME_ERROR: the clock is not synchronised


def utc_us() -> int:
    """UTC in microseconds since 1970."""
    return time.time_ns() // 1000


def discipline() -> tuple[bool, float]:
    """(a time source disciplines UTC, how far it may be off in ms by that source's own estimate), as the kernel says.

    The estimate is 0 where no source gives one.
    """
    timex = ctypes.create_string_buffer(_TIMEX_OCTETS)
    disciplined = int(ctypes.CDLL(None).adjtimex(timex)) not in (_ERROR, -1)
    return disciplined, _ESTIMATE.unpack_from(timex, _ESTIMATE_AT)[0] / 1e3 if disciplined else 0.0
