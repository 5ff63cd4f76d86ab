"""Answers that run over several turns: interrogations and reads, with nothing above the released number."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from tandem.codec.iec60870.asdu import IEC104, SQ, TEST, header, mirror
from tandem.codec.iec60870.types import TYPES
from tandem.codec.record import Record
from tandem.database import Database
from tandem.slave.iec104.packer import Packer
from tandem.slave.iec104.rows import Block, Monitor, room

TERMINATION, COUNTERS = 10, 101
_ROWS_A_STEP = 16
"""Whose parameters are told at once: each has an ASDU of its own."""
_SHORTEST_RUN = 4
"""From so many addresses in a row on, one address and SQ = 1 is shorter than a header more."""


class Job:
    """One request under way. `request` is its ASDU with a single common address; data go out with cause `cause`.

    A point whose newest record may not leave yet is told as soon as that record, or a newer one, may. What the center
    wrote of the rows `written` follows the values, as it is by then.
    """

    def __init__(
        self, request: bytes, cause: int, blocks: Iterable[Block], terminate: bool, written: Iterable[Monitor] = ()
    ) -> None:
        self.type = request[0]
        self.ca = int.from_bytes(request[4:6], "little")
        self.done = False
        self.request = request
        self._cause = cause
        self._cot = cause | request[2] & TEST
        self._terminate = terminate
        self._blocks = deque(blocks)
        self._later: list[tuple[Monitor, Record]] = []
        self._written = deque(written)

    def step(self, packer: Packer, database: Database, limit: int) -> list[bytes]:
        """The next ASDUs: those of one block, then parameters, at the end what had to wait, and the termination."""
        if self._blocks:
            _, _, rows = self._blocks.popleft()
            return self._answer([(row, database.present[row.point_id]) for row in rows], packer, database, limit)
        if self._written:
            return self._parameters(packer)
        waiting, self._later = self._later, []
        octets = self._answer(waiting, packer, database, limit) if waiting else []
        if not self._later:
            self.done = True
            if self._terminate:
                octets.append(mirror(self.request, TERMINATION))
        return octets

    @property
    def waits(self) -> bool:
        """True when nothing is left but points that may not leave yet."""
        return not self._blocks and not self._written and bool(self._later)

    def _parameters(self, packer: Packer) -> list[bytes]:
        rows = [self._written.popleft() for _ in range(min(_ROWS_A_STEP, len(self._written)))]
        test = bool(self._cot & TEST)
        return [a for row in rows for a in packer.parameters(row, self._cause, self.request[3], test)]

    def _answer(
        self, rows: list[tuple[Monitor, Record]], packer: Packer, database: Database, limit: int
    ) -> list[bytes]:
        told: dict[tuple[int, int], list[tuple[Monitor, bytes]]] = {}
        element = packer.total if self.type == COUNTERS else packer.static
        for row, seen in rows:
            record = database.present[row.point_id]
            if record[0] > limit:
                record = seen
            if record[0] > limit:
                self._later.append((row, seen))
            else:
                told.setdefault((row.still, row.ca), []).append((row, element(row, record)))
        asdus: list[bytes] = []
        for (still, ca), elements in told.items():
            asdus += pack_static(still, self._cot, self.request[3], ca, elements)
        return asdus


def pack_static(number: int, cot: int, originator: int, ca: int, elements: list[tuple[Monitor, bytes]]) -> list[bytes]:
    """Elements of one type, by rising address, in the fewest ASDUs: runs with SQ = 1, the others with SQ = 0."""
    size = TYPES[number].size
    longest = min(127, (249 - IEC104.header - IEC104.ioa) // size)
    asdus: list[bytes] = []
    singles: list[bytes] = []
    at = 0
    while at < len(elements):
        end = at + 1
        while end < len(elements) and end - at < longest and elements[end][0].ioa == elements[end - 1][0].ioa + 1:
            end += 1
        run = elements[at:end]
        if len(run) >= _SHORTEST_RUN:
            body = run[0][0].prefix + b"".join([octets for _, octets in run])
            asdus.append(header(number, len(run) | SQ, cot, originator, ca) + body)
        else:
            singles += [row.prefix + octets for row, octets in run]
        at = end
    most = room(size + IEC104.ioa)
    for start in range(0, len(singles), most):
        some = singles[start : start + most]
        asdus.append(header(number, len(some), cot, originator, ca) + b"".join(some))
    return asdus
