"""pymodbus 3.16's own servers around the images: one a serial line, one a TCP address."""

from __future__ import annotations

from typing import Any

from pymodbus import FramerType
from pymodbus.constants import ExcCodes
from pymodbus.pdu import ModbusPDU
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from tools.bench.field.image import READS, TABLES, WRITES, DeviceImage
from tools.bench.field.play import Play


class Station:
    """The devices behind one port. `silent` names those that answer nothing, `garbled` those that answer nonsense."""

    def __init__(self, images: list[DeviceImage], play: Play, serial: bool) -> None:
        self.images = {image.unit: image for image in images}
        self.play = play
        self.serial = serial
        self.silent: set[str] = set()
        self.garbled: set[str] = set()
        self.requests = 0
        self._asked: dict[tuple[int, int], tuple[int, int, int]] = {}

    def devices(self) -> list[SimDevice]:
        """What pymodbus needs to know of the devices: four blocks each, and a hook for every access."""
        return [SimDevice(unit, self._blocks(image), action=self._hook(image)) for unit, image in self.images.items()]

    def _blocks(self, image: DeviceImage) -> tuple[list[SimData], list[SimData], list[SimData], list[SimData]]:
        def bits(table: str) -> list[SimData]:
            return [SimData(0, values=[False] * len(image.tables[table]), datatype=DataType.BITS)]

        def words(table: str) -> list[SimData]:
            return [SimData(0, values=[0] * len(image.tables[table]), datatype=DataType.REGISTERS)]

        coil, discrete, inputs, holding = TABLES
        return bits(coil), bits(discrete), words(holding), words(inputs)

    def _hook(self, image: DeviceImage) -> Any:
        async def accessed(
            code: int, start: int, address: int, count: int, registers: list[int], values: list[Any] | None
        ) -> ExcCodes | None:
            if values is not None:
                table = WRITES.get(code, "holding")
                if address + len(values) > len(image.tables[table]):
                    return ExcCodes.ILLEGAL_ADDRESS
                self.play.written(image, table, address, [int(v) for v in values])
                return None
            table = READS.get(code) or WRITES.get(code, "holding")  # pymodbus reads back what it wrote
            memory = image.tables[table]
            if table in ("coil", "discrete"):
                for word in range(len(registers)):
                    bits = memory[16 * word : 16 * word + 16]
                    registers[word] = sum(bit << n for n, bit in enumerate(bits))
            else:
                registers[: len(memory)] = memory
            return None

        return accessed

    def trace_pdu(self, sending: bool, pdu: ModbusPDU) -> ModbusPDU:
        """pymodbus shows every request and reply: a reply that goes out is when a value was sent."""
        key = (pdu.dev_id, pdu.transaction_id)
        if not sending:
            self.requests += 1
            if pdu.function_code in READS:
                self._asked[key] = (pdu.function_code, pdu.address, pdu.count)
            return pdu
        asked = self._asked.pop(key, None)
        image = self.images.get(pdu.dev_id)
        if asked is not None and image is not None and not pdu.isError() and image.name not in self.silent:
            self.play.replied(image, READS[asked[0]], asked[1], asked[2])
        return pdu

    def trace_packet(self, sending: bool, octets: bytes) -> bytes:
        """On a line only a device that is there answers; one that is told to be silent or garbled does as told."""
        if not sending or not octets:
            return octets
        image = self.images.get(octets[0] if self.serial else octets[6])
        if image is None or image.name in self.silent:
            return b""
        return bytes(octet ^ 0x5A for octet in octets) if image.name in self.garbled else octets


def serial_server(station: Station, port: str, baud: int) -> ModbusSerialServer:
    """A server of a line's devices on the field's pty; octets are 8N1 there, the bench times the line's own."""
    return ModbusSerialServer(
        station.devices(),
        framer=FramerType.RTU,
        port=port,
        baudrate=baud,
        trace_packet=station.trace_packet,
        trace_pdu=station.trace_pdu,
    )


def tcp_server(station: Station, host: str, port: int) -> ModbusTcpServer:
    """A server of the devices behind one TCP address."""
    return ModbusTcpServer(
        station.devices(), address=(host, port), trace_packet=station.trace_packet, trace_pdu=station.trace_pdu
    )
