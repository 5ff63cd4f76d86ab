"""Stories in which the product broke once, as data: what was wrong stands beside each."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import NamedTuple

from tools.sim.aims import Aim
from tools.sim.fault import Fault

KEPT = Path(__file__).resolve().parents[2] / "tests" / "sim" / "kept.toml"


class Kept(NamedTuple):
    """`was`: what was wrong, as a sentence."""

    was: str
    board: str
    seed: int
    plan: tuple[Fault, ...]


def read_kept(file: Path = KEPT) -> tuple[Kept, ...]:
    """The stories of a file, in its order. Raises ValueError where it is no TOML."""
    rows = tomllib.loads(file.read_text(encoding="utf-8"))["story"]
    return tuple(Kept(row["was"], row["board"], row["seed"], tuple(map(fault_of, row["faults"]))) for row in rows)


def fault_of(row: list[object]) -> Fault:
    """A fault of a file: [at ms, kind, member, for ms] and, where it is aimed, the four of an `Aim`."""
    at_ms, kind, letter, for_ms, *aim = row
    return Fault(at_ms, kind, letter, for_ms, Aim(*aim[0]) if aim else None)  # type: ignore[arg-type, misc]
