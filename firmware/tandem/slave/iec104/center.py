"""A control center: its place in the journal, and what becomes of events that were sent.

The event buffer *is* the journal behind the cursor. Every ASDU carries the number up to which everything was told
once the peer acknowledged it: an acknowledgement moves `confirmed`, and a lost connection moves the cursor back to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from tandem.codec.record import Record
from tandem.config.model import Center as CenterConfig
from tandem.database import Database
from tandem.slave.iec104.packer import Events, Packer
from tandem.slave.iec104.rows import Rows

MOST_READ = 1024
"""Records taken from the journal at once: enough to fill ASDUs of several types, little beside a turn's time."""
MOST_READS = 16
"""Such reads a turn, while what is read is nothing that the center is told."""


@dataclass(slots=True)
class Counts:
    """What the statistics say of a center. Objects, except the last five."""

    sent: int = 0
    confirmed: int = 0
    repeated: int = 0
    overflowed: int = 0
    connections: int = 0
    refused: int = 0
    malformed: int = 0
    broken: int = 0
    window_full: int = 0


class Receiver(Protocol):
    """The started session, as its center sees it."""

    def say(self, text: str, level: str = "info") -> None:
        """One sentence for the log."""

    def void(self) -> None:
        """What was queued or sent so far confirms nothing any more: the numbering changed."""

    def expel(self, now: int) -> None:
        """Another connection took over."""

    def initialise(self, reason: int) -> None:
        """Tell the center that the process began anew."""


class Center:
    """One `[[slave.center]]`."""

    def __init__(self, config: CenterConfig, rows: Rows, database: Database, returns: bool = True, k: int = 12) -> None:
        """`returns`: what a command changed is told with cause 11. `k`: of its connections' windows."""
        self.name = config.name
        self.config = config
        self.counts = Counts()
        self._reserve = k // 3  # a center acknowledges after w <= 2/3 k frames: so much of the window it can spare
        self.packer = Packer(rows, database, returns, self._reserve)
        self.session: Receiver | None = None
        self.init_reason: int | None = 0
        """COI of the end of initialisation that the next started session tells; None: nothing to tell."""
        self.just_started = False
        self.starts = 0
        self.sent_ns = 0
        self.assumed = True
        """Nobody has said yet where this center stands: `confirmed` is a guess."""
        self.flights_told = (0, False, 0)
        self.confirmed = self.told = database.journal.head
        self.delivered = self.answered = self.confirmed
        """Up to which number events were written to a session here, and confirmed on one."""
        self._rows = rows
        self._database = database
        self._journal = database.journal
        self._cursor = self._journal.cursor(self.confirmed)
        self._outstanding = 0  # event ASDUs queued or not acknowledged
        self._ahead: list[int] = []  # newest numbers of ASDUs acknowledged before another one with an older event
        self._flying = 0  # objects sent and not acknowledged
        self._repeat = 0  # objects that were sent and will be sent again
        self._elsewhere: int | None = None  # as many on the other member, which the center was last started on
        self._last_only = config.analog_events == "last"
        by_id = database.table.by_id
        self._measured = frozenset(r.point_id for r in rows.monitors if by_id[r.point_id].kind.is_measured)
        self._behind: set[int] = set()  # analog points to be told though their record was overwritten

    def attach(self, session: Receiver, now: int) -> None:
        """A session started: it gets the events from now on, another one of this center stops."""
        other, self.session = self.session, session
        self.just_started = True
        self.starts += 1
        if self._elsewhere is not None:
            self._repeat, self._elsewhere = self._elsewhere, None
        if other is not None and other is not session:
            other.expel(now)

    def detach(self, session: Receiver, unconfirmed: int) -> None:
        """A session ended with so many objects sent and not acknowledged: they are offered again."""
        self._repeat += unconfirmed
        self._flying = 0
        if self.session is session:
            self.session = None
        self._rewind(forget=False)

    def reset(self, number: int) -> None:
        """Another history: the center has everything up to `number`; nothing on its way counts any more."""
        self.confirmed = self.told = self.delivered = self.answered = number
        if self.session is not None:
            self.session.void()
        self._repeat = self._flying = 0
        self._elsewhere = None
        self.packer.released = min(self.packer.released, number)
        self._rewind(forget=True)

    def advance(self, number: int) -> None:
        """The peer's session confirmed up to `number`."""
        self.told = max(self.told, number)
        if number > self.confirmed:
            self.confirmed = number
            if number > self._cursor.number:
                self._cursor = self._journal.cursor(number)

    @property
    def unconfirmed(self) -> int:
        """Objects that the center was sent and has not confirmed: a successor sends them again."""
        return self._flying + self._repeat

    def elsewhere(self, started: bool, unconfirmed: int, now: int) -> None:
        """The other member's session of this center was `started` now, or told how much it has unconfirmed."""
        if started and self.session is not None:
            self.session.expel(now)
        if self.session is None:
            self._elsewhere = unconfirmed

    @property
    def ahead(self) -> int:
        """ASDUs that would be sent again though acknowledged: with those on their way they shall be k at most.

        So much of the window stays free, k/3 at most: beyond 1 + k/3 pairs of type and common address one more each.
        """
        return min(len(self._ahead), self._reserve)

    def sent(self, reaches: int, count: int, now: int) -> None:
        """An event ASDU of `count` objects left."""
        self.sent_ns = now
        if reaches > self.delivered:
            self.delivered = reaches
        self.counts.sent += count
        self._flying += count
        again = min(count, self._repeat)
        self.counts.repeated += again
        self._repeat -= again

    def confirm(self, events: Events) -> None:
        """The oldest event ASDU was acknowledged."""
        self._outstanding -= 1
        self._flying -= events.objects
        self.assumed = False
        self.counts.confirmed += events.objects
        self.confirmed = max(self.confirmed, events.reaches if self._outstanding else self._cursor.number)
        self.answered = self.confirmed
        self._ahead = [last for last in (*self._ahead, events.last) if last > self.confirmed]
        self.packer.confirmed(self.confirmed)

    def batch(self, limit: int) -> list[Events]:
        """The next events numbered up to `limit`, as ASDUs in sending order; empty when there are none."""
        limit = min(limit, self._journal.head)
        if self._cursor.number >= limit and not self._behind:
            return []
        self._look_for_overflow()
        found: list[Events] = []
        for _ in range(MOST_READS):
            records = self._journal.read(self._cursor, limit, MOST_READ)
            self.packer.add(self._newest_analogs(records, limit) if self._last_only else records)
            found = self.packer.take(self._cursor.number)
            if found or self._cursor.number >= limit:
                break
        if not found and not self._outstanding:
            self.confirmed = max(self.confirmed, self._cursor.number)
        self._outstanding += len(found)
        return found

    def _rewind(self, forget: bool) -> None:
        self._outstanding = 0
        self._ahead.clear()
        self._behind.clear()
        self.packer.rewind(forget)
        self._cursor = self._journal.cursor(self.confirmed)

    # --- lapped, and only the newest of each analog ------------------------------------------------------------

    def _look_for_overflow(self) -> None:
        journal, cursor = self._journal, self._cursor
        soe, analog = journal.lost(cursor)
        cursor.soe, cursor.analog = max(cursor.soe, journal.soe.first), max(cursor.analog, journal.analog.first)
        lost = soe if self._last_only else soe + analog
        if analog and self._last_only:
            self._note_behind(cursor.number)
        if lost:
            self.counts.overflowed += lost
            if self.session is not None:
                self.session.say(
                    f"the event buffer of center {self.name} overflowed: at least {lost} events were overwritten "
                    "before they were sent; the center must interrogate, or the rings must be larger",
                    "warning",
                )

    def _note_behind(self, number: int) -> None:
        gone, present = self._journal.analog.gone, self._database.present
        self._behind.update(i for i in self._measured if number < present[i][0] <= gone)

    def _newest_analogs(self, records: list[Record], limit: int) -> list[Record]:
        """The same records without analogs that a newer one, allowed to leave, follows."""
        present, measured = self._database.present, self._measured
        newest: dict[int, Record] = {}
        kept: list[Record] = []
        for record in records:
            point_id = record[3]
            if point_id not in measured:
                kept.append(record)
            elif not record[0] < present[point_id][0] <= limit:
                newest[point_id] = record
        for point_id in [i for i in self._behind if present[i][0] <= limit]:
            self._behind.discard(point_id)
            newest[point_id] = present[point_id]
        return sorted([*kept, *newest.values()])
