"""A value and its quality as the octets of an information element: one function a row, made once.

Measured values that do not fit are clamped and flagged OV, counters wrap (BCR), nothing raises for any float.
Functions are shared between rows of the same form, so fifty thousand rows cost no fifty thousand closures.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache

from tandem.codec.iec60870.elements import FLOAT32_MAX
from tandem.codec.iec60870.quality import IV, MASK, OV, TO_BCR, TO_QDS, TO_SIQ
from tandem.point import Double, Kind

Encode = Callable[[float, int], bytes]
"""(value in engineering units, `point.Quality`) -> the element's octets, without address and time."""

_STATES = tuple(tuple(bytes((state | octet,)) for octet in TO_SIQ) for state in range(4))
_NO_STATE = tuple(bytes((octet | IV,)) for octet in TO_SIQ)
_DOUBLE_KINDS = (Kind.DOUBLE, Kind.DOUBLE_OUTPUT)
HALF_TURN, TURN = 2**31, 2**32
"""A counter reading is a 32-bit signed number: it wraps at HALF_TURN and comes round every TURN."""


@lru_cache(maxsize=4096)
def encoder(family: int, kind: Kind, scale: float, offset: float, invert: bool) -> Encode:
    """The function for a monitor type without time tag (`family`) over a point of `kind`."""
    if family == 1:
        return _single(kind, invert)
    if family == 3:
        return _double(kind, invert)
    if family == 5:
        return _integer(struct.Struct("<bB"), -64, 63, scale, offset, 0x7F)
    if family == 7:
        return _integer(struct.Struct("<IB"), 0, TURN - 1, scale, offset)
    if family == 9:
        return _integer(struct.Struct("<hB"), -32768, 32767, scale * 32768, offset * 32768)
    if family == 11:
        return _integer(struct.Struct("<hB"), -32768, 32767, scale, offset)
    if family == 13:
        return _float(scale, offset)
    if family == 15:
        return _counter(scale, offset)
    if family == 21:
        return _unqualified(scale, offset)
    raise ValueError(f"type {family} is no monitor type without time tag")


def turn(value: float, scale: float, offset: float) -> int:
    """How often a counter has come round at this value; 0 for a value that is no number."""
    wire = value * scale + offset
    return int((round(wire) + HALF_TURN) // TURN) if abs(wire) < float("inf") else 0


def _single(kind: Kind, invert: bool) -> Encode:
    off, on = (_STATES[1], _STATES[0]) if invert else (_STATES[0], _STATES[1])
    if kind in _DOUBLE_KINDS:
        return _by_state({Double.OFF: off, Double.ON: on})
    return lambda value, quality: (on if value else off)[quality & MASK]


def _double(kind: Kind, invert: bool) -> Encode:
    off, on = (_STATES[2], _STATES[1]) if invert else (_STATES[1], _STATES[2])
    if kind in _DOUBLE_KINDS:
        middle = {Double.INTERMEDIATE: _STATES[0], Double.INDETERMINATE: _STATES[3]}
        return _by_state({**middle, Double.OFF: off, Double.ON: on})
    return lambda value, quality: (on if value else off)[quality & MASK]


def _by_state(states: dict[Double, tuple[bytes, ...]]) -> Encode:
    known = {float(state): octets for state, octets in states.items()}
    return lambda value, quality: known.get(value, _NO_STATE)[quality & MASK]


def _integer(form: struct.Struct, low: int, high: int, scale: float, offset: float, mask: int = -1) -> Encode:
    pack = form.pack

    def encode(value: float, quality: int) -> bytes:
        wire = value * scale + offset
        if low <= wire <= high:
            return pack(round(wire) & mask, TO_QDS[quality & MASK])
        if wire != wire:  # not a number
            return pack(0, TO_QDS[quality & MASK] | IV)
        raw = high if wire > 0 else low
        fits = abs(wire - raw) <= 0.5
        return pack(raw & mask, TO_QDS[quality & MASK] | (0 if fits else OV))

    return encode


def _float(scale: float, offset: float) -> Encode:
    pack = struct.Struct("<fB").pack

    def encode(value: float, quality: int) -> bytes:
        wire = value * scale + offset
        if -FLOAT32_MAX <= wire <= FLOAT32_MAX:
            return pack(wire, TO_QDS[quality & MASK])
        if wire != wire:
            return pack(0.0, TO_QDS[quality & MASK] | IV)
        return pack(FLOAT32_MAX if wire > 0 else -FLOAT32_MAX, TO_QDS[quality & MASK] | OV)

    return encode


def _counter(scale: float, offset: float) -> Encode:
    pack = struct.Struct("<iB").pack

    def encode(value: float, quality: int) -> bytes:
        wire = value * scale + offset
        if abs(wire) < float("inf"):
            return pack((round(wire) + HALF_TURN) % TURN - HALF_TURN, TO_BCR[quality & MASK])
        return pack(0, IV)

    return encode


def _unqualified(scale: float, offset: float) -> Encode:
    whole = _integer(struct.Struct("<hB"), -32768, 32767, scale * 32768, offset * 32768)
    return lambda value, quality: whole(value, quality)[:2]
