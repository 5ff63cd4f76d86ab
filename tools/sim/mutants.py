"""The mutants of `mutants.toml` and its like as data."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, NamedTuple

from tools.sim.aims import Aim
from tools.sim.fault import Fault
from tools.sim.plan import Taste

Edit = tuple[str, str, str]
_FILES = tuple(
    Path(__file__).with_name(name) for name in ("mutants.toml", "mutants_witness.toml", "mutants_boards.toml")
)


class Mutant(NamedTuple):
    """`edits`: (file, old, new); `finds`: what the checker's sentence must match; `within`: so many seeds."""

    name: str
    kind: str
    edits: tuple[Edit, ...]
    finds: str
    board: str
    within: int
    taste: Taste


def _fault(at_ms: int, kind: str, letter: str, for_ms: int, aim: tuple[str, int, int] | None = None) -> Fault:
    return Fault(at_ms, kind, letter, for_ms, Aim(aim[0], 1, aim[1], aim[2]) if aim else None)


def _mutant(row: dict[str, Any]) -> Mutant:
    taste = Taste(
        row.get("fewest", Taste().fewest), row.get("most", Taste().most), tuple(row.get("kinds", ())),
        tuple(row.get("aims", ())), tuple(_fault(*first) for first in row.get("first", ())),
    )  # fmt: skip
    edits = tuple((edit["file"], edit["old"], edit["new"]) for edit in row["edit"])
    return Mutant(row["name"], row["kind"], edits, row["finds"], row["board"], row["within"], taste)


MUTANTS = tuple(_mutant(row) for file in _FILES for row in tomllib.loads(file.read_text(encoding="utf-8"))["mutant"])
