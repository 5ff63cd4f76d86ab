"""The archive's own cursor in the ring of events: what is written to flash, when, and what is said of what is missing.

    waiting for a history -> joined: events gather until they are many or old -> one write at a time -> joined

The archive continues where its last block ended, under the names (epoch, number): across restarts, role changes and
images. Where the journal has no way from there to here, a GAP or PARTED block says so before the next events.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import NamedTuple

from tandem.action import Action, Store
from tandem.archive.block import EVENTS_A_BLOCK, SALVAGED, Gap, Kind, pack
from tandem.codec.record import SIZE, number_of, point_ids, up_to
from tandem.config.model import Archive
from tandem.journal import Journal
from tandem.point import MS, SECOND, Say
from tandem.registry import PointTable
from tandem.standby.histories import History
from tandem.standby.told import Salvaged

LOG = "archive"
FORMAT = 1
EVENTS_A_WRITE = 4096
NAMES_A_BLOCK = 500
HELD_MAX = 4
"""Tails that may wait for the write that is under way."""
AGAIN_NS = 5 * SECOND
_MIB = 1 << 20


class Place(NamedTuple):
    """Where an archive ends: everything up to (epoch, head) is in it. Epoch 0: it is empty."""

    epoch: int = 0
    head: int = 0


class Recorder:
    """One member's archive. `who` stands at the top of every file; `stored` must follow every `Store`."""

    def __init__(
        self, setting: Archive, who: dict[str, object], table: PointTable, journal: Journal, history: History,
        place: Place,
    ) -> None:  # fmt: skip
        self.place = place
        """What is on flash; its number is of the history that this member follows as soon as `joined`."""
        self.joined = False
        self.fault = ""
        """Why the flash does not take the events, or what else somebody must know; "" when all is well."""
        self.counts: dict[str, float] = {"events": 0, "salvaged": 0, "gaps": 0, "octets": 0, "writes": 0}
        self._setting = setting
        self._who = who
        self._table = table
        self._journal = journal
        self._history = history
        self._at = 0  # ordinal in the ring of the next event to be written
        self._looked = 0  # the number up to which the ring was looked at: events or none
        self._before: list[bytes] = []  # blocks that go before the next events
        self._held: list[Salvaged] = []
        self._tail = b""  # salvaged records among them
        self._since: int | None = None
        self._again_at = 0
        self._writing: tuple[Place, int, list[bytes]] | None = None  # what is undone when the write fails
        self._next = place
        self._file_octets = 0  # 0: the next write begins a file
        self._named: set[int] = set()
        self._stores: list[Store] = []
        self._says: list[Say] = []

    # --- what happens to the journal ------------------------------------------------------------------------------

    def salvaged(self, tail: Salvaged) -> None:
        """This member's records above a fork are about to be replaced by the active's image."""
        self._held = [*self._held, tail][:HELD_MAX]

    def swapped(self) -> None:
        """The journal is another: the place in it is to be found anew."""
        self.joined = False

    # --- the turn ---------------------------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Write what waited long enough; a few compares where nothing is due."""
        journal = self._journal
        if self._writing is not None:
            self._look_for_lag(journal.soe.count - self._at)
            return
        if not self.joined:
            if not journal.head or not self._history.epoch:
                return
            self._join()
        if now < self._again_at or (journal.head == self._looked and not self._before):
            return
        if self._since is None:
            self._since = now
        many = journal.soe.count - self._at >= self._setting.sync_events
        if many or self._before or now - self._since >= self._setting.sync_ms * MS:
            self.write()

    def write(self) -> None:
        """Write now whatever waits, at most `EVENTS_A_WRITE` events."""
        if not self.joined:
            return
        journal, ring = self._journal, self._journal.soe
        if self._at < ring.first:
            self._overrun(ring.first - self._at)
        stop = min(ring.count, self._at + EVENTS_A_WRITE)
        head = journal.head if stop == ring.count else ring.number_at(stop - 1)
        octets = ring.slice(self._at, stop)
        undo = self._next, self._at, self._before
        self._at, self._looked, self._since = stop, head, None
        if octets or self._before:
            self._store([*self._before, *self._events(octets, self._next.head, head)], octets)
            self._writing, self._before = undo, []
            if octets:
                self._next = Place(self._history.epoch_at(head), head)
            self.counts["events"] += len(octets) // SIZE

    def _store(self, blocks: list[bytes], octets: bytes) -> None:
        begin = self._file_octets == 0 or self._file_octets >= self._setting.segment_mib * _MIB
        if begin:
            self._named.clear()
            self._file_octets = 0
            top = {"format": FORMAT, "log": LOG, **self._who}
            blocks.insert(0, pack(Kind.HEAD, json.dumps(top).encode()))
        blocks[begin:begin] = self._names(self._tail + octets)
        written = b"".join(blocks)
        self._file_octets += len(written)
        keep = (self._setting.keep_mib - self._setting.segment_mib) * _MIB if begin else None
        self._stores.append(Store(LOG, written, begin, keep))

    def stored(self, octets: int, fault: str, now: int) -> None:
        """The write is on flash, or it is not: then the same events are written again, into a new file."""
        if self._writing is None:
            return
        undo, at, before = self._writing
        self._writing = None
        if fault:
            if not self.fault:
                self._says.append(Say(f"the archive is not written: {fault}; it is tried again", "error"))
            self.fault, self._again_at, self._file_octets = fault, now + AGAIN_NS, 0
            self.counts["events"] -= self._at - at
            self._next, self._at, self._before, self._looked = undo, at, before + self._before, undo.head
            return
        if self.fault:
            self._says.append(Say("the archive is written again"))
        self.fault = ""
        self.place, self._tail = self._next, b""
        self.counts["octets"] += octets
        self.counts["writes"] += 1

    # --- joining the journal ----------------------------------------------------------------------------------------

    def _join(self) -> None:
        """Find the place in the journal as it is now, and say what lies between."""
        epoch, number = self._next
        history, ring = self._history, self._journal.soe
        self.joined = True
        at = history.clamp(epoch, number, self._journal.head) if epoch else ring.gone
        if epoch:
            kept = number if at is None else min(number, _kept(history, epoch))
            if kept < number:
                self._before.append(pack(Kind.PARTED, b"", epoch, kept, number))
            self._salvage(self._next)
            if at is None:
                self._gap(Gap.FOREIGN, epoch, number, 0)
            elif at < kept:
                self._gap(Gap.RESTART, epoch, kept, 0)
        number = ring.gone if at is None else at
        if number < ring.gone:
            self._gap(Gap.AWAY, history.epoch_at(number), number, ring.gone)
            number = ring.gone
        self._held.clear()
        self._looked, self._at = number, ring.place(number)
        self._next = self.place = Place(history.epoch_at(number) or history.epoch, number)

    def _salvage(self, place: Place) -> None:
        """The part of a tail given up that was not written yet; of the tails after it nothing was."""
        for tail in self._held:
            count, history = len(tail.soe) // SIZE, History(tail.claims)
            self.counts["salvaged"] += count
            self._says.append(Say(f"{count} events after record {tail.fork} are of a history that the group does not "
                                  "follow: the archive keeps them, marked as salvaged", "warning"))  # fmt: skip
            written = history.clamp(place.epoch, place.head, 1 << 63) or 0 if tail is self._held[0] else 0
            base = max(written, tail.fork)
            if octets := tail.soe[len(up_to(tail.soe, base)) :]:
                self._before += _blocks(octets, base, number_of(octets[-SIZE:]), history, SALVAGED)
                self._tail += octets

    def _overrun(self, lost: int) -> None:
        ring = self._journal.soe
        gone = ring.gone
        self._gap(Gap.OVERRUN, self._next.epoch, self._next.head, gone, lost)
        self._next = Place(self._history.epoch_at(gone), gone)
        self._at = ring.first

    def _gap(self, why: Gap, epoch: int, base: int, head: int, lost: int = 0) -> None:
        self.counts["gaps"] += 1
        what = f"{lost} events" if lost else "events"
        self._says.append(Say(f"the archive has a gap after record {base} of epoch {epoch}: {what} may be missing "
                              f"({why.name.lower()})", "warning"))  # fmt: skip
        self._before.append(pack(Kind.GAP, json.dumps({"lost": lost}).encode(), epoch, base, head, why))

    # --- blocks -----------------------------------------------------------------------------------------------------

    def _events(self, octets: bytes, base: int, head: int) -> list[bytes]:
        return _blocks(octets, base, head, self._history, 0) if octets else []

    def _names(self, octets: bytes) -> list[bytes]:
        fresh = sorted(set(point_ids(octets)) - self._named)
        self._named.update(fresh)
        rows = [[p.id, p.name, p.kind.word, p.unit, list(p.states)] for i in fresh if (p := self._table.by_id.get(i))]
        parts = (rows[at : at + NAMES_A_BLOCK] for at in range(0, len(rows), NAMES_A_BLOCK))
        return [pack(Kind.NAMES, json.dumps(part).encode()) for part in parts]

    # --- what the owner drains ----------------------------------------------------------------------------------------

    def _look_for_lag(self, waiting: int) -> None:
        lags = "the archive lags"
        if waiting > self._journal.soe.capacity // 2 and not self.fault:
            self.fault = f"{lags}: {waiting} events wait for the flash, {self._journal.soe.capacity} have room"
            self._says.append(Say(self.fault, "warning"))

    def statistics(self) -> dict[str, object]:
        """Counters since the start, and how many events wait."""
        waiting = max(0, self._journal.soe.count - self._at) if self.joined else 0
        return {**self.counts, "waiting": waiting, "epoch": self.place.epoch, "number": self.place.head,
                "fault": self.fault}  # fmt: skip

    def actions(self) -> list[Action]:
        """Drain what is to be written and said."""
        drained: list[Action] = [*self._says, *self._stores]
        self._says.clear()
        self._stores.clear()
        return drained


def _kept(history: History, epoch: int) -> int:
    """The last number of that epoch which later claims left in the history while its journal went on."""
    kept = 1 << 63
    for claim in history.claims:
        if claim.epoch > epoch:
            if claim.first == 1:
                break
            kept = min(kept, claim.parent_last)
    return kept


def _blocks(octets: bytes, base: int, head: int, history: History, flags: int) -> list[bytes]:
    """Records numbered base < n <= head as blocks of one epoch each, which together cover all of it."""
    made: list[bytes] = []
    size = EVENTS_A_BLOCK * SIZE
    for epoch, top in _reaches(history, base, head):
        part = up_to(octets, top)
        octets = octets[len(part) :]
        for at in range(0, max(len(part), 1), size):
            chunk = part[at : at + size]
            last = top if at + size >= len(part) else number_of(chunk[-SIZE:])
            made.append(pack(Kind.EVENTS, chunk, epoch, base, last, flags))
            base = last
    return made


def _reaches(history: History, base: int, head: int) -> Iterator[tuple[int, int]]:
    """The epochs that the numbers base < n <= head belong to, each with its last number."""
    claims = history.claims
    while base < head:
        at = next((i for i in range(len(claims) - 1, -1, -1) if claims[i].first <= base + 1), -1)
        firsts = [claim.first for claim in claims[at + 1 :]]
        top = min([head, *(first - 1 for first in firsts if first > base + 1)])
        yield (claims[at].epoch if at >= 0 else 0), top
        base = top
