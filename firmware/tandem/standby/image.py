"""The shadow image: a snapshot as it comes in, apart from the database until it is whole."""

from __future__ import annotations

from tandem.codec.link import Begin, Tail
from tandem.codec.record import SIZE, Record, unpack
from tandem.database import Database, never_read, without_salvaged
from tandem.journal import Journal


class Image:
    """Rows and ring tails of a snapshot. Methods raise ValueError with a sentence for what does not fit."""

    def __init__(self, database: Database, begin: Begin) -> None:
        self._database = database
        self._present = never_read(database.table.rows)
        self._journal = Journal(database.journal.soe.capacity, database.journal.analog.capacity)
        self._journal.soe.clear(begin.soe_gone)
        self._journal.analog.clear(begin.analog_gone)
        self._begun = False

    def rows(self, octets: bytes) -> None:
        """Present values, each with its own number."""
        records = list(unpack(octets))
        self._database.verify(records)
        self._take(records)

    def tail(self, tail: Tail) -> None:
        """The next piece of the rings; it counts for present values where it is newer than their own number."""
        if self._begun and tail.base != self._journal.head:
            raise ValueError(f"the snapshot goes on after record {tail.base}, record {self._journal.head} was its last")
        self._begun = True
        rows = [*unpack(tail.soe), *unpack(tail.analog)]
        self._database.verify(rows)
        check_order(tail.base, tail.head, tail.soe, tail.analog)
        self._journal.extend(tail.head, tail.soe, tail.analog)
        self._take(without_salvaged(rows, tail.soe + tail.analog))

    def swap(self, head: int) -> None:
        """The image is whole up to `head`: it becomes the database's."""
        if not self._begun or head != self._journal.head:
            raise ValueError(f"the snapshot ends at record {head}, record {self._journal.head} was its last")
        self._database.swap(self._present, self._journal)

    def _take(self, records: list[Record]) -> None:
        present = self._present
        for record in records:
            if record[0] > present[record[3]][0]:
                present[record[3]] = record


def check_order(base: int, head: int, soe: bytes, analog: bytes) -> None:
    """Raises ValueError unless both rings' records begin above `base` and end at or below `head`."""
    for octets in (soe, analog):
        if octets:
            first, last = int.from_bytes(octets[:8], "little"), int.from_bytes(octets[-SIZE:][:8], "little")
            if not base < first <= last <= head:
                raise ValueError(f"records {first} to {last} in a slice of {base + 1} to {head}")
    if head < base:
        raise ValueError(f"a slice from {base} back to {head}")
