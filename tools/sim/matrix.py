"""The kill matrix: every mutant in a scratch copy of the product, hunted by stories until its checker speaks."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tools.sim.group import EXAMPLE
from tools.sim.many import tell_one
from tools.sim.mutants import MUTANTS, Mutant

_ROOT = Path(__file__).resolve().parents[2]
_COPIED = ("firmware/tandem", "tools", "board")
_FIRST_SEED = 1


class Kill(NamedTuple):
    """How a mutant fared: `seeds` stories until `said`, or 0 and why not."""

    mutant: Mutant
    seeds: int
    said: str


def apply(mutant: Mutant, firmware: Path) -> None:
    """Patch a copy. Raises ValueError where a text does not stand in its file exactly once."""
    for name, old, new in mutant.edits:
        file = firmware / name
        text = file.read_text(encoding="utf-8")
        if text.count(old) != 1:
            raise ValueError(f'mutant "{mutant.name}": {name} has its text {text.count(old)} times: write it anew')
        file.write_text(text.replace(old, new), encoding="utf-8")


def hunt(mutant: Mutant) -> Kill:
    """Stories against one mutant, in a process of their own over a scratch copy."""
    with tempfile.TemporaryDirectory(prefix="tandem-mutant-") as scratch:
        for name in _COPIED:
            shutil.copytree(_ROOT / name, Path(scratch) / name, ignore=shutil.ignore_patterns("__pycache__"))
        try:
            apply(mutant, Path(scratch) / "firmware" / "tandem")
        except ValueError as error:
            return Kill(mutant, 0, str(error))
        path = os.pathsep.join([str(Path(scratch) / "firmware"), scratch])
        done = subprocess.run(
            [sys.executable, "-m", "tools.sim.matrix", mutant.name],
            cwd=scratch, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True,
        )  # fmt: skip
    seeds, _, said = done.stdout.strip().partition(" ")
    if done.returncode or not seeds.isdigit():
        return Kill(mutant, 0, (done.stderr.strip().splitlines() or ["no answer"])[-1])
    if int(seeds) and (well := tell_one(_FIRST_SEED + int(seeds) - 1, mutant.board, str(EXAMPLE), mutant.taste).fault):
        return Kill(mutant, 0, f"proves nothing: in that story the product itself breaks: {well}")
    return Kill(mutant, int(seeds), said)


def chase(mutant: Mutant) -> str:
    """In the scratch copy: "SEEDS SENTENCE" of the first story whose checker speaks, "0 ..." when none does."""
    others: list[str] = []
    for seed in range(_FIRST_SEED, _FIRST_SEED + mutant.within):
        result = tell_one(seed, mutant.board, str(EXAMPLE), mutant.taste)
        if re.search(mutant.finds, result.fault):
            return f"{seed - _FIRST_SEED + 1} {result.fault}"
        others += [result.fault] if result.fault else []
    return f"0 survived {mutant.within} stories" + (f"; others said: {others[0]}" if others else "")


def run(mutants: Sequence[Mutant], jobs: int) -> Iterator[Kill]:
    """Hunt them all, some side by side."""
    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(hunt, mutants)


def share(number: int, of: int) -> list[Mutant]:
    """The mutants whose turn it is: one of `of` shares, which rotate."""
    return [mutant for place, mutant in enumerate(MUTANTS) if place % of == number % of]


def report(kills: Iterable[Kill]) -> tuple[int, int]:
    """Print the matrix as it comes; returns (mutants, killed)."""
    seeds: list[int] = []
    total = 0
    for kill in kills:
        total += 1
        found = f"seed no. {kill.seeds:<3}" if kill.seeds else "SURVIVED    "
        mutant = kill.mutant
        print(f"{mutant.kind:>3}  {mutant.name:<50} {mutant.board:<9} {found} {kill.said[:90]}", flush=True)
        seeds += [kill.seeds] if kill.seeds else []
    middle = f"; seeds to find: median {median(seeds):g}, most {max(seeds)}" if seeds else ""
    print(f"{len(seeds)} of {total} mutants killed{middle}")
    return total, len(seeds)


if __name__ == "__main__":
    print(chase(next(mutant for mutant in MUTANTS if mutant.name == sys.argv[1])))
