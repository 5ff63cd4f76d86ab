"""Which events of the former active are here already: a device that got no confirm of it offered them again to us."""

from __future__ import annotations

from collections import Counter

from tandem.codec.record import Record
from tandem.journal import Journal
from tandem.point import DEVICE_TIME, Cause

Event = tuple[int, int, float]


class Salvaging:
    """Events with their devices' own time are compared, each of ours once; others are never the same."""

    def __init__(self) -> None:
        self._known: Counter[Event] | None = None

    def end(self) -> None:
        """The session is over."""
        self._known = None

    def lacks(self, record: Record, journal: Journal, fork: int) -> bool:
        """True for an event that is not among our own records above the fork."""
        if not record[5] & DEVICE_TIME:
            return True
        if self._known is None:
            self._known = self._read(journal, fork)
        event = record[3], record[1], record[2]
        known = self._known.get(event, 0)
        if known:
            self._known[event] = known - 1
        return not known

    @staticmethod
    def _read(journal: Journal, fork: int) -> Counter[Event]:
        known: Counter[Event] = Counter()
        cursor = journal.cursor(fork)
        while cursor.number < journal.head:
            for _, stamp, value, point_id, _, cause, _ in journal.read(cursor, journal.head):
                if cause & DEVICE_TIME and cause & ~DEVICE_TIME != Cause.SALVAGED:
                    known[point_id, stamp, value] += 1
        return known
