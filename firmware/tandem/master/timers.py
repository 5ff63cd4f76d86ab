"""Deadlines of one channel: what is to be called when."""

from __future__ import annotations

import heapq
from collections.abc import Callable

Action = Callable[[int], None]


class Timers:
    """A heap of (when, action). Actions of one instant run in the order in which they were set."""

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Action]] = []
        self._count = 0

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, when: int, action: Action) -> None:
        """Call `action(now)` in the first `run` at or after `when` (ns)."""
        self._count += 1
        heapq.heappush(self._heap, (when, self._count, action))

    def run(self, now: int) -> None:
        """Call what is due; what it sets for `now` or earlier waits for the next run."""
        heap = self._heap
        if not heap or heap[0][0] > now:
            return
        ready = []
        while heap and heap[0][0] <= now:
            ready.append(heapq.heappop(heap)[2])
        for action in ready:
            action(now)

    @property
    def due(self) -> int | None:
        """When the next one is due."""
        return self._heap[0][0] if self._heap else None

    def clear(self) -> None:
        """Forget all."""
        self._heap.clear()
