"""Reading a configuration's folder: the one place of this package that touches a disk."""

from __future__ import annotations

from pathlib import Path

MOST_FILES = 2000
MOST_OCTETS = 64 << 20


def read_folder(folder: str) -> dict[str, bytes]:
    """The octets of every .toml and .csv file of a folder, by name. Raises OSError."""
    files: dict[str, bytes] = {}
    room = MOST_OCTETS
    for path in sorted(Path(folder).iterdir()):
        if path.suffix.lower() not in (".toml", ".csv") or not path.is_file():
            continue
        if len(files) == MOST_FILES:
            raise OSError(f"there are more than {MOST_FILES} files")
        room -= path.stat().st_size
        if room < 0:
            raise OSError(f"the files are larger than {MOST_OCTETS >> 20} MiB together")
        files[path.name] = path.read_bytes()
    return files


def decode(octets: bytes) -> str:
    """The text of a file, line ends as newlines, a byte-order mark dropped. Raises UnicodeDecodeError."""
    return octets.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
