"""What a board's image.toml says."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLES = ("gpt", "hybrid")
TREES = ("control", "firmware")


@dataclass(frozen=True)
class Board:
    """One board's image: partition table, console, and what its own firmware needs on the first partition."""

    name: str
    table: str
    console: str
    device_tree: str
    tree: str = ""
    overlays: tuple[str, ...] = ()
    loader: str = ""
    firmware: tuple[str, ...] = ()
    watchdog_s: int = 14
    """How long the board's watchdog waits for systemd; the Raspberry's can wait 15 s."""

    @property
    def folder(self) -> Path:
        """The board's folder in the tree."""
        return ROOT / "board" / self.name


def names() -> list[str]:
    """Boards that have an image."""
    return sorted(file.parent.name for file in (ROOT / "board").glob("*/image.toml"))


def read(name: str) -> Board:
    """The board of this name; ValueError with a sentence where it has no image or says what nobody knows."""
    file = ROOT / "board" / name / "image.toml"
    if not file.exists():
        raise ValueError(f"there is no image for a board '{name}'; there is one for: {', '.join(names())}")
    data = tomllib.loads(file.read_text())
    if data.pop("format", None) != 1:
        raise ValueError(f"{file}: format = 1 is the one that is known")
    unknown = data.keys() - Board.__dataclass_fields__.keys()
    if unknown:
        raise ValueError(f"{file}: nobody knows {', '.join(sorted(unknown))}")
    lists = {key: tuple(data.get(key, ())) for key in ("firmware", "overlays")}
    board = Board(name=name, **{**data, **lists})
    if board.table not in TABLES or board.device_tree not in TREES:
        raise ValueError(f"{file}: table is one of {', '.join(TABLES)}, device_tree one of {', '.join(TREES)}")
    return board
