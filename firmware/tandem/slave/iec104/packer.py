"""Events into ASDUs: several objects of a type in one, in order for each point, no object made per event."""

from __future__ import annotations

import struct
from typing import NamedTuple

from tandem.codec.iec60870.asdu import IEC104, TEST, header
from tandem.codec.iec60870.quality import BCR_CY
from tandem.codec.iec60870.time import minute_tails
from tandem.codec.record import Record
from tandem.database import Database
from tandem.point import Cause, Quality
from tandem.slave.iec104.encoders import turn
from tandem.slave.iec104.memory import Memory
from tandem.slave.iec104.parameters import told
from tandem.slave.iec104.rows import COUNTER, Monitor, Rows

SPONTANEOUS, RETURN_REMOTE = 3, 11
_MINUTE_US = 60_000_000
_TEST = int(Quality.TEST)
_TIME_INVALID = int(Quality.TIME_INVALID)
_NEVER_READ = int(Quality.NEVER_READ)
_NOT_TOPICAL = int(Quality.NOT_TOPICAL)
_pack_ms = struct.Struct("<H").pack


class Events(NamedTuple):
    """An ASDU of events up to number `last`: once it is acknowledged, all numbered up to `reaches` was told."""

    asdu: bytes
    reaches: int
    objects: int
    last: int = 0


class _Pile:
    """Events of one type and common address that wait for their ASDU to be full."""

    __slots__ = ("ca", "cot", "first", "last", "most", "opened", "parts", "type")

    def __init__(self, number: int, ca: int, most: int) -> None:
        self.type, self.ca, self.most = number, ca, most
        self.parts: list[bytes] = []
        self.first = self.last = 0
        self.opened = 0  # so many ASDUs were closed before it had its first event
        self.cot = SPONTANEOUS


class Packer:
    """One center's events on their way into ASDUs, and what the center was told last where that decides."""

    def __init__(self, rows: Rows, database: Database, returns: bool, lag: int) -> None:
        """`lag`: so many ASDUs at most are acknowledged before another one with an older event."""
        self.released = 0
        """The highest number that was made into octets."""
        self.too_small = 0
        """How many changes a deadband kept back."""
        self.memory = Memory(rows)
        self._rows = rows
        self._database = database
        self._cots = [SPONTANEOUS] * 128
        if returns:
            self._cots[Cause.RETURN] = RETURN_REMOTE
        self._piles = [_Pile(*pile) for pile in rows.piles]
        self._lag = max(lag, len(self._piles) - 1)
        self._open: list[_Pile] = []  # piles with events, the one opened first in front
        self._closings = 0
        self._closed: list[tuple[bytes, int, int, int]] = []  # (ASDU, numbers of its first and last event, objects)
        self._told: dict[int, tuple[float, int]] = {}  # row -> (value, quality), rows with a deadband
        self._turns: dict[int, int] = {}  # row -> how often the counter had come round when it was told
        self._carried: dict[int, tuple[int, int]] = {}  # row -> (number, turns before) of a carry on its way

    def confirmed(self, number: int) -> None:
        """The center has everything up to `number`: carries below it need not be told again."""
        if self._carried:
            self._carried = {row: kept for row, kept in self._carried.items() if kept[0] > number}

    def rewind(self, forget: bool) -> None:
        """Events will be packed again; `forget`: they are of another history."""
        for row, (_, turns) in self._carried.items():
            self._turns[row] = turns
        self._carried.clear()
        self._told.clear()
        if forget:
            self._turns.clear()

    def add(self, records: list[Record]) -> None:
        """Pile up the events of `records`, in their order."""
        routes, piles, cots = self._rows.routes, self._piles, self._cots
        known_minute, known_stamp, known_bad = -1, -1, -1
        tails, time, highest = (b"", b""), b"", 0
        for number, stamp, value, point_id, quality, cause, _ in records:
            for prefix, encode, index, timed, row in routes[point_id]:
                element = encode(value, quality) if row is None else self._weighed(row, number, value, quality)
                if not element:
                    continue
                bad = quality & _TIME_INVALID
                if stamp != known_stamp or bad != known_bad:
                    minute, rest = divmod(stamp, _MINUTE_US)
                    if minute != known_minute:
                        tails, known_minute = minute_tails(minute), minute
                    time, known_stamp, known_bad = _pack_ms(rest // 1000) + tails[bad != 0], stamp, bad
                cot = cots[cause & 127] | (TEST if quality & _TEST else 0)
                pile = piles[index]
                if pile.parts and pile.cot != cot:
                    self._close(pile)
                    self._close_old()
                if not pile.parts:
                    pile.first, pile.cot, pile.opened = number, cot, self._closings
                    self._open.append(pile)
                pile.parts.append(prefix + element + time if timed else prefix + element)
                pile.last = number
                if len(pile.parts) >= pile.most:
                    self._close(pile)
                    self._close_old()
                highest = number
        self.released = max(self.released, highest)

    def take(self, reaches: int) -> list[Events]:
        """Every ASDU piled up, in sending order; acknowledging the last one reaches `reaches`."""
        while self._open:
            self._close(self._open[0])
        found: list[Events] = []
        for asdu, first, last, count in reversed(self._closed):
            found.append(Events(asdu, reaches, count, last))
            reaches = min(reaches, first - 1)
        self._closed.clear()
        found.reverse()
        return found

    def local_events(self, point_ids: list[int]) -> list[bytes]:
        """The present values of member-local points as ASDUs; they have no number and need no confirmation."""
        database = self._database
        records: list[Record] = []
        for point_id in point_ids:
            number, stamp, value, _, _, cause, version = database.present[point_id]
            records.append((number, stamp, value, point_id, database.served_quality(point_id), cause, version))
        self.add(records)
        return [events.asdu for events in self.take(0)]

    def overlays(self, point_ids: list[int], stamp_us: int, untrue: int, limit: int) -> list[bytes]:
        """Present values with their qualities as they are served since `stamp_us`, as ASDUs; they need no confirmation.

        A point whose newest record is above `limit` is told with that record.
        """
        database = self._database
        present = [database.present[i] for i in point_ids]
        self.add(
            [
                (number, stamp_us, value, i, database.served_quality(i) | untrue, 0, version)
                for number, _, value, i, _, _, version in present
                if number <= limit
            ]
        )
        return [events.asdu for events in self.take(0)]

    def static(self, row: Monitor, record: Record) -> bytes:
        """A row's element as interrogation and read tell it, from the point's present record or an earlier one."""
        quality = self._database.served_quality(row.point_id)
        if record is not self._database.present[row.point_id]:
            quality = record[4] | quality & _NOT_TOPICAL
        self.released = max(self.released, record[0])
        if self.memory.parameters.deadband(row) > 0:
            self._told[row.slot] = record[2], quality
        return self._element(row, record[0], record[2], quality)

    def total(self, row: Monitor, record: Record) -> bytes:
        """A counter's element as counter interrogations tell it: as it was frozen, if it ever was."""
        total = self.memory.totals.get(row.slot)
        if total is None or total.frozen is None:
            return self.static(row, record)
        octets = row.encode(total.frozen.value, total.frozen.quality)
        return octets[:4] + bytes((octets[4] | total.frozen.sequence,))

    def parameters(self, row: Monitor, cause: int, originator: int, test: bool) -> list[bytes]:
        """What the center wrote of a row, as ASDUs that tell it again."""
        return told(row, self.memory.parameters.written.get(row.slot, {}), cause, originator, test)

    def freeze(self, rows: list[Monitor], keep: bool, reset: bool) -> None:
        """Keep these counters as they are, and count from here on anew. Raises ValueError as `Memory.freeze` does."""
        present, served = self._database.present, self._database.served_quality
        readings = [(row, present[row.point_id], served(row.point_id)) for row in rows]
        known = [(row, record[0], record[2], quality) for row, record, quality in readings]
        self.memory.freeze(known, keep, reset)

    def _close(self, pile: _Pile) -> None:
        parts = pile.parts
        asdu = header(pile.type, len(parts), pile.cot, 0, pile.ca, IEC104) + b"".join(parts)
        self._closed.append((asdu, pile.first, pile.last, len(parts)))
        pile.parts = []
        self._open.remove(pile)
        self._closings += 1

    def _close_old(self) -> None:
        """An open pile holds back what was told after its first event, until it is closed and acknowledged."""
        closings, lag = self._closings, self._lag
        while any(closings - pile.opened + place > lag for place, pile in enumerate(self._open)):
            self._close(self._open[0])
            closings = self._closings

    def _weighed(self, row: Monitor, number: int, value: float, quality: int) -> bytes:
        """The element of a row with deadband or carry; empty when the change is too small to be told."""
        parameters = self.memory.parameters
        if parameters.deadband(row) > 0:
            last = self._told.get(row.slot)
            if last is not None and last[1] == quality and parameters.too_small(row, last[0], value):
                self.too_small += 1
                return b""
            self._told[row.slot] = value, quality
        return self._element(row, number, value, quality)

    def _element(self, row: Monitor, number: int, value: float, quality: int) -> bytes:
        if row.still != COUNTER or quality & _NEVER_READ:
            return row.encode(value, quality)
        value = self.memory.reading(row.slot, number, value)
        octets = row.encode(value, quality)
        turns = turn(value, row.scale, row.offset)
        before = self._turns.setdefault(row.slot, turns)
        if turns == before:
            return octets
        self._turns[row.slot] = turns
        if turns < before:
            return octets  # the counter was set back, it did not overflow
        self._carried.setdefault(row.slot, (number, before))
        return octets[:4] + bytes((octets[4] | BCR_CY,))
