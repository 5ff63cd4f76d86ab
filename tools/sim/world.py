"""The heap of virtual time: integer nanoseconds, one seeded random source, and a trace that is hashed."""

from __future__ import annotations

import hashlib
import heapq
import random
from collections.abc import Callable

MS = 1_000_000
SECOND = 1_000 * MS
_START_NS = 1_000 * SECOND  # a machine that has been up for a while: zero would hide a missing deadline


class World:
    """Runs callbacks in the order of their times; ties in the order in which they were asked for."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.random = random.Random(seed)
        self.now = _START_NS
        self.trace: list[str] = []
        self.listeners: list[Callable[[str], None]] = []
        """Called with every sentence of the story."""
        self._heap: list[tuple[int, int, Callable[[], object]]] = []
        self._count = 0
        self._digest = hashlib.sha256()

    def at(self, time_ns: int, do: Callable[[], object]) -> None:
        """Call `do` at a time, not before now."""
        self._count += 1
        heapq.heappush(self._heap, (time_ns if time_ns > self.now else self.now, self._count, do))

    def after(self, delay_ns: int, do: Callable[[], object]) -> None:
        """Call `do` after a delay."""
        self._count += 1
        heapq.heappush(self._heap, (self.now + delay_ns, self._count, do))

    def tell(self, sentence: str) -> None:
        """One line of the story, part of the hash."""
        line = f"{(self.now - _START_NS) / MS:12.3f} {sentence}"
        self.trace.append(line)
        self._digest.update(line.encode() + b"\n")
        for listener in self.listeners:
            listener(sentence)

    @property
    def digest(self) -> str:
        """The hash of the story so far: equal for equal seeds, on every machine."""
        return self._digest.hexdigest()

    @property
    def elapsed_ms(self) -> float:
        """Virtual milliseconds since the start."""
        return (self.now - _START_NS) / MS

    def run(self, duration_ns: int) -> None:
        """Let virtual time pass."""
        until = self.now + duration_ns
        heap, pop = self._heap, heapq.heappop
        while heap and heap[0][0] <= until:
            self.now, _, do = pop(heap)
            do()
        self.now = until
