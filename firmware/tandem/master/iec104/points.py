"""A device's point list compiled: who takes an object's value, and what a control is on the wire."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tandem.codec.iec60870 import FrameError
from tandem.codec.iec60870.address import parse
from tandem.codec.iec60870.types import BY_NAME, COMMANDS, TYPES
from tandem.config.model import Device, Point
from tandem.master.inputs import Input, Inputs
from tandem.point import Command, Double, Kind
from tandem.registry import PointTable

_PLAIN = {Kind.BINARY_OUTPUT: 45, Kind.DOUBLE_OUTPUT: 46, Kind.STEP_OUTPUT: 47, Kind.ANALOG_OUTPUT: 50}
"""The command type of an output that names none: single, double, regulating step, short floating point."""
_TIMED = 13  # from a command type to the same with CP56Time2a
_SHORT, _LONG = 1, 2  # qualifiers of a command's pulse; 0 leaves it to the device


@dataclass(slots=True, frozen=True)
class Fed:
    """An input and the kind of its point."""

    input: Input
    kind: Kind
    measured: bool


@dataclass(slots=True, frozen=True)
class Output:
    """One output: its object, its command type without time, and whether the gateway itself selects first."""

    point: Point
    ca: int
    ioa: int
    type: int
    select: bool
    short_pulse_ms: int

    def values(self, command: Command) -> dict[str, Any]:
        """The command's elements, S/E left out. Raises FrameError or ValueError with a sentence."""
        pulse_ms = command.pulse_ms or self.point.pulse_ms
        qualifier = 0 if not pulse_ms else _SHORT if pulse_ms <= self.short_pulse_ms else _LONG
        value = command.value
        if self.type == 45:
            if self.point.kind is Kind.DOUBLE_OUTPUT:
                return {"value": int(value == Double.ON), "qualifier": qualifier}
            return {"value": int(bool(value)), "qualifier": qualifier}
        if self.type == 46:
            if self.point.kind is Kind.BINARY_OUTPUT:
                return {"value": int(Double.ON if value else Double.OFF), "qualifier": qualifier}
            return {"value": int(value), "qualifier": qualifier}
        if self.type == 47:
            return {"value": 1 if value < 0 else 2, "qualifier": qualifier}
        raw = (value - self.point.offset) / self.point.scale
        if not math.isfinite(raw):
            raise ValueError(f"{value} cannot be written")
        return {"value": raw if self.type in (48, 50) else round(raw), "qualifier": 0}

    def asdu_type(self, timed: bool) -> int:
        """The type on the wire."""
        return self.type + _TIMED if timed else self.type

    def check(self, command: Command) -> dict[str, Any]:
        """The elements, proven to fit their type. Raises ValueError with a sentence."""
        values = self.values(command)
        try:
            TYPES[self.type].pack({**values, "select": False})
        except FrameError as error:
            raise ValueError(str(error)) from error
        return values


def compile_inputs(device: Device, inputs: Inputs) -> dict[tuple[int, int], Fed]:
    """By (common address, object address)."""
    found: dict[tuple[int, int], Fed] = {}
    for point in device.points:
        if not point.kind.is_output:
            found[parse(point.address, device.address)] = Fed(inputs.add(point), point.kind, point.kind.is_measured)
    return found


def compile_outputs(device: Device, table: PointTable, options: Mapping[str, object]) -> dict[int, Output]:
    """By point id; `options` are the master's and the device's."""
    found: dict[int, Output] = {}
    short_ms = int(str(options.get("short_pulse_ms", 100)))
    for point in device.points:
        if point.kind.is_output:
            name = str(point.options.get("type", ""))
            number = COMMANDS[BY_NAME[name].number] if name else _PLAIN[point.kind]
            select = {"yes": True, "no": False}.get(str(point.options.get("select", "")), bool(options.get("select")))
            found[table.id(point.name)] = Output(point, *parse(point.address, device.address), number, select, short_ms)
    return found
