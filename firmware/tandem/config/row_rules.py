"""What a slave list's row can serve: types, addresses, and the columns that fit them."""

from __future__ import annotations

import re
from collections.abc import Callable

from tandem.codec.iec60870 import address as iec
from tandem.codec.modbus import address as modbus
from tandem.config import schema_dnp3, schema_iec
from tandem.config.address_rules import registers
from tandem.config.draft import Draft
from tandem.config.finding import nearest
from tandem.config.keys import shown
from tandem.config.model import Row, Slave
from tandem.config.protocols import Protocol
from tandem.point import Kind

_INVERTIBLE = frozenset({Kind.BINARY, Kind.DOUBLE, Kind.BINARY_OUTPUT, Kind.DOUBLE_OUTPUT})
_SCALED = frozenset({Kind.ANALOG, Kind.COUNTER, Kind.ANALOG_OUTPUT})
_VARIATION = re.compile(r"g([0-9]{1,3})v([0-9]{1,2})", re.ASCII)
_MOST_IOA = {1: 255, 2: 65535, 3: iec.HIGHEST_OBJECT}
Fault = tuple[str, str]


class Rules:
    """The rules of one slave's list, row after row."""

    def __init__(self, slave: Slave, protocol: Protocol, draft: Draft) -> None:
        self.slave = slave
        self.protocol = protocol
        self.draft = draft
        self._taken: dict[tuple[object, ...], Row] = {}
        self._family: Callable[[Row, Kind], Fault | None] = {
            "iec60870": self._iec,
            "dnp3": self._dnp3,
            "modbus": self._modbus,
        }[protocol.family]

    def verify(self, row: Row, given: frozenset[str]) -> None:
        """Note what is wrong with a row."""
        kind = self.draft.kinds[row.point]
        if kind is None:
            return
        fault = self._family(row, kind) or self._columns(row, kind, given)
        if fault is not None:
            code = "not-yet" if "not in this version yet" in fault[0] else "fault"
            self.draft.findings.add(row.place, f"{row.point}: {fault[0]}", fault[1], code=code)

    def _columns(self, row: Row, kind: Kind, given: frozenset[str]) -> Fault | None:
        if row.scale == 0:
            return "scale = 0 makes every value the same", "write the factor, or empty the cell for 1"
        if kind not in _SCALED:
            for column in ("scale", "offset", "deadband"):
                if column in given and getattr(row, column) != (1.0 if column == "scale" else 0.0):
                    return f"{column} means nothing for a {kind.word}", "empty the cell"
        if row.invert and kind not in _INVERTIBLE:
            return f"a {kind.word} cannot be inverted", "empty the cell; a scale of -1 turns a sign"
        return None

    def _control(self, row: Row, command: bool, kind: Kind) -> Fault | None:
        if not command:
            return ("control is for commands only", "empty the cell") if row.control else None
        if not kind.is_output:
            return f"a command needs an output, and this is a {kind.word}", "name an output, or serve it as M_... data"
        if self.slave.controls == "sbo" and row.control == "direct":
            cure = f'write sbo, or controls = "any" in slave "{self.slave.name}"'
            return 'control = "direct" where the slave accepts select first only', cure
        if self.slave.controls == "none":
            self.draft.findings.warn(
                row.place,
                f'{row.point}: slave "{self.slave.name}" refuses every control',
                'write controls = "any" there, or take the row out',
            )
        return None

    def _once(self, key: tuple[object, ...], row: Row, what: str) -> Fault | None:
        other = self._taken.setdefault(key, row)
        if other is row:
            return None
        return f"{what} is taken by {other.point} (line {other.place.line})", "give each row an address of its own"

    def _iec(self, row: Row, kind: Kind) -> Fault | None:
        types = schema_iec.TYPES_104 if self.protocol.name == "iec104" else schema_iec.TYPES_101
        if row.type not in types:
            if row.type in schema_iec.TYPES_101:
                return f"{row.type} has a three-octet time, which is not for iec104", "use the type with CP56Time2a"
            return f"type {shown(row.type)} is unknown", nearest(row.type.upper(), types, "the types are")
        family = row.type[:4]
        command = family.startswith("C_")
        if family in schema_iec.NOT_YET_FAMILIES:
            return f"{row.type}: not in this version yet", "take the row out"
        if fault := self._control(row, command, kind):
            return fault
        if kind.word not in schema_iec.FAMILIES[family]:
            fitting = [
                name
                for name, kinds in schema_iec.FAMILIES.items()
                if kind.word in kinds and name[0] == row.type[0] and name not in schema_iec.NOT_YET_FAMILIES
            ]
            return f"{row.type} cannot serve a {kind.word}", f"types for it begin with {' or '.join(fitting) or 'M_'}"
        if row.group and command:
            return f"a command is in no interrogation group, this row says {row.group}", "empty the cell"
        if row.group > 4 and family == "M_IT":
            return f"totals have groups 1 to 4, this row says {row.group}", "write one of them, or empty the cell"
        try:
            station, ioa = iec.parse(row.address, self.slave.common_address)
        except ValueError as error:
            return _halves(error)
        most = _MOST_IOA.get(int(str(self.slave.options.get("object_address_octets", 3))), 0)
        if ioa > most:
            return f"object address {ioa} does not fit", f"with this object_address_octets it goes to {most}"
        direction = "command" if command else "data"
        return self._once((direction, station, ioa), row, f"object address {row.address}")

    def _dnp3(self, row: Row, kind: Kind) -> Fault | None:
        if fault := self._control(row, row.type == "crob" or (row.type == "analog-output"), kind):
            return fault
        if kind.word not in schema_dnp3.TYPES[row.type]:
            fitting = [name for name, kinds in schema_dnp3.TYPES.items() if kind.word in kinds]
            return f"{row.type} cannot serve a {kind.word}", f"types for it: {', '.join(fitting) or 'none'}"
        if not (
            row.address.isascii() and row.address.isdigit() and len(row.address) <= 5 and int(row.address) <= 65535
        ):
            return f"{shown(row.address)} is no index", "write a number from 0 to 65535; the object stands in type"
        for column, groups in (("variation", schema_dnp3.STATIC_GROUPS), ("event_variation", schema_dnp3.EVENT_GROUPS)):
            text: str = getattr(row, column)
            match = _VARIATION.fullmatch(text)
            if text and (match is None or int(match[1]) != groups[row.type] or not 1 <= int(match[2]) <= 10):
                return f"{column} {shown(text)} is not one of a {row.type}", f"write g{groups[row.type]}v1 or another"
        return self._once((row.type, int(row.address)), row, f"{row.type} {row.address}")

    def _modbus(self, row: Row, kind: Kind) -> Fault | None:
        try:
            address = modbus.parse(row.address)
        except ValueError as error:
            return _halves(error)
        if kind.is_output != (address.table in ("coil", "holding")) and kind.is_output:
            return f"{address} cannot be written", "an output is served as a coil or a holding register"
        if fault := self._control(row, kind.is_output, kind):
            return fault
        if kind in _SCALED and address.is_bits:
            return f"a {address.table} is one bit and cannot serve a {kind.word}", "write an input or holding register"
        first = address.numbers[0]
        numbers = range(first, first + registers(row.encoding)) if not address.is_bits else address.numbers
        for number in numbers:
            if fault := self._once((address.table, number, address.bit), row, f"{address.table}:{number}"):
                return fault
        return None


def _halves(error: ValueError) -> Fault:
    wrong, _, right = str(error).partition("; ")
    return wrong, right or "write another"
