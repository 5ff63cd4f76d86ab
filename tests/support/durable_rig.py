"""A member's durable journal in memory: database, rules and the files that a power cut leaves."""

from __future__ import annotations

from tandem.action import Store
from tandem.archive.block import whole
from tandem.archive.durable import Durable, Pages
from tandem.archive.rebuild import Rebuilt, rebuild
from tandem.codec.record import Record
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import MS, SECOND, Kind
from tandem.registry import PointInfo, PointTable
from tandem.standby.grant import Granter
from tandem.standby.histories import History

POINTS = [PointInfo(1, "F1.s", Kind.BINARY), PointInfo(2, "F1.i", Kind.ANALOG), PointInfo(3, "F1.t", Kind.BINARY)]
TABLE = PointTable(POINTS, 3)
RING = 32


class DurableRig:
    """A member's journal and the files that a power cut leaves of it."""

    def __init__(self) -> None:
        self.files: list[bytes] = []
        self.history = History()
        self.value = 0
        self.now = 0
        self.promised = 0
        self.store: Store | None = None
        self.every: dict[int, Record] = {}
        """Every record of the journal by number, as long as it is followed."""
        self.boot()

    def boot(self) -> Rebuilt | None:
        if self.files:
            self.files[-1] = self.files[-1][: whole(self.files[-1])]
        found = rebuild(self.files)
        self.database = Database(TABLE, Journal(RING, RING))
        self.history = found.history if found else History()
        self.cursors: dict[str, int] = dict(found.cursors) if found else {}
        self.outside = Pages()
        self.granter = Granter(500 * MS)
        self.granter.active = True
        if found:
            found.fill(self.database)
        self.store = None
        number = found.head if found else 0
        self.every = {n: row for n, row in self.every.items() if n <= number}
        who: dict[str, object] = {"ids": "x", "highest": 3}
        self.durable = Durable(who, self.database, self.history, self.granter, self.cursors, 10, number, self.outside)
        epoch = self.history.epoch + 2
        self.history.add(self.history.next_claim(epoch, epoch.to_bytes(8, "little"), number))
        return found

    def change(self, point_id: int) -> None:
        self.value += 1
        number = self.database.update(point_id, float(self.value), 0, self.value, 1)
        self.every[number] = self.database.present[point_id]

    def turn(self) -> None:
        self.now += 10 * MS
        self.durable.tick(self.now)
        for action in self.durable.actions():
            if isinstance(action, Store):
                assert self.store is None
                self.store = action

    def written(self, part: float = 1.0, fault: str = "") -> None:
        if self.store is None:
            return
        store, self.store = self.store, None
        self.to_file(store, part)
        if not fault and store.keep_octets == 0:
            del self.files[:-1]
        self.durable.stored(len(store.octets), fault, self.now)

    def to_file(self, store: Store, part: float) -> None:
        if store.begin:
            self.files.append(b"")
        self.files[-1] += store.octets[: round(part * len(store.octets))]

    def settle(self) -> None:
        for _ in range(20):
            self.now += SECOND
            self.turn()
            self.written()

    def swap(self, events: int) -> None:
        """The active's image replaces the journal: other records under a new claim."""
        journal = self.database.journal
        journal.settle()
        head = journal.head // 2
        epoch = self.history.epoch + 2
        self.history.add(self.history.next_claim(epoch, epoch.to_bytes(8, "little"), head))
        image = Database(TABLE, Journal(RING, RING))
        image.journal.head = head
        image.journal.soe.clear(head)
        image.journal.analog.clear(head)
        self.every = {}
        for _ in range(events):
            self.value += 1
            number = image.update(1, float(self.value), 0, self.value, 1)
            self.every[number] = image.present[1]
        image.journal.settle()
        self.database.swap(image.present, image.journal)
        self.durable.swapped()

    def check(self, found: Rebuilt | None, promised: int) -> None:
        """After a start: what was promised is here, and what is here is what was."""
        head = self.database.journal.head
        assert head >= promised, f"{promised} was durable, the journal ends at {head}"
        journal = self.database.journal
        for ring, ids in ((journal.soe, (1, 3)), (journal.analog, (2,))):
            ring.settle()
            held = [row for row in journal.read(journal.cursor(max(ring.gone, 0)), head, 10_000) if row[3] in ids]
            expected = [row for n, row in sorted(self.every.items()) if ring.gone < n <= head and row[3] in ids]
            assert held == expected
        for point_id in (1, 2, 3):
            newest = [row for n, row in sorted(self.every.items()) if row[3] == point_id and n <= head]
            if newest:
                assert self.database.present[point_id] == newest[-1]
