"""What a control center of the bench needs to know of a configuration: where to call and what it will hear."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tandem.codec.iec60870.address import parse
from tandem.codec.iec60870.types import BY_NAME
from tandem.config.load import load
from tandem.config.model import Config, Row, Slave

LOOPBACK = "127.0.0.1"


@dataclass(slots=True, frozen=True)
class Served:
    """One IEC 104 slave as its centers see it. `inputs` and `outputs` are rows by object address."""

    host: str
    port: int
    common_address: int
    inputs: dict[int, Row]
    outputs: dict[int, Row]

    def name(self, ioa: int) -> str:
        """The point at an address, or ""."""
        row = self.inputs.get(ioa) or self.outputs.get(ioa)
        return row.point if row else ""

    def value(self, ioa: int, wire: float) -> float:
        """Engineering units of a wire value."""
        row = self.inputs.get(ioa)
        if row is None:
            return wire
        if row.invert:
            return float({0: 1, 1: 0}.get(int(wire), int(wire)))
        return (wire - row.offset) / (row.scale or 1.0)


def served(config: Config | str | Path) -> Served:
    """The first IEC 104 slave, at its LAN's first group address. Raises ValueError where there is none."""
    config = config if isinstance(config, Config) else load(str(config))
    slave = next((s for s in config.slaves if s.protocol == "iec104"), None)
    if slave is None:
        raise ValueError("no [[slave]] here speaks iec104: the bench's control centers have nobody to call")
    lan = config.lan(slave.lan) if slave.lan else config.lans[0]
    rows = {parse(r.address, slave.common_address)[1]: r for r in slave.rows if r.type in BY_NAME}
    return Served(
        lan.group[0].ip,
        slave.tcp_port,
        slave.common_address,
        {ioa: r for ioa, r in rows.items() if r.type.startswith("M_")},
        {ioa: r for ioa, r in rows.items() if r.type.startswith("C_")},
    )


def probe_source(config: Config) -> str:
    """The probe's own address: a host of a configured center that is not loopback's first, else 127.0.0.1."""
    slave = next((s for s in config.slaves if s.protocol == "iec104"), None)
    for host in _single_hosts(slave):
        if host.startswith("127.") and host != LOOPBACK:
            return host
    return LOOPBACK


def _single_hosts(slave: Slave | None) -> list[str]:
    hosts = [host for center in slave.centers for host in center.hosts] if slave else []
    return [host.partition("/")[0] for host in hosts if host.endswith("/32") or "/" not in host]
