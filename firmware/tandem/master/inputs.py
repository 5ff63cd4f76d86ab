"""Inputs of every master: from a raw value to the database's door.

engineering = raw x scale + offset. A value is stored when it differs from the stored one by the deadband or more,
or in quality; what was stored is asked of the database, so that a successor compares with its predecessor's values.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

from tandem.clock import Clock
from tandem.config.model import Point
from tandem.database import Database
from tandem.point import DEVICE_TIME, MS, Cause, Double, Kind, Quality

_NEVER_READ = int(Quality.NEVER_READ)
_NOT_TOPICAL = int(Quality.NOT_TOPICAL)
_INVALID = int(Quality.INVALID)
_OVER = int(Quality.INVALID | Quality.OVER_RANGE)
_TIME = int(Quality.TIME_INVALID)
_INITIAL = int(Cause.INITIAL)
_SCAN = int(Cause.SCAN)
_ROUNDING = 1 - 1e-9
"""A change of exactly the deadband is stored, whatever binary fractions make of it."""


class Input:
    """One point that a device feeds. `put` is the way in; analogs, counters, steps and bitstrings as they are."""

    __slots__ = ("_database", "_deadband", "_offset", "_scale", "name", "point_id")

    def __init__(self, database: Database, point: Point, point_id: int) -> None:
        self._database = database
        self.point_id = point_id
        self.name = point.name
        self._scale, self._offset = point.scale, point.offset
        self._deadband = point.deadband * _ROUNDING

    def put(self, raw: float, quality: int, stamp_us: int, now: int, cause: int = _SCAN) -> bool:
        """A raw value arrived at `now`; True when it was stored. NaN and infinity are stored as bad quality."""
        value = raw * self._scale + self._offset
        if not math.isfinite(value):
            return self.mark(quality | _OVER, stamp_us, cause)
        return self._store(value, quality, stamp_us, cause)

    def value_of(self, raw: float) -> float:
        """The value in engineering units that a raw one means; NaN and infinity stay what they are."""
        return raw * self._scale + self._offset

    def event(self, value: float, quality: int, stamp_us: int, cause: int) -> bool:
        """The device's own account of a change, in engineering units and with its own stamp; True when it was stored.

        It is stored also where it equals the last one: what happened in between is for the device to tell. Only a
        deadband holds it back.
        """
        if not math.isfinite(value):
            return self.mark(quality | _OVER, stamp_us, cause)
        database = self._database
        old = database.present[self.point_id]
        if old[4] & _NEVER_READ:
            cause = cause & DEVICE_TIME | _INITIAL
        elif self._deadband and not (old[4] ^ quality) & ~_TIME and abs(value - old[2]) < self._deadband:
            return False
        database.update(self.point_id, value, quality, stamp_us, cause)
        return True

    @property
    def never_read(self) -> bool:
        """Nobody has stored a value yet."""
        return bool(self._database.present[self.point_id][4] & _NEVER_READ)

    @property
    def has_deadband(self) -> bool:
        """Small changes are not stored."""
        return bool(self._deadband)

    def mark(self, quality: int, stamp_us: int, cause: int = _SCAN) -> bool:
        """The value is not known any more: keep the last one under this quality; True when that is a change."""
        value = self._database.present[self.point_id][2]
        return self._store(value, quality, stamp_us, cause)

    def _store(self, value: float, quality: int, stamp_us: int, cause: int) -> bool:
        database = self._database
        old = database.present[self.point_id]
        if old[4] & _NEVER_READ:
            cause = cause & DEVICE_TIME | _INITIAL
        elif not (old[4] ^ quality) & ~_TIME:
            change = value - old[2]
            if not change or -self._deadband < change < self._deadband:
                return False
        database.update(self.point_id, value, quality, stamp_us, cause)
        return True


class BinaryInput(Input):
    """A single: any raw value but zero is 1. Scale and offset do not apply."""

    __slots__ = ()

    def value_of(self, raw: float) -> float:
        """1 for any raw value but zero."""
        return 1.0 if raw else 0.0

    def put(self, raw: float, quality: int, stamp_us: int, now: int, cause: int = _SCAN) -> bool:
        """A raw state arrived; True when it was stored."""
        return self._store(1.0 if raw else 0.0, quality, stamp_us, cause)


class DoubleInput(Input):
    """A double: raw values are `Double` states. With `settle_ms`, the intermediate state waits for it.

    If it lasts so long it is stored as indeterminate; without `settle_ms` it is stored as it is, at once.
    """

    __slots__ = ("_inputs", "_settle_ns")

    def __init__(self, database: Database, point: Point, point_id: int, inputs: Inputs) -> None:
        super().__init__(database, point, point_id)
        self._inputs = inputs
        self._settle_ns = point.settle_ms * MS

    def put(self, raw: float, quality: int, stamp_us: int, now: int, cause: int = _SCAN) -> bool:
        """A raw state arrived; True when it was stored."""
        waiting = self._inputs.settling
        if raw == Double.INTERMEDIATE and self._settle_ns:
            if self not in waiting and self._differs():
                waiting[self] = (now + self._settle_ns, quality, cause)
            return False
        waiting.pop(self, None)
        return self._store(float(int(raw) & 3), quality, stamp_us, cause)

    def value_of(self, raw: float) -> float:
        """The `Double` state."""
        return float(int(raw) & 3)

    def event(self, value: float, quality: int, stamp_us: int, cause: int) -> bool:
        """As every input; the device saw the intermediate state last as long as it says, so it is stored as it is."""
        self._inputs.settling.pop(self, None)
        return super().event(value, quality, stamp_us, cause)

    def _differs(self) -> bool:
        old = self._database.present[self.point_id]
        return old[2] != Double.INDETERMINATE or bool(old[4] & ~_TIME)

    def settled(self, quality: int, stamp_us: int, cause: int) -> None:
        """The intermediate state has lasted."""
        self._store(float(Double.INDETERMINATE), quality, stamp_us, cause)


class Inputs:
    """The inputs of one channel, and those of them that wait to settle."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self.settling: dict[DoubleInput, tuple[int, int, int]] = {}
        """Input in the intermediate state -> (deadline ns, quality, cause); bounded by the number of doubles."""

    def add(self, point: Point) -> Input:
        """The input of a configured point. Raises KeyError when the point table does not have it."""
        point_id = self._database.table.id(point.name)
        if point.kind in (Kind.BINARY, Kind.BINARY_OUTPUT):
            return BinaryInput(self._database, point, point_id)
        if point.kind in (Kind.DOUBLE, Kind.DOUBLE_OUTPUT):
            return DoubleInput(self._database, point, point_id, self)
        return Input(self._database, point, point_id)

    def due(self) -> int | None:
        """When the next double has settled."""
        return min(entry[0] for entry in self.settling.values()) if self.settling else None

    def tick(self, now: int) -> None:
        """Store what has settled."""
        if not self.settling:
            return
        stamp_us, time_flag = self._clock.stamp(now)
        for point, (deadline, quality, cause) in list(self.settling.items()):
            if deadline <= now:
                del self.settling[point]
                point.settled(quality & ~_TIME | time_flag, stamp_us, cause)

    def forget(self, inputs: Iterable[Input]) -> None:
        """These are not heard of any more: what was settling is no longer known."""
        for point in inputs:
            if isinstance(point, DoubleInput):
                self.settling.pop(point, None)

    def not_topical(self, inputs: Iterable[Input], now: int) -> None:
        """Mark every one of them (the `comm_events = "points"` way of showing a lost device)."""
        stamp_us, time_flag = self._clock.stamp(now)
        for point in inputs:
            quality = self._database.present[point.point_id][4] & ~_TIME
            if not quality & (_NOT_TOPICAL | _NEVER_READ):
                point.mark(quality | _NOT_TOPICAL | time_flag, stamp_us, int(Cause.COMMUNICATION))

    def invalid(self, inputs: Iterable[Input], now: int) -> None:
        """The device refuses to give them."""
        stamp_us, time_flag = self._clock.stamp(now)
        for point in inputs:
            point.mark(_INVALID | time_flag, stamp_us)


class DeviceState:
    """The point that says whether a device answers: loss and return are one event each."""

    def __init__(self, database: Database, clock: Clock, point_id: int) -> None:
        """`point_id` 0: there is no such point, and nothing is stored."""
        self._database = database
        self._clock = clock
        self.point_id = point_id

    @property
    def answers(self) -> bool:
        """What is stored says that the device answers."""
        record = self._database.present[self.point_id]
        return bool(self.point_id and record[2] and not record[4] & _NEVER_READ)

    def put(self, answers: bool, now: int) -> bool:
        """Store the state unless it is stored already; True when it was a change."""
        if not self.point_id:
            return False
        old = self._database.present[self.point_id]
        never = old[4] & _NEVER_READ
        if not never and bool(old[2]) == answers:
            return False
        stamp_us, time_flag = self._clock.stamp(now)
        cause = Cause.INITIAL if never else Cause.COMMUNICATION
        self._database.update(self.point_id, float(answers), time_flag, stamp_us, int(cause))
        return True
