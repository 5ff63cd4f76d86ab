"""One device as its registers and bits, with the points that lie in them."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from tandem.codec.modbus.address import ModbusAddress, parse
from tandem.codec.modbus.values import encoding
from tandem.config.model import Device, Point
from tandem.point import Double, Kind

TABLES = ("coil", "discrete", "input", "holding")
READS = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
WRITES = {5: "coil", 15: "coil", 6: "holding", 16: "holding", 22: "holding"}


@dataclass(slots=True)
class FieldPoint:
    """A point of a device; `given` is the last value that a reply carried, None before the first."""

    point: Point
    address: ModbusAddress
    value: float = 0.0
    given: float | None = None
    given_ns: int = 0
    spans: tuple[tuple[int, int], ...] = field(default=())  # address ranges, end excluded

    @property
    def name(self) -> str:
        """The full name."""
        return self.point.name


class DeviceImage:
    """The memory of one device. Numbers are engineering units in `put` and `take`, raw in `tables`."""

    def __init__(self, device: Device) -> None:
        self.name = device.name
        self.unit = device.address
        self.points = [FieldPoint(p, parse(p.address)) for p in device.points]
        size = dict.fromkeys(TABLES, 1)
        for p in self.points:
            wide = 1 if p.address.table in ("coil", "discrete") else encoding(p.point.encoding).registers
            p.spans = tuple((n, n + wide) for n in p.address.numbers)
            size[p.address.table] = max(size[p.address.table], *(end for _, end in p.spans))
        self.tables: dict[str, list[int]] = {t: [0] * size[t] for t in TABLES}
        for p in self.points:
            if p.point.kind is Kind.DOUBLE:
                self.put(p, Double.OFF)

    def put(self, p: FieldPoint, value: float) -> None:
        """The device's process has this value now. Raises ValueError where the encoding cannot hold it."""
        p.value = value
        table, numbers = self.tables[p.address.table], p.address.numbers
        if p.address.bit is not None:
            mask = 1 << p.address.bit
            table[numbers[0]] = table[numbers[0]] & ~mask | (mask if value else 0)
        elif len(numbers) == 2:
            for number, bit in zip(numbers, contacts(value), strict=True):
                table[number] = bit
        elif p.address.table in ("coil", "discrete"):
            table[numbers[0]] = int(bool(value))
        else:
            raw = (value - p.point.offset) / (p.point.scale or 1.0)
            octets = encoding(p.point.encoding).encode(raw)
            words = struct.unpack(f">{len(octets) // 2}H", octets)
            table[numbers[0] : numbers[0] + len(words)] = words

    def take(self, p: FieldPoint) -> float:
        """The value that the registers hold, after a control wrote them."""
        table, numbers = self.tables[p.address.table], p.address.numbers
        if p.address.bit is not None:
            return float(table[numbers[0]] >> p.address.bit & 1)
        if p.address.table in ("coil", "discrete"):
            return float(table[numbers[0]])
        code = encoding(p.point.encoding)
        octets = struct.pack(f">{code.registers}H", *table[numbers[0] : numbers[0] + code.registers])
        return code.decode(octets) * p.point.scale + p.point.offset

    def touched(self, table: str, start: int, count: int, whole: bool = True) -> list[FieldPoint]:
        """The points that lie in a range: wholly, or with `whole` False at least partly."""
        end = start + count
        if whole:
            return [p for p in self.points if p.address.table == table
                    and all(start <= low and high <= end for low, high in p.spans)]  # fmt: skip
        return [p for p in self.points if p.address.table == table
                and any(low < end and start < high for low, high in p.spans)]  # fmt: skip


def contacts(state: float) -> tuple[int, int]:
    """(open, closed) contact of a double point's state."""
    return (int(state in (Double.OFF, Double.INDETERMINATE)), int(state in (Double.ON, Double.INDETERMINATE)))
