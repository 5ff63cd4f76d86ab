"""What each protocol's addresses of a device list can hold."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Protocol as Shape

from tandem.codec.iec60870 import address as iec
from tandem.codec.modbus import address as modbus
from tandem.config import schema_iec
from tandem.config.finding import Findings
from tandem.config.keys import shown
from tandem.config.lists import ListRow
from tandem.config.model import Place
from tandem.point import Kind

Faults = list[tuple[str, str]]

_PAIRS = frozenset({Kind.DOUBLE, Kind.DOUBLE_OUTPUT, Kind.STEP_OUTPUT})
_SINGLES = frozenset({Kind.BINARY, Kind.BINARY_OUTPUT})
_DNP3 = re.compile(r"(binary|double|analog|counter|crob|analog-output):([0-9]{1,5})", re.ASCII)
_DNP3_KINDS: dict[str, frozenset[Kind]] = {
    "binary": frozenset({Kind.BINARY}),
    "double": frozenset({Kind.DOUBLE}),
    "analog": frozenset({Kind.ANALOG, Kind.STEP}),
    "counter": frozenset({Kind.COUNTER}),
    "crob": frozenset({Kind.BINARY_OUTPUT, Kind.DOUBLE_OUTPUT, Kind.STEP_OUTPUT}),
    "analog-output": frozenset({Kind.ANALOG_OUTPUT}),
}


def registers(encoding: str) -> int:
    """How many registers an encoding takes."""
    return 4 if "64" in encoding else 2 if "32" in encoding else 1


class Addressed(Shape):
    """What the rule of overlapping outputs needs of a row."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> Kind: ...
    @property
    def arguments(self) -> dict[str, object]: ...
    @property
    def place(self) -> Place: ...


def verify_point(family: str, row: ListRow, kind: Kind) -> Faults:
    """What is wrong with a row's address for its kind, and what would be right."""
    text = row.text("address")
    try:
        if family == "modbus":
            if kind is Kind.STEP_OUTPUT and row.text("scan"):
                return [("a step-output cannot be read, and it has a scan", "empty the cell")]
            return _modbus(modbus.parse(text), row.text("encoding"), kind)
        if family == "iec60870":
            iec.parse(text, 1)
            return _iec(row.text("type"), row.text("select"), kind)
        return _dnp3(text, kind)
    except ValueError as error:
        wrong, _, right = str(error).partition("; ")
        return [(wrong, right or "write another")]


def _modbus(address: modbus.ModbusAddress, encoding: str, kind: Kind) -> Faults:
    table = address.table
    if kind.is_output and table in ("discrete", "input"):
        cure = f"coil:{address.numbers[0]}" if table == "discrete" else f"holding:{address.numbers[0]}"
        return [(f"{address} cannot be written", f"an output is a coil or a holding register, such as {cure}")]
    if kind in _PAIRS and len(address.numbers) != 2:
        pair = "coil:1+0 (off and on coil)" if kind.is_output else "discrete:0+1 (open and closed contact)"
        return [(f"a {kind.word} needs two numbers, {address} has one", f"write {pair}")]
    if kind not in _PAIRS and len(address.numbers) == 2:
        return [(f"a {kind.word} has one number, {address} has two", f"write {table}:{address.numbers[0]}")]
    if kind in _SINGLES and not address.is_bits and address.bit is None:
        return [(f"{address} is a whole register, a {kind.word} is one bit of it", f"write {address}.0 for the lowest")]
    if kind not in _SINGLES and address.bit is not None:
        return [(f"a bit cannot be a {kind.word}", f"write {table}:{address.numbers[0]}, or make it a binary")]
    if kind not in _SINGLES | _PAIRS and address.is_bits:
        return [(f"a {table} is one bit and cannot be a {kind.word}", "write an input or holding register")]
    if encoding and (address.is_bits or address.bit is not None):
        return [(f"encoding {encoding} is for registers, {address} is a bit", "empty the cell")]
    if kind is Kind.BITSTRING and encoding.startswith(("float", "int", "uint64", "int64")):
        return [(f"a bitstring of encoding {encoding}", "write uint16 or uint32 with a word order")]
    last = address.numbers[0] + registers(encoding) - 1
    if last > modbus.HIGHEST and not address.is_bits:
        return [(f"{encoding} at {address} ends at register {last}", f"the last register is {modbus.HIGHEST}")]
    return []


def _iec(type_name: str, select: str, kind: Kind) -> Faults:
    if not kind.is_output:
        given = "type" if type_name else "select" if select else ""
        return [(f"{given} is of outputs, a {kind.word} takes what comes", "empty the cell")] if given else []
    families = [family for family, kinds in schema_iec.FAMILIES.items() if family[0] == "C" and kind.word in kinds]
    names = [name for name in schema_iec.TYPES_101 if name[:4] in families]
    if type_name and type_name not in names:
        return [(f"type {shown(type_name)} is no command for kind {kind.word}", f"write one of {', '.join(names)}")]
    return []


def verify_objects(family: str, rows: Sequence[Addressed], findings: Findings) -> None:
    """No two inputs of a device are the same object, where a protocol knows objects."""
    if family != "iec60870":
        return
    owners: dict[tuple[int, int], str] = {}
    for row in rows:
        if not row.kind.is_output:
            address = iec.parse(str(row.arguments["address"]), 0)
            owner = owners.setdefault(address, row.name)
            if owner != row.name:
                wrong = f'"{row.name}" is object {row.arguments["address"]}, which feeds "{owner}" already'
                findings.add(row.place, wrong, "give each input an object of its own")


def _dnp3(text: str, kind: Kind) -> Faults:
    match = _DNP3.fullmatch(text)
    if match is None or int(match.group(2)) > 65535:
        return [(f'"{text[:60]}" is no DNP3 address', "write object:index, such as binary:3, analog:7 or crob:4")]
    if kind not in _DNP3_KINDS[match.group(1)]:
        objects = ", ".join(name for name, kinds in _DNP3_KINDS.items() if kind in kinds) or "none"
        return [(f"{match.group(1)} cannot be a {kind.word}", f"objects for this kind: {objects}")]
    return []


def verify_outputs(family: str, rows: Sequence[Addressed], findings: Findings) -> None:
    """No two outputs of a device write the same coil, bit or register."""
    owners: dict[tuple[str, int, int | None], str] = {}
    for row in rows:
        if not row.kind.is_output:
            continue
        for part in _written(family, str(row.arguments["address"]), str(row.arguments.get("encoding", ""))):
            table, number, bit = part
            others = [part, (table, number, None)] if bit is not None else [part]
            if bit is None and table == "holding":
                others += [(table, number, each) for each in range(16)]
            owner = next((owners[other] for other in others if other in owners), None)
            if owner is not None and owner != row.name:
                findings.add(
                    row.place,
                    f'"{row.name}" writes {table}:{number}, which "{owner}" writes too',
                    "give each output an address of its own",
                )
                break
            owners[part] = row.name


def verify_spans(family: str, rows: Sequence[Addressed], options: Mapping[str, object], findings: Findings) -> None:
    """Each point fits one request of its master."""
    for row in rows if family == "modbus" else ():
        address = modbus.parse(str(row.arguments["address"]))
        key = "max_bits" if address.is_bits else "max_registers"
        most = int(str(options[key]))
        wide = 1 if address.bit is not None else registers(str(row.arguments["encoding"]))
        span = max(address.numbers) - min(address.numbers) + 1 if address.is_bits else wide
        if span > most:
            wrong = f'"{row.name}": {address} spans {span} numbers, one request of its master reads {most} ({key})'
            findings.add(row.place, wrong, "bring them closer together, or raise the master's limit")


def _written(family: str, text: str, encoding: str) -> list[tuple[str, int, int | None]]:
    if family == "modbus":
        address = modbus.parse(text)
        if address.is_bits:
            return [(address.table, number, None) for number in address.numbers]
        first = address.numbers[0]
        return [(address.table, first + i, address.bit) for i in range(registers(encoding))]
    if family == "dnp3":
        name, _, index = text.partition(":")
        return [(name, int(index), None)]
    common, ioa = iec.parse(text, 0)
    return [(f"station {common}", ioa, None)]
