"""Values of one, two and four registers in every order."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec.modbus.values import ORDERS, encoding

WORDS = ("uint16", "int16", "uint32", "int32", "float32", "uint64", "int64", "float64")

GOLDEN = [
    ("", "12 34", 0x1234),
    ("uint16", "ff ff", 65535),
    ("int16", "ff ff", -1),
    ("int16-badc", "fe ff", -2),
    ("uint32", "12 34 56 78", 0x12345678),
    ("uint32-abcd", "12 34 56 78", 0x12345678),
    ("uint32-cdab", "56 78 12 34", 0x12345678),
    ("uint32-badc", "34 12 78 56", 0x12345678),
    ("uint32-dcba", "78 56 34 12", 0x12345678),
    ("int32-cdab", "ff fe ff ff", -2),
    ("float32-abcd", "41 20 00 00", 10.0),
    ("float32-cdab", "00 00 41 20", 10.0),
    ("float32-badc", "20 41 00 00", 10.0),
    ("float32-dcba", "00 00 20 41", 10.0),
    ("uint64-abcd", "01 02 03 04 05 06 07 08", 0x0102030405060708),
    ("uint64-cdab", "07 08 05 06 03 04 01 02", 0x0102030405060708),
    ("uint64-badc", "02 01 04 03 06 05 08 07", 0x0102030405060708),
    ("uint64-dcba", "08 07 06 05 04 03 02 01", 0x0102030405060708),
    ("float64-abcd", "40 24 00 00 00 00 00 00", 10.0),
    ("int64-dcba", "fe ff ff ff ff ff ff ff", -2),
]


@pytest.mark.parametrize(("text", "octets", "value"), GOLDEN)
def test_golden(text: str, octets: str, value: float) -> None:
    code = encoding(text)
    assert code.encode(value) == bytes.fromhex(octets)
    assert code.decode(bytes.fromhex(octets)) == value
    assert code.decode(b"\xaa\xbb" + bytes.fromhex(octets) + b"\xcc", 2) == value


@given(word=st.sampled_from(WORDS), order=st.sampled_from(ORDERS), data=st.data())
def test_every_value_comes_back(word: str, order: str, data: st.DataObject) -> None:
    code = encoding(f"{word}-{order}")
    if code.is_float:
        value = data.draw(st.floats(allow_nan=False, allow_infinity=False, width=32 if code.registers == 2 else 64))
    else:
        value = data.draw(st.integers(int(code.low), int(code.high)))
    octets = code.encode(value)
    assert len(octets) == 2 * code.registers
    assert code.decode(octets) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("int16", 32768), ("uint16", -1), ("uint32", 2**32), ("int64", 2**63), ("float32", 1e39), ("float32", math.nan)],
)
def test_what_does_not_fit_is_refused(text: str, value: float) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encoding(text).encode(value)


def test_fractions_are_rounded() -> None:
    assert encoding("int16").encode(-1.6) == struct.pack(">h", -2)


@pytest.mark.parametrize("text", ["float16", "uint32-acbd", "int-abcd", "UINT16"])
def test_no_encoding(text: str) -> None:
    with pytest.raises(ValueError, match="write one of"):
        encoding(text)
