"""Lists: CSV files whose header names their columns, any of them, in any order."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass

from tandem.config.finding import Findings, nearest
from tandem.config.keys import Key, Wrong, from_cell, shown
from tandem.config.model import Place

MOST_ROWS = 200_000
MOST_LETTERS = 4000
"""Of one line."""


@dataclass(slots=True)
class ListRow:
    """One row: `values` of all columns (defaults filled in, a wrong cell absent), `given` the columns not empty."""

    place: Place
    values: dict[str, object]
    given: frozenset[str]
    sound: bool = True

    def text(self, name: str) -> str:
        """A text column, "" where there is none."""
        value = self.values.get(name, "")
        return value if isinstance(value, str) else ""


def read_list(file: str, text: str, keys: Iterable[Key], what: str, findings: Findings) -> list[ListRow]:
    """The rows of a list by its columns `keys`; every fault is noted. `what` names the list in sentences."""
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip() and not line.startswith("#")]
    if not lines:
        findings.add(Place(file, 1), f"this {what} is empty", "its first line names the columns, separated by commas")
        return []
    known = {key.name: key for key in keys}
    number, header = lines[0]
    delimiter = max(",;\t", key=header.count)
    names = [name.strip().lower() for name in _cells(Place(file, number), header, delimiter, findings) or []]
    columns = _columns(Place(file, number), names, known, what, findings)
    if columns is None:
        return []
    if len(lines) - 1 > MOST_ROWS:
        findings.add(
            Place(file, lines[MOST_ROWS][0]),
            f"this {what} has {len(lines) - 1} rows",
            f"a list holds {MOST_ROWS} rows at most: split it",
        )
        lines = lines[: MOST_ROWS + 1]
    defaults = {key.name: key.default for key in known.values() if not key.required}
    required = [key.name for key in known.values() if key.required]
    rows = []
    for number, line in lines[1:]:
        place = Place(file, number)
        cells = _cells(place, line, delimiter, findings)
        if cells is not None and _fits(place, cells, len(columns), findings):
            rows.append(_row(place, cells, columns, defaults, required, findings))
    return rows


def _cells(place: Place, line: str, delimiter: str, findings: Findings) -> list[str] | None:
    if len(line) > MOST_LETTERS:
        findings.add(place, f"this line has {len(line)} letters", f"a line has {MOST_LETTERS} at most")
        return None
    if '"' not in line:
        return line.split(delimiter)
    try:
        cells = next(csv.reader((line,), delimiter=delimiter, strict=True))
    except csv.Error:
        findings.add(
            place,
            "a quote is opened and not closed, or closed within a cell",
            'a quoted cell is "..." on one line, a quote in it is written ""',
        )
        return None
    return cells


def _columns(
    place: Place, names: list[str], known: dict[str, Key], what: str, findings: Findings
) -> list[Key | None] | None:
    """The key of each column; None for the whole where rows cannot be read without a required one."""
    columns: list[Key | None] = []
    while names and not names[-1]:
        names.pop()
    for name in names:
        key = known.get(name)
        if key is None:
            cure = nearest(name, known, "its columns are")
            findings.add(place, f"this {what} has no column {shown(name)}", cure, code="unknown-key")
        elif key in columns:
            findings.add(place, f'the column "{name}" stands twice', "keep one of them")
            key = None
        columns.append(key)
    missing = [key.name for key in known.values() if key.required and key not in columns]
    for name in missing:
        findings.add(place, f'this {what} has no column "{name}"', "add it to the first line")
    return None if missing else columns


def _fits(place: Place, cells: list[str], columns: int, findings: Findings) -> bool:
    extra = [cell for cell in cells[columns:] if cell.strip()]
    if extra:
        findings.add(
            place,
            f"this row has {len(cells)} cells, the first line names {columns} columns",
            "take them out; quote a text that has a separator in it, write decimals with a point",
        )
    return not extra


def _row(
    place: Place,
    cells: list[str],
    columns: list[Key | None],
    defaults: dict[str, object],
    required: list[str],
    findings: Findings,
) -> ListRow:
    values = dict(defaults)
    given = []
    sound = True
    for key, cell in zip(columns, cells, strict=False):
        cell = cell.strip()
        if not cell or key is None:
            continue
        given.append(key.name)
        try:
            values[key.name] = from_cell(key, cell)
        except Wrong as error:
            sound = False
            findings.add(place, error.wrong, error.right)
    for name in required:
        if name not in given:
            sound = False
            findings.add(place, f'the cell of "{name}" is empty', "every row needs one")
    return ListRow(place, values, frozenset(given), sound)
