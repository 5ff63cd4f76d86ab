"""The real-time database: the newest record of every point, and the one door through which it changes.

`update` is the door on the active: the present record and the journal's in one step. `apply` is the door on the
standby: records come with their numbers. `set_local` is for member-local points, which live beside the journal.
Nothing else writes `present`.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Callable
from operator import itemgetter

from tandem.codec.record import SIZE, VERSION, Record, pack, point_ids, unpack
from tandem.journal import Journal
from tandem.point import DEVICE_TIME, Cause, Quality
from tandem.registry import PointTable

_NEVER = int(Quality.NEVER_READ | Quality.INVALID)
_NEVER_READ = int(Quality.NEVER_READ)
_NOT_TOPICAL = int(Quality.NOT_TOPICAL)
_SETTLE_MASK = 4096 - 1  # so many records may wait unpacked in the rings, should nobody read for a while
_SALVAGED = (bytes([Cause.SALVAGED]), bytes([Cause.SALVAGED | DEVICE_TIME]))
_CAUSE_AT = 30
_point_id = itemgetter(3)
LEFT_OUT_MOST = 65_536
"""Events of points that this configuration does not have, remembered until every center has confirmed them."""


def never_read(rows: int) -> list[Record]:
    """The records of points that nobody wrote yet, by point id."""
    return [(0, 0, 0.0, i, _NEVER, 0, VERSION) for i in range(rows)]


def without_salvaged(rows: list[Record], octets: bytes) -> list[Record]:
    """The rows that change present values; `octets` are the same records packed."""
    causes = octets[_CAUSE_AT::SIZE]  # looking here first costs a fiftieth of asking every record
    if not any(cause in causes for cause in _SALVAGED):
        return rows
    return [row for row in rows if row[5] & ~DEVICE_TIME != Cause.SALVAGED]


class Database:
    """Present values of all points of a `PointTable`, over a `Journal`."""

    def __init__(self, table: PointTable, journal: Journal) -> None:
        self.table = table
        self.journal = journal
        self.present: list[Record] = never_read(table.rows)
        """By point id: (number, stamp_us, value, point_id, quality, cause, version), see `codec.record`."""
        soe, analog = journal.soe.fresh.extend, journal.analog.fresh.extend  # one object each for all points
        self._append: list[Callable[[Record], None]] = [soe] * table.rows
        self._device_ok = array("I", bytes(4 * table.rows))
        self._local = bytearray(table.rows)
        self._hot = bytearray(b"\1" * table.rows)
        for point in table.points:
            self._append[point.id] = analog if point.kind.is_measured else soe
            self._device_ok[point.id] = point.device_ok
            self._local[point.id] = point.local
            self._hot[point.id] = point.hot
        self._mirrored = frozenset(point.id for point in table.points if not point.local and point.hot)
        self.all_mirrored = all(point.local or point.hot for point in table.points)
        """Every record of this journal is for the other member too."""
        self._local_changes: set[int] = set()
        self._left_out: deque[int] = deque(maxlen=LEFT_OUT_MOST)
        self.mirror_silent = False
        """Set on a standby whose mirror is silent: what it serves of mirrored points is not topical."""
        self.mirroring = False
        """Set on a standby: what it serves of points without hot standby is not topical."""

    def update(self, point_id: int, value: float, quality: int, stamp_us: int, cause: int) -> int:
        """A transition on the active: the database first, then the journal. Returns the record's number."""
        journal = self.journal
        journal.head = number = journal.head + 1
        self.present[point_id] = record = (number, stamp_us, value, point_id, quality, cause, VERSION)
        self._append[point_id](record)
        if not number & _SETTLE_MASK:
            journal.settle()
        return number

    def append_salvaged(self, record: Record) -> int:
        """An event that only the former active knew: journaled with its own time, never applied to `present`.

        Returns its new number. Raises ValueError for a point that is not mirrored.
        """
        _, stamp_us, value, point_id, quality, cause, _ = record
        if point_id not in self._mirrored:
            raise ValueError(f"a salvaged event names point id {point_id}, which this member does not mirror")
        self.journal.head = number = self.journal.head + 1
        salvaged = Cause.SALVAGED | (cause & DEVICE_TIME)
        self._append[point_id]((number, stamp_us, value, point_id, quality, salvaged, VERSION))
        return number

    def apply(self, head: int, soe: bytes, analog: bytes) -> int:
        """A slice from the active: the rings take the octets as they are, `present` follows.

        Returns the number of records. Raises ValueError, before anything changed, for a slice that is not whole
        records of this version or names a point that is not mirrored here.
        """
        rows = list(unpack(soe))
        rows += unpack(analog)
        self.verify(rows)
        self.journal.extend(head, soe, analog)
        present = self.present
        for record in without_salvaged(rows, soe + analog):
            present[record[3]] = record
        return len(rows)

    def load(self, rows: bytes) -> None:
        """Replace every mirrored point by a snapshot's rows: the shadow image, whole, is swapped in at once.

        Raises ValueError, before anything changed, for rows that do not fit this table.
        """
        records = list(unpack(rows))
        self.verify(records)
        present = never_read(self.table.rows)
        for record in records:
            present[record[3]] = record
        self._swap(present)

    def swap(self, present: list[Record], journal: Journal) -> None:
        """A whole shadow image becomes this database's: its records by point id, its rings and their head."""
        self.journal.adopt(journal)
        self._swap(present)

    def _swap(self, present: list[Record]) -> None:
        for point in self.table.points:
            if point.id not in self._mirrored:
                present[point.id] = self.present[point.id]
        self.present[:] = present

    def verify(self, rows: list[Record]) -> None:
        """Raises ValueError with a sentence where a record names a point that is not mirrored here."""
        ids = set(map(_point_id, rows))
        if not ids <= self._mirrored:
            raise ValueError(f"records name point id {min(ids - self._mirrored)}, which this member does not mirror")

    def mirrored_of(self, octets: bytes) -> bytes:
        """The records of points that are mirrored here, as they are; those of other points are left out."""
        mirrored = self._mirrored
        ids = point_ids(octets)
        if mirrored.issuperset(ids):
            return octets
        return b"".join(octets[at * SIZE : at * SIZE + SIZE] for at, i in enumerate(ids) if i in mirrored)

    def known_of(self, octets: bytes) -> bytes:
        """As `mirrored_of`, for records of another configuration: what is left out is remembered by number."""
        mirrored = self._mirrored
        self._left_out.extend(row[0] for row in unpack(octets) if row[3] not in mirrored)
        return self.mirrored_of(octets)

    def left_out(self, confirmed: int) -> int:
        """Drain how many records above `confirmed` were left out, since their points are not in this configuration."""
        count = len({number for number in self._left_out if number > confirmed})
        self._left_out.clear()
        return count

    def snapshot(self) -> bytes:
        """Every mirrored point that was ever written, as records with their own numbers."""
        return self.rows(0, len(self.table.points))

    def rows(self, start: int, stop: int) -> bytes:
        """A part of the snapshot: the points at places start <= i < stop of the table."""
        rows = (self.present[p.id] for p in self.table.points[start:stop] if p.id in self._mirrored)
        return b"".join(pack(*row[:6]) for row in rows if row[0])

    def set_local(self, point_id: int, value: float, stamp_us: int, quality: int = 0) -> bool:
        """A member-local point has a new value; True when that is a change."""
        old = self.present[point_id]
        if old[2] == value and old[4] == quality:
            return False
        self.present[point_id] = (0, stamp_us, value, point_id, quality, Cause.SYSTEM, VERSION)
        self._local_changes.add(point_id)
        return True

    def local_changes(self) -> set[int]:
        """Drain the ids of member-local points that changed."""
        changed, self._local_changes = self._local_changes, set()
        return changed

    def served_quality(self, point_id: int) -> int:
        """A point's quality as it is served: not topical too while its device is lost or the mirror is silent.

        The loss is one event of the device's own point and this overlay, not an event of each of its points.
        """
        quality = self.present[point_id][4]
        device = self._device_ok[point_id]
        if device and not self.present[device][2] and not self.present[device][4] & _NEVER_READ:
            quality |= _NOT_TOPICAL
        if self.mirroring and not self._local[point_id] and (self.mirror_silent or not self._hot[point_id]):
            quality |= _NOT_TOPICAL
        return quality
