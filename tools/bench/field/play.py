"""What the field's process does: values that step through known sequences, counters that count, breakers that follow.

An event is a new value of a point. The process replaces a value only after a reply carried it and `hold_ms` more:
a value that died with the member that read it is still there for its successor to read.
"""

from __future__ import annotations

import heapq
import itertools
import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from tandem.codec.modbus.values import encoding
from tandem.config.model import Config, Row
from tandem.point import MS, SECOND, Double, Kind
from tools.bench.field.image import DeviceImage, FieldPoint
from tools.bench.field.ledger import Ledger

TRAVEL_NS = 50 * MS
"""From an output's coil to the contacts that follow it."""
_STEPS_MOST = 200
_ROW_LIMITS = (
    (("M_ME_NA_1", "M_ME_TA_1", "M_ME_ND_1", "M_ME_TD_1"), 1.0),
    (("M_ME_NB_1", "M_ME_TB_1", "M_ME_TE_1"), 32767.0),
)
"""What a normalised and a scaled measured value can carry."""
_WORD = re.compile(r"[A-Za-z_][\w.-]*")


@dataclass(slots=True)
class Sequence:
    """The values of one point, in order, over and over."""

    image: DeviceImage
    point: FieldPoint
    values: list[float]
    at: int = 0

    def next(self) -> float:
        """The next value."""
        self.at = (self.at + 1) % len(self.values)
        return self.values[self.at]


class Play:
    """The process behind all devices. `replied` and `written` come from the servers, `tick` from a timer."""

    def __init__(self, config: Config, images: list[DeviceImage], ledger: Ledger, rate: float, hold_ms: int) -> None:
        self.images = images
        self.ledger = ledger
        self.set_rate(rate)
        self.hold_ns = hold_ms * MS
        self._next_event = self._next_count = 0
        self._later: list[tuple[int, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._by_name = {p.name: (image, p) for image in images for p in image.points}
        rows: dict[str, list[Row]] = {}
        for slave in config.slaves:
            for row in slave.rows:
                rows.setdefault(row.point, []).append(row)
        followers = {p.point.feedback.point for p in self._points() if p.point.feedback}
        words = {word for p in self._points() for word in _WORD.findall(p.point.interlock)}
        self._sequences = [
            Sequence(image, p, sequence_of(p, rows.get(p.name, [])))
            for image in images
            for p in image.points
            if not p.point.kind.is_output and p.point.kind is not Kind.COUNTER and p.name not in followers | words
        ]
        self._counters = [(i, p) for i in images for p in i.points if p.point.kind is Kind.COUNTER]
        for sequence in self._sequences:
            sequence.image.put(sequence.point, sequence.values[0])

    def set_rate(self, rate: float) -> None:
        """Events a second over all points, at most; 0 for none."""
        self.period_ns = int(SECOND / rate) if rate > 0 else 0

    def stir(self) -> None:
        """Every point that may takes its next value now, whatever the rate."""
        now = time.monotonic_ns()
        for _ in self._sequences:
            self._step(now)

    def _points(self) -> list[FieldPoint]:
        return [p for image in self.images for p in image.points]

    def tick(self, now: int) -> None:
        """Do what is due: followers first, then at most the events that the rate allows."""
        while self._later and self._later[0][0] <= now:
            heapq.heappop(self._later)[2]()
        if self._next_count <= now:
            self._next_count = now + SECOND
            for image, p in self._counters:
                image.put(p, (p.value + 1) % 1_000_000)
        if self.period_ns:
            if self._next_event < now - SECOND:
                self._next_event = now
            while self._next_event <= now:
                self._next_event += self.period_ns
                self._step(now)

    def due(self) -> int:
        """When `tick` is due next."""
        times = [self._next_count] + ([self._next_event] if self.period_ns else [])
        return min(times + ([self._later[0][0]] if self._later else []))

    def _step(self, now: int) -> None:
        """The point that has waited longest gets its next value, if one may."""
        for index, sequence in enumerate(self._sequences):
            p = sequence.point
            if p.given == p.value and now - p.given_ns >= self.hold_ns:
                self._sequences.append(self._sequences.pop(index))
                self.set(sequence.image, p, sequence.next())
                return

    def set(self, image: DeviceImage, p: FieldPoint, value: float) -> None:
        """The process has a new value."""
        image.put(p, value)
        self.ledger.write("generated", point=p.name, value=value)

    # --- what the servers tell --------------------------------------------------------------------------------

    def replied(self, image: DeviceImage, table: str, start: int, count: int) -> None:
        """A reply with this range goes out: what it carries for the first time is sent."""
        for p in image.touched(table, start, count):
            if p.given != p.value:
                first, p.given = p.given is None, p.value
                what = "counter" if p.point.kind is Kind.COUNTER else "first" if first else "sent"
                p.given_ns = self.ledger.write(what, point=p.name, value=p.value)

    def written(self, image: DeviceImage, table: str, start: int, values: list[int]) -> None:
        """A write request reached the device: it is executed, noted, and what follows it moves."""
        image.tables[table][start : start + len(values)] = values
        hit = [p for p in image.touched(table, start, len(values), whole=False) if p.point.kind.is_output]
        where = {"device": image.name, "table": table, "address": start, "raw": values}
        if not hit:
            self.ledger.write("control", point="", value=None, **where)
        for p in hit:
            value = _commanded(image, p, start, values)
            self.ledger.write("control", point=p.name, value=value, **where)
            if value is not None and p.point.feedback is not None:
                self._follow(p.point.feedback.point, value)

    def _follow(self, name: str, value: float) -> None:
        """A breaker: its contacts leave, and arrive a little later."""
        image, p = self._by_name.get(name, (None, None))
        if image is None or p is None or p.value == value:
            return
        if p.point.kind is Kind.DOUBLE:
            image.put(p, Double.INTERMEDIATE)

        def arrive() -> None:
            self.set(image, p, value)

        heapq.heappush(self._later, (time.monotonic_ns() + TRAVEL_NS, next(self._order), arrive))


def _commanded(image: DeviceImage, p: FieldPoint, start: int, values: list[int]) -> float | None:
    """The value that a write asks of an output; None for the end of a pulse."""
    if len(p.address.numbers) == 2:
        on = [n for n in p.address.numbers if start <= n < start + len(values) and values[n - start]]
        if not on:
            return None
        return float(Double.OFF if on[0] == p.address.numbers[0] else Double.ON)
    value = image.take(p)
    return None if p.point.pulse_ms and not value else value


def sequence_of(p: FieldPoint, rows: list[Row]) -> list[float]:
    """The values that a point steps through: each an event for the master and for every slave row."""
    if p.point.kind is Kind.BINARY:
        return [0.0, 1.0]
    if p.point.kind is Kind.DOUBLE:
        return [float(Double.OFF), float(Double.ON)]
    if p.point.kind is Kind.STEP:
        return [float(n) for n in range(10)]
    code, scale = encoding(p.point.encoding), abs(p.point.scale) or 1.0
    highest = min(code.high * scale, 1000.0)
    for row in rows:
        limit = next((most for types, most in _ROW_LIMITS if row.type in types), highest)
        highest = min(highest, limit / (abs(row.scale) or 1.0))
    finest = 0.0 if code.is_float else 4 * scale
    step = max([4 * p.point.deadband, finest, highest / 2000, *(4 * row.deadband for row in rows)])
    base, count = highest * 0.2, max(2, min(_STEPS_MOST, int(highest * 0.7 / step)))
    grid = 1.0 if code.is_float else scale
    return [round(round((base + n * step) / grid) * grid, 6) for n in range(count)]
