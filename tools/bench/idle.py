"""What a member costs when nothing happens: processor and memory of supervisor and heart, with the example group.

`./build.sh bench idle [--seconds 20] [--json]`; the devices are polled, the field stands still, no center calls.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from pathlib import Path

from tools.bench.machine import cpu_s, machine_factor, memory_mib
from tools.bench.pair import NotReady, Pair

_EXAMPLE = Path(__file__).resolve().parents[1] / "example-group"
_SETTLE_S = 3.0


def measure(seconds: float) -> dict[str, dict[str, float]]:
    """By member: percent of one core and resident MiB, both processes together and each. Raises NotReady."""
    with tempfile.TemporaryDirectory() as folder, Pair(_EXAMPLE, folder, rate=0, foreign=False) as pair:
        pair.wait_ready(centers=False)
        time.sleep(_SETTLE_S)
        pids = {m: member.pids() for m, member in pair.members.items()}
        began = time.monotonic()
        before = {pid: cpu_s(pid) for both in pids.values() for pid in both.values()}
        time.sleep(seconds)
        span = time.monotonic() - began
        rows: dict[str, dict[str, float]] = {}
        for member, both in pids.items():
            cpu = {name: 100 * (cpu_s(pid) - before[pid]) / span for name, pid in both.items()}
            if not pair.members[member].alive:
                raise NotReady(f"member {member} ended meanwhile:\n{pair.members[member].last_words()}")
            mib = {name: memory_mib(pid) for name, pid in both.items()}
            rows[f"{member} ({pair.members[member].status().get('role')})"] = {
                "cpu_percent": round(sum(cpu.values()), 2),
                "resident_mib": round(sum(mib.values()), 1),
                **{f"{name}_cpu_percent": round(value, 2) for name, value in cpu.items()},
                **{f"{name}_resident_mib": round(value, 1) for name, value in mib.items()},
            }
    return rows


def main(argv: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    try:
        members = measure(asked.seconds)
    except NotReady as error:
        print(f"idle: {error}", file=sys.stderr)
        return 2
    result = {"members": members, "machine_factor": round(machine_factor(), 4)}
    if asked.json:
        print(json.dumps(result))
        return 0
    for member, row in members.items():
        print(member, *(f"{key} {value}" for key, value in row.items()), sep="  ")
    print("machine factor", result["machine_factor"])
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
