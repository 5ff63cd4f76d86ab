"""One fault of a story, as data."""

from __future__ import annotations

from typing import NamedTuple

from tools.sim.aims import Aim


class Fault(NamedTuple):
    """One fault: `at_ms` after the warm-up (or when its `aim` comes, from then on), mended after `for_ms`."""

    at_ms: int
    kind: str
    letter: str
    for_ms: int
    aim: Aim | None = None

    def __str__(self) -> str:
        when = f"at {self.at_ms} ms"
        if self.aim:
            what, count, steps, after_ms = self.aim
            place = f"{after_ms} ms after" if after_ms else f"{steps} steps into" if steps else "just before"
            when += f", {place} {what!r} (no. {count})"
        return f"{self.kind} of {self.letter} for {self.for_ms} ms, {when}"
