"""A run without a screen: faults at their seconds, each measured and mended, and the verdict at the end."""

from __future__ import annotations

import json
import time
from typing import Any

from tools.bench.machine import machine_factor
from tools.bench.measure import Measurement
from tools.bench.pair import NotReady, Pair
from tools.run.options import Options
from tools.run.words import outage_lines

_PARTS = ("detection", "fence", "role", "service")


def run_headless(pair: Pair, options: Options) -> int:
    """Do it and print it; exit code 1 where something was lost, doubled, or not served again."""
    began = time.monotonic()
    pair.wait_ready()
    ready_s = round(time.monotonic() - began, 2)
    print(f"active and standby, in sync, after {ready_s} s", flush=True)
    pair.begin()
    start = time.monotonic()
    found: list[Measurement] = []
    trouble = ""
    for at, kind in options.faults:
        time.sleep(max(0.0, start + at - time.monotonic()))
        fault = pair.fault(kind)
        print(f"{kind} of member {fault.member} at {time.monotonic() - start:.1f} s", flush=True)
        found.append(pair.measure(fault))
        print("\n".join(outage_lines(found[-1])), flush=True)
        pair.recover(fault)
        try:
            pair.wait_ready()
        except NotReady as error:
            trouble = str(error)
            break
    time.sleep(max(0.0, start + options.seconds - time.monotonic()))
    result = _result(pair, found, ready_s)
    result["trouble"] = trouble
    _print(result)
    if options.json:
        print(json.dumps(result), flush=True)
    well = all(m.data_ms is not None for m in found) and not trouble
    return int(not well or any(result[key] for key in ("events_lost", "controls_doubled", "violations")))


def _result(pair: Pair, found: list[Measurement], ready_s: float) -> dict[str, Any]:
    """The object of --json. Of several faults the headline is the one with the longest data_ms; all are in `faults`."""
    verdict, executed, doubled = pair.finish()
    world = pair.bench.state()
    worst = max(found, key=lambda m: (m.data_ms is None, m.data_ms or 0.0), default=None)
    headline = worst.as_dict() if worst else {}
    return {
        "fault": headline.get("kind"),
        **{key: headline.get(key) for key in ("data_ms", "field_ms", "control_ms", "listening_ms", "c104_ms")},
        "parts": headline.get("parts", dict.fromkeys(_PARTS)),
        "events_sent": verdict.sent,
        "events_lost": verdict.lost,
        "events_repeated": verdict.repeated,
        "controls_executed": executed,
        "controls_doubled": doubled,
        "faults": [m.as_dict() for m in found],
        "violations": world["counts"],
        "missing": verdict.missing,
        "ready_s": ready_s,
        "bench_late_ms": round(float(world["worst_late_ms"]), 2),
        "machine_factor_s": round(machine_factor(), 4),
    }


def _print(result: dict[str, Any]) -> None:
    print(
        f"{result['events_sent']} events sent, {result['events_lost']} lost, {result['events_repeated']} repeated; "
        f"{result['controls_executed']} controls executed, {result['controls_doubled']} doubled"
    )
    for point, value, _ in result["missing"]:
        print(f"  lost: {point} = {value:g}")
    for what, count in result["violations"].items():
        print(f"  the bench saw {what} {count} times: two members had the same right at once")
    if result["trouble"]:
        print(result["trouble"])
