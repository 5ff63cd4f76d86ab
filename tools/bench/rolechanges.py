"""Ordered role changes of a running pair on the bench's relays, one after the other: how long, did a contact chatter.

`./build.sh bench rolechanges [--changes 1000] [--json]`. Each change waits until both are in sync and the lines are
held. A contact that closes or opens moves as often as its bounce says, and once; every further move is chatter.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
import tomllib
from pathlib import Path
from typing import Any

from tools.bench.machine import machine_factor
from tools.bench.pair import Pair
from tools.bench.plan import MEMBERS, MS, other

_EXAMPLE = Path(__file__).resolve().parents[1] / "example-group"
_READY_S = 20.0
_LOOK_S = 0.02


def moves_most(board: dict[str, Any]) -> int:
    """How often a contact may move when it closes or opens once."""
    return 3 if board["relay"]["bounce_ms"] else 1


def chatter(history: list[tuple[int, str, str, Any]], changes: int, per_move: int) -> dict[str, int]:
    """By member: contact moves beyond those of so many changes, in each of which it opens or closes once."""
    moves = {m: sum(what == "contact" and who == m for _, what, who, _ in history) for m in "ab"}
    return {m: max(0, count - changes * per_move) for m, count in moves.items()}


def _active(pair: Pair, wanted: str = "") -> str:
    """The active member, once it is `wanted` (or any), holds the lines and both are in sync. Raises RuntimeError."""
    until = time.monotonic() + _READY_S
    while time.monotonic() < until:
        status = {m: member.status() for m, member in pair.members.items()}
        for m in MEMBERS:
            here, there = status[m], status[other(m)]
            settled = here.get("lines") == "held" and here.get("in_sync") and there.get("in_sync")
            if here.get("role") == "active" and there.get("role") == "standby" and settled and wanted in ("", m):
                return m
        time.sleep(_LOOK_S)
    words = "; ".join(f"{m}: {member.last_words(2)}" for m, member in pair.members.items())
    raise RuntimeError(f"{wanted or 'nobody'} is not active with lines and in sync after {_READY_S:g} s: {words}")


def _order(pair: Pair, active: str) -> int:
    """Order it, again while it is refused: what a peer says of itself is a beat old. When it was taken, in ns."""
    until = time.monotonic() + _READY_S
    while True:
        began = time.monotonic_ns()
        said = pair.members[active].ask("switchover", to="peer")
        if said.get("ok") and not str(said["sentence"]).startswith("refused"):
            return began
        if time.monotonic() > until:
            raise RuntimeError(f"member {active} takes no order: {said}")
        time.sleep(_LOOK_S)


def _change(pair: Pair, active: str) -> float:
    """Order one, and wait; returns ms from the order to the other's closed contact."""
    began = _order(pair, active)
    _active(pair, other(active))
    closed = [t for t, what, m, value in pair.bench.history(began) if (what, m, value) == ("contact", other(active), 1)]
    return (closed[-1] - began) / MS if closed else float("nan")


def measure(changes: int) -> dict[str, Any]:
    """Run them; a figure of each kind."""
    with tempfile.TemporaryDirectory() as folder, Pair(_EXAMPLE, folder, rate=0, foreign=False) as pair:
        pair.wait_ready(centers=False)
        took: list[float] = []
        beyond = dict.fromkeys("ab", 0)
        per_move = moves_most(tomllib.loads((pair.board / "board.toml").read_text(encoding="utf-8")))
        for _ in range(changes):
            since = time.monotonic_ns()
            took.append(_change(pair, _active(pair)))
            time.sleep(_LOOK_S)
            for m, count in chatter(pair.bench.history(since), 1, per_move).items():
                beyond[m] += count
        counts = pair.bench.state()["counts"]
    return {
        "changes": len(took),
        "median_ms": round(statistics.median(took), 1),
        "worst_ms": round(max(took), 1),
        "chatter": sum(beyond.values()),
        "two_contacts": counts.get("two contacts", 0),
        "two_holders": counts.get("two holders", 0),
        "machine_factor": round(machine_factor(), 4),
    }


def main(argv: list[str]) -> int:
    """Measure and print; 1 when a contact chattered or met another."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--changes", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    found = measure(asked.changes)
    print(json.dumps(found) if asked.json else "  ".join(f"{key} {value}" for key, value in found.items()))
    return 1 if found["chatter"] or found["two_contacts"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
