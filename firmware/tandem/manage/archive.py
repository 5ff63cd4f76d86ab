"""`python -m tandem archive`: the events on flash, read from the state folder whether or not a gateway runs."""

from __future__ import annotations

import argparse
import csv
import fnmatch
import json
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tandem.archive import index
from tandem.archive.reading import Event, Missing, Reader
from tandem.archive.recorder import LOG
from tandem.point import Cause
from tandem.port.logs import INDEX_SUFFIX, files_of
from tandem.show import cause_text, quality_text, time_text, value_text

COLUMNS = ("time", "point", "value", "text", "quality", "cause", "epoch", "number", "mark")
_WHEN = "write it as 2026-05-01, 2026-05-01 14:30 or 2026-05-01T14:30:00.250, in UTC"


def run(argv: list[str]) -> int:
    """Print what was asked for; exit code 1 where there is no archive, 2 for arguments that are not understood."""
    parser = argparse.ArgumentParser(prog="tandem archive", description="Events on flash, gaps and all.")
    parser.add_argument("--state", required=True, help="a member's state folder, or a copy of it")
    parser.add_argument("--from", dest="after", type=_when, default=None, help="events stamped then or later (UTC)")
    parser.add_argument("--to", dest="before", type=_when, default=None, help="events stamped before that (UTC)")
    parser.add_argument("--point", default="*", help="names of points, with * and ?, such as F1.*")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--csv", action="store_true", help=f"a table: {', '.join(COLUMNS)}")
    shape.add_argument("--json", action="store_true", help="one JSON object a line")
    try:
        asked = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        files = _Files(files_of(Path(asked.state) / LOG))
        if not files.names:
            print(f"tandem archive: {asked.state} holds no archive; name a member's state folder", file=sys.stderr)
            return 1
        rows = select(Reader(files.names, files.read, files), asked.after, asked.before, asked.point)
        _print(rows, "csv" if asked.csv else "json" if asked.json else "text")
    except BrokenPipeError:
        sys.stderr.close()  # whoever reads has seen enough
    except OSError as error:
        print(f"tandem archive: {error}", file=sys.stderr)
        return 1
    return 0


class _Files:
    """The archive's files by name; one that the running gateway has just deleted is empty."""

    def __init__(self, files: list[Path]) -> None:
        self.names = [file.name for file in files]
        self._files = dict(zip(self.names, files, strict=True))
        self._entries: dict[str, list[index.Entry] | None] = {}

    def read(self, name: str) -> bytes:
        """All of a file."""
        return _octets(self._files[name])

    def entries(self, name: str) -> list[index.Entry] | None:
        """What the index beside it says, as long as that is the file's."""
        if name not in self._entries:
            file = self._files[name]
            beside = file.with_suffix(INDEX_SUFFIX)
            size = file.stat().st_size if beside.exists() and file.exists() else -1
            self._entries[name] = index.read(_octets(beside), size) if size >= 0 else None
        return self._entries[name]

    def part(self, name: str, at: int, size: int) -> bytes:
        """Octets of a file."""
        try:
            with self._files[name].open("rb") as stream:
                stream.seek(at)
                return stream.read(size)
        except FileNotFoundError:
            return b""


def _octets(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""


def _when(text: str) -> int:
    """Microseconds since 1970."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: {_WHEN}") from None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return round(aware.timestamp() * 1_000_000)


def select(reader: Reader, after: int | None, before: int | None, glob: str) -> Iterator[dict[str, Any]]:
    """The rows of `COLUMNS` in the archive's order, stamps after <= t < before; gaps are never left out."""
    everything = glob == "*"
    low, high = -(1 << 63) if after is None else after, 1 << 63 if before is None else before
    for row in reader.rows((low, high)):
        if isinstance(row, Missing):
            yield _missing(row)
        elif low <= row.record[1] < high and (everything or fnmatch.fnmatchcase(_name(row), glob)):
            yield _event(row)


def _name(event: Event) -> str:
    return event.point.name if event.point else f"point {event.record[3]}"


def _event(event: Event) -> dict[str, Any]:
    number, stamp_us, value, _, quality, cause, _ = event.record
    offered = (cause & 0x7F) == Cause.SALVAGED
    return {
        "time": time_text(stamp_us),
        "point": _name(event),
        "value": value,
        "text": value_text(event.point, value) if event.point else f"{value:g}",
        "quality": quality_text(quality),
        "cause": cause_text(cause),
        "epoch": event.epoch,
        "number": number,
        "mark": "salvaged" if event.salvaged or offered else "",
    }


def _missing(row: Missing) -> dict[str, Any]:
    upto = f" to {row.head}" if row.head else ""
    lost = f", {row.lost} events" if row.lost else ""
    mark = f"gap ({row.why}): after {row.base}{upto}{lost}"
    return {**dict.fromkeys(COLUMNS, ""), "epoch": row.epoch, "number": row.base, "mark": mark}


def _print(rows: Iterator[dict[str, Any]], shape: str) -> None:
    if shape == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([row[column] for column in COLUMNS] for row in rows)
        return
    line: Callable[[dict[str, Any]], str] = json.dumps if shape == "json" else _text
    for row in rows:
        print(line(row))


def _text(row: dict[str, Any]) -> str:
    if not row["point"]:
        return f"-- {row['mark']} (epoch {row['epoch']})"
    mark = f"  {row['mark']}" if row["mark"] else ""
    where = f"{row['epoch']}:{row['number']}"
    return f"{row['time']} {row['point']:32} {row['text']:>16}  {row['quality']:20} {row['cause']:14} {where}{mark}"
