"""Many stories side by side: seeds handed out to processes, results in the order of their seeds."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import NamedTuple

from tools.sim.plan import Taste, draw_plan, taste_of
from tools.sim.story import tell

_AHEAD = 4  # stories given to each process at a time


class Job(NamedTuple):
    """Seeds from `first` on: `stories` of them, or with 0 as many as `seconds` allow; each board in turn."""

    first: int
    stories: int
    boards: tuple[str, ...]
    folder: str
    seconds: float = 0.0


class Result(NamedTuple):
    """How one story ended; `fault` is "" when all was well."""

    seed: int
    board: str
    fault: str
    faults: int
    takeovers: int
    elapsed_ms: float
    digest: str


def tell_one(seed: int, board: str, folder: str, taste: Taste = Taste()) -> Result:  # noqa: B008
    """The story of a seed, in short."""
    story, fault = tell(seed, draw_plan(seed, board == "relays", taste_of(board, taste)), board, folder)
    changes = story.checks.role_changes
    return Result(seed, board, fault, len(story.faults.kinds), changes, story.world.elapsed_ms, story.world.digest[:16])


def tell_all(job: Job, processes: int) -> Iterator[Result]:
    """Every story of the job. The seed says which board, where there are several."""
    until = time.monotonic() + job.seconds if job.seconds else None

    def more(told: int) -> bool:
        return told < job.stories if until is None else time.monotonic() < until

    def what(told: int) -> tuple[int, str, str]:
        seed = job.first + told
        return seed, job.boards[seed % len(job.boards)], job.folder

    if processes <= 1:
        told = 0
        while more(told):
            yield tell_one(*what(told))
            told += 1
        return
    yield from _beside(more, what, processes)


def _beside(more: Callable[[int], bool], what: Callable[[int], tuple[int, str, str]], most: int) -> Iterator[Result]:
    with ProcessPoolExecutor(most, mp_context=get_context("spawn")) as pool:
        waiting: list[Future[Result]] = []
        told = 0
        while True:
            while len(waiting) < most * _AHEAD and more(told):
                waiting.append(pool.submit(tell_one, *what(told)))
                told += 1
            if not waiting:
                return
            yield waiting.pop(0).result()
