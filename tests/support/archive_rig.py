"""A member's archive in memory: journal, history, recorder and the files that a power cut leaves."""

from __future__ import annotations

from collections.abc import Iterable

from tandem.action import Store
from tandem.archive import index
from tandem.archive.block import whole
from tandem.archive.reading import Event, Missing, Reader, last_place
from tandem.archive.recorder import Recorder
from tandem.codec.record import number_of, up_to
from tandem.config.model import Archive
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import SECOND, Kind, Say
from tandem.registry import PointInfo, PointTable
from tandem.standby.histories import History
from tandem.standby.told import Salvaged

TABLE = PointTable([PointInfo(i, f"F1.s{i}", Kind.BINARY) for i in (1, 2, 3)] + [PointInfo(4, "F1.i", Kind.ANALOG)], 4)
SETTING = Archive(sync_ms=1000, sync_events=4, segment_mib=1, keep_mib=4)


def within(rows: Iterable[Event | Missing], low: int, high: int) -> list[Event | Missing]:
    """The gaps, and the events with these ordinals."""
    return [row for row in rows if isinstance(row, Missing) or low <= row.record[2] <= high]


class ArchiveRig:
    """`events` counts what happened at the breaker; each event's value is its ordinal, so nothing is taken twice."""

    def __init__(self, rings: int = 16, setting: Archive = SETTING) -> None:
        self.rings, self.setting = rings, setting
        self.files: list[bytes] = []
        self.history = History()
        self.now = 0
        self.events = 0
        self.followed: list[int] = []
        """The ordinals of the events that the group's history holds, in order."""
        self.salvaged: list[int] = []
        self.unwritten: set[int] = set()
        """Of those, the ones whose mark may not be on flash yet."""
        self._numbers: dict[int, int] = {}  # of the present journal, by ordinal
        self.says: list[str] = []
        self.parts_read = 0
        self.store: Store | None = None
        self.boot()

    def boot(self) -> None:
        """A process starts with what is on flash; its journal in RAM begins anew under a new claim."""
        if self.files:
            self.files[-1] = self.files[-1][: whole(self.files[-1])]
        self.database = Database(TABLE, Journal(self.rings, self.rings))
        self.history = History(self.history.claims)
        self.store = None
        self._numbers = {}
        self.recorder = Recorder(
            self.setting, {"member": "a"}, TABLE, self.database.journal, self.history, last_place(reversed(self.files))
        )
        self.claim(0)

    def claim(self, head: int) -> None:
        epoch = self.history.epoch + 2
        self.history.add(self.history.next_claim(epoch, epoch.to_bytes(8, "little"), head))

    def event(self, analogs: int = 0) -> None:
        for _ in range(analogs):
            self.database.update(4, 1.0, 0, 0, 1)
        self.events += 1
        self.followed.append(self.events)
        number = self.database.update(1 + self.events % 3, float(self.events), 0, self.events * 1000, 1)
        self._numbers[self.events] = number

    def turn(self, seconds: float = 2.0) -> None:
        """Time goes by; a write is begun where one is due, and stays under way."""
        self.now += int(seconds * SECOND)
        self.recorder.tick(self.now)
        for action in self.recorder.actions():
            if isinstance(action, Store):
                assert self.store is None, "one write at a time"
                self.store = action
            elif isinstance(action, Say):
                self.says.append(action.text)

    @property
    def writing(self) -> bool:
        """A write is under way."""
        return self.store is not None

    def written(self, part: float = 1.0, fault: str = "") -> None:
        """The write ends: a part of it is in the file; without `fault` it must be all."""
        if self.store is None:
            return
        store, self.store = self.store, None
        if store.begin:
            self.files.append(b"")
        self.files[-1] += store.octets[: round(part * len(store.octets))]
        self.recorder.stored(len(store.octets), fault, self.now)

    def settle(self) -> None:
        """Everything that waits gets to flash."""
        for _ in range(8):
            self.turn(6)
            self.written()
        if self.recorder.joined:
            self.unwritten.clear()

    def fork(self, back: int, peer_events: int, holds: int) -> None:
        """The group went another way `back` records ago: the peer's image replaces the journal.

        The image's ring holds the newest `holds` events of it. A fork before the first record is a journal begun anew.
        """
        journal = self.database.journal
        journal.settle()
        if not journal.head:
            return
        at = max(journal.head - back, 1)
        octets = journal.soe.slice(journal.soe.first, journal.soe.count)
        tail = octets[len(up_to(octets, at)) :]
        lost = [ordinal for ordinal, number in self._numbers.items() if number > at]
        self.unwritten.update(lost)
        for ordinal in lost:
            del self._numbers[ordinal]
        self.recorder.salvaged(Salvaged(at, self.history.claims, tail, b""))
        self.salvaged += lost
        self.followed = [ordinal for ordinal in self.followed if ordinal not in lost]
        self.claim(at)
        image = Database(TABLE, Journal(self.rings, self.rings))
        image.journal.extend(at, up_to(octets, at), b"")
        for _ in range(peer_events):
            self.events += 1
            self.followed.append(self.events)
            self._numbers[self.events] = image.update(1, float(self.events), 0, self.events * 1000, 1)
        soe = image.journal.soe
        soe.settle()
        kept = soe.slice(max(soe.first, soe.count - holds), soe.count)
        ring = Journal(self.rings, self.rings)
        ring.soe.clear(number_of(kept) - 1 if kept else image.journal.head)
        ring.extend(image.journal.head, kept, b"")
        self.database.swap(image.present, ring)
        self.recorder.swapped()

    def rows(self) -> list[Event | Missing]:
        """What a reader finds."""
        return list(Reader([str(i) for i in range(len(self.files))], lambda name: self.files[int(name)]).rows())

    def entries(self, name: str) -> list[index.Entry] | None:
        """The index of a file that is written no more."""
        octets = self.files[int(name)]
        return index.read(index.build(octets), len(octets)) if int(name) < len(self.files) - 1 else None

    def part(self, name: str, at: int, size: int) -> bytes:
        """Octets of a file."""
        self.parts_read += 1
        return self.files[int(name)][at : at + size]

    def indexed(self, low: int, high: int) -> list[Event | Missing]:
        """What a reader with indexes finds of events `low` to `high`, gaps and all."""
        reader = Reader([str(i) for i in range(len(self.files))], lambda name: self.files[int(name)], self)
        return within(reader.rows((low * 1000, high * 1000)), low, high)

    def found(self) -> list[int]:
        """Ordinals of the events of the group's history, as found."""
        return [int(row.record[2]) for row in self.rows() if isinstance(row, Event) and not row.salvaged]

    def check(self) -> None:
        """Nothing twice, nothing out of order, no gap that is not said."""
        for low, high in ((0, self.events), (self.events // 3, self.events // 2)):
            assert self.indexed(low, high) == within(self.rows(), low, high), "by index as without one"
        order = {ordinal: at for at, ordinal in enumerate(self.followed)}
        last, gap = -1, True  # an archive may begin anywhere
        seen: set[int] = set()
        for row in self.rows():
            if isinstance(row, Missing):
                gap = True
                continue
            ordinal = int(row.record[2])
            assert ordinal not in seen, f"event {ordinal} stands twice"
            assert row.point is not None and row.point.id == row.record[3]
            seen.add(ordinal)
            if row.salvaged:
                assert ordinal in self.salvaged, f"event {ordinal} is called salvaged"
                continue
            if ordinal in self.unwritten:
                continue
            assert ordinal in order, f"event {ordinal} is not of the group's history"
            assert order[ordinal] > last
            assert gap or order[ordinal] == last + 1, f"a silent gap before event {ordinal}"
            last, gap = order[ordinal], False
