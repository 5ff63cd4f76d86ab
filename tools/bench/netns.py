"""`./build.sh bench netns [--faults 30]`: outages between network namespaces, software arbitration, beside keepalived.

Each round hurts our active once in every way, and then each setting of keepalived, on the same bridges and through the
same router. An observer at the cables counts what the loser still sent for the group address once the successor had
it, resets apart, thaws included. Needs root.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tandem.config.finding import ConfigError
from tools.bench.machine import machine_factor
from tools.bench.members import BOTH
from tools.bench.pair import NotReady, Pair
from tools.bench.plan import other
from tools.bench.probe import WATCH
from tools.bench.processes import ROOT
from tools.lab.rivals import KINDS as RIVAL_KINDS
from tools.lab.rivals import SETTINGS, Rival, missing
from tools.lab.stage import Lab
from tools.lab.wires import LabClient

_AIMS_MS = {"kill": (15, 40), "stall": (70, 130), "freeze": (140, 220), "kill-all": (140, 220), "power": (140, 220),
            "lans": (20, 45)}  # fmt: skip
_OURS = "tandem"
_REST_S, _THAWED_S = 1.0, 0.5
Rows = dict[tuple[str, str], list[tuple[float | None, int]]]
"""By (who, kind): (data_ms, late frames) of each fault."""


def hurt_once(pair: Pair, kind: str) -> tuple[float | None, int]:
    """One fault of our active: data_ms, and what it sent for the group address afterwards, thawed if it was frozen."""
    time.sleep(_REST_S)
    fault = pair.fault(kind)
    found = pair.measure(fault, 8.0)
    if kind in ("stall", "freeze"):
        pair.members[fault.member].signal(signal.SIGCONT, *BOTH)
        time.sleep(_THAWED_S)
    if kind == "lans":
        pair.recover(fault)
        time.sleep(_THAWED_S)
    assert isinstance(pair.bench, LabClient)
    late = int(pair.bench.judge(fault.t_ns, fault.member, other(fault.member))["late"])
    pair.recover(fault)
    pair.wait_ready()
    return found.data_ms, late


def rounds(pair: Pair, lab: Lab, run: Path, kinds: list[str], faults: int, rivals: list[str]) -> Rows:
    """Everything, interleaved. Raises NotReady, OSError."""
    rows: Rows = {}
    for number in range(faults):
        for kind in kinds:
            rows.setdefault((_OURS, kind), []).append(hurt_once(pair, kind))
        for place, setting in enumerate(rivals):
            with Rival(lab, run / f"rival-{place}", setting, pair.served.port) as rival:
                for kind in (k for k in kinds if k in RIVAL_KINDS):
                    outage = rival.fault(kind)
                    rows.setdefault((setting, kind), []).append((outage.data_ms, outage.late))
        said = "; ".join(f"{who} {kind} {seen[-1][0]}" for (who, kind), seen in rows.items())
        print(f"round {number + 1} of {faults}: {said}; load {os.getloadavg()[0]:.1f}", file=sys.stderr, flush=True)
    return rows


def summary(rows: Rows) -> list[dict[str, Any]]:
    """A row a (who, kind): median and worst of data_ms, how many were seen, late frames, in how many faults."""
    found = []
    for (who, kind), seen in rows.items():
        times = [ms for ms, _ in seen if ms is not None]
        late = [n for _, n in seen]
        found.append({
            "who": who, "kind": kind, "faults": len(seen), "answered": len(times),
            "median": round(statistics.median(times), 1) if times else None, "worst": max(times, default=None),
            "late": sum(late), "late_in": sum(n > 0 for n in late),
        })  # fmt: skip
    return found


def _print(rows: list[dict[str, Any]], load: tuple[float, ...]) -> None:
    head = (("data_ms median / worst", 24), ("answered", 10), ("late frames", 13), ("in faults", 11), ("aim", 12))
    print(f"{'who':28}{'fault':10}" + "".join(f"{name:>{wide}}" for name, wide in head))
    for row in rows:
        aim = "{} / {}".format(*_AIMS_MS[row["kind"]]) if row["who"] == _OURS and row["kind"] in _AIMS_MS else ""
        print(f"{row['who']:28}{row['kind']:10}{row['median']!s:>14} / {row['worst']!s:<7}"
              f"{row['answered']:>5}/{row['faults']:<4}{row['late']:>13}{row['late_in']:>11}{aim:>12}")  # fmt: skip
    print(f"probe: {WATCH}; data_ms: from just before the first signal or pulled cable to the first answer")
    print(f"load of the machine at the end: {', '.join(f'{one:.1f}' for one in load)}; {os.cpu_count()} processors; "
          f"machine factor {machine_factor():.4f} s")  # fmt: skip


def main(argv: list[str]) -> int:
    """Exit code 1 where our loser answered for the address it lost, 2 where the laboratory cannot be had."""
    parser = argparse.ArgumentParser(prog="./build.sh bench netns", description=__doc__)
    parser.add_argument("--faults", type=int, default=30, help="of each kind, and of each setting of keepalived")
    parser.add_argument("--kinds", nargs="+", choices=_AIMS_MS, default=list(_AIMS_MS))
    parser.add_argument("--alone", action="store_true", help="without keepalived")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args(argv)
    rivals = [] if asked.alone else list(SETTINGS)
    if rivals and (why := missing()):
        print(f"NOT COMPARED: {why}", file=sys.stderr)
        rivals = []
    lab = Lab(relays=False, rivals=bool(rivals))
    try:
        with tempfile.TemporaryDirectory(prefix="tandem-netns-") as folder:
            run = Path(folder)
            with Pair(ROOT / "tools" / "example-group", run, foreign=False, stage=lab) as pair:
                pair.wait_ready()
                pair.begin()
                rows = summary(rounds(pair, lab, run, asked.kinds, asked.faults, rivals))
    except (NotReady, ConfigError, OSError, ValueError) as error:
        print(f"netns: {error}", file=sys.stderr)
        return 2
    _print(rows, os.getloadavg())
    if asked.json:
        print(json.dumps({"rows": rows, "load": os.getloadavg(), "probe": WATCH}))
    return int(any(row["late"] for row in rows if row["who"] == _OURS))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
