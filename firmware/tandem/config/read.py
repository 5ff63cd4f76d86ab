"""Tables of `gateway.toml` against their schema: every fault is noted, and what is left is a verified table."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from typing import Any

from tandem.config.finding import Findings, nearest
from tandem.config.keys import Key, Wrong, shown, verified
from tandem.config.locate import Path, line_of, locate
from tandem.config.model import Place

Values = dict[str, Any]
_AT = re.compile(r"\s*\(at (?:line ([0-9]+), column ([0-9]+)|end of document)\)$")


class Reader:
    """One TOML file, read: `raw` is its content, `place` says where a key stands, `table` verifies a table."""

    def __init__(self, file: str, text: str, findings: Findings) -> None:
        self.file = file
        self.findings = findings
        self.raw: dict[str, object] = {}
        self.bad: set[Path] = set()
        """Keys that did not fit: what stands in their place is a default and not worth a second fault."""
        self._lines: dict[Path, int] = {}
        self.readable = self._read(text)

    def _read(self, text: str) -> bool:
        try:
            self.raw = tomllib.loads(text)
            self._lines = locate(text)
        except RecursionError:
            self.findings.add(Place(self.file, 1), "lists are nested too deeply to be a configuration", "take them out")
        except ValueError as error:
            sentence, line = str(error), 1
            if match := _AT.search(sentence):
                line = int(match.group(1) or text.count("\n") + 1)
                column = f" at column {match.group(2)}" if match.group(2) else " at the end of the file"
                sentence = sentence[: match.start()] + column
            sentence = "".join(c if c.isprintable() else "?" for c in sentence[:200])
            self.findings.add(
                Place(self.file, line), f"this is not TOML: {sentence}", "texts stand in quotes, one key = value a line"
            )
        else:
            return True
        return False

    def place(self, *path: str | int) -> Place:
        """Where a key stands, or the table that should hold it."""
        return Place(self.file, line_of(self._lines, path))

    def add(self, path: Path, wrong: str, right: str, code: str = "fault") -> None:
        """Note an error at a key and count the key as bad."""
        self.bad.add(path)
        self.findings.add(self.place(*path), wrong, right, code=code)

    def warn(self, path: Path, wrong: str, right: str) -> None:
        """Note a warning at a key."""
        self.findings.warn(self.place(*path), wrong, right)

    def table(
        self,
        raw: Mapping[str, object],
        keys: Iterable[Key],
        path: Path,
        what: str,
        others: Mapping[str, str] | None = None,
        defaults: Mapping[str, object] | None = None,
    ) -> Values:
        """The values of all `keys`; one that is missing or wrong has its default (a required one is absent).

        `others` says whose key a word is that this table does not know.
        """
        values: Values = {}
        known = {key.name: key for key in keys}
        for name in raw:
            if name not in known:
                self._unknown(name, known, path, what, others or {})
        for key in known.values():
            fallback = (defaults or {}).get(key.name, key.default)
            if key.name not in raw:
                if key.required:
                    self.add((*path, key.name), f"{what} has no {key.name}", f"write {key.name} = {_sample(key)}")
                else:
                    values[key.name] = fallback
                continue
            try:
                values[key.name] = verified(key, raw[key.name])
                if key.later and values[key.name] != fallback:
                    wrong = f"{what}: {key.name} = {shown(raw[key.name])}: not in this version yet"
                    self.add((*path, key.name), wrong, f"write {shown(fallback)}", "not-yet")
            except Wrong as error:
                self.add((*path, key.name), f"{what}: {error.wrong}", error.right)
                if fallback is not None:
                    values[key.name] = fallback
        return values

    def _unknown(self, name: str, known: Mapping[str, Key], path: Path, what: str, others: Mapping[str, str]) -> None:
        if name in others:
            cure = f"it is a key of {others[name]}: take it out here"
        else:
            cure = nearest(name, known, "its keys are")
        shown = "".join(c if c.isprintable() else "?" for c in name[:60])
        self.findings.add(self.place(*path, name), f'{what} has no key "{shown}"', cure, code="unknown-key")


def _sample(key: Key) -> str:
    if key.choices:
        return " | ".join(f'"{choice}"' for choice in key.choices)
    return {"integer": "a whole number", "boolean": "true", "table": "{ ... }", "tables": "[[...]]"}.get(
        key.type, f'"..." ({key.doc})'
    )


def named_tables(reader: Reader, raw: object, path: Path, what: str) -> list[tuple[str, dict[str, object]]]:
    """The tables of [lan.NAME] or [serial.NAME]; anything else in there is a fault."""
    tables = []
    for name, value in (raw if isinstance(raw, dict) else {}).items():
        if isinstance(value, dict):
            tables.append((name, value))
        else:
            reader.add((*path, name), f"[{path[0]}] has a key of its own", f"write [{path[0]}.NAME] for each {what}")
    return tables


def rows_of(raw: object) -> list[dict[str, object]]:
    """A verified list of tables as such."""
    return [row for row in raw if isinstance(row, dict)] if isinstance(raw, list) else []
