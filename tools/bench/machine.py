"""How fast this machine is at the moment: figures are stated beside it, so that they can be compared."""

from __future__ import annotations

import statistics
import time
from pathlib import Path

_ADDITIONS = 2_000_000


def machine_factor() -> float:
    """Seconds that a fixed loop of 2 million integer additions and remainders takes; the median of three."""
    return statistics.median(_loop() for _ in range(3))


def _loop() -> float:
    start = time.perf_counter()
    total = 0
    for i in range(_ADDITIONS):
        total = (total + i) % 1_000_003
    return time.perf_counter() - start


def cpu_s(pid: int) -> float:
    """By the scheduler's own count, in ns; the ticks of /proc/PID/stat are samples, and timers bias them."""
    return sum(int(task.read_text().split()[0]) for task in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9


def memory_mib(pid: int, what: str = "VmRSS") -> float:
    """A line of /proc/PID/status: VmRSS is resident now, VmHWM the most that ever was, VmLck locked."""
    line = next(row for row in Path(f"/proc/{pid}/status").read_text().splitlines() if row.startswith(what + ":"))
    return int(line.split()[1]) / 1024
