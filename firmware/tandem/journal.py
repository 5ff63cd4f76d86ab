"""One numbering, two rings, many cursors.

`soe` holds binary, double, step, protection and command records, `analog` measured values and counters, so that a
chattering analog never flushes a breaker event. A record's number is unique over both rings and rises by one.
Everything downstream (mirror, control centers, archive, pages) reads through a `Cursor` at its own pace; a reader
that was lapped learns how many records of which ring it lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from struct import Struct

from tandem.codec.record import RECORD, SIZE, Record, unpack

_BLOCKS = [(1 << power, Struct("<" + RECORD.format.lstrip("<") * (1 << power))) for power in range(8, -1, -1)]
_FIELDS = 7  # of a record


def _pack(flat: list[float]) -> bytes:
    """The octets of records given field after field: few large packs take half the time of many small ones."""
    octets, at, left = [], 0, len(flat) // _FIELDS
    for records, block in _BLOCKS:
        while left >= records:
            octets.append(block.pack(*flat[at : at + records * _FIELDS]))
            at += records * _FIELDS
            left -= records
    return b"".join(octets)


class Ring:
    """A ring of 32-octet records. New ones wait in `fresh`, field after field, and become octets in `settle`."""

    def __init__(self, records: int) -> None:
        """`records` is the capacity. Raises ValueError unless it is a power of two (slot = ordinal & mask)."""
        if records < 2 or records & (records - 1):
            raise ValueError(f"a ring of {records} records: the size must be a power of two, 2 or more")
        self.capacity = records
        self.mask = records - 1
        self.octets = bytearray(records * SIZE)
        self.settled = 0
        self.fresh: list[float] = []
        self.oldest = 0
        """Ordinal below which nothing is held, whatever the capacity."""
        self._gone = 0

    @property
    def count(self) -> int:
        """The ordinal that the next record will have; it never wraps, slots do."""
        return self.settled + len(self.fresh) // _FIELDS

    @property
    def first(self) -> int:
        """Ordinal of the oldest record still held."""
        return max(self.oldest, self.count - self.capacity)

    @property
    def gone(self) -> int:
        """Number of the newest record that the ring no longer holds (or never had); 0 when it has everything."""
        self.settle()
        return self._gone

    def settle(self) -> None:
        """Make octets of the fresh records. Every reading method does so first."""
        if self.fresh:
            octets = _pack(self.fresh)
            self.fresh.clear()
            self._store(octets)

    def number_at(self, ordinal: int) -> int:
        """The sequence number of a held record."""
        if self.fresh:
            self.settle()
        start = (ordinal & self.mask) * SIZE
        return int.from_bytes(self.octets[start : start + 8], "little")

    def after(self, number: int) -> int:
        """Ordinal of the first held record whose number is above `number` (`count` when there is none)."""
        self.settle()
        low, high = self.first, self.settled
        while low < high:
            middle = (low + high) // 2
            if self.number_at(middle) > number:
                high = middle
            else:
                low = middle + 1
        return low

    def place(self, number: int) -> int:
        """The ordinal at which a reader of everything up to `number` goes on; lapped by one where that is gone."""
        return self.first - 1 if number < self.gone else self.after(number)

    def slice(self, start: int, stop: int) -> bytes:
        """The octets of the records with ordinals start <= i < stop, all of which must be held."""
        if start >= stop:
            return b""
        self.settle()
        low, high = (start & self.mask) * SIZE, ((stop - 1) & self.mask) * SIZE + SIZE
        with memoryview(self.octets) as held:  # one copy, not two
            return bytes(held[low:high]) if low < high else b"".join((held[low:], held[:high]))

    def extend(self, octets: bytes) -> None:
        """Append whole records as they are (the standby's way in); only the newest `capacity` of them stay."""
        self.settle()
        self._store(octets)

    def _store(self, octets: bytes) -> None:
        added = len(octets) // SIZE
        if not added:
            return
        drop = max(0, added - self.capacity)
        first = self.settled + added - self.capacity
        if first > self.oldest:  # the newest of those that go says where a reader's gap ends
            at = (drop - 1) * SIZE
            self._gone = int.from_bytes(octets[at : at + 8], "little") if drop else self.number_at(first - 1)
        kept = octets[drop * SIZE :]
        self.settled += added
        low = ((self.settled - added + drop) & self.mask) * SIZE
        room = len(self.octets) - low
        self.octets[low : low + min(room, len(kept))] = kept[:room]
        if len(kept) > room:
            self.octets[: len(kept) - room] = kept[room:]

    def clear(self, gone: int | None = None) -> None:
        """Forget every record; ordinals go on, so that every cursor is lapped. `gone`: the newest number not held."""
        self.settle()
        if gone is None:
            gone = self.number_at(self.settled - 1) if self.settled > self.oldest else self._gone
        self.settled += 1
        self.oldest = self.settled
        self._gone = gone

    def adopt(self, other: Ring) -> None:
        """Hold what `other` (given up with this) holds; every cursor is lapped."""
        gone = other.gone
        if other.capacity != self.capacity:
            octets = other.slice(other.first, other.count)
            self.clear(gone)
            self._store(octets)
            return
        self.settle()
        past = self.settled & ~self.mask  # its octets are taken as they lie: an ordinal's slot must stay the same
        past += self.capacity * (past + other.first <= self.settled)
        self.octets, self._gone = other.octets, gone
        self.oldest, self.settled = past + other.first, past + other.settled


@dataclass(slots=True)
class Cursor:
    """A reader's place: every record numbered up to `number` was read; the ordinals say where to go on."""

    number: int = 0
    soe: int = 0
    analog: int = 0


class Journal:
    """The two rings under one numbering. `head` is the number of the newest record, 0 before the first."""

    def __init__(self, soe_records: int = 65536, analog_records: int = 65536) -> None:
        self.soe = Ring(soe_records)
        self.analog = Ring(analog_records)
        self.head = 0

    def extend(self, head: int, soe: bytes, analog: bytes) -> None:
        """Append another member's slices under their own numbers; `head` is the number they reach."""
        self.soe.extend(soe)
        self.analog.extend(analog)
        self.head = head

    def adopt(self, other: Journal) -> None:
        """Become what `other` (given up with this) holds, under its numbers; every cursor is lapped."""
        self.soe.adopt(other.soe)
        self.analog.adopt(other.analog)
        self.head = other.head

    def settle(self) -> None:
        """Make octets of the fresh records of both rings."""
        self.soe.settle()
        self.analog.settle()

    def cursor(self, number: int) -> Cursor:
        """A cursor that has read everything numbered up to `number`; lapped in a ring that no longer has the rest."""
        return Cursor(number, self.soe.place(number), self.analog.place(number))

    def holds_after(self, number: int) -> bool:
        """True when no record numbered above `number` was overwritten in either ring."""
        return number >= self.soe.gone and number >= self.analog.gone

    def lost(self, cursor: Cursor) -> tuple[int, int]:
        """How many (soe, analog) records were overwritten before this cursor read them."""
        return max(0, self.soe.first - cursor.soe), max(0, self.analog.first - cursor.analog)

    def slices(self, cursor: Cursor, limit: int, most: int = 4096) -> tuple[bytes, bytes]:
        """The octets of each ring after `cursor`, numbers up to `limit`, about `most` records; moves the cursor.

        Lapped records are skipped: ask `lost` first. Both slices end at the same number, so the cursor stands
        between two numbers and never inside a gap of one ring.
        """
        soe, analog = max(cursor.soe, self.soe.first), max(cursor.analog, self.analog.first)
        limit = min(limit, self.head)
        for ring, start in ((self.soe, soe), (self.analog, analog)):
            if ring.count - start > most:
                limit = min(limit, ring.number_at(start + most - 1))
        soe_end = self.soe.count if limit >= self.head else self.soe.after(limit)
        analog_end = self.analog.count if limit >= self.head else self.analog.after(limit)
        octets = self.soe.slice(soe, soe_end), self.analog.slice(analog, analog_end)
        cursor.number, cursor.soe, cursor.analog = max(cursor.number, limit), max(soe, soe_end), max(analog, analog_end)
        return octets

    def read(self, cursor: Cursor, limit: int, most: int = 4096) -> list[Record]:
        """The records after `cursor` in the order of their numbers, both rings merged; moves the cursor."""
        soe, analog = self.slices(cursor, limit, most)
        if not analog:
            return list(unpack(soe))
        if not soe:
            return list(unpack(analog))
        return sorted([*unpack(soe), *unpack(analog)])
