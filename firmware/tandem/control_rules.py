"""What stands between a command and its output: value, device, interlock; and the feedback that shows its effect."""

from __future__ import annotations

import math
from collections.abc import Mapping

from tandem import interlock
from tandem.config.model import Point
from tandem.database import Database
from tandem.point import UNUSABLE, Command, Double, Kind
from tandem.registry import PointInfo, PointTable

_SAME = 1e-9  # two engineering values that differ by less, relatively, differ by the rounding of scale and offset
_ON = {Kind.BINARY_OUTPUT: 1.0, Kind.DOUBLE_OUTPUT: float(Double.ON), Kind.STEP_OUTPUT: 1.0}
_OFF = {Kind.BINARY_OUTPUT: 0.0, Kind.DOUBLE_OUTPUT: float(Double.OFF), Kind.STEP_OUTPUT: -1.0}


class Interlock:
    """One output's interlock as its list writes it: `[on:|off:] expression` over full point names."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self.side, expression = interlock.split(text)
        self.expression = interlock.parse(expression)


class Rules:
    """The rules of every output of a configuration, judged against the database's present values."""

    def __init__(self, table: PointTable, database: Database, points: Mapping[int, Point]) -> None:
        self._table = table
        self._database = database
        self._points = points
        self._interlocks: dict[int, Interlock | str] = {}
        for point_id, point in points.items():
            if point.interlock:
                self._interlocks[point_id] = _interlock(point.interlock)
        self._polled = {i.device_ok for i in table.points if i.device_ok and self._is_polled(i)}

    def _is_polled(self, info: PointInfo) -> bool:
        return not info.kind.is_output or (info.id in self._points and self._points[info.id].scan != "")

    def name(self, point_id: int) -> str:
        """The point's full name, or how to speak of an id that has none."""
        info = self._table.by_id.get(point_id)
        return info.name if info else f"point {point_id}"

    def word(self, point_id: int, value: float) -> str:
        """The value as its list words it, else on and off, else the number with its unit."""
        info = self._table.by_id.get(point_id)
        kind = info.kind if info else None
        if info is None or kind not in _ON or value not in (_ON[kind], _OFF[kind]):
            return f"{value:g} {info.unit if info else ''}".rstrip()
        on = value == _ON[kind]
        if len(info.states) == 2:
            return info.states[on]
        if kind is Kind.STEP_OUTPUT:
            return "higher" if on else "lower"
        return "on" if on else "off"

    def refuse_value(self, command: Command) -> str:
        """Why no such point or value can be commanded; empty when it can."""
        info = self._table.by_id.get(command.point_id)
        if info is None or not info.kind.is_output:
            return "it is no output of this configuration; see the point list of its device"
        if info.kind in _ON:
            if command.value not in (_ON[info.kind], _OFF[info.kind]):
                return f"{command.value:g} is no {info.kind.word} state; it knows two"
        elif not math.isfinite(command.value):
            return "the value is not a finite number"
        return ""

    def refuse_now(self, command: Command) -> str:
        """Why the present state forbids the command (its device, its interlock); empty when it does not."""
        info = self._table.by_id[command.point_id]
        if info.device_ok in self._polled:
            ok = self._database.present[info.device_ok]
            if ok[4] & UNUSABLE or not ok[2]:
                return "its device does not answer; look at the device and its line"
        guard = self._interlocks.get(command.point_id)
        if guard is None:
            return ""
        if isinstance(guard, str):
            return guard
        kind = info.kind
        if guard.side and kind in _ON and command.value != (_ON if guard.side == "on" else _OFF)[kind]:
            return ""
        verdict = guard.expression.evaluate(self._operand)
        if verdict is None:
            bad = [name for name in guard.expression.names if self._operand(name) is None]
            return f'its interlock "{guard.text}" cannot be judged: {", ".join(bad)} is not good'
        return "" if verdict else f'its interlock "{guard.text}" is not fulfilled'

    def _operand(self, name: str) -> bool | None:
        return operand(self._table, self._database, name)

    def pulse_ms(self, command: Command) -> int:
        """How long the command's pulse lasts: what it asks for, else what its point says, else 0."""
        point = self._points.get(command.point_id)
        return command.pulse_ms or (point.pulse_ms if point else 0)

    def within_ms(self, command: Command) -> int | None:
        """How long the feedback may take; None where the output has none."""
        point = self._points.get(command.point_id)
        return point.feedback.within_ms if point and point.feedback else None

    def feedback_name(self, command: Command) -> str:
        """The point that shows whether the command took effect; empty where there is none."""
        point = self._points.get(command.point_id)
        return point.feedback.point if point and point.feedback else ""

    def feedback_value(self, command: Command) -> float:
        """What the feedback point reads now; nan while it is not good."""
        info = self._table.by_name.get(self.feedback_name(command))
        if info is None or self._database.served_quality(info.id) & UNUSABLE:
            return math.nan
        return self._database.present[info.id][2]

    def reached(self, command: Command, before: float) -> bool:
        """True when the feedback shows the commanded state; a step must have moved its way from `before`."""
        value = self.feedback_value(command)
        info = self._table.by_name.get(self.feedback_name(command))
        if math.isnan(value) or info is None:
            return False
        kind = self._table.by_id[command.point_id].kind
        if kind is Kind.STEP_OUTPUT:
            return (value - before) * command.value > 0
        if kind is Kind.ANALOG_OUTPUT:
            point = self._points.get(info.id)
            slack = max(point.deadband if point else 0.0, _SAME * max(abs(value), abs(command.value)))
            return abs(value - command.value) <= slack
        on = command.value == _ON[kind]
        if info.kind in (Kind.DOUBLE, Kind.DOUBLE_OUTPUT):
            return value == (Double.ON if on else Double.OFF)
        return (value != 0) == on


def operand(table: PointTable, database: Database, name: str) -> bool | None:
    """A point as an operand of an expression; None while it is not good."""
    info = table.by_name.get(name)
    if info is None or database.served_quality(info.id) & UNUSABLE:
        return None
    value = database.present[info.id][2]
    if info.kind in (Kind.DOUBLE, Kind.DOUBLE_OUTPUT):
        return {float(Double.OFF): False, float(Double.ON): True}.get(value)
    return value != 0


def _interlock(text: str) -> Interlock | str:
    try:
        return Interlock(text)
    except ValueError as error:
        return f"its interlock cannot be read: {error}"
