"""Points of a Modbus device as the polls that read them and the outputs that write them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tandem.codec.modbus import pdu as modbus
from tandem.codec.modbus.address import ModbusAddress, parse
from tandem.codec.modbus.values import Encoding, encoding
from tandem.config.model import Point
from tandem.master.inputs import Input, Inputs
from tandem.master.packing import Block, Span, pack, split
from tandem.point import Double, Kind

_STATES = (Double.INTERMEDIATE, Double.OFF, Double.ON, Double.INDETERMINATE)
"""By open contact + 2 x closed contact."""


@dataclass(slots=True, frozen=True)
class Limits:
    """What one request may read (`max_*`), and over how many unwanted numbers it may go (`gap_*`)."""

    max_registers: int = modbus.MOST_REGISTERS
    max_bits: int = modbus.MOST_BITS
    gap_registers: int = 16
    gap_bits: int = 256

    def of(self, function: int) -> tuple[int, int]:
        """(most numbers, longest gap) of a read function."""
        if function in (modbus.READ_COILS, modbus.READ_DISCRETE):
            return self.max_bits, self.gap_bits
        return self.max_registers, self.gap_registers


@dataclass(slots=True, frozen=True)
class Wanted:
    """One input and where it stands in its table."""

    input: Input
    point: Point
    address: ModbusAddress
    span: Span


Reader = Callable[[bytes], float]
Field = tuple[Reader, Input]


class Poll:
    """One read request and the inputs that its reply feeds. `last` is the newest reply's data, b"" for none."""

    __slots__ = ("data", "decode", "fields", "function", "known", "last", "pdu", "refused", "wanted")

    def __init__(self, function: int, block: Block, wanted: Sequence[Wanted]) -> None:
        self.function = function
        self.pdu = modbus.read(function, block.first, block.size)
        self.wanted = tuple(wanted)
        bits = function in (modbus.READ_COILS, modbus.READ_DISCRETE)
        self.fields: list[Field] = []
        self.data: list[tuple[int, ...]] = [() for _ in range((block.size + 7) // 8 if bits else block.size)]
        """By octet (bits) or register of the reply: indexes of the fields that use it."""
        for index, want in enumerate(self.wanted):
            reader, cells = _reader(want, block.first, bits)
            self.fields.append((reader, want.input))
            for cell in cells:
                self.data[cell] += (index,)
        self.known = b""
        """The newest reply's frame as the channel compares it: equal octets need no decoding."""
        self.last = b""
        self.refused = False

    @property
    def title(self) -> str:
        """What it reads, in a sentence."""
        first, size = int.from_bytes(self.pdu[1:3], "big"), int.from_bytes(self.pdu[3:5], "big")
        return f"{modbus.FUNCTIONS[self.function]} {first} to {first + size - 1}"

    @property
    def inputs(self) -> list[Input]:
        """The inputs that the reply feeds."""
        return [field[1] for field in self.fields]

    def forget(self) -> None:
        """The next reply is decoded whole, whatever came before."""
        self.known = self.last = b""

    def changed(self, octets: bytes) -> Iterable[Field]:
        """The fields that a reply's data touches; it becomes the newest."""
        last, self.last = self.last, octets
        if len(last) != len(octets):
            return self.fields
        if last == octets:
            return ()
        new: list[int] | bytes = octets
        old: list[int] | bytes = last
        if len(self.data) != len(octets):
            new, old = memoryview(octets).cast("H").tolist(), memoryview(last).cast("H").tolist()
        cells = [cell for cell, n, o in zip(self.data, new, old, strict=True) if n != o]
        fields = self.fields
        return [fields[index] for index in dict.fromkeys([index for cell in cells for index in cell])]

    def split(self, limits: Limits) -> list[Poll]:
        """Smaller polls for the same inputs, or just this one where it cannot be split."""
        blocks = split([want.span for want in self.wanted], limits.of(self.function)[0])
        if len(blocks) == 1 and blocks[0].size == int.from_bytes(self.pdu[3:5], "big"):
            return [self]
        return [Poll(self.function, block, [self.wanted[i] for i in block.members]) for block in blocks]


def polls(points: Iterable[Point], inputs: Inputs, limits: Limits) -> list[Poll]:
    """The fewest requests that read these points. Raises ValueError, naming the point, for one that cannot be."""
    tables: dict[int, list[Wanted]] = {}
    for point in points:
        try:
            want = _wanted(point, inputs)
        except ValueError as error:
            raise ValueError(f"{point.name}: {error}") from error
        tables.setdefault(modbus.READ_FUNCTION[want.address.table], []).append(want)
    found = []
    for function in sorted(tables):
        wanted = tables[function]
        limit, gap = limits.of(function)
        for want in wanted:
            if want.span[1] > limit:
                raise ValueError(
                    f"{want.point.name}: {want.address} spans {want.span[1]} numbers, and one request reads {limit}; "
                    f"bring its contacts closer together or make them two points"
                )
        blocks = pack([want.span for want in wanted], limit, gap)
        found += [Poll(function, block, [wanted[i] for i in block.members]) for block in blocks]
    return found


def _wanted(point: Point, inputs: Inputs) -> Wanted:
    address = parse(point.address)
    first, last = min(address.numbers), max(address.numbers)
    if len(address.numbers) == 2 and point.kind not in (Kind.DOUBLE, Kind.DOUBLE_OUTPUT):
        raise ValueError(f"two numbers in {address} make a double, and this is a {point.kind.word}")
    if not address.is_bits and address.bit is None and len(address.numbers) == 1:
        last = first + encoding(point.encoding).registers - 1
    if last > 65535:
        raise ValueError(f"{address} with {point.encoding} goes beyond 65535, the last register")
    return Wanted(inputs.add(point), point, address, (first, last - first + 1))


def _reader(want: Wanted, first: int, bits: bool) -> tuple[Reader, tuple[int, ...]]:
    """How the input is read out of a reply's data, and the octets (bits) or registers that it uses."""
    address, kind = want.address, want.point.kind
    offsets = [number - first for number in address.numbers]
    double = kind in (Kind.DOUBLE, Kind.DOUBLE_OUTPUT)
    if bits:
        contacts = [(offset >> 3, offset & 7) for offset in offsets]
        cells = tuple(dict.fromkeys(octet for octet, _ in contacts))
        return _bits_reader(contacts, double), cells
    if address.bit is not None:
        octet = 2 * offsets[0] + (1 if address.bit < 8 else 0)
        return _bits_reader([(octet, address.bit & 7)], double), (offsets[0],)
    code = encoding(want.point.encoding)
    decode, octet = code.decoder(), 2 * offsets[0]
    return (lambda octets: decode(octets, octet)), tuple(range(offsets[0], offsets[0] + code.registers))


def _bits_reader(contacts: list[tuple[int, int]], double: bool) -> Reader:
    octet, shift = contacts[0]
    if len(contacts) == 1:
        if double:
            return lambda octets: Double.ON if octets[octet] >> shift & 1 else Double.OFF
        return lambda octets: octets[octet] >> shift & 1
    closed_octet, closed_shift = contacts[1]
    return lambda octets: _STATES[(octets[octet] >> shift & 1) | (octets[closed_octet] >> closed_shift & 1) << 1]


@dataclass(slots=True, frozen=True)
class Output:
    """One point that controls write: its address and, for numbers, its encoding."""

    point: Point
    point_id: int
    address: ModbusAddress
    code: Encoding
    multiple: bool = False
    """Write with functions 15 and 16 even where 5 and 6 do."""


def output(point: Point, point_id: int, multiple: bool) -> Output:
    """The output of a configured point. Raises ValueError, naming it, where its address cannot be written."""
    try:
        address, code = parse(point.address), encoding(point.encoding)
    except ValueError as error:
        raise ValueError(f"{point.name}: {error}") from error
    if address.table in ("discrete", "input"):
        raise ValueError(f"{point.name}: {address} can only be read; an output needs coil: or holding:")
    if len(address.numbers) == 2 and point.kind not in (Kind.DOUBLE_OUTPUT, Kind.STEP_OUTPUT):
        raise ValueError(f"{point.name}: two numbers in {address} make a double-output or a step-output")
    if point.kind == Kind.ANALOG_OUTPUT and (address.is_bits or address.bit is not None):
        raise ValueError(f"{point.name}: {address} is one bit, and an analog-output needs registers")
    return Output(point, point_id, address, code, multiple)
