"""How fast this machine is at the moment: figures are stated beside it, so that they can be compared."""

from __future__ import annotations

import statistics
import time

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
