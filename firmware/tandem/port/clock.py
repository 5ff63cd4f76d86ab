"""The clocks of the machine: monotonic for every duration, UTC for stamps, and whether UTC is disciplined."""

from __future__ import annotations

import ctypes
import time

monotonic_ns = time.monotonic_ns
_TIMEX_OCTETS = 208  # struct timex of 64-bit Linux; only the return value is read
_ERROR = 5  # TIME_ERROR: the clock is not synchronised


def utc_us() -> int:
    """UTC in microseconds since 1970."""
    return time.time_ns() // 1000


def synchronised() -> bool:
    """True when the kernel says that some time source disciplines the clock."""
    timex = ctypes.create_string_buffer(_TIMEX_OCTETS)
    return int(ctypes.CDLL(None).adjtimex(timex)) not in (_ERROR, -1)
