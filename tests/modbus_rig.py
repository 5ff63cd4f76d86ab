"""A Modbus master on the table: configuration in a few words, octets as hex, time by hand."""

from __future__ import annotations

from typing import Any

from tandem.clock import Clock
from tandem.codec.modbus import rtu
from tandem.config.model import Device, Master, Point, SerialLine
from tandem.database import Database
from tandem.engine import Close
from tandem.journal import Journal
from tandem.master.modbus import build
from tandem.master.modbus_engine import ModbusChannel
from tandem.point import MS, Command, Kind, Report, Say, Step
from tandem.registry import PointInfo, PointTable, Registry

LINE = SerialLine("bus1", {"a": "bus1-a"}, baud=19200, parity="even", turnaround_ms=5)


def point(name: str, kind: str, address: str, **more: Any) -> Point:
    """A row of a device's list; `name` is the full name."""
    return Point(name, Kind.from_word(kind), address, **more)


def serial_master(*devices: Device, **more: Any) -> Master:
    """A modbus-rtu master; 300 ms, 2 retries, dead devices every 10 s, groups fast 200 ms and slow 1 s."""
    settings: dict[str, Any] = {"scan": {"fast": 200, "slow": 1000}, "timeout_ms": 300, "retries": 2} | more
    return Master("feeders", "modbus-rtu", True, serial="bus1", devices=devices, **settings)


def tcp_master(*devices: Device, **more: Any) -> Master:
    """A modbus-tcp master with the same settings."""
    settings: dict[str, Any] = {"scan": {"fast": 200, "slow": 1000}, "timeout_ms": 300, "retries": 2} | more
    return Master("meters", "modbus-tcp", True, lan="station", devices=devices, **settings)


class Rig:
    """One master's first channel with its database; `ms` is the time."""

    def __init__(self, master: Master, line: SerialLine | None = LINE, comm_points: bool = False) -> None:
        self.serial = master.protocol == "modbus-rtu"
        registry, infos = Registry(), []
        for device in master.devices:
            state = f"_sys.device.{device.name}.ok"
            infos.append(PointInfo(registry.id(state), state, Kind.BINARY))
            infos += [
                PointInfo(registry.id(p.name), p.name, p.kind, device_ok=registry.id(state)) for p in device.points
            ]
        self.table = PointTable(infos, registry.highest)
        self.journal = Journal(1024, 1024)
        self.database = Database(self.table, self.journal)
        self.channels = build(
            master, line if self.serial else None, self.table, self.database, Clock(synced=True), comm_points
        )
        channel = self.channels[0]
        assert isinstance(channel, ModbusChannel)
        self.channel = channel
        self.now = 0
        self.cursor = self.journal.cursor(0)
        self.said: list[str] = []
        self.reports: list[Report] = []
        self.closes: list[Close] = []

    def start(self, integrity: bool = False, listen_ms: int = 0) -> Rig:
        """The right is ours and the stream is up; a serial line's first silence is over."""
        self.channel.start(self.now, integrity, self.now + listen_ms * MS)
        self.channel.opened(self.now)
        if not listen_ms:
            self.wait(5)
        return self

    def wait(self, ms: float) -> None:
        """Let time pass, ticking whenever the engine is due."""
        end = self.now + int(ms * MS)
        while (due := self.channel.due()) is not None and due <= end:
            self.now = max(self.now, due)
            self.channel.tick(self.now)
            if self.channel.due() == due == self.now:
                raise AssertionError("the engine is due again at once: its owner would spin")
        self.now = end
        self.channel.tick(self.now)

    def silence(self, ms: int) -> None:
        """Time passes and nobody answers what is sent."""
        for _ in range(ms // 5):
            self.channel.outgoing()
            self.wait(5)

    def hear(self, text: str) -> None:
        """Hex arrives: on a serial line the checksum is added, over TCP the header must be there."""
        octets = bytes.fromhex(text)
        self.raw(octets + rtu.crc(octets).to_bytes(2, "little") if self.serial else octets)

    def raw(self, octets: bytes) -> None:
        """Octets arrive as they are."""
        self.channel.receive(octets, self.now)

    @property
    def sent(self) -> str:
        """What the engine sends, as hex without the checksum of a serial line."""
        octets = self.channel.outgoing()
        if self.serial and octets:
            assert rtu.crc(octets[:-2]) == int.from_bytes(octets[-2:], "little")
            octets = octets[:-2]
        return octets.hex(" ")

    def events(self) -> None:
        """Sort what the engine has to say."""
        for event in self.channel.events():
            if isinstance(event, Say):
                self.said.append(event.text)
            elif isinstance(event, Report):
                self.reports.append(event)
            elif isinstance(event, Close):
                self.closes.append(event)
            else:
                raise AssertionError(f"an event nobody knows: {event}")

    def stored(self) -> list[tuple[str, float]]:
        """(name, value) of every record since the last call."""
        names = {p.id: p.name for p in self.table.points}
        return [(names[r[3]], r[2]) for r in self.journal.read(self.cursor, self.journal.head)]

    def quality(self, name: str) -> int:
        """A point's stored quality."""
        return self.database.present[self.table.id(name)][4]

    def value(self, name: str) -> float:
        """A point's stored value."""
        return self.database.present[self.table.id(name)][2]

    def order(self, name: str, value: float, ref: int = 1, pulse_ms: int = 0) -> None:
        """A control arrives."""
        command = Command(ref, self.table.id(name), value, Step.DIRECT, "north", self.now, pulse_ms)
        self.channel.control(command, self.now)

    def outcome(self) -> Report:
        """The one report that came."""
        self.events()
        assert len(self.reports) == 1, self.reports
        return self.reports.pop()


def relay(name: str, unit: int, **more: object) -> Device:
    """Three inputs: a double of two contacts and a voltage, both fast, and a slow counter."""
    points = (
        point(f"{name}.breaker", "double", "discrete:0+1", scan="fast", settle_ms=10000),
        point(f"{name}.volt", "analog", "input:0", scan="fast", scale=0.1, deadband=0.5),
        point(f"{name}.energy", "counter", "input:10", scan="slow", encoding="uint32-abcd"),
    )
    return Device(name, unit, points=points, **more)  # type: ignore[arg-type]


def one_relay() -> Rig:
    """A line with one relay."""
    return Rig(serial_master(relay("F1", 1)))


def answer_all(rig: Rig, volt: str = "03 e8") -> None:
    """The first scan of a relay: contacts, voltage, counter."""
    for _ in range(20):
        sent = rig.sent
        unit = sent[:2]
        if not sent:
            return
        if sent[3:5] == "02":
            rig.hear(f"{unit} 02 01 01")
        elif sent.endswith("00 0a 00 02"):
            rig.hear(f"{unit} 04 04 00 00 00 07")
        else:
            rig.hear(f"{unit} 04 02 {volt}")
        rig.wait(5)
