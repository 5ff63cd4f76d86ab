"""Several benches side by side: a configuration moved to other loopback addresses."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

OCTETS = range(1, 55)  # with the planes' 100 and 200 added still below 255
_EXAMPLE = 20


def relocate(source: str | Path, target: str | Path, octet: int) -> Path:
    """Copy a configuration with its 127.20. addresses moved to 127.OCTET.; returns the new folder."""
    if octet not in OCTETS:
        raise ValueError(f"octet {octet}: the planes need one from {OCTETS[0]} to {OCTETS[-1]}")
    target = Path(target)
    target.mkdir(parents=True, exist_ok=True)
    for file in sorted(Path(source).iterdir()):
        if file.suffix in (".toml", ".csv"):
            text = file.read_text(encoding="utf-8").replace(f"127.{_EXAMPLE}.", f"127.{octet}.")
            (target / file.name).write_text(text, encoding="utf-8")
        elif file.is_file():
            shutil.copy(file, target)
    return target


class Octet:
    """A second octet that no other bench of this machine has; free again when closed or when the process ends."""

    def __init__(self, number: int, lock: IO[str]) -> None:
        self.number = number
        self._lock = lock

    def close(self) -> None:
        """Give it back."""
        self._lock.close()


def free_octet(wanted: int | None = None) -> Octet:
    """Take a free octet, or the wanted one. Raises OSError when it (or every one) is taken."""
    folder = Path(tempfile.gettempdir()) / f"tandem-bench-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    for number in OCTETS if wanted is None else (wanted,):
        if wanted is None and number == _EXAMPLE:
            continue
        lock = (folder / str(number)).open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            continue
        return Octet(number, lock)
    raise BlockingIOError(f"127.{wanted if wanted is not None else 'x'}.x.y is taken by another bench on this machine")
