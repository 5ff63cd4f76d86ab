"""`./build.sh prove`: stories, mutants and the walk for hours, and a line for each piece of work in the proof ledger.

The ledger says what was run and what came of it. A run goes on at the seed where the last line of the ledger ends.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from tools.bench.kills import is_bad, prove_kills
from tools.bench.pair import NotReady
from tools.lab.stage import Lab
from tools.sim.group import EXAMPLE
from tools.sim.many import Job, tell_all
from tools.sim.matrix import report, run
from tools.sim.mutants import MUTANTS
from tools.sim.site import BOARDS
from tools.sim.walk import Walk

ROOT = Path(__file__).resolve().parents[2]
LEDGER = ROOT / "docs" / "proof-ledger.jsonl"
_FIRST_SEED = 100_000
_PIECE_S = 600.0
_DEPTH = 4
_KILLS_RATE, _KILLS_POINTS = 2000.0, 60
_KEPT = ("events", "lost", "repeated", "controls_commanded", "controls_doubled", "untrue", "late_frames", "violations")


def main(argv: list[str]) -> int:
    """Run for the hours that were asked for; exit code 1 when something was found."""
    parser = argparse.ArgumentParser(prog="./build.sh prove", description=__doc__)
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--ledger", type=Path, default=LEDGER)
    parser.add_argument("--stories-only", action="store_true", help="neither mutants nor the walk")
    parser.add_argument("--kills", type=int, default=0, help="instead of it all: so many kills of a real pair, as root")
    asked = parser.parse_args(argv)
    if asked.kills:
        return _kills(asked.ledger, asked.kills)
    until = time.monotonic() + asked.hours * 3600
    commit, well = _commit(), True
    lines = read(asked.ledger)
    if not asked.stories_only and not any(line["commit"] == commit and "mutants" in line for line in lines):
        total, killed = report(run(MUTANTS, asked.jobs))
        _write(asked.ledger, {"commit": commit, "mutants": total, "killed": killed})
        well = killed == total
        well &= _walk(asked.ledger, commit)
    while (left_s := until - time.monotonic()) > 1:
        well &= _stories(asked.ledger, commit, min(_PIECE_S, left_s), asked.jobs)
    print(summary(read(asked.ledger)))
    return int(not well)


def _kills(ledger: Path, runs: int) -> int:
    """Kills between network namespaces, at phases that no line of the ledger had before."""
    try:
        seed = 1 + sum(line["kills"] for line in read(ledger) if "kills" in line)
        found = prove_kills(runs, _KILLS_RATE, _KILLS_POINTS, seed, Lab())
    except (NotReady, OSError, ValueError) as error:
        print(f"kills: {error}", file=sys.stderr)
        return 2
    line = {"commit": _commit(), "kills": runs, "seed": seed, "rate": _KILLS_RATE, **{k: found[k] for k in _KEPT}}
    _write(ledger, line)
    print(json.dumps(line))
    return int(is_bad(found))


def _stories(ledger: Path, commit: str, seconds: float, jobs: int) -> bool:
    first = max((line["seeds"][1] for line in read(ledger) if "seeds" in line), default=_FIRST_SEED - 1) + 1
    told = faults = takeovers = 0
    ms, broken = 0.0, []
    for result in tell_all(Job(first, 0, BOARDS, str(EXAMPLE), seconds), jobs):
        told += 1
        faults += result.faults
        takeovers += result.takeovers
        ms += result.elapsed_ms
        if result.fault:
            broken.append([result.seed, result.board, result.fault])
            print(f"seed {result.seed} on {result.board}: {result.fault}", flush=True)
    if told:
        line = {
            "commit": commit, "seeds": [first, first + told - 1], "stories": told, "faults": faults,
            "takeovers": takeovers, "simulated_hours": round(ms / 3_600_000, 3), "broken": broken,
        }  # fmt: skip
        _write(ledger, line)
    return not broken


def _walk(ledger: Path, commit: str) -> bool:
    ways = found = 0
    for relays in (False, True):
        for active in ("a", "b"):
            walk = Walk(active, relays, _DEPTH)
            for _ in walk.run():
                pass
            ways += walk.ways
            found += len(walk.found)
    _write(ledger, {"commit": commit, "walk_depth": _DEPTH, "ways": ways, "found": found})
    return not found


def read(ledger: Path) -> list[dict[str, Any]]:
    """The lines of the ledger, oldest first; a line that was cut off is left out."""
    lines = []
    if ledger.exists():
        for text in ledger.read_text(encoding="utf-8").splitlines():
            try:
                lines.append(json.loads(text))
            except ValueError:
                continue
    return lines


def summary(lines: list[dict[str, Any]]) -> str:
    """What the ledger proves, in a sentence."""
    stories = [line for line in lines if "stories" in line]
    total = {key: sum(line[key] for line in stories) for key in ("stories", "faults", "takeovers", "simulated_hours")}
    broken = sum(len(line["broken"]) for line in stories)
    killed = next((f"{m['killed']} of {m['mutants']} mutants killed" for m in reversed(lines) if "mutants" in m), "")
    sentence = (
        f"{total['stories']} stories, {total['faults']} faults, {total['takeovers']} takeovers, "
        f"{total['simulated_hours']:.1f} simulated hours, {broken} broken"
    )
    return f"{sentence}; {killed}" if killed else sentence


def _commit() -> str:
    done = subprocess.run(["git", "describe", "--always", "--dirty"], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.strip() or "unknown"


def _write(ledger: Path, line: dict[str, Any]) -> None:
    ledger.parent.mkdir(exist_ok=True)
    torn = ledger.exists() and not ledger.read_bytes().endswith(b"\n")
    with ledger.open("a", encoding="utf-8") as file:
        file.write("\n" * torn + json.dumps(line) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
