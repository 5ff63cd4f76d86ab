"""What a key of the configuration is: a schema is tuples of `Key`, and one function verifies a value against one."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

Type = Literal["text", "name", "file", "integer", "number", "boolean", "texts", "periods", "table", "tables"]

LONGEST_TEXT = 1000
LONGEST_NAME = 64
"""Octets of a whole point name."""
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(?:\.[A-Za-z][A-Za-z0-9_-]*)*", re.ASCII)
NAME_CURE = "write letters, digits, _ and -, beginning with a letter; dots join parts"
_FILE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*", re.ASCII)
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}", re.ASCII)
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)
_COMMA = re.compile(r"([+-]?[0-9]*),([0-9]+)", re.ASCII)
_BOOLEANS = {"yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_WORDS: dict[str, str] = {
    "text": "a text in quotes",
    "name": "a name in quotes",
    "file": "the name of a file beside gateway.toml, in quotes",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "texts": "a text or a list of texts",
    "periods": "a table of names and milliseconds, such as { fast = 200, normal = 1000 }",
    "table": "a table, such as { key = value }",
    "tables": "a list of tables",
}


@dataclass(slots=True, frozen=True)
class Key:
    """One key of a table, or column of a list. A `default` of None means that it must be given.

    `low` and `high` bound a number, the letters of a name, or each of `periods`; `choices` closes a set of texts.
    `later`: this version does nothing with it, so another value than the default is refused as not there yet.
    """

    name: str
    type: Type
    doc: str
    default: object = None
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""
    later: bool = False

    @property
    def required(self) -> bool:
        """True where there is no default."""
        return self.default is None

    @property
    def expected(self) -> str:
        """The values that are right, in words."""
        if self.choices:
            return "one of " + ", ".join(f'"{c}"' if c else '""' for c in self.choices)
        if self.type in ("integer", "number") and self.low is not None and self.high is not None:
            unit = f" {self.unit}" if self.unit else ""
            return f"{_WORDS[self.type]} from {self.low:.15g} to {self.high:.15g}{unit}"
        return _WORDS[self.type]


class Wrong(Exception):
    """A value does not fit its key: what is wrong, and what would be right."""

    def __init__(self, wrong: str, right: str) -> None:
        super().__init__(wrong)
        self.wrong = wrong
        self.right = right


def shown(value: object) -> str:
    """A value as a sentence quotes it: short, on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = '"' + "".join(c if c.isprintable() else "?" for c in value[:61]) + '"'
        return text if len(value) <= 60 else text[:58] + '..."'
    if isinstance(value, int | float):
        return f"{value:.15g}" if abs(value) < 1e15 else "a number far too large"
    return {"dict": "a table", "list": "a list"}.get(type(value).__name__, f"a {type(value).__name__}")


def verified(key: Key, value: object) -> object:
    """The value of `key` as the model keeps it (lists become tuples). Raises Wrong."""
    if key.type in ("integer", "number"):
        return _number(key, value)
    if key.type == "boolean" and isinstance(value, bool):
        return value
    if key.type in ("text", "name", "file") and isinstance(value, str):
        return _text(key, value)
    if key.type == "texts":
        items = [value] if isinstance(value, str) else value
        if isinstance(items, list) and all(isinstance(item, str) for item in items):
            return tuple(_text(key, item) for item in items)
    if (key.type == "periods" and isinstance(value, dict)) or (key.type == "table" and isinstance(value, dict)):
        return _periods(key, value) if key.type == "periods" else value
    if key.type == "tables" and isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise Wrong(f"{key.name} = {shown(value)} is not {_WORDS[key.type]}", f"write {key.expected}")


def _number(key: Key, value: object) -> int | float:
    whole = key.type == "integer"
    if isinstance(value, bool) or not isinstance(value, int if whole else int | float):
        raise Wrong(f"{key.name} = {shown(value)} is not {_WORDS[key.type]}", f"write {key.expected}")
    if (isinstance(value, float) and not math.isfinite(value)) or abs(value) > 1e300:
        raise Wrong(f"{key.name} = {shown(value)} is no number to reckon with", f"write {key.expected}")
    if (key.low is not None and value < key.low) or (key.high is not None and value > key.high):
        raise Wrong(f"{key.name} = {shown(value)} is out of range", f"write {key.expected}")
    return value if whole else float(value)


def _text(key: Key, value: str) -> str:
    if key.choices and value not in key.choices:
        raise Wrong(f"{key.name} = {shown(value)} is not known", f"write {key.expected}")
    if len(value) > LONGEST_TEXT:
        raise Wrong(f"{key.name} has {len(value)} letters", f"shorten it to {LONGEST_TEXT}")
    if key.required and not value:
        raise Wrong(f"{key.name} is empty", f"write {key.expected}")
    if key.type == "file" and value and not _FILE.fullmatch(value):
        raise Wrong(
            f"{key.name} = {shown(value)} is not the name of a file beside gateway.toml",
            'keep the list in the same folder and write its name alone, such as "points.csv"',
        )
    if key.type == "name" and value.startswith("_sys"):
        raise Wrong(f"{key.name} = {shown(value)} is the gateway's own", "choose a name that does not begin with _sys")
    if key.type == "name" and value:
        if not NAME.fullmatch(value) or ("." in value and key.high != LONGEST_NAME):
            cure = NAME_CURE if key.high == LONGEST_NAME else NAME_CURE.split(";")[0]
            raise Wrong(f"{key.name} = {shown(value)} is not a name", cure)
        if key.high is not None and len(value) > key.high:
            raise Wrong(f"{key.name} = {shown(value)} has {len(value)} letters", f"shorten it to {key.high:.0f}")
    return value


def _periods(key: Key, value: dict[str, object]) -> dict[str, int]:
    periods = {}
    for name, period in value.items():
        if not NAME.fullmatch(name) or "." in name or len(name) > 32:
            raise Wrong(f"{shown(name)} is not a name of a polling group", NAME_CURE.split(";")[0])
        one = Key(f"{key.name}.{name}", "integer", "", None, key.low, key.high, (), key.unit)
        periods[name] = int(_number(one, period))
    if not periods:
        raise Wrong(f"{key.name} names no polling group", "write one, such as { normal = 1000 }")
    return periods


def from_cell(key: Key, cell: str) -> object:
    """The value of a list's cell that is not empty. Raises Wrong."""
    if key.type == "integer" and _INTEGER.fullmatch(cell):
        return _number(key, int(cell))
    if key.type == "number" and _NUMBER.fullmatch(cell):
        return _number(key, float(cell))
    if key.type == "boolean" and cell.lower() in _BOOLEANS:
        return _BOOLEANS[cell.lower()]
    if key.type in ("text", "name", "file"):
        return _text(key, cell)
    if key.type == "texts":
        return tuple(_text(key, part) for part in cell.split("|"))
    if key.type == "number" and (match := _COMMA.fullmatch(cell)):
        raise Wrong(f"{key.name} = {shown(cell)} has a decimal comma", f"write {match[1] or '0'}.{match[2]}")
    expected = "yes or no" if key.type == "boolean" else key.expected
    raise Wrong(
        f"{key.name} = {shown(cell)} is not {'yes or no' if key.type == 'boolean' else _WORDS[key.type]}",
        f"write {expected}",
    )
