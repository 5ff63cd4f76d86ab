"""A board as the ports need it: its data (`config.board`), this member's plane on the bench, devices by name."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from guardian.host import SILENT_MS
from tandem.config.board import BoardData, board_file, read_board
from tandem.config.margins import RelayTimes
from tandem.config.signals import LED_NAMES
from tandem.standby.rules import BENCH


class BoardError(ValueError):
    """The board's file is missing or wrong, in a sentence."""


@dataclass(slots=True, frozen=True)
class Board:
    """What the ports need to know of the board. `pins`: the plan of its pins, see `port.pins`; {}: it has none."""

    name: str
    run_dir: str
    serial_ports: dict[str, str] = field(default_factory=dict)
    relay: RelayTimes | None = None
    plane_octet: int = 0
    pins: dict[str, Any] = field(default_factory=dict)
    network: str = BENCH
    """Whose the group addresses are, see `standby.rules`."""

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
    file = board_file(name)
    data, findings = read_board(name)
    if data is None:
        raise BoardError("; ".join(str(finding) for finding in findings))
    run_dir = os.environ.get("TANDEM_BENCH", "")
    if data.guardian == "bench" and not run_dir:
        raise BoardError(f"{file}: the bench needs TANDEM_BENCH, the run folder of its relay bench, in the environment")
    plane = data.bench.get("plane", {}).get(member, 0)
    return Board(
        name=data.name,
        run_dir=run_dir,
        serial_ports={port.name: os.path.expandvars(port.device) for port in data.serials},
        relay=data.relay,
        plane_octet=plane if isinstance(plane, int) else 0,
        pins=_pins(data, member, run_dir),
        network=data.network,
    )


def _places(*packages: str) -> list[str]:
    """Folders that hold these packages: the heart starts without site packages, and needs no others of them."""
    found = {Path(spec.origin).parent for name in packages if (spec := find_spec(name)) and spec.origin}
    return sorted(str(place.parent if place.name in packages else place) for place in found)


def _pins(data: BoardData, member: str, run_dir: str) -> dict[str, Any]:
    """What `port.pins.open_pins` takes, as plain data for the heart."""
    match data.guardian:
        case "bench":
            return {"driver": "bench", "path": f"{run_dir}/{data.bench['sockets'][member]}"}
        case "gpio":
            wires = {pin.signal: (pin.line, pin.active == "high", pin.pull) for pin in data.pins}
            names = {"chip": data.chip, "revision": data.revision, "leds": LED_NAMES}
            return {"driver": "gpio", "wires": wires, "paths": _places("RPi", "lgpio"), **names}
        case "uart" if data.uart is not None:
            silent_ms = int(data.watchdog.hold_ms) + 20 if data.watchdog else SILENT_MS
            return {"driver": "uart", "device": data.uart.device, "baud": data.uart.baud, "silent_ms": silent_ms}
    return {}
