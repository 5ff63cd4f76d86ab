"""Information elements of IEC 60870-5-101 7.2.6 as pairs of functions: octets to named values, and back.

A value dictionary uses the same words everywhere: `value`, `quality` (the flag bits of the element's octet),
`select`, `qualifier`, `time_us`, `time_invalid` and a few of single types. Reserved bits are dropped in decoding and
0 in encoding.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from tandem.codec.iec60870 import FrameError
from tandem.codec.iec60870 import time as tags

Values = dict[str, Any]
FLOAT32_MAX = 3.4028234663852886e38


class Element(NamedTuple):
    """One element: its octets, and how to read and make them."""

    size: int
    unpack: Callable[[bytes, int], Values]
    pack: Callable[[Mapping[str, Any]], bytes]


def _number(code: str, *names: str) -> Element:
    form = struct.Struct("<" + code)

    def unpack(octets: bytes, at: int) -> Values:
        return dict(zip(names, form.unpack_from(octets, at), strict=True))

    def pack(values: Mapping[str, Any]) -> bytes:
        try:
            return form.pack(*[values[name] for name in names])
        except (struct.error, OverflowError) as error:
            raise FrameError(f"{', '.join(f'{n} = {values[n]}' for n in names)} does not fit: {error}") from error

    return Element(form.size, unpack, pack)


def _bits(**fields: tuple[int, int]) -> Element:
    """One octet of named bit fields: name = (shift, mask before the shift); flags of one bit become bool."""

    def unpack(octets: bytes, at: int) -> Values:
        octet = octets[at]
        return {name: _plain(octet >> shift & mask, mask, name) for name, (shift, mask) in fields.items()}

    def pack(values: Mapping[str, Any]) -> bytes:
        octet = 0
        for name, (shift, mask) in fields.items():
            value = int(values.get(name, 0))
            if value & ~mask:
                raise FrameError(f"{name} = {value} does not fit its bits")
            octet |= value << shift
        return bytes((octet,))

    return Element(1, unpack, pack)


def _plain(value: int, mask: int, name: str) -> int | bool:
    return bool(value) if mask == 1 and name != "value" else value


def _unpack_vti(octets: bytes, at: int) -> Values:
    octet = octets[at]
    return {"value": (octet & 0x7F) - ((octet & 0x40) << 1), "transient": bool(octet & 0x80)}


def _pack_vti(values: Mapping[str, Any]) -> bytes:
    value = int(values["value"])
    if not -64 <= value <= 63:
        raise FrameError(f"step position {value} does not fit; it goes from -64 to 63")
    return bytes((value & 0x7F | (0x80 if values.get("transient") else 0),))


def _unpack_nva(octets: bytes, at: int) -> Values:
    return {"value": int.from_bytes(octets[at : at + 2], "little", signed=True) / 32768}


def _pack_nva(values: Mapping[str, Any]) -> bytes:
    value = float(values["value"])
    raw = round(value * 32768) if math.isfinite(value) else 65536
    if not -32768 <= raw <= 32767:
        raise FrameError(f"normalised value {value} does not fit; it goes from -1 to 1 - 2**-15")
    return raw.to_bytes(2, "little", signed=True)


def _unpack_bcr(octets: bytes, at: int) -> Values:
    flags = octets[at + 4]
    value = int.from_bytes(octets[at : at + 4], "little", signed=True)
    return {"value": value, "sequence": flags & 0x1F, "quality": flags & 0xE0}


def _pack_bcr(values: Mapping[str, Any]) -> bytes:
    value, sequence = int(values["value"]), int(values.get("sequence", 0))
    if not -(2**31) <= value < 2**31 or not 0 <= sequence <= 31:
        raise FrameError(f"counter reading {value} number {sequence} does not fit 32 and 5 bits")
    return value.to_bytes(4, "little", signed=True) + bytes((sequence | int(values.get("quality", 0)) & 0xE0,))


def _unpack_cp56(octets: bytes, at: int) -> Values:
    tag = tags.decode_cp56(octets, at)
    return {"time_us": tag.us, "time_invalid": tag.invalid, "summer": tag.summer}


def _pack_cp56(values: Mapping[str, Any]) -> bytes:
    if values.get("time_us") is None:
        raise FrameError("time_us is missing: a time tag needs a date")
    return tags.encode_cp56(int(values["time_us"]), bool(values.get("time_invalid")))


def _unpack_cp24(octets: bytes, at: int) -> Values:
    ms, invalid = tags.decode_cp24(octets, at)
    return {"ms_of_hour": ms, "time_invalid": invalid}


def _pack_cp24(values: Mapping[str, Any]) -> bytes:
    ms = values.get("ms_of_hour")
    if ms is None or not 0 <= int(ms) < 3_600_000:
        raise FrameError(f"ms_of_hour = {ms} is not within an hour")
    return tags.encode_cp24(int(ms), bool(values.get("time_invalid")))


def _u24(name: str) -> Element:
    def unpack(octets: bytes, at: int) -> Values:
        return {name: int.from_bytes(octets[at : at + 3], "little")}

    def pack(values: Mapping[str, Any]) -> bytes:
        try:
            return int(values[name]).to_bytes(3, "little")
        except OverflowError as error:
            raise FrameError(f"{name} = {values[name]} does not fit 24 bits") from error

    return Element(3, unpack, pack)


SIQ = _bits(value=(0, 1), quality=(0, 0xF0))
DIQ = _bits(value=(0, 3), quality=(0, 0xF0))
QDS = _bits(quality=(0, 0xF1))
QDP = _bits(quality=(0, 0xF8))
SEP = _bits(value=(0, 3), quality=(0, 0xF8))
SPE = _bits(start=(0, 0x3F))
OCI = _bits(output=(0, 0x0F))
VTI = Element(1, _unpack_vti, _pack_vti)
BSI = _number("I", "value")
NVA = Element(2, _unpack_nva, _pack_nva)
SVA = _number("h", "value")
R32 = _number("f", "value")
BCR = Element(5, _unpack_bcr, _pack_bcr)
SCD = _number("HH", "status", "changed")
SCO = _bits(value=(0, 1), qualifier=(2, 0x1F), select=(7, 1))
DCO = _bits(value=(0, 3), qualifier=(2, 0x1F), select=(7, 1))
RCO = DCO
QOS = _bits(qualifier=(0, 0x7F), select=(7, 1))
COI = _bits(reason=(0, 0x7F), parameters_changed=(7, 1))
QCC = _bits(request=(0, 0x3F), freeze=(6, 3))
QPM = _bits(kind=(0, 0x3F), parameters_changed=(6, 1), out_of_operation=(7, 1))
QUALIFIER = _number("B", "qualifier")
FBP = _number("H", "pattern")
TSC = _number("H", "counter")
CP16 = _number("H", "elapsed_ms")
CP24 = Element(3, _unpack_cp24, _pack_cp24)
CP56 = Element(7, _unpack_cp56, _pack_cp56)
NOF = _number("H", "file")
NOS = _number("B", "section")
LOF = _u24("length")
SOF = _number("B", "status")
CHS = _number("B", "checksum")
LOS = _number("B", "segment")
