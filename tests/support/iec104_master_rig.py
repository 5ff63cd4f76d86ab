"""A 104 master on the table: configuration in a few words, ASDUs as hex, the device's numbers kept, time by hand."""

from __future__ import annotations

from typing import Any

from tandem.clock import Clock
from tandem.codec.iec60870 import apci
from tandem.config.model import Device, Master, Point
from tandem.database import Database
from tandem.engine import Close
from tandem.journal import Journal
from tandem.master.base import Confirming
from tandem.master.iec104 import build
from tandem.point import MS, Command, Kind, Report, Say, Step
from tandem.registry import PointInfo, PointTable, Registry
from tests.support.iec104_rig import START, START_CON, UTC_US

GI = "64 01 06 00 2f 00 00 00 00 14"
GI_CON = "64 01 07 00 2f 00 00 00 00 14"
GI_TERM = "64 01 0a 00 2f 00 00 00 00 14"
STAMP = "10 27 00 0c 01 06 1a"
"""CP56Time2a: 10,000 ms in the first minute of 12 o'clock, June 1st 2026."""
STAMP_US = 1_780_315_210_000_000


def point(name: str, kind: str, address: str, **more: Any) -> Point:
    """A row of a device's list; `name` is the full name."""
    return Point(name, Kind.from_word(kind), address, **more)


POINTS = (
    point("R1.breaker", "double", "1001"),
    point("R1.earth", "binary", "1002"),
    point("R1.tap", "step", "1003"),
    point("R1.bits", "bitstring", "1004"),
    point("R1.volt", "analog", "2001", scale=0.1),
    point("R1.amp", "analog", "2002", deadband=2.0),
    point("R1.energy", "counter", "3001"),
    point("R1.trip", "double-output", "5001"),
    point("R1.horn", "binary-output", "5002", pulse_ms=50),
    point("R1.level", "analog-output", "5003", options={"type": "C_SE_NB_1"}),
    point("R1.changer", "step-output", "5004", options={"select": "yes"}),
)


def device(**more: Any) -> Device:
    """R1, common address 47 at 10.0.0.5."""
    settings: dict[str, Any] = {"host": "10.0.0.5", "tcp_port": 2404, "points": POINTS} | more
    return Device("R1", 47, **settings)


class Rig:
    """One master with its first endpoint; `ms` is the time. Everything is released at once unless `hold` is set."""

    def __init__(
        self, *devices: Device, options: dict[str, object] | None = None, comm_points: bool = False, **more: Any
    ) -> None:
        devices = devices or (device(),)
        settings: dict[str, Any] = {"timeout_ms": 1000, "retries": 1, "retry_offline_s": 10} | more
        master = Master("rtus", "iec104", True, lan="station", devices=devices, options=options or {}, **settings)
        registry, infos = Registry(), []
        for one in devices:
            state = f"_sys.device.{one.name}.ok"
            infos.append(PointInfo(registry.id(state), state, Kind.BINARY))
            infos += [PointInfo(registry.id(p.name), p.name, p.kind, device_ok=registry.id(state)) for p in one.points]
        self.table = PointTable(infos, registry.highest)
        self.journal = Journal(1024, 1024)
        self.database = Database(self.table, self.journal)
        self.clock = Clock(UTC_US, True)
        self._build = lambda: build(master, self.table, self.database, self.clock, 600, comm_points)
        self.now = 0
        self.hold = False
        self.cursor = self.journal.cursor(0)
        self.said: list[str] = []
        self.reports: list[Report] = []
        self.closes: list[Close] = []
        self.make()

    def make(self) -> None:
        """A fresh master over the same database: what a successor has."""
        self.channels = [c for c in self._build() if isinstance(c, Confirming)]
        self.wires = [Wire(self, channel) for channel in self.channels]

    @property
    def first(self) -> Wire:
        """The first connection."""
        return self.wires[0]

    def start(self, integrity: bool = False) -> Rig:
        """The right is ours."""
        for channel in self.channels:
            channel.start(self.now, integrity)
        return self

    def up(self, integrity: bool = False) -> Wire:
        """Started, and the first connection's STARTDT confirmed."""
        self.start(integrity)
        wire = self.first
        wire.open()
        assert wire.sent() == [START]
        wire.raw(START_CON)
        return wire

    def read(self) -> Wire:
        """As `up`, and the interrogation is over."""
        wire = self.up()
        (asked,) = wire.asdus()
        assert asked[:8] + asked[11:] == GI[:8] + GI[11:], "the originator stands between"
        wire.hear(GI_CON, GI_TERM)
        self.events()
        self.stored()
        return wire

    def wait(self, ms: float) -> None:
        """Let time pass, ticking whoever is due."""
        end = self.now + int(ms * MS)
        while True:
            dues = [due for channel in self.channels if (due := channel.due()) is not None and due <= end]
            if not dues:
                break
            self.now = max(self.now, min(dues))
            before = [channel.due() for channel in self.channels]
            for channel in self.channels:
                channel.tick(self.now)
            self.turn()
            assert [channel.due() for channel in self.channels] != before, "due again at once: its owner would spin"
        self.now = end
        for channel in self.channels:
            channel.tick(self.now)
        self.turn()

    def turn(self) -> None:
        """What the owner does at the end of a turn."""
        if not self.hold:
            self.channels[0].release(self.journal.head, self.now)
        self.events()

    def events(self) -> None:
        """Sort what the engine has to say; a wish to close is granted."""
        for wire in self.wires:
            for event in wire.channel.events():
                if isinstance(event, Say):
                    self.said.append(event.text)
                elif isinstance(event, Report):
                    self.reports.append(event)
                elif isinstance(event, Close):
                    self.closes.append(event)
                    wire.channel.closed(self.now, event.reason)
                else:
                    raise AssertionError(f"an event nobody knows: {event}")

    def stored(self) -> list[tuple[str, float]]:
        """(name, value) of every record since the last call."""
        return [(name, value) for name, value, *_ in self.records()]

    def records(self) -> list[tuple[str, float, int, int, int]]:
        """(name, value, stamp, quality, cause) of every record since the last call."""
        names = {p.id: p.name for p in self.table.points}
        return [(names[r[3]], r[2], r[1], r[4], r[5]) for r in self.journal.read(self.cursor, self.journal.head)]

    def value(self, name: str) -> float:
        """A point's stored value."""
        return self.database.present[self.table.id(name)][2]

    def ok(self) -> bool:
        """What the device's own point says."""
        return bool(self.value("_sys.device.R1.ok"))

    def count(self, counter: str) -> float:
        """A counter of R1."""
        return self.channels[0].statistics()["R1"][counter]

    def order(self, name: str, value: float, ref: int = 1, pulse_ms: int = 0) -> None:
        """A control arrives."""
        command = Command(ref, self.table.id(name), value, Step.DIRECT, "north", self.now, pulse_ms)
        self.channels[0].control(command, self.now)
        self.events()

    def outcome(self) -> Report:
        """The one report that came."""
        self.events()
        assert len(self.reports) == 1, self.reports
        return self.reports.pop()


class Wire:
    """One connection with its device: I frames get their numbers here."""

    def __init__(self, rig: Rig, channel: Confirming) -> None:
        self.rig = rig
        self.channel = channel
        self.ns = self.nr = 0
        self.acknowledged = 0
        """N(R) as the master said it last."""

    def open(self) -> None:
        """The connection comes up, with fresh numbers."""
        self.ns = self.nr = self.acknowledged = 0
        self.channel.opened(self.rig.now)
        self.rig.turn()

    def cut(self, reason: str = "the wire broke") -> None:
        """The connection breaks."""
        self.channel.closed(self.rig.now, reason)
        self.rig.events()

    def raw(self, text: str) -> None:
        """Octets of the device as they are."""
        self.channel.receive(bytes.fromhex(text), self.rig.now)
        self.rig.turn()

    def hear(self, *asdus: str) -> None:
        """ASDUs of the device as hex, each in an I frame that acknowledges everything sent so far."""
        for text in asdus:
            self.sent()
            frame = apci.i_frame(bytes.fromhex(text), self.ns, self.nr)
            self.ns += 1
            self.channel.receive(frame, self.rig.now)
            self.rig.turn()

    def sent(self) -> list[str]:
        """The frames that the master sends, as hex."""
        frames = apci.Splitter().feed(self.channel.outgoing())
        for frame in frames:
            form, _, nr = apci.control_of(frame)
            self.nr += form == "I"
            if form != "U":
                self.acknowledged = nr
        return [frame.hex(" ") for frame in frames]

    def asdus(self) -> list[str]:
        """The ASDUs that it sends."""
        return [text[18:] for text in self.sent() if len(text) > 17]
