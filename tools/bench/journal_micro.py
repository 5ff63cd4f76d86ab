"""What the database's door takes in a second: append on one member, slice, apply on the other.

`python -m tools.bench.journal_micro [--json] [--records N] [--runs N]`
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import time

from tandem.database import Database
from tandem.journal import Journal
from tandem.point import Kind
from tandem.registry import PointInfo, PointTable
from tools.bench.machine import machine_factor

_POINTS = 2000
_BATCH = 500
_KINDS = (Kind.BINARY, Kind.ANALOG, Kind.DOUBLE, Kind.COUNTER)


def _database() -> Database:
    points = [PointInfo(i, f"point{i}", _KINDS[i % len(_KINDS)]) for i in range(1, _POINTS + 1)]
    return Database(PointTable(points, _POINTS), Journal())


def measure(records: int) -> dict[str, float]:
    """Records a second of append (update and slice), of apply, and of both one after the other."""
    active, standby = _database(), _database()
    cursor = active.journal.cursor(0)
    batches = [[1 + i % _POINTS for i in range(at, at + _BATCH)] for at in range(0, _POINTS, _BATCH)]
    append_s = apply_s = 0.0
    done = 0
    while done < records:
        start = time.perf_counter()
        for point_id in batches[done // _BATCH % len(batches)]:
            active.update(point_id, 1.5, 0, 1_700_000_000_000_000, 1)
        soe, analog = active.journal.slices(cursor, active.journal.head)
        middle = time.perf_counter()
        standby.apply(active.journal.head, soe, analog)
        apply_s += time.perf_counter() - middle
        append_s += middle - start
        done += _BATCH
    if active.snapshot() != standby.snapshot():
        raise AssertionError("the standby's image is not the active's: the figure would mean nothing")
    return {
        "append_per_s": round(done / append_s),
        "apply_per_s": round(done / apply_s),
        "combined_per_s": round(done / (append_s + apply_s)),
    }


def main() -> None:
    """Print the median of some runs and the worst; with --json as one object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--records", type=int, default=300_000)
    parser.add_argument("--runs", type=int, default=10)
    options = parser.parse_args()
    gc.freeze()  # as the gateway does after its start
    runs = [measure(options.records) for _ in range(options.runs)]
    figures: dict[str, float] = {key: round(statistics.median(run[key] for run in runs)) for key in runs[0]}
    figures |= {f"worst_{key}": min(run[key] for run in runs) for key in runs[0]}
    figures["machine_factor"] = round(machine_factor(), 4)
    if options.json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        print(f"{key:>22} {value:,}")


if __name__ == "__main__":
    main()
