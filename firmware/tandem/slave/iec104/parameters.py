"""Parameters of measured values that one center wrote (IEC 60870-5-101, 7.3.5), and what they make of a change.

    threshold   what a change must reach to be told; goes before the list's deadband
    limits      a value that passes one, out or back, is told however small its change; they keep nothing back

7.2.6.24: a limit, once exceeded, causes a transmission. Values are in engineering units.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from tandem.codec.iec60870 import asdu
from tandem.codec.iec60870.elements import FLOAT32_MAX
from tandem.slave.iec104.rows import Monitor

THRESHOLD, LOW_LIMIT, HIGH_LIMIT = 1, 3, 4
KINDS = (THRESHOLD, LOW_LIMIT, HIGH_LIMIT)
"""Of KPA: what may be written. A smoothing factor (2) would need values that nobody measured."""
TYPE_OF = {9: 110, 21: 110, 11: 111, 13: 112}
"""Of a row's type without time tag: the type that its parameters have."""
_RANGES = {110: (-1.0, 1.0 - 2**-15), 111: (-32768.0, 32767.0), 112: (-FLOAT32_MAX, FLOAT32_MAX)}
_EVERYWHERE = -math.inf, math.inf


class Parameter(NamedTuple):
    """One that was written; out of force it is kept, and the list's word counts."""

    value: float
    in_force: bool


class Parameters:
    """Of one center, by the slots of their rows."""

    def __init__(self) -> None:
        self.written: dict[int, dict[int, Parameter]] = {}
        """By slot and kind, in the order of KINDS."""
        self._deadbands: dict[int, float] = {}
        self._inside: dict[int, tuple[float, float]] = {}

    def deadband(self, row: Monitor) -> float:
        """What a change must reach to be told: the center's word goes before the list's."""
        return self._deadbands.get(row.slot, row.deadband)

    def too_small(self, row: Monitor, told: float, value: float) -> bool:
        """Whether a change since the value that was told last is not to be told."""
        if not abs(value - told) < self.deadband(row):  # so that what is no number is told
            return False
        inside = self._inside.get(row.slot, _EVERYWHERE)
        return _side(told, inside) == _side(value, inside)

    def put(self, row: Monitor, kind: int, parameter: Parameter) -> None:
        """A parameter is what it is from now on."""
        known = self.written.get(row.slot, {}) | {kind: parameter}
        self.written[row.slot] = {each: known[each] for each in KINDS if each in known}
        self._weigh(row)

    def use(self, row: Monitor, in_force: bool) -> None:
        """All that was written of a row is in force from now on, or nothing of it."""
        known = self.written[row.slot]
        self.written[row.slot] = {kind: Parameter(each.value, in_force) for kind, each in known.items()}
        self._weigh(row)

    def forget(self, slot: int) -> None:
        """As if nothing had been written."""
        self.written.pop(slot, None)
        self._deadbands.pop(slot, None)
        self._inside.pop(slot, None)

    def _weigh(self, row: Monitor) -> None:
        used = {kind: each.value for kind, each in self.written[row.slot].items() if each.in_force}
        low, high = used.get(LOW_LIMIT), used.get(HIGH_LIMIT)
        if row.scale < 0:  # what is low on the wire is high here
            low, high = high, low
        inside = -math.inf if low is None else low, math.inf if high is None else high
        self._deadbands.pop(row.slot, None)
        self._inside.pop(row.slot, None)
        if THRESHOLD in used:
            self._deadbands[row.slot] = used[THRESHOLD]
        if inside != _EVERYWHERE:
            self._inside[row.slot] = inside


def _side(value: float, inside: tuple[float, float]) -> int:
    return (value > inside[1]) - (value < inside[0])


def from_wire(row: Monitor, kind: int, value: float) -> float:
    """A parameter as it was written in engineering units: a threshold is a distance, a limit a value."""
    return abs(value / row.scale) if kind == THRESHOLD else (value - row.offset) / row.scale


def told(row: Monitor, written: dict[int, Parameter], cause: int, originator: int, test: bool) -> list[bytes]:
    """What was written of a row as ASDUs of one object each (7.3.5), clamped where a new list's scale demands it."""
    number = TYPE_OF[row.still]
    low, high = _RANGES[number]
    asdus = []
    for kind, each in written.items():
        wire = each.value * abs(row.scale) if kind == THRESHOLD else each.value * row.scale + row.offset
        value = min(max(wire, low), high)
        values = {
            "value": round(value) if number == 111 else value,
            "kind": kind,
            "parameters_changed": False,
            "out_of_operation": not each.in_force,
        }
        asdus.append(asdu.encode(number, cause, row.ca, [(row.ioa, values)], originator=originator, test=test))
    return asdus
