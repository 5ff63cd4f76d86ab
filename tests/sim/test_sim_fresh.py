"""Stories that nobody told before: their seeds are drawn from the product itself, so each change brings others."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from tools.sim.group import EXAMPLE
from tools.sim.many import Job, tell_all

STORIES = int(os.environ.get("TANDEM_FRESH_STORIES", "40"))
"""A merge tells 500."""
_PRODUCT = Path(__file__).resolve().parents[2] / "firmware" / "tandem"
_AT = 10_000_000
"""Seeds below are kept, scripted, or of the ledger."""


def test_fresh_stories_end_well() -> None:
    digest = hashlib.sha256()
    for file in sorted(_PRODUCT.rglob("*.py")):
        digest.update(file.read_bytes())
    first = _AT + int.from_bytes(digest.digest()[:4], "big")
    told = list(tell_all(Job(first, STORIES, ("relays", "software"), str(EXAMPLE)), len(os.sched_getaffinity(0))))
    assert len(told) == STORIES
    broken = [f"./build.sh sim {r.seed} --board {r.board} --watch: {r.fault}" for r in told if r.fault]
    assert not broken, "\n".join(broken)
