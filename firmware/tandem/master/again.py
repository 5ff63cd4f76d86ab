"""Events that a device offers again: known ones are taken once each, and nothing else is taken for known.

A device repeats what was not confirmed to it, after a lost connection as after a takeover. What it was not told is
in the journal: its points' records with its own time, above the number last confirmed to it. An offered event is
compared with that list alone, point by point and oldest first, so that two equal changes of one millisecond stay two.
A device tells the events of a point in their order: one that matches leaves the older ones of its point behind, one
that does not ends the matching of its point. Nothing offered for a while, and its buffer is drained.

The last confirms may have been lost with the connection. So an event that was confirmed lately is taken for known as
well, as long as its point has offered nothing else and no other event of the point has its time: of equal events of
one millisecond nobody can tell which comes again, and then a repeated one is better than a lost one. An event that
differs from the point's one before in neither value, quality nor time is no event.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Container

from tandem.journal import Journal
from tandem.point import DEVICE_TIME, SECOND, Cause

SCAN_MOST = 32_768
"""Records that are looked at, the newest ones: a device keeps far less without a confirm."""
CONFIRMED_RECORDS = 2048
"""So far below the last confirm events are looked at whose confirm may have been lost."""
DRAINED_NS = 2 * SECOND
"""No event for so long after the start of data transfer: the device has offered everything."""


Event = tuple[int, float, int]
"""(UTC microseconds, value, quality)."""


class Offered:
    """The events of one device (or of all behind one connection) that were received and not confirmed."""

    def __init__(self) -> None:
        self._known: dict[int, deque[Event]] = {}
        self._told: dict[int, dict[int, Event | None]] = {}  # confirmed ones by point and time; None: several
        self._until = self._told_until = 0
        self.matched = 0
        """Events that came again since this object was made."""

    def __len__(self) -> int:
        return sum(map(len, self._known.values()))

    @property
    def active(self) -> bool:
        """Some events may still come again."""
        return bool(self._known or self._told)

    @property
    def owed(self) -> bool:
        """Some of them were not confirmed."""
        return bool(self._known)

    def begin(self, journal: Journal, confirmed: int, points: Container[int], now: int) -> None:
        """Data transfer starts; `confirmed` is the highest journal number that the device was told of."""
        self.end()
        self._until = self._told_until = now + DRAINED_NS
        cursor = journal.cursor(max(0, confirmed - CONFIRMED_RECORDS, journal.head - SCAN_MOST))
        while cursor.number < journal.head:
            for number, stamp, value, point_id, quality, cause, _ in journal.read(cursor, journal.head):
                if cause & DEVICE_TIME and point_id in points and cause & ~DEVICE_TIME != Cause.SALVAGED:
                    told, event = self._told.setdefault(point_id, {}), (stamp, value, quality)
                    if number > confirmed:
                        self._known.setdefault(point_id, deque()).append(event)
                        if stamp in told:
                            told[stamp] = None
                    else:
                        told[stamp] = None if stamp in told else event

    def takes(self, point_id: int, stamp_us: int, value: float, quality: int, deadband: bool, now: int) -> bool:
        """An event with the device's own time: True where it is in the list, so that it must not be stored again.

        `deadband`: the point has one, so that events between those of the list were left out of it.
        """
        self._until = now + DRAINED_NS
        event = (stamp_us, value, quality)
        told = self._told.get(point_id)
        if told is not None:
            if told.get(stamp_us) == event:
                self.matched += 1
                return True
            del self._told[point_id]
        known = self._known.get(point_id)
        if known is None:
            return False
        if event not in known:
            if deadband and stamp_us < known[-1][0]:
                self.matched += 1
                return True
            del self._known[point_id]
            return False
        while known.popleft() != event:
            pass
        if not known:
            del self._known[point_id]
        self.matched += 1
        return True

    def end(self) -> None:
        """The device has lost its buffer, or offered all of it: nothing is known any more."""
        self._known.clear()
        self._told.clear()

    def due(self) -> int | None:
        """When the device's buffer counts as drained."""
        return self._told_until if self._told else self._until if self._known else None

    def tick(self, now: int) -> None:
        """End what is drained."""
        if self._told and now >= self._told_until:
            self._told.clear()
        if self._known and now >= self._until:
            self._known.clear()
