"""A verified configuration as plain data: what `config.load` returns and every other part reads.

Field names are the file's keys. Durations keep the unit that stands in their name.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from typing import Literal

from tandem.point import Kind

Member = Literal["a", "b"]
HotStandby = Literal["disabled", "acquisition", "acquisition-and-control"]


@dataclass(slots=True, frozen=True)
class Place:
    """Where in the configuration something stands: file name and line (lists: the row's line), from 1."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


@dataclass(slots=True, frozen=True)
class Group:
    name: str
    preferred: Literal["a", "b", "none"] = "none"
    revert_after_s: int = 300
    remote: str = ""  # expression over full names: centers may control while it is true


@dataclass(slots=True, frozen=True)
class Address:
    """One interface address: `ip` as text, `prefix` length."""

    ip: str
    prefix: int

    @property
    def network(self) -> str:
        """What it is an address of: "10.1.1.0/24"."""
        return str(ipaddress.ip_network(f"{self.ip}/{self.prefix}", strict=False))


@dataclass(slots=True, frozen=True)
class LanPort:
    interface: str
    addresses: tuple[Address, ...]


@dataclass(slots=True, frozen=True)
class Lan:
    name: str
    group: tuple[Address, ...]
    members: dict[str, LanPort]
    router: str = ""
    routes: tuple[tuple[str, str], ...] = ()  # (to, via)
    vlan: int = 0
    reference: str = ""

    def held(self, member: str) -> tuple[Address, ...]:
        """The group's addresses as the active's interface has them.

        An IPv4 one beside an own one of its network is a host's: were it there first (a takeover before the own one
        is), the network's route would have to come with it, and the own one would bring none.
        """
        own = {address.network for address in self.members[member].addresses}
        return tuple(Address(a.ip, 32) if ":" not in a.ip and a.network in own else a for a in self.group)


@dataclass(slots=True, frozen=True)
class SerialLine:
    """A serial line; `ports` maps a member's letter to a port name of board.toml."""

    name: str
    ports: dict[str, str]
    baud: int = 9600
    data_bits: int = 8
    parity: Literal["none", "even", "odd"] = "none"
    stop_bits: int = 1
    mode: Literal["rs232", "rs485-2w", "rs485-4w"] = "rs232"
    rts: Literal["off", "on", "keyed", "flow"] = "off"
    rts_lead_ms: int = 0
    rts_tail_ms: int = 0
    turnaround_ms: int = 5
    echo: bool = False
    switched: Literal["role-relay", "own", "none"] = "none"

    @property
    def octet_ns(self) -> int:
        """Time of one octet on the line in ns: start bit, data, parity and stop bits."""
        bits = 1 + self.data_bits + (self.parity != "none") + self.stop_bits
        return bits * 1_000_000_000 // self.baud


@dataclass(slots=True, frozen=True)
class Condition:
    when: str
    for_ms: int


@dataclass(slots=True, frozen=True)
class Standby:
    heartbeat_ms: int = 20
    dead_after_ms: int = 120
    paths: tuple[str, ...] = ()
    profile: Literal["normal", "fast"] = "normal"
    arbitration: Literal["relays", "witness", "software"] = "software"
    partition: Literal["serve", "stop"] = "serve"
    sync_lease_ms: int = 500
    confirm_wait_ms: int = 600
    promote_unsynced: bool = True
    stale_after_ms: int = 2000
    journal: Literal["ram", "durable"] = "ram"
    journal_group_ms: int = 10
    soe_records: int = 65536
    analog_records: int = 65536
    cold_wait_ms: int = 2000
    drain_timeout_ms: int = 1000
    control_expiry_ms: int = 500
    witness: str = ""
    witness_ttl_ms: int = 2000
    comm_events: Literal["device", "points"] = "device"
    takeover_scan: Literal["events", "integrity"] = "events"
    lease: Literal["auto", "required", "none"] = "auto"
    lease_ms: int = 60
    stall_ms: int = 45
    conditions: tuple[Condition, ...] = ()


@dataclass(slots=True, frozen=True)
class Time:
    sources: tuple[str, ...] = ()
    ntp: tuple[str, ...] = ()
    zone: str = "UTC"


@dataclass(slots=True, frozen=True)
class Archive:
    enabled: bool = True
    keep_mib: int = 256
    segment_mib: int = 4
    sync_ms: int = 5000
    sync_events: int = 1000


@dataclass(slots=True, frozen=True)
class Feedback:
    """`POINT within MS`: a control's answer is negative unless the point reaches the commanded state in time."""

    point: str  # full name
    within_ms: int


@dataclass(slots=True, frozen=True)
class Point:
    """One row of a device list; `name` is the full name, `address` the protocol's own syntax, verified."""

    name: str
    kind: Kind
    address: str
    encoding: str = ""
    scan: str = ""  # polling group; "" on an output: not read
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    deadband: float = 0.0
    states: tuple[str, ...] = ()
    settle_ms: int = 0
    pulse_ms: int = 0
    feedback: Feedback | None = None
    interlock: str = ""  # names in it are full names
    idempotent: bool = False
    description: str = ""
    options: dict[str, object] = field(default_factory=dict)  # the protocol's own columns
    place: Place = Place("", 0)


@dataclass(slots=True, frozen=True)
class Device:
    name: str
    address: int
    host: str = ""
    tcp_port: int = 0
    enabled: bool = True
    points: tuple[Point, ...] = ()
    options: dict[str, object] = field(default_factory=dict)
    place: Place = Place("", 0)


@dataclass(slots=True, frozen=True)
class Master:
    """One master instance; `options` holds the protocol's own keys (verified, defaults filled in)."""

    name: str
    protocol: str
    hot_standby: bool = False
    serial: str = ""
    lan: str = ""
    source: Literal["group", "own"] = "group"
    on_standby: Literal["none", "connected", "polling"] = "none"
    user_timeout_ms: int = 1000
    scan: dict[str, int] = field(default_factory=dict)  # polling group -> period in ms; the first is the default
    timeout_ms: int = 1000
    retries: int = 2
    link_timeout_ms: int = 5000
    retry_offline_s: int = 10
    devices: tuple[Device, ...] = ()
    options: dict[str, object] = field(default_factory=dict)
    place: Place = Place("", 0)


@dataclass(slots=True, frozen=True)
class Row:
    """One row of a slave list: how a point is served at one address."""

    point: str
    type: str
    address: str
    group: int = 0
    scale: float = 1.0
    offset: float = 0.0
    deadband: float = 0.0
    invert: bool = False
    control: Literal["", "direct", "sbo"] = ""
    event_class: int = 0
    variation: str = ""
    event_variation: str = ""
    encoding: str = ""
    place: Place = Place("", 0)


@dataclass(slots=True, frozen=True)
class Center:
    """One control center: one event buffer, whichever of its front ends is connected."""

    name: str
    hosts: tuple[str, ...] = ()  # prefixes; the longest match decides
    session: Literal["group", "each-member"] = "group"
    analog_events: Literal["all", "last"] = "all"
    options: dict[str, object] = field(default_factory=dict)


@dataclass(slots=True, frozen=True)
class Slave:
    name: str
    protocol: str
    lan: str = ""
    serial: str = ""
    tcp_port: int = 0
    hot_standby: HotStandby = "disabled"
    common_address: int = 0
    rows: tuple[Row, ...] = ()
    centers: tuple[Center, ...] = ()
    serve_after: str = "valid"  # valid | at-once | seconds as digits
    controls: Literal["any", "sbo", "none"] = "any"
    clock_sync: Literal["accept", "answer", "refuse"] = "answer"
    select_timeout_ms: int = 10_000
    max_command_age_ms: int = 0  # 0: not checked
    keepalive_s: int = 10  # 0: the kernel asks nothing
    remote: str = ""  # as that of the group, for this slave
    options: dict[str, object] = field(default_factory=dict)  # t0_s t1_s t2_s t3_s k w and the like
    place: Place = Place("", 0)


@dataclass(slots=True, frozen=True)
class Config:
    """The whole group. `folder` is where it was read from; `digest` is sha256 over all its files, hex."""

    group: Group
    lans: tuple[Lan, ...]
    serials: tuple[SerialLine, ...]
    standby: Standby
    time: Time
    masters: tuple[Master, ...]
    slaves: tuple[Slave, ...]
    folder: str = ""
    digest: str = ""
    archive: Archive = Archive()

    def lan(self, name: str) -> Lan:
        """The LAN of that name. Raises StopIteration when there is none (load has verified it)."""
        return next(lan for lan in self.lans if lan.name == name)

    def serial(self, name: str) -> SerialLine:
        """The serial line of that name. Raises StopIteration when there is none (load has verified it)."""
        return next(line for line in self.serials if line.name == name)
