"""A board as data: `board/NAME/board.toml` names its driver, serial ports, relay times and, on the bench, its plane."""

from __future__ import annotations

import ipaddress
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from tandem.config.timing import RelayTimes

_BOARDS = Path(__file__).resolve().parents[3] / "board"


class BoardError(ValueError):
    """The board's file is missing or wrong, in a sentence."""


@dataclass(slots=True, frozen=True)
class Board:
    """What the ports need to know of the board."""

    name: str
    driver: str
    """"bench": pins, lease and addresses are played by the relay bench; "none": this board has no pins."""
    run_dir: str
    serial_ports: dict[str, str] = field(default_factory=dict)
    relay: RelayTimes | None = None
    plane_octet: int = 0

    def plane(self, ip: str) -> str:
        """Where this member finds an address: itself, but on the bench moved to the member's own plane."""
        if not self.plane_octet:
            return ip
        return str(ipaddress.IPv4Address(int(ipaddress.IPv4Address(ip)) + (self.plane_octet << 16)))

    def serial(self, port: str) -> str:
        """The device path of a serial port by its name. Raises BoardError for a name the board does not have."""
        try:
            return self.serial_ports[port]
        except KeyError:
            known = ", ".join(sorted(self.serial_ports))
            raise BoardError(f"board {self.name} has no serial port {port!r}; it has {known}") from None


def load_board(name: str, member: str) -> Board:
    """The board of that name or folder. Raises BoardError with the file's name and the cure."""
    folder = Path(name) if "/" in name else _BOARDS / name
    file = folder / "board.toml"
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = sorted(p.parent.name for p in _BOARDS.glob("*/board.toml"))
        raise BoardError(f"{file} is not there; boards that are: {', '.join(known)}") from None
    except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BoardError(f"{file}: {error}") from error
    driver = str(data.get("driver", "none"))
    run_dir = os.environ.get("TANDEM_BENCH", "")
    if driver == "bench" and not run_dir:
        raise BoardError(f"{file}: the bench needs TANDEM_BENCH, the run folder of its relay bench, in the environment")
    try:
        return Board(
            name=str(data.get("name", folder.name)),
            driver=driver,
            run_dir=run_dir,
            serial_ports={k: os.path.expandvars(str(v)) for k, v in data.get("serial", {}).items()},
            relay=RelayTimes(**data["relay"]) if "relay" in data else None,
            plane_octet=int(data.get("plane", {}).get(member, 0)),
        )
    except (TypeError, ValueError) as error:
        raise BoardError(f"{file}: {error}") from error
