"""What the mirror costs: its lag and both members' processors at a rate of transitions, and bursts.

`./build.sh bench lag [--rates 10000 50000] [--step-ms 1 5]`: no control center calls, so what is seen is the way from
the database's door over the link into the standby and back. The lag is that of whole slices, from the turn that sent
one to its acknowledgement; processors are the scheduler's count, in the middle of the run. The floor beside it is what
two bare processes take for as many octets there and back, half of it measured before the run and half after.

`./build.sh bench lag --burst 200000`: so many at once, in turns of --per-turn, with rings of --ring records.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tandem.codec.record import SIZE
from tools.bench.floor import floor
from tools.bench.load.__main__ import end_probe
from tools.bench.load.gateway import Plan
from tools.bench.load.station import write_station
from tools.bench.machine import cpu_s, machine_factor, memory_mib
from tools.bench.pair import Pair
from tools.bench.processes import ROOT

_EXAMPLE = ROOT / "tools" / "example-group"
_WAIT_S = 30.0
_EDGE_S = 0.5


def measure(plan: Plan, ring: int) -> dict[str, Any]:
    """One run of a pair: the load's own report, and what each member needed meanwhile."""
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        write_station(_EXAMPLE, run / "station", 250, 12, 8, ring=ring)
        pair = Pair(run / "station", run / "run", rate=0, foreign=False)
        for member in pair.members.values():
            member.beside("tools.bench.load.gateway", plan.argument())
        with pair:
            end_probe(pair)
            pair.wait_ready(centers=False)
            active = pair.active or "a"
            pids = {f"{m}.{what}": pid for m, member in pair.members.items() for what, pid in member.pids().items()}
            before = {name: memory_mib(pid) for name, pid in pids.items()}
            _told(pair, "began")
            cpu = {} if plan.burst else _processors(pids, plan.seconds - 2 * _EDGE_S)
            report = {key: value for key in ("mirrored_ms",) if plan.burst for key, value in _told(pair, key).items()}
            report |= _told(pair, "written")
            after = {name: memory_mib(pid, "VmHWM") for name, pid in pids.items()}
            heads = {m: member.status().get("head") for m, member in pair.members.items()}
            return _row(plan, active, report, cpu, before, after) | {"equal_heads": len(set(heads.values())) == 1}


def _processors(pids: dict[str, int], seconds: float) -> dict[str, float]:
    """Percent of one core by process, over so long."""
    time.sleep(_EDGE_S)
    began, before = time.monotonic(), {name: cpu_s(pid) for name, pid in pids.items()}
    time.sleep(seconds)
    span = time.monotonic() - began
    return {name: 100 * (cpu_s(pid) - before[name]) / span for name, pid in pids.items()}


def _floor(plan: Plan) -> dict[str, float]:
    if plan.burst:
        return {}
    bare = floor(int(plan.rate * plan.step_ms / 1e3) * SIZE, plan.step_ms, plan.seconds / 2)
    return {"floor_median_ms": bare.median_ms, "floor_p99_ms": bare.p99_ms, "floor_worst_ms": bare.worst_ms}


def _told(pair: Pair, key: str) -> dict[str, Any]:
    """The load's JSON line that has this key, of whichever member is active."""
    until = time.monotonic() + _WAIT_S
    while time.monotonic() < until:
        for member in pair.members.values():
            for line in member.log.read_text().splitlines():
                if line.startswith("{") and key in (found := json.loads(line)):
                    return dict(found)
        time.sleep(0.02)
    raise RuntimeError(f"no member told {key!r} in {_WAIT_S:g} s: " + pair.members["a"].last_words())


def _row(plan: Plan, active: str, report: dict[str, Any], cpu: dict[str, float],
         before: dict[str, float], after: dict[str, float]) -> dict[str, Any]:  # fmt: skip
    mirror = report["mirror"]
    row: dict[str, Any] = {"burst": plan.burst, "per_turn": plan.per_turn} if plan.burst else {"rate": plan.rate}
    row |= {} if plan.burst else {"step_ms": plan.step_ms, "seconds": plan.seconds}
    row |= {key: report[key] for key in ("entered_ms", "mirrored_ms", "written", "in_sync", "role_changes")
            if key in report}  # fmt: skip
    row |= {key: round(mirror[key], 3) for key in ("lag_median_ms", "lag_p99_ms", "lag_worst_ms")}
    row |= {"snapshots": mirror["snapshots"], "unmirrored": mirror["head"] - mirror["acknowledged"]}
    for m in "ab":
        role = "active" if m == active else "standby"
        for what in ("supervisor", "heart") if cpu else ():
            row[f"{role}_{what}_percent"] = round(cpu[f"{m}.{what}"], 1)
        name = f"{m}.supervisor"
        row[f"{role}_grew_mib"] = round(after[name] - before[name], 1)
    return row


def main(argv: list[str]) -> int:
    """Measure and print; 1 when something was not mirrored, or a role or the whole image moved."""
    parser = argparse.ArgumentParser(prog="./build.sh bench lag", description=__doc__)
    parser.add_argument("--rates", type=float, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--step-ms", type=float, nargs="+", default=[1.0, 5.0])
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--burst", type=int, default=0)
    parser.add_argument("--per-turn", type=int, default=2_000)
    parser.add_argument("--ring", type=int, default=65_536)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    if asked.burst:
        plans = [Plan(seconds=_WAIT_S, burst=asked.burst, per_turn=asked.per_turn, served=False)]
    else:
        plans = [Plan(r, asked.seconds, step, served=False) for r in asked.rates for step in asked.step_ms]
    rows = []
    for plan in plans:
        before = _floor(plan)
        row = measure(plan, asked.ring)
        row |= {k: round((v + _floor(plan)[k]) / 2, 3) for k, v in before.items()}
        row |= {"machine_factor": round(machine_factor(), 4)}
        rows.append(row)
        if not asked.json:
            print("  ".join(f"{key} {value}" for key, value in row.items()), flush=True)
    if asked.json:
        print(json.dumps(rows))
    whole = all(r["in_sync"] and r["equal_heads"] and not r["unmirrored"] + r["role_changes"] + r["snapshots"]
                for r in rows)  # fmt: skip
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
