"""One numbering, two rings, many cursors.

`soe` holds binary, double, step, protection and command records, `analog` measured values and counters, so that a
chattering analog never flushes a breaker event. A record's number is unique over both rings and rises by one.
Everything downstream (mirror, control centers, archive, pages) reads through a `Cursor` at its own pace; a reader
that was lapped learns how many records of which ring it lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from tandem.codec.record import RECORD, SIZE, Record, unpack


class Ring:
    """A ring of 32-octet records. New ones wait in `fresh` as tuples and become octets together, in `settle`.

    (Packing a turn's records at once instead of one by one doubles what the database's door takes in a second.)
    """

    def __init__(self, records: int) -> None:
        """`records` is the capacity. Raises ValueError unless it is a power of two (slot = ordinal & mask)."""
        if records < 2 or records & (records - 1):
            raise ValueError(f"a ring of {records} records: the size must be a power of two, 2 or more")
        self.capacity = records
        self.mask = records - 1
        self.octets = bytearray(records * SIZE)
        self.settled = 0
        self.fresh: list[Record] = []

    @property
    def count(self) -> int:
        """The ordinal that the next record will have; it never wraps, slots do."""
        return self.settled + len(self.fresh)

    @property
    def first(self) -> int:
        """Ordinal of the oldest record still held."""
        return max(0, self.count - self.capacity)

    def settle(self) -> None:
        """Make octets of the fresh records. Every reading method does so first."""
        if self.fresh:
            octets = b"".join([RECORD.pack(*record) for record in self.fresh])
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
        low, high = self.first, self.count
        while low < high:
            middle = (low + high) // 2
            if self.number_at(middle) > number:
                high = middle
            else:
                low = middle + 1
        return low

    def slice(self, start: int, stop: int) -> bytes:
        """The octets of the records with ordinals start <= i < stop, all of which must be held."""
        if start >= stop:
            return b""
        self.settle()
        low, high = (start & self.mask) * SIZE, ((stop - 1) & self.mask) * SIZE + SIZE
        if low < high:
            return bytes(self.octets[low:high])
        return bytes(self.octets[low:]) + bytes(self.octets[:high])

    def extend(self, octets: bytes) -> None:
        """Append whole records as they are (the standby's way in); only the newest `capacity` of them stay."""
        self.settle()
        self._store(octets)

    def _store(self, octets: bytes) -> None:
        added = len(octets) // SIZE
        kept = octets[max(0, added - self.capacity) * SIZE :]
        self.settled += added
        low = ((self.settled - len(kept) // SIZE) & self.mask) * SIZE
        room = len(self.octets) - low
        self.octets[low : low + min(room, len(kept))] = kept[:room]
        if len(kept) > room:
            self.octets[: len(kept) - room] = kept[room:]

    def clear(self) -> None:
        """Forget every record; ordinals go on, so that every cursor is lapped."""
        self.fresh.clear()
        self.settled += self.capacity + 1


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

    def cursor(self, number: int) -> Cursor:
        """A cursor that has read everything numbered up to `number`."""
        return Cursor(number, self.soe.after(number), self.analog.after(number))

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
        if limit > cursor.number:
            cursor.number, cursor.soe, cursor.analog = limit, max(soe, soe_end), max(analog, analog_end)
        return octets

    def read(self, cursor: Cursor, limit: int, most: int = 4096) -> list[Record]:
        """The records after `cursor` in the order of their numbers, both rings merged; moves the cursor."""
        soe, analog = self.slices(cursor, limit, most)
        if not analog:
            return list(unpack(soe))
        if not soe:
            return list(unpack(analog))
        return sorted([*unpack(soe), *unpack(analog)])
