"""`python -m tools.bench.figures [--runs 10] [--json]`: every failover so many times; median and worst, in ms.

One pair runs through all of them, mended and in sync again before each next one. A machine factor (the time of a fixed
pure-Python loop) stands beside the figures, for they carry the noise of the machine they were made on.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tandem.config.finding import ConfigError
from tools.bench.faults import KINDS
from tools.bench.machine import machine_factor
from tools.bench.measure import Measurement
from tools.bench.pair import NotReady, Pair
from tools.bench.processes import ROOT

_TIMES = ("data_ms", "field_ms", "control_ms", "c104_ms")
_AIMS_MS = {"kill": 30, "stall": 90, "freeze": 160, "power": 160, "switchover": 20}
_REST_S = 1.2  # between being in sync again and the next fault


def failovers(pair: Pair, kinds: list[str], runs: int) -> dict[str, list[Measurement]]:
    """Each kind of fault `runs` times. Raises NotReady when the pair does not recover from one."""
    found: dict[str, list[Measurement]] = {kind: [] for kind in kinds}
    for kind in kinds:
        for number in range(runs):
            time.sleep(_REST_S)
            fault = pair.fault(kind)
            measured = pair.measure(fault)
            found[kind].append(measured)
            print(f"{kind} {number + 1} of {runs}: data {measured.data_ms} ms", file=sys.stderr, flush=True)
            pair.recover(fault)
            pair.wait_ready()
    return found


def summary(found: dict[str, list[Measurement]]) -> dict[str, Any]:
    """By kind of fault and time: median, worst, how many were seen of how many."""
    rows: dict[str, Any] = {}
    for kind, all_of_it in found.items():
        row: dict[str, Any] = {}
        for name in _TIMES:
            seen = [v for m in all_of_it if (v := getattr(m, name)) is not None]
            median = round(statistics.median(seen), 1) if seen else None
            row[name] = {"median": median, "worst": max(seen, default=None), "seen": len(seen), "of": len(all_of_it)}
        parts = {part: [v for m in all_of_it if (v := m.parts[part]) is not None] for part in all_of_it[0].parts}
        row["parts"] = {part: round(statistics.median(v), 2) if v else None for part, v in parts.items()}
        rows[kind] = row
    return rows


def _print(rows: dict[str, Any]) -> None:
    print(f"{'fault':12}" + "".join(f"{name:>22}" for name in _TIMES) + f"{'aim (data, median)':>22}")
    for kind, row in rows.items():
        cells = [f"{row[name]['median']} / {row[name]['worst']}" for name in _TIMES]
        aim = f"<= {_AIMS_MS[kind]}" if kind in _AIMS_MS else "-"
        print(f"{kind:12}" + "".join(f"{cell:>22}" for cell in cells) + f"{aim:>22}")
        print(f"{'':12}  parts: " + ", ".join(f"{part} {value}" for part, value in row["parts"].items()))


def main(argv: list[str]) -> int:
    """Run them all; exit code 1 where an aim was missed or an event or a control went wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.figures", description=__doc__)
    parser.add_argument("--config", type=Path, default=ROOT / "tools" / "example-group")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args(argv)
    try:
        with tempfile.TemporaryDirectory(prefix="tandem-figures-") as folder, Pair(asked.config, folder) as pair:
            pair.wait_ready()
            pair.begin()
            rows = summary(failovers(pair, asked.kinds, asked.runs))
            verdict, executed, doubled = pair.finish()
            violations, restarted = pair.bench.state()["counts"], pair.restarted
    except (NotReady, ConfigError, OSError, ValueError) as error:
        print(f"figures: {error}", file=sys.stderr)
        return 2
    _print(rows)
    print(f"events: {verdict.sent} sent, {verdict.lost} lost, {verdict.repeated} repeated; controls: {executed} "
          f"executed, {doubled} doubled; both members with one right: {violations or 'never'}")  # fmt: skip
    print(f"members that ended by themselves and were started again: {restarted}")
    factor = round(machine_factor(), 4)
    print(f"machine factor: {factor} s for the fixed loop; k 12, w 8")
    if asked.json:
        totals: dict[str, Any] = {
            "events_sent": verdict.sent,
            "events_lost": verdict.lost,
            "events_repeated": verdict.repeated,
        }
        totals |= {"controls_executed": executed, "controls_doubled": doubled}
        totals |= {"violations": violations, "restarted": restarted, "machine_factor_s": factor}
        print(json.dumps({"failovers": rows, **totals}))
    missed = [k for k, aim in _AIMS_MS.items() if k in rows and (rows[k]["data_ms"]["median"] or aim + 1) > aim]
    return int(bool(missed or verdict.lost or doubled or violations))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
