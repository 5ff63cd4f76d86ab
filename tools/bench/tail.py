"""Reads a growing file of JSON lines, again and again, each line once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Any


class Tail:
    """`lines` holds every object read so far; `read` adds what is new and returns it."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.lines: list[dict[str, Any]] = []
        self._file: IO[bytes] | None = None
        self._rest = b""

    def read(self) -> list[dict[str, Any]]:
        """What was appended since the last call; a file that is not there yet is empty."""
        if self._file is None:
            try:
                self._file = self.path.open("rb")
            except FileNotFoundError:
                return []
        *whole, self._rest = (self._rest + self._file.read()).split(b"\n")
        fresh = [json.loads(line) for line in whole]
        self.lines += fresh
        return fresh

    def since(self, t_ns: int, what: str | None = None) -> list[dict[str, Any]]:
        """Every object from `t_ns` on, of one kind if named."""
        self.read()
        return [line for line in self.lines if line["t"] >= t_ns and what in (None, line["what"])]
