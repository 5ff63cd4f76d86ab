"""What `journal = "durable"` costs on this disk: how long one event waits for the flash, and events a second.

`python -m tools.bench.durable_micro [--json] [--dir DIR] [--groups N] [--seconds S]`

The journal's own rules and file code, on a thread as in the gateway, with no other load: what the flash alone adds.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tandem.action import Store
from tandem.archive.durable import LOG, Durable, Pages
from tandem.archive.rebuild import rebuild
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import MS, Kind
from tandem.port.logs import LogFolder, files_of
from tandem.registry import PointInfo, PointTable
from tandem.standby.grant import Granter
from tandem.standby.histories import History
from tools.bench.machine import machine_factor

_POINTS = 2000


class Bench:
    """A journal and its files; `turn` is the gateway's."""

    def __init__(self, folder: Path, group_ms: int) -> None:
        points = [PointInfo(i, f"point{i}", Kind.BINARY) for i in range(1, _POINTS + 1)]
        self.database = Database(PointTable(points, _POINTS), Journal())
        history = History()
        history.add(history.next_claim(2, bytes(8), 0))
        who: dict[str, object] = {"ids": "", "highest": 0}
        self.durable = Durable(who, self.database, history, Granter(500 * MS), {}, group_ms, 0, Pages())
        self.folder = folder / LOG
        self._log = LogFolder(self.folder, gives_way=False)
        self._thread = ThreadPoolExecutor(1)
        self._task: Future[str] | None = None
        self._octets = 0

    def turn(self) -> None:
        """Take an answer, begin a group."""
        now = time.monotonic_ns()
        if self._task is not None and self._task.done():
            self.durable.stored(self._octets, self._task.result(), now)
            self._task = None
        self.durable.tick(now)
        for action in self.durable.actions():
            if isinstance(action, Store):
                self._octets = len(action.octets)
                self._task = self._thread.submit(self._log.append, action)

    def event(self, count: int = 1) -> int:
        """So many events; returns the number of the last."""
        for i in range(count):
            number = self.database.update(1 + i % _POINTS, 1.0, 0, 1_700_000_000_000_000, 1)
        return number

    def wait(self, number: int) -> None:
        """Until it is on flash."""
        while self.durable.number < number:
            self.turn()
            time.sleep(0.0001)

    def close(self) -> None:
        """End the thread; what is on flash must be what was promised."""
        self._thread.shutdown(wait=True)
        found = rebuild([file.read_bytes() for file in files_of(self.folder)])
        if found is None or found.head < self.durable.number:
            raise AssertionError("the files do not hold what was called durable: the figure would mean nothing")


def latency(folder: Path, groups: int) -> dict[str, float]:
    """One event at a time, each alone in its group."""
    bench = Bench(folder / "latency", 0)
    bench.wait(bench.event())
    waits = []
    for _ in range(groups):
        begun = time.perf_counter()
        bench.wait(bench.event())
        waits.append((time.perf_counter() - begun) * 1e3)
    bench.close()
    waits.sort()
    p99 = waits[int(len(waits) * 0.99)]
    return {"event_ms": statistics.median(waits), "event_p99_ms": p99, "event_worst_ms": waits[-1]}


def throughput(folder: Path, group_ms: int, seconds: float) -> dict[str, float]:
    """As many events as the flash takes, 500 a turn, the group's default time between writes."""
    bench = Bench(folder / "throughput", group_ms)
    bench.wait(bench.event())
    begun, first = time.perf_counter(), bench.durable.number
    groups = bench.durable.counts["groups"]
    while time.perf_counter() - begun < seconds:
        if bench.database.journal.head - bench.durable.number < 8192:
            bench.event(500)
        bench.turn()
        time.sleep(0.0002)
    took = time.perf_counter() - begun
    bench.close()
    done = bench.durable.counts["groups"] - groups
    return {"events_per_s": (bench.durable.number - first) / took, "groups_per_s": done / took}


def main() -> None:
    """Print the figures; with --json as one object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--dir", default=None, help="a folder on the flash to be measured")
    parser.add_argument("--groups", type=int, default=500)
    parser.add_argument("--seconds", type=float, default=5.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=options.dir) as folder:
        figures = latency(Path(folder), options.groups) | throughput(Path(folder), 10, options.seconds)
    figures = {key: round(value, 3) for key, value in figures.items()} | {"machine_factor": round(machine_factor(), 4)}
    if options.json:
        print(json.dumps(figures))
        return
    for key, value in figures.items():
        print(f"{key:>16} {value:,}")


if __name__ == "__main__":
    main()
