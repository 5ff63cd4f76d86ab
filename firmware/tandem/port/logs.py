"""A log on flash: numbered files that are only appended to, each append through to the flash before it is answered."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
from collections.abc import Callable, Iterator
from pathlib import Path

from tandem.action import Store
from tandem.archive.block import whole

SUFFIX, INDEX_SUFFIX = ".seg", ".idx"
FILES_MAX = 4096
"""Restarts make short files: the oldest go beyond this number, whatever their size."""


def files_of(folder: Path) -> list[Path]:
    """The files of a log, oldest first; none where there is no folder. Raises OSError."""
    if not folder.exists():
        return []
    return sorted(file for file in folder.iterdir() if file.suffix == SUFFIX and file.stem.isdigit())


class LogFolder:
    """One log. Used by one thread at a time; every process begins a file of its own.

    `gives_way`: where the disk is full its oldest file goes, so that the newest records have room. `index` gives of a
    file that is written no more what is kept beside it.
    """

    def __init__(self, path: Path, gives_way: bool, index: Callable[[bytes], bytes] | None = None) -> None:
        self.path = path
        self._gives_way = gives_way
        self._index = index
        self._file = -1
        self._number = 0

    def mend(self) -> None:
        """Cut the torn tail off the newest file, which a power cut may have left; said in the log."""
        try:
            files = files_of(self.path)
            if files:
                octets = files[-1].read_bytes()
                end = whole(octets)
                if end < len(octets):
                    said = "%s: its last %d octets were torn by a power cut or a full disk and are cut off"
                    logging.getLogger("tandem").warning(said, files[-1], len(octets) - end)
                    os.truncate(files[-1], end)
                self._number = int(files[-1].stem)
        except OSError as error:
            logging.getLogger("tandem").error("%s: %s", self.path, error)

    def newest_first(self) -> Iterator[bytes]:
        """The files' octets, as many as are asked for; one that cannot be read is said in the log and left out."""
        try:
            for file in reversed(files_of(self.path)):
                yield file.read_bytes()
        except OSError as error:
            logging.getLogger("tandem").error("%s: %s; going on without it", self.path, error)

    def clear(self) -> None:
        """Nothing of it is wanted any more."""
        with contextlib.suppress(OSError):
            for file in files_of(self.path):
                _delete(file)

    def append(self, store: Store) -> str:
        """Write and sync. Returns "" or what went wrong; then the next one must begin a file."""
        try:
            self._append(store)
        except OSError as error:
            self._close()
            if error.errno == errno.ENOSPC and self._gives_way:
                self._forget_oldest()
            return f"{self.path}: {error.strerror}"
        return ""

    def _append(self, store: Store) -> None:
        if store.begin or self._file < 0:
            self._begin()
        self._write(store.octets)
        if store.keep_octets is not None:
            self._forget(store.keep_octets)

    def _write(self, octets: bytes) -> None:
        view = memoryview(octets)
        while view:
            view = view[os.write(self._file, view) :]
        os.fdatasync(self._file)

    def _begin(self) -> None:
        self._close()
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._number += 1
        name = self.path / f"{self._number:08}{SUFFIX}"
        self._file = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
        self._sync_folder()
        self._index_former()

    def _index_former(self) -> None:
        """A query by time reads the index in place of the file; without one the file is read."""
        if self._index is None:
            return
        for file in files_of(self.path)[-2:-1]:
            beside = file.with_suffix(INDEX_SUFFIX)
            with contextlib.suppress(OSError):
                if not beside.exists():
                    beside.write_bytes(self._index(file.read_bytes()))

    def _sync_folder(self) -> None:
        folder = os.open(self.path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def _forget(self, keep_octets: int) -> None:
        """Delete the oldest of the former files until the rest holds no more than that."""
        former = files_of(self.path)[:-1]
        sizes = [file.stat().st_size for file in former]
        while former and (sum(sizes) > keep_octets or len(former) >= FILES_MAX):
            _delete(former.pop(0))
            sizes.pop(0)

    def _forget_oldest(self) -> None:
        with contextlib.suppress(OSError):
            for file in files_of(self.path)[:-1][:1]:
                _delete(file)

    def _close(self) -> None:
        if self._file >= 0:
            with contextlib.suppress(OSError):
                os.close(self._file)
            self._file = -1


def _delete(file: Path) -> None:
    file.with_suffix(INDEX_SUFFIX).unlink(missing_ok=True)
    file.unlink()
