"""The real-time database: the newest record of every point, and the one door through which it changes.

`update` is the door on the active: the present record and the journal's in one step. `apply` is the door on the
standby: records come with their numbers. `set_local` is for member-local points, which live beside the journal.
Nothing else writes `present`.
"""

from __future__ import annotations

from tandem.codec.record import VERSION, Record, pack, unpack
from tandem.journal import Journal, Ring
from tandem.point import Cause, Quality
from tandem.registry import PointTable

_NEVER = int(Quality.NEVER_READ | Quality.INVALID)
_NEVER_READ = int(Quality.NEVER_READ)
_NOT_TOPICAL = int(Quality.NOT_TOPICAL)
_MOST_FRESH = 4096  # records a ring may hold unpacked, should nobody read for a while


class Database:
    """Present values of all points of a `PointTable`, over a `Journal`."""

    def __init__(self, table: PointTable, journal: Journal) -> None:
        self.table = table
        self.journal = journal
        self.present: list[Record] = [(0, 0, 0.0, i, _NEVER, 0, VERSION) for i in range(table.rows)]
        """By point id: (number, stamp_us, value, point_id, quality, cause, version), see `codec.record`."""
        self._ring: list[Ring] = [journal.soe] * table.rows
        self._device_ok = [0] * table.rows
        self._local = [False] * table.rows
        self._hot = [True] * table.rows
        for point in table.points:
            self._ring[point.id] = journal.analog if point.kind.is_measured else journal.soe
            self._device_ok[point.id] = point.device_ok
            self._local[point.id] = point.local
            self._hot[point.id] = point.hot
        self._local_changes: set[int] = set()
        self.mirror_silent = False
        """Set on a standby whose mirror is silent: what it serves of mirrored points is not topical."""
        self.mirroring = False
        """Set on a standby: what it serves of points without hot standby is not topical."""

    def update(self, point_id: int, value: float, quality: int, stamp_us: int, cause: int) -> int:
        """A transition on the active: the database first, then the journal. Returns the record's number."""
        journal = self.journal
        journal.head = number = journal.head + 1
        self.present[point_id] = record = (number, stamp_us, value, point_id, quality, cause, VERSION)
        ring = self._ring[point_id]
        ring.fresh.append(record)
        if len(ring.fresh) > _MOST_FRESH:
            ring.settle()
        return number

    def apply(self, head: int, soe: bytes, analog: bytes) -> int:
        """A slice from the active: the rings take the octets as they are, `present` follows.

        Returns the number of records. Raises ValueError, before anything changed, for a slice that is not whole
        records of this version or names a point outside the table.
        """
        rows = list(unpack(soe))
        rows += unpack(analog)
        self._verify(rows)
        self.journal.extend(head, soe, analog)
        present = self.present
        for record in rows:
            present[record[3]] = record
        return len(rows)

    def load(self, rows: bytes) -> None:
        """Replace every mirrored point by a snapshot's rows: the shadow image, whole, is swapped in at once.

        Raises ValueError, before anything changed, for rows that do not fit this table.
        """
        records = list(unpack(rows))
        self._verify(records)
        for point in self.table.points:
            if not point.local:
                self.present[point.id] = (0, 0, 0.0, point.id, _NEVER, 0, VERSION)
        for record in records:
            self.present[record[3]] = record

    def _verify(self, rows: list[Record]) -> None:
        if rows and max(row[3] for row in rows) >= len(self.present):
            raise ValueError("the slice names a point that this member does not have: the point tables differ")

    def snapshot(self) -> bytes:
        """Every mirrored point that was ever written, as records with their own numbers."""
        rows = (self.present[p.id] for p in self.table.points if not p.local)
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
