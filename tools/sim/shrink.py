"""The shortest story that still fails in the same way: fewer faults, then simpler ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from tools.sim.fault import Fault
from tools.sim.story import tell

_ROUND_MS = 100

Fails = Callable[[Sequence[Fault]], bool]


def same_way(seed: int, board: str, folder: str, sentence: str) -> Fails:
    """Whether a plan breaks the same rule: the word before the colon names it."""
    rule = sentence.partition(":")[0]
    return lambda plan: tell(seed, plan, board, folder)[1].partition(":")[0] == rule


def shrink(plan: Sequence[Fault], fails: Fails) -> tuple[Fault, ...]:
    """A plan of which nothing can be left out or made simpler without the failure going away."""
    plan = tuple(plan)
    smaller = True
    while smaller:
        smaller = False
        for candidate in _smaller(plan):
            if fails(candidate):
                plan, smaller = candidate, True
                break
    return plan


def _smaller(plan: tuple[Fault, ...]) -> Iterator[tuple[Fault, ...]]:
    half = len(plan) // 2
    if half > 1:
        yield plan[:half]
        yield plan[half:]
    for at in range(len(plan)):
        yield plan[:at] + plan[at + 1 :]
    for at, fault in enumerate(plan):
        for simple in _simpler(fault):
            yield (*plan[:at], simple, *plan[at + 1 :])


def _simpler(fault: Fault) -> Iterator[Fault]:
    if fault.aim is not None:
        yield fault._replace(aim=None)
    if fault.for_ms % _ROUND_MS:
        yield fault._replace(for_ms=max(_ROUND_MS, fault.for_ms // _ROUND_MS * _ROUND_MS))
    if fault.at_ms:
        yield fault._replace(at_ms=fault.at_ms // _ROUND_MS * _ROUND_MS - (0 if fault.at_ms % _ROUND_MS else _ROUND_MS))
