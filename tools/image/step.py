"""Steps of the build that are done again only when what went into them changed."""

import hashlib
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.image.run import say


def digest(*things: object) -> str:
    """One hash over texts, octets, and files or folders with their names and whether they may be executed."""
    total = hashlib.sha256()
    for thing in things:
        if isinstance(thing, Path):
            for file in _files(thing):
                total.update(f"{file.relative_to(thing.parent)} {_sort(file)}\n".encode())
                total.update(os.readlink(file).encode() if file.is_symlink() else hash_file(file).encode())
        else:
            total.update(thing if isinstance(thing, bytes) else str(thing).encode())
        total.update(b"\0")
    return total.hexdigest()


def _files(place: Path) -> Iterable[Path]:
    if place.is_symlink() or not place.is_dir():
        return [place]
    found = (file for file in place.rglob("*") if file.is_symlink() or file.is_file())
    return sorted(file for file in found if "__pycache__" not in file.parts)


def _sort(file: Path) -> str:
    return "link" if file.is_symlink() else "run" if os.access(file, os.X_OK) else "file"


def hash_file(file: Path) -> str:
    """SHA-256 of a file's octets, in hexadecimal."""
    with file.open("rb") as octets:
        return hashlib.file_digest(octets, "sha256").hexdigest()


class Steps:
    """Remembers in one file, by the name of a step, what went into it when it was done last."""

    def __init__(self, file: Path) -> None:
        self._file = file
        try:
            self._done: dict[str, str] = json.loads(file.read_text())
        except (OSError, ValueError):
            self._done = {}

    def of(self, name: str) -> str:
        """What went into the step last, or "" if it was never done."""
        return self._done.get(name, "")

    def do(self, name: str, inputs: str, outputs: Iterable[Path], work: Callable[[], None]) -> bool:
        """Do `work` unless it was done with these inputs and all its outputs are there; whether it was done."""
        if self._done.get(name) == inputs and all(path.exists() for path in outputs):
            say(f"{name}: as before")
            return False
        self.note(name, "")
        work()
        self.note(name, inputs)
        return True

    def note(self, name: str, inputs: str) -> None:
        """Remember what went into a step; "" forgets it."""
        self._done[name] = inputs
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(self._done, indent=1, sort_keys=True))
        os.replace(fresh, self._file)
