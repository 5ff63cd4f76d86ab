"""What the process reads of its machine once a second: the wall clock, its memory and processor time, its turns."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from tandem.port import clock
from tandem.port.notify import ServiceWatchdog
from tandem.statistics import Figures

_EACH_NS = 1_000_000_000
_PAGE_MIB = os.sysconf("SC_PAGE_SIZE") / (1 << 20)
_STATM = Path("/proc/self/statm")


class Machine:
    """Tells `clock_reads(utc_us, synced, now)` and `figures(Figures)` once a second, beginning at once."""

    def __init__(
        self, clock_reads: Callable[[int, bool, int], None], figures: Callable[[Figures], None], now: int
    ) -> None:
        self._clock_reads, self._figures = clock_reads, figures
        self._began = self._at = now
        self._cpu_s = time.process_time()
        self._last = now
        self._turns = self._worst_ns = 0
        self._service = ServiceWatchdog()
        self.look(now)

    def turn(self, took_ns: int) -> None:
        """A whole turn ended."""
        self._turns += 1
        if took_ns > self._worst_ns:
            self._worst_ns = took_ns

    def look(self, now: int) -> None:
        """Call it each turn."""
        if now < self._at:
            return
        self._at = now + _EACH_NS
        if now >= self._service.due:
            self._service.tell(now)
        at, utc_us = clock.monotonic_ns(), clock.utc_us()  # side by side: a turn may have begun long ago
        synced, error_ms = clock.discipline()
        self._clock_reads(utc_us, synced, at)
        cpu_s = time.process_time()
        percent = 100e9 * (cpu_s - self._cpu_s) / (now - self._last) if now > self._last else 0.0
        uptime_s = (now - self._began) // _EACH_NS
        self._figures(Figures(self._turns, self._worst_ns / 1e6, _resident_mib(), percent, uptime_s, error_ms))
        self._cpu_s, self._last, self._worst_ns = cpu_s, now, 0


def _resident_mib() -> float:
    try:
        return int(_STATM.read_text().split()[1]) * _PAGE_MIB
    except (OSError, ValueError, IndexError):
        return 0.0
