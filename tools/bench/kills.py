"""`./build.sh bench kills [--runs 20] [--rate 2000]`: the active killed at random phases, and what became of it.

The field is a 104 remote unit (c104's server) whose time-tagged events stay in its buffer until N(R) covers them. Its
ledger and the probe's are outside of the pair: each event that the unit gave out must have reached the probe.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tandem.config.finding import ConfigError
from tools.bench.judge import judge_controls, judge_stamped
from tools.bench.machine import machine_factor
from tools.bench.pair import NotReady, Pair
from tools.bench.processes import ROOT
from tools.bench.remote_group import write_group

_K, _W = 12, 8
_IN_FRAME = 16
_DRAIN_S = 60.0
_PHASE_S = (0.3, 1.3)


def kill_again_and_again(pair: Pair, runs: int, rate: float, seed: int) -> list[dict[str, float]]:
    """By kill: the repetitions at the probe's buffer and at the device's. Raises NotReady when one is not survived."""
    phases = random.Random(seed)
    rows = []
    pair.begin()
    pair.field({"do": "rate", "value": rate})
    for number in range(runs):
        time.sleep(phases.uniform(*_PHASE_S))
        active = pair.active or "a"
        fault = pair.fault("kill", active)
        _survived(pair, active)
        pair.operator.calm()
        time.sleep(0.5)
        status = pair.members["b" if active == "a" else "a"].status()
        device = status["devices"]["R1"]
        rows.append({"matched": device["offered_again"], "timeouts": device["confirm_timeouts"]})
        print(f"kill {number + 1} of {runs}: {rows[-1]}", file=sys.stderr, flush=True)
        pair.recover(fault)
        pair.wait_ready(centers=False)
    return rows


def _survived(pair: Pair, killed: str) -> None:
    until = time.monotonic() + 20
    while pair.active in (None, killed):
        if time.monotonic() > until:
            raise NotReady(f"nobody took over from member {killed}")
        time.sleep(0.02)


def verdict(pair: Pair) -> dict[str, Any]:
    """Let the unit's buffer run empty, then compare the ledgers."""
    pair.operator.stop()
    pair.field({"do": "rate", "value": 0})
    until = time.monotonic() + _DRAIN_S
    while pair.field({"do": "state"}).get("unconfirmed") and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1.0)
    events = judge_stamped(
        pair.field_ledger.since(pair.began_ns, "sent"), pair.probe_ledger.since(pair.began_ns, "event")
    )
    executed, doubled = judge_controls(pair.field_ledger.since(pair.began_ns, "control"), pair.operator.point)
    done = {line["value"] for line in pair.field_ledger.lines if line["what"] == "control"}
    answers = pair.operator.answers
    yes = [a["value"] for a in answers if a.get("cause") == 7 and not a.get("negative")]
    state = pair.field({"do": "state"})
    return {
        "events": events.sent,
        "lost": events.lost,
        "repeated": events.repeated,
        "missing": events.missing[:20],
        "unconfirmed_at_the_end": state.get("unconfirmed"),
        "overflowed": state.get("overflowed"),
        "controls_commanded": len(answers),
        "controls_executed": executed,
        "controls_doubled": doubled,
        "confirmed_and_not_executed": sum(value not in done for value in yes),
    }


def main(argv: list[str]) -> int:
    """Exit code 1 where an event was lost, a control doubled or an answer untrue."""
    parser = argparse.ArgumentParser(prog="./build.sh bench kills", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2000.0, help="events a second")
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1, help="of the phases")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="tandem-kills-") as folder:
            source = Path(folder) / "group"
            write_group(ROOT / "tools" / "example-group", source, asked.points, _K, _W)
            with Pair(source, Path(folder) / "run", rate=0, foreign=False) as pair:
                pair.wait_ready()
                rows = kill_again_and_again(pair, asked.runs, asked.rate, asked.seed)
                result = verdict(pair)
                violations = pair.bench.state()["counts"]
    except (NotReady, ConfigError, OSError, ValueError) as error:
        print(f"kills: {error}", file=sys.stderr)
        return 2
    matched = sum(row["matched"] for row in rows)
    print(f"{asked.runs} kills under {asked.rate:g} events/s: {result['events']} events given out")
    print(f"events: {result['lost']} lost, {result['repeated']} repeated at the center, "
          f"{matched:g} offered again by the device and taken once")  # fmt: skip
    print(f"controls: {result['controls_commanded']} commanded, {result['controls_executed']} executed")
    print(f"controls: {result['controls_doubled']} doubled, "
          f"{result['confirmed_and_not_executed']} confirmed and not executed")  # fmt: skip
    print(f"k {_K}, w {_W}, at most {_IN_FRAME} events an ASDU; both members with one right: {violations or 'never'}")
    print(f"machine factor: {machine_factor():.4f} s for the fixed loop")
    for point, value, _ in result["missing"]:
        print(f"  lost: {point} = {value:g}")
    if asked.json:
        print(json.dumps({**result, "runs": asked.runs, "matched": matched, "violations": violations}))
    bad = ("lost", "controls_doubled", "confirmed_and_not_executed")
    return int(any(result[key] for key in bad) or bool(violations))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
