"""Where each key of a TOML text stands: tomllib reads values and tells no lines, this tells lines and no values.

It runs only over texts that tomllib accepted, so it skips where a parser would verify.
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right

Path = tuple[str | int, ...]
"""Keys and, within arrays, indices from 0: ("master", 0, "device", 1, "points")."""

_BARE = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
_BLANK = " \t\r\n"


def locate(text: str) -> dict[Path, int]:
    """The line (from 1) of every table, key and array element of a TOML text that tomllib accepts."""
    return _Locator(text).run()


def line_of(lines: dict[Path, int], path: Path) -> int:
    """The line of `path`, or of the nearest table around it; 1 where nothing is known."""
    while path:
        if path in lines:
            return lines[path]
        path = path[:-1]
    return 1


class _Locator:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.lines: dict[Path, int] = {}
        self._counts: dict[Path, int] = {}
        self._starts = [0]
        for position, letter in enumerate(text):
            if letter == "\n":
                self._starts.append(position + 1)

    def run(self) -> dict[Path, int]:
        base: Path = ()
        self._blank()
        while self.at < len(self.text):
            if self.text.startswith("[[", self.at):
                base = self._header(2)
            elif self.text[self.at] == "[":
                base = self._header(1)
            else:
                self._pair(base)
            self._blank()
        return self.lines

    def _note(self, path: Path) -> None:
        self.lines.setdefault(path, bisect_right(self._starts, self.at))

    def _blank(self, more: str = "") -> None:
        """Skip white space, comments, and the letters of `more`."""
        text, end = self.text, len(self.text)
        while self.at < end:
            letter = text[self.at]
            if letter == "#":
                found = text.find("\n", self.at)
                self.at = end if found < 0 else found
            elif letter in _BLANK or letter in more:
                self.at += 1
            else:
                return

    def _header(self, brackets: int) -> Path:
        start = self.at
        self.at += brackets
        keys = self._keys("]")
        after = self.at + brackets
        self.at = start
        path: Path = ()
        for key in keys[:-1]:
            path = self._inside((*path, key))
        path = (*path, keys[-1])
        if brackets == 2:
            self._note(path)
            count = self._counts.get(path, 0)
            self._counts[path] = count + 1
            path = (*path, count)
        else:
            path = self._inside(path)
        self._note(path)
        self.at = after
        return path

    def _inside(self, path: Path) -> Path:
        """A header names an array of tables and means its last one."""
        return (*path, self._counts[path] - 1) if path in self._counts else path

    def _keys(self, stop: str) -> list[str]:
        keys = []
        while True:
            self._blank()
            keys.append(self._key())
            self._blank()
            if self.at >= len(self.text) or self.text[self.at] == stop:
                return keys
            self.at += 1

    def _key(self) -> str:
        start = self.at
        if self.text[start : start + 1] in ('"', "'"):
            self._string()
            return str(tomllib.loads(f"key = {self.text[start : self.at]}")["key"])
        while self.at < len(self.text) and self.text[self.at] in _BARE:
            self.at += 1
        if self.at == start:
            self.at += 1
        return self.text[start : self.at]

    def _pair(self, base: Path) -> None:
        start = self.at
        keys = self._keys("=")
        after = self.at + 1
        self.at = start
        for count in range(1, len(keys) + 1):
            self._note((*base, *keys[:count]))
        self.at = after
        self._value((*base, *keys))

    def _value(self, path: Path) -> None:
        self._blank()
        letter = self.text[self.at : self.at + 1]
        if letter in ('"', "'"):
            self._string()
        elif letter == "[":
            self.at += 1
            index = 0
            self._blank(",")
            while self.at < len(self.text) and self.text[self.at] != "]":
                self._note((*path, index))
                self._value((*path, index))
                index += 1
                self._blank(",")
            self.at += 1
        elif letter == "{":
            self.at += 1
            self._blank(",")
            while self.at < len(self.text) and self.text[self.at] != "}":
                self._pair(path)
                self._blank(",")
            self.at += 1
        else:
            while self.at < len(self.text) and self.text[self.at] not in ",]}#\n":
                self.at += 1

    def _string(self) -> None:
        """Skip one string of any of the four kinds."""
        text, quote = self.text, self.text[self.at]
        triple = quote * 3
        closing = triple if text.startswith(triple, self.at) else quote
        self.at += len(closing)
        while self.at < len(text) and not text.startswith(closing, self.at):
            self.at += 2 if quote == '"' and text[self.at] == "\\" else 1
        self.at += len(closing)
        # up to two quotes may stand right before the closing three and belong to the value
        while closing == triple and self.at < len(text) and text[self.at] == quote:
            self.at += 1
