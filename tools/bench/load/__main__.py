"""Events through a running, mirroring pair to one control center: `python -m tools.bench.load [--rate N] [--json]`.

Starts a pair on the bench with a station of four types (and one of a single type), lets RATE transitions a second enter
at the active's database and counts at a 104 client what arrives. The rate that holds without loss is what is quoted.
With --burst so many enter at once; the rings must hold what the client has not confirmed yet.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from tools.bench.load.gateway import Plan
from tools.bench.load.station import TYPES, write_station
from tools.bench.machine import machine_factor
from tools.bench.pair import Pair

_EXAMPLE = Path(__file__).resolve().parents[2] / "example-group"
_WARM_S = 3.0


def measure(plan: Plan, types: tuple[str, ...], k: int, w: int, ring: int = 65_536) -> dict[str, Any]:
    """One run: what was written, what arrived, how far the mirror lagged."""
    seconds = plan.seconds
    with tempfile.TemporaryDirectory() as folder:
        run = Path(folder)
        write_station(_EXAMPLE, run / "station", 250, k, w, types, ring)
        pair = Pair(run / "station", run / "run", rate=0, foreign=False)
        for member in pair.members.values():
            member.beside("tools.bench.load.gateway", plan.argument())
        with pair:
            end_probe(pair)
            pair.wait_ready(centers=False)
            group = pair.config.lan("control").group[0].ip
            source = ".".join([*group.split(".")[:2], "2", "31"])
            arguments = [source, group, "2404", str(w), str(seconds + _WARM_S)]
            client = subprocess.run(
                [sys.executable, "-m", "tools.bench.load.counting", *arguments],
                capture_output=True, text=True, timeout=seconds + 60, check=True,
            )  # fmt: skip
            counted: dict[str, Any] = json.loads(client.stdout)
            written = next(
                json.loads(line)
                for member in pair.members.values()
                for line in member.log.read_text().splitlines()
                if line.startswith('{"written"')
            )
    entered = {"burst": plan.burst, "ring": ring} if plan.burst else {"rate": plan.rate}
    return {**entered, "types": len(types), "k": k, "w": w, "seconds": seconds, **written, **counted,
            "lost": written["written"] - counted["objects"]}  # fmt: skip


def end_probe(pair: Pair) -> None:
    """The counting client takes the probe's place."""
    pair._tools.pop("probe").kill()


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m tools.bench.load", description=__doc__)
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--k", type=int, default=12)
    parser.add_argument("--w", type=int, default=8)
    parser.add_argument("--types", type=int, default=4, choices=range(1, 5))
    parser.add_argument("--burst", type=int, default=0, help="so many at once instead of a rate")
    parser.add_argument("--ring", type=int, default=65_536, help="records of each ring")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    plan = Plan(asked.rate, asked.seconds, burst=asked.burst)
    result = measure(plan, TYPES[: asked.types], asked.k, asked.w, asked.ring)
    result["machine_factor"] = machine_factor()
    print(json.dumps(result) if asked.json else "\n".join(f"{key:16} {value}" for key, value in result.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
