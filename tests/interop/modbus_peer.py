"""pymodbus's own server as a process: `modbus_peer.py tcp PORT` or `modbus_peer.py rtu PATH`; units 1 and 2.

Registers 0 to 63 are one memory that all four tables show; bit n of it is coil and discrete input n.
"""

from __future__ import annotations

import asyncio
import sys

from pymodbus import FramerType
from pymodbus.server import ModbusSerialServer, ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def memory() -> list[SimData]:
    """What the tests expect to read."""
    registers = [0] * 64
    registers[0:2] = [2301, 0xFFFF]
    registers[2:4] = [0x5678, 0x1234]  # 0x12345678 as cdab
    registers[4:6] = [0x0000, 0x2041]  # 10.0 as dcba
    registers[20] = 0b01  # bit 320 set, bit 321 clear
    return [SimData(0, values=registers, datatype=DataType.REGISTERS)]


def silent_for_strangers(sending: bool, octets: bytes) -> bytes:
    """A unit that is not there says nothing; pymodbus 3.16.1 answers for it whatever it is told."""
    return b"" if sending and octets[0] not in (1, 2) else octets


async def main(way: str, place: str) -> None:
    """Serve until killed; one line on stdout says that it listens."""
    units = [SimDevice(unit, memory(), use_bit_addressing=True) for unit in (1, 2)]
    server: ModbusTcpServer | ModbusSerialServer
    if way == "tcp":
        server = ModbusTcpServer(units, address=("127.0.0.1", int(place)), ignore_missing_devices=True)
    else:
        server = ModbusSerialServer(
            units,
            framer=FramerType.RTU,
            port=place,
            baudrate=19200,
            parity="N",
            trace_packet=silent_for_strangers,
        )
    await server.serve_forever(background=True)
    print("listening", flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
