"""What the bench needs to know of a configuration: addresses, ports and lines, as flat data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tandem.config.load import load
from tandem.config.model import Config

MEMBERS = ("a", "b")
MS = 1_000_000
BOARD = Path(__file__).resolve().parents[2] / "board" / "bench"


def other(member: str) -> str:
    """The peer's letter."""
    return "b" if member == "a" else "a"


def raised(ip: str, octets: int) -> str:
    """An IPv4 address with its second octet raised: from the public plane to a member's, and back with a minus."""
    first, second, rest = ip.split(".", 2)
    return f"{first}.{int(second) + octets}.{rest}"


@dataclass(slots=True, frozen=True)
class LanPlan:
    """One LAN: the group's addresses and each member's own."""

    name: str
    group: tuple[str, ...]
    own: dict[str, tuple[str, ...]]


@dataclass(slots=True, frozen=True)
class LinePlan:
    """One serial line; `kind` is "field" (a field end and two members) or "crossover" (the two members)."""

    name: str
    kind: str
    octet_ns: int
    switched: bool
    links: dict[str, str]  # end ("a", "b", "field") -> link name in the run folder


@dataclass(slots=True, frozen=True)
class Plan:
    """A group on the bench. `services`: (LAN, TCP port) of every slave; `devices`: (LAN, host, TCP port)."""

    plane: dict[str, int]
    lans: tuple[LanPlan, ...]
    services: tuple[tuple[str, int], ...]
    devices: tuple[tuple[str, str, int], ...]
    lines: tuple[LinePlan, ...]
    lease_ms: int
    board: dict[str, Any] = field(default_factory=dict)

    @property
    def link_port(self) -> int:
        """The TCP port of the hot-standby link."""
        return int(self.board["net"]["link_tcp_port"])

    @property
    def beat_port(self) -> int:
        """The UDP port of the beats."""
        return int(self.board["net"]["beat_udp_port"])


def read_plan(folder: str | Path, board: str | Path = BOARD) -> Plan:
    """The plan of a configuration folder. Raises tandem.config.load.ConfigError or OSError with a sentence."""
    data = tomllib.loads((Path(board) / "board.toml").read_text(encoding="utf-8"))
    usual = tomllib.loads((BOARD / "board.toml").read_text(encoding="utf-8"))  # of what a board says nothing
    return make_plan(load(str(folder)), {**usual, **data})


def make_plan(config: Config, board: dict[str, Any]) -> Plan:
    """The plan of a loaded configuration on a board's data."""
    lans = tuple(
        LanPlan(
            lan.name,
            tuple(a.ip for a in lan.group if "." in a.ip),
            {m: tuple(a.ip for a in lan.members[m].addresses if "." in a.ip) for m in MEMBERS if m in lan.members},
        )
        for lan in config.lans
    )
    every = [lan.name for lan in config.lans]
    services = {(lan, s.tcp_port) for s in config.slaves if s.tcp_port for lan in ([s.lan] if s.lan else every)}
    services |= {(lan, int(port)) for lan in every for port in board["net"].get("extra_tcp_ports", ())}
    devices = {
        (m.lan, host, d.tcp_port)
        for m in config.masters
        for d in m.devices
        for host in (d.host, str(d.options.get("second_host", "")))
        if host and m.lan
    }
    plane = {m: int(board["plane"][m]) for m in MEMBERS}
    lines = tuple(_line(config, line.name, board) for line in config.serials)
    return Plan(plane, lans, tuple(sorted(services)), tuple(sorted(devices)), lines, config.standby.lease_ms, board)


def _line(config: Config, name: str, board: dict[str, Any]) -> LinePlan:
    line = config.serial(name)
    in_field = any(m.serial == name for m in config.masters) or any(s.serial == name for s in config.slaves)
    links = {m: _link(board, line.ports[m]) for m in MEMBERS if m in line.ports}
    if in_field:
        links["field"] = f"{name}-field"
    kind = "field" if in_field else "crossover"
    return LinePlan(name, kind, line.octet_ns, line.switched == "role-relay", links)


def _link(board: dict[str, Any], port: str) -> str:
    """A port's link in the run folder: what board.toml says behind the variable, else the port's own name."""
    return str(board.get("serial", {}).get(port, port)).removeprefix("$TANDEM_BENCH/")
