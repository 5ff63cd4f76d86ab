"""Values of one, two or four registers: signs, floats and the four orders in which devices send octets.

A is the most significant octet: `abcd` is the order of the specification, `cdab` swaps the words, `badc` the
octets of each word, `dcba` both. Of four registers, `cdab` reverses all the words.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass

ORDERS = ("abcd", "cdab", "badc", "dcba")
_CODES = {
    "uint16": "H",
    "int16": "h",
    "uint32": "I",
    "int32": "i",
    "float32": "f",
    "uint64": "Q",
    "int64": "q",
    "float64": "d",
}
_HIGHEST_FLOAT32 = 3.4028234663852886e38

Decoder = Callable[[bytes, int], float]
"""(octets of the reply's data, offset) -> raw value; IndexError and struct.error are the caller's bug."""


@dataclass(slots=True, frozen=True)
class Encoding:
    """How registers make a value. `registers` is 1, 2 or 4; `low`..`high` is the range of raw values."""

    word: str
    order: str
    registers: int
    is_float: bool
    low: float
    high: float

    def __str__(self) -> str:
        return self.word if self.registers == 1 and self.order == "abcd" else f"{self.word}-{self.order}"

    def decoder(self) -> Decoder:
        """The function that reads such a value out of a reply."""
        code, size, order = _CODES[self.word], 2 * self.registers, self.order
        unpack = struct.Struct((">" if order in ("abcd", "cdab") else "<") + code).unpack_from
        if order in ("abcd", "dcba") or size == 2:
            return lambda octets, offset: unpack(octets, offset)[0]
        if size == 4:
            return lambda octets, offset: unpack(octets[offset + 2 : offset + 4] + octets[offset : offset + 2])[0]
        return lambda octets, offset: unpack(_words_reversed(octets[offset : offset + size]))[0]

    def decode(self, octets: bytes, offset: int = 0) -> float:
        """The raw value at `offset`."""
        return self.decoder()(octets, offset)

    def encode(self, value: float) -> bytes:
        """The registers of `value`, rounded where the encoding has no fractions.

        Raises ValueError with a sentence when it does not fit.
        """
        raw = value if self.is_float or not math.isfinite(value) else round(value)
        if not self.low <= raw <= self.high:  # also refuses NaN
            raise ValueError(f"{value:g} does not fit {self}, which goes from {self.low:.10g} to {self.high:.10g}")
        order = ">" if self.order in ("abcd", "cdab") else "<"
        octets = struct.pack(order + _CODES[self.word], raw)
        return octets if self.order in ("abcd", "dcba") else _words_reversed(octets)


def encoding(text: str) -> Encoding:
    """The encoding that a list names ("" is uint16, "uint32" is uint32-abcd). Raises ValueError with the cure."""
    word, _, order = (text or "uint16").partition("-")
    order = order or "abcd"
    code = _CODES.get(word)
    if code is None or order not in ORDERS:
        raise ValueError(
            f'"{text}" is no encoding; write one of {", ".join(_CODES)}, those of 32 and 64 bits followed by '
            f"-abcd, -cdab, -badc or -dcba"
        )
    size = struct.calcsize(">" + code)
    if word.startswith("float"):
        high: float = _HIGHEST_FLOAT32 if size == 4 else 1.7976931348623157e308
        return Encoding(word, order, size // 2, True, -high, high)
    bits = 8 * size
    low, top = (-(1 << bits - 1), (1 << bits - 1) - 1) if word.startswith("int") else (0, (1 << bits) - 1)
    return Encoding(word, order, size // 2, False, low, top)


def _words_reversed(octets: bytes) -> bytes:
    return b"".join([octets[i : i + 2] for i in range(len(octets) - 2, -1, -2)])
