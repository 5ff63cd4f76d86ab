"""The state folder: small files, written whole, through to the flash, and read back with a sentence on damage."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable
from pathlib import Path


class StateFolder:
    """Files of a gateway that must survive: registry, histories, epoch."""

    def __init__(self, path: str) -> None:
        """Make the folder if it is missing, for its owner alone. Raises OSError."""
        self.path = Path(path)
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self, name: str) -> str:
        """The text of a file, "" when there is none. Raises OSError or UnicodeDecodeError."""
        file = self.path / name
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def read_all(self, names: Iterable[str]) -> dict[str, str]:
        """The texts of these files; one that cannot be read is said in the log and counts as empty."""
        texts = {}
        for name in names:
            try:
                texts[name] = self.read(name)
            except (OSError, UnicodeDecodeError) as error:
                logging.getLogger("tandem").error("%s: %s; going on without it", self.path / name, error)
                texts[name] = ""
        return texts

    def write(self, name: str, text: str) -> str:
        """Replace a file atomically and sync it and its folder. Returns "" or what went wrong."""
        target, fresh = self.path / name, self.path / f".{name}.new"
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(target)
            folder = os.open(self.path, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError as error:
            with contextlib.suppress(OSError):
                fresh.unlink()
            return f"{target}: {error.strerror}"
        return ""
