"""What the journal and the points cost in memory: `./build.sh bench memory [--points N] [--events N] [--json]`.

Each figure is made in a process of its own: what it grew by (resident, MiB) once everything is filled with values that
share nothing, and the most that it ever had beside that. `snapshot` is a standby's journal taking a whole image: the
former rings and the new ones side by side.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
from collections.abc import Callable

from tandem.codec.link import Begin, Tail
from tandem.codec.record import pack
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import Kind
from tandem.registry import PointInfo, PointTable, Registry
from tandem.standby.image import Image
from tools.bench.machine import memory_mib

_KINDS = (Kind.BINARY, Kind.ANALOG)
_STAMP_US = 1_700_000_000_000_000
_PIECE = 2048


def table(points: int) -> PointTable:
    """So many points, binary and analog by turns, with names as long as usual."""
    registry = Registry()
    names = [f"station1.feeder{i // 100}.value-{i % 100:02}" for i in range(points)]
    rows = [PointInfo(registry.id(name), name, _KINDS[i & 1]) for i, name in enumerate(names)]
    return PointTable(rows, registry.highest)


def _ring(events: int) -> int:
    return 1 << (events - 1).bit_length()


def _fill(database: Database, events: int) -> None:
    points = len(database.table.points)
    for i in range(events):
        database.update(i % points + 1, i + 0.5, 0, _STAMP_US + i, 1)
        if not i % 4096:
            database.journal.settle()
    database.journal.settle()


def _journal(events: int, rings: tuple[int, int]) -> Callable[[], object]:
    """Rings full of events, beside a small database; `events` counts those of the soe ring."""
    one = PointTable([PointInfo(1, "x", Kind.BINARY), PointInfo(2, "y", Kind.ANALOG)], 2)

    def make() -> Database:
        database = Database(one, Journal(*rings))
        for i in range(events):
            database.update(1 + (i & 1 if rings[1] > 2 else 0), i + 0.5, 0, _STAMP_US + i, 1)
        database.journal.settle()
        return database

    return make


def _snapshot(rings: tuple[int, int]) -> Callable[[], object]:
    """A full journal that is replaced by an image of the same size."""
    database = _journal(sum(rings), rings)()
    assert isinstance(database, Database)

    def make() -> Database:
        image, head = Image(database, Begin(0, 0, 0)), 0
        while head < rings[0]:
            octets = b"".join(pack(head + n, _STAMP_US, 1.0, 1, 0, 1) for n in range(1, _PIECE + 1))
            image.tail(Tail(head, head + _PIECE, octets, b""))
            head += _PIECE
        image.swap(head)
        return database

    return make


def _database(points: int) -> Callable[[], object]:
    """A database over a table that exists, every point written."""
    made = table(points)

    def make() -> Database:
        database = Database(made, Journal(4096, 4096))
        _fill(database, points)
        return database

    return make


def figures(points: int, events: int) -> dict[str, Callable[[], Callable[[], object]]]:
    """By name: what prepares, and gives what is measured."""
    default, big = (65_536, 65_536), (_ring(events), 2)
    return {
        "journal, default rings": lambda: _journal(2 * default[0], default),
        f"journal of {events:,} events": lambda: _journal(events, big),
        "snapshot, default rings": lambda: _snapshot(default),
        f"snapshot, {events:,} events": lambda: _snapshot(big),
        f"table of {points:,} points": lambda: lambda: table(points),
        f"database of {points:,} points": lambda: _database(points),
    }


def _one(make: Callable[[], object]) -> dict[str, float]:
    gc.collect()
    before = memory_mib(os.getpid())
    kept = make()
    gc.collect()
    after, most = memory_mib(os.getpid()), memory_mib(os.getpid(), "VmHWM")
    del kept
    return {"mib": round(after - before, 1), "most_mib": round(most - before, 1)}


def main(argv: list[str]) -> int:
    """Measure each in a child, and print."""
    parser = argparse.ArgumentParser(prog="./build.sh bench memory", description=__doc__)
    parser.add_argument("--points", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--only", default="", help="one figure, in this process")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    known = figures(asked.points, asked.events)
    if asked.only:
        print(json.dumps(_one(known[asked.only]())))
        return 0
    rows: dict[str, dict[str, float]] = {}
    for name in known:
        command = [sys.executable, "-m", "tools.bench.memory", *argv, "--only", name]
        rows[name] = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    if asked.json:
        print(json.dumps(rows))
        return 0
    for name, row in rows.items():
        print(f"{name:>30}  {row['mib']:6.1f} MiB, at most {row['most_mib']:6.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
