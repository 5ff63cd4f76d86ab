"""Addresses as lists write them."""

from __future__ import annotations

import pytest

from tandem.codec.iec60870 import address as iec
from tandem.codec.modbus import address as modbus
from tandem.codec.modbus.address import ModbusAddress


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("holding:4", ModbusAddress("holding", (4,))),
        ("holding:4.3", ModbusAddress("holding", (4,), 3)),
        ("input:65535.15", ModbusAddress("input", (65535,), 15)),
        ("discrete:0+1", ModbusAddress("discrete", (0, 1))),
        ("coil:1+0", ModbusAddress("coil", (1, 0))),
    ],
)
def test_modbus(text: str, address: ModbusAddress) -> None:
    assert modbus.parse(text) == address
    assert str(address) == text
    assert address.is_bits is (address.table in ("coil", "discrete"))


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("4", "write table:number"),
        ("holding: 4", "write table:number"),
        ("Holding:4", "write table:number"),
        ("register:4", "the tables are coil, discrete, holding, input"),
        ("holding:65536", "from 0 to 65535"),
        ("holding:4.16", "bits 0 (lowest) to 15"),
        ("coil:4.1", "write coil:4"),
        ("coil:4+4", "two different numbers"),
        ("holding:4+5", "only contacts (discrete:0+1) and coils (coil:1+0) make a pair"),
        ("discrete:0+1.2", "write table:number"),
        ("holding:٤", "write table:number"),
        ("holding:-1", "write table:number"),
    ],
)
def test_modbus_refuses_with_the_cure(text: str, cure: str) -> None:
    with pytest.raises(ValueError) as caught:
        modbus.parse(text)
    assert cure in str(caught.value)


def test_iec60870() -> None:
    assert iec.parse("1001", 47) == (47, 1001)
    assert iec.parse("48:16777215", 47) == (48, 16777215)


@pytest.mark.parametrize("text", ["", "x", "0", "16777216", "0:1", "65535:1", "1:2:3", "-1", "1.5", "9" * 12])
def test_iec60870_refuses(text: str) -> None:
    with pytest.raises(ValueError, match=r"write a number|goes from 1 to"):
        iec.parse(text, 47)
