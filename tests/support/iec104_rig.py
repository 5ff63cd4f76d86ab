"""A 104 station with a clock and a database, and clients that speak hex to it."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from tandem.clock import Clock
from tandem.codec.iec60870 import apci, asdu
from tandem.config.model import Center, Row, Slave
from tandem.database import Database
from tandem.engine import Close
from tandem.journal import Journal
from tandem.point import MS, Cause, Command, Kind, Outcome, Report, Say, Stage
from tandem.registry import PointInfo, PointTable
from tandem.slave.iec104 import Session, Station

UTC_US = 1_767_323_045_678_000
"""Friday 2026-01-02 03:04:05.678 UTC, the wall clock when the monotonic one reads 0."""
STAMP = "2e 16 04 03 a2 01 1a"
"""The same as CP56Time2a."""
START, START_CON = "68 04 07 00 00 00", "68 04 0b 00 00 00"
STOP, STOP_CON = "68 04 13 00 00 00", "68 04 23 00 00 00"
TEST, TEST_CON = "68 04 43 00 00 00", "68 04 83 00 00 00"
KINDS = {
    "ok": Kind.BINARY,
    "breaker": Kind.DOUBLE,
    "earth": Kind.BINARY,
    "earth2": Kind.BINARY,
    "volt": Kind.ANALOG,
    "amp": Kind.ANALOG,
    "norm": Kind.ANALOG,
    "energy": Kind.COUNTER,
    "tap": Kind.STEP,
    "bits": Kind.BITSTRING,
    "role": Kind.BINARY,
    "trip": Kind.DOUBLE_OUTPUT,
    "coil": Kind.BINARY_OUTPUT,
    "level": Kind.ANALOG_OUTPUT,
    "raise": Kind.STEP_OUTPUT,
}
ROWS = (
    Row("breaker", "M_DP_TB_1", "1001", group=1),
    Row("earth", "M_SP_TB_1", "1002", group=1),
    Row("earth2", "M_SP_TB_1", "1003"),
    Row("volt", "M_ME_TF_1", "2001", group=2, deadband=0.5),
    Row("amp", "M_ME_TE_1", "2002", group=2, scale=100.0),
    Row("norm", "M_ME_TD_1", "2003", scale=0.001),
    Row("energy", "M_IT_TB_1", "3001", group=1),
    Row("role", "M_SP_TB_1", "9001"),
    Row("trip", "C_DC_NA_1", "5001", control="sbo"),
    Row("level", "C_SE_NB_1", "5002", control="direct", scale=10.0),
    Row("coil", "C_SC_NA_1", "5003"),
    Row("raise", "C_RC_NA_1", "5004"),
)
NORTH = Center("north", ("10.0.0.0/8",))
EAST = Center("east", ("10.9.0.0/16",))


def octets(text: str) -> bytes:
    """Hex with any blanks."""
    return bytes.fromhex(text)


def plain(data: bytes) -> str:
    """Octets as spaced hex."""
    return data.hex(" ")


class Rig:
    """The station, its surroundings, and what it has said."""

    def __init__(
        self,
        rows: Iterable[Row] = ROWS,
        centers: Iterable[Center] = (NORTH, EAST),
        journal: Journal | None = None,
        synced: bool = True,
        options: dict[str, object] | None = None,
        tell_init: bool = False,
        disabled: Iterable[str] = (),
        cold: Iterable[str] = (),
        **slave: object,
    ) -> None:
        self.now = 0
        self.paired = True
        """The other member has at once what a center made this one remember."""
        self._pages: dict[tuple[str, tuple[int, int]], bytes] = {}
        infos = [
            PointInfo(n, name, kind, name == "role", name not in cold, device_ok=1 if name == "earth2" else 0)
            for n, (name, kind) in enumerate(KINDS.items(), 1)
        ]
        self.table = PointTable(infos, len(infos))
        self.journal = journal or Journal()
        self.database = Database(self.table, self.journal)
        self.clock = Clock(UTC_US, synced)
        settings: dict[str, object] = {"serve_after": "at-once", "common_address": 47, **slave}
        config = Slave("scada", "iec104", rows=tuple(rows), centers=tuple(centers), options=options or {}, **settings)  # type: ignore[arg-type]
        refs = itertools.count(1)
        ids = frozenset(map(self.table.id, disabled))
        self.station = Station(config, self.table, self.database, self.clock, lambda: next(refs), ids)
        if not tell_init:
            self.station.restore_cursors({center.name: 0 for center in config.centers}, 0)

    def update(self, name: str, value: float, quality: int = 0, cause: int = Cause.SPONTANEOUS) -> int:
        """A transition now; nothing leaves before `pump`."""
        stamp, flag = self.clock.stamp(self.now)
        return self.database.update(self.table.id(name), value, quality | flag, stamp, cause)

    def local(self, name: str, value: float) -> None:
        """A member-local point changes."""
        self.database.set_local(self.table.id(name), value, self.clock.stamp(self.now)[0])
        self.station.local_changed(self.database.local_changes())

    def pump(self, limit: int | None = None) -> None:
        """A turn."""
        if self.paired:
            self._share()
        self.station.pump(self.journal.head if limit is None else limit, self.now)

    def remembered(self) -> list[tuple[str, tuple[int, int], bytes]]:
        """Drain the pages of memory that changed, as the other member has them."""
        self._share()
        pages, self._pages = self._pages, {}
        return [(*key, octets) for key, octets in pages.items()]

    def _share(self) -> None:
        for center, page, octets in self.station.remembered():
            self._pages[center, page] = octets
            self.station.page_shared(center, page, self.now)

    def connect(self, host: str = "10.0.0.1", on_group: bool = True) -> Client:
        """An open connection, not started."""
        session = self.station.accept(host, on_group, self.now)
        assert isinstance(session, Session), session
        session.opened(self.now)
        return Client(self, session)

    def started(self, host: str = "10.0.0.1") -> Client:
        """A started connection that has been told the present value of the local point."""
        client = self.connect(host)
        client.send(START)
        assert client.frames()[0] == START_CON
        self.pump()
        client.asdus()
        client.acknowledge()
        self.station.cursors()
        return client

    def started_asdus(self, host: str = "10.0.0.1") -> list[str]:
        """Everything that a new connection is told after its start, without the local point unless nothing else is."""
        client = self.connect(host)
        client.send(START)
        found = client.drain()
        return [text for text in found if " 29 23 00 " not in text] or found

    def commands(self) -> list[Command]:
        """What the station wants done."""
        return self.station.commands()

    def report(self, ref: int, outcome: Outcome = Outcome.DONE, stage: Stage = Stage.CONFIRM) -> None:
        """An answer of control."""
        self.station.report(Report(ref, stage, outcome), self.now)

    def counts(self, center: str = "north") -> dict[str, float]:
        """Its statistics."""
        return self.station.statistics()[center]


def filled() -> Rig:
    """A station whose points all have values."""
    rig = Rig()
    for name, value in (("breaker", 2), ("earth", 1), ("earth2", 0), ("volt", 1.5), ("amp", 2), ("norm", 250)):
        rig.update(name, value)
    rig.update("energy", 77)
    rig.update("ok", 1)
    rig.local("role", 1)
    rig.station.restore_cursors({"north": rig.journal.head, "east": rig.journal.head}, rig.journal.head)
    return rig


class Client:
    """One front end of a control center: counts frames as the standard says, acknowledges when told."""

    def __init__(self, rig: Rig, session: Session) -> None:
        self.rig = rig
        self.session = session
        self.vs = self.vr = 0
        self.told: list[object] = []
        self._splitter = apci.Splitter()

    def send(self, text: str) -> None:
        """Octets as they are."""
        self.session.receive(octets(text), self.rig.now)

    def ask(self, text: str) -> None:
        """An ASDU in an I frame with the right numbers."""
        self.session.receive(apci.i_frame(octets(text), self.vs, self.vr), self.rig.now)
        self.vs = self.vs + 1 & apci.MASK

    def acknowledge(self) -> None:
        """An S frame for everything read so far."""
        self.session.receive(apci.s_frame(self.vr), self.rig.now)

    def frames(self) -> list[str]:
        """Every APDU that came, as hex."""
        found = self._splitter.feed(self.session.outgoing())
        for frame in found:
            if not frame[2] & 1:
                assert apci.control_of(frame)[1] == self.vr, "N(S) out of order"
                self.vr = self.vr + 1 & apci.MASK
        return [plain(frame) for frame in found]

    def asdus(self) -> list[str]:
        """The ASDUs of the I frames that came, as hex."""
        return [frame[18:] for frame in self.frames() if not octets(frame)[2] & 1]

    def drain(self, acknowledge: bool = True) -> list[str]:
        """Pump, read and acknowledge until nothing comes any more."""
        found: list[str] = []
        while True:
            self.rig.pump()
            came = self.asdus()
            if not came:
                return found
            found += came
            if acknowledge:
                self.acknowledge()

    def values(self, asdus: Iterable[str]) -> list[tuple[int, float]]:
        """(address, value) of each object, in order."""
        decoded = [asdu.decode(octets(text)) for text in asdus]
        return [(ioa, values["value"]) for read in decoded for ioa, values in read.objects or ()]

    def wait(self, ms: float) -> None:
        """Time passes, tick by tick of what is due."""
        end = self.rig.now + int(ms * MS)
        while (due := self.session.due()) is not None and due <= end:
            self.rig.now = max(self.rig.now, due)
            self.session.tick(self.rig.now)
        self.rig.now = end

    def events(self) -> list[object]:
        """What the session told its owner."""
        return self.session.events()

    def said(self) -> str:
        """Its sentences, joined."""
        return " | ".join(e.text for e in self.events() if isinstance(e, Say))

    def close_reason(self) -> str:
        """Why it wants to be closed; "" when it does not."""
        return next((e.reason for e in self.events() if isinstance(e, Close)), "")

    def drop(self) -> None:
        """The connection is gone."""
        self.session.closed(self.rig.now, "reset by peer")
