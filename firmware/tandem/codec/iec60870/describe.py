"""IEC 60870-5-104 octets in words: one JSON-able object an APDU, for people and tools. Never raises."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

from tandem.codec.iec60870 import FrameError, apci, asdu, quality
from tandem.codec.iec60870.elements import Values
from tandem.codec.iec60870.types import CAUSES, TYPES

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DOUBLE = {0: "intermediate", 1: "off", 2: "on", 3: "indeterminate"}
_STEP = {0: "not permitted", 1: "lower", 2: "higher", 3: "not permitted"}
_COUNTERS, _DOUBLES, _STEPS = {15, 16, 37}, {3, 4, 31, 46, 59}, {47, 60}


def describe(octets: bytes) -> list[dict[str, Any]]:
    """Every APDU of a piece of one direction's stream, in order; what is broken or cut off gets an `error`."""
    splitter = apci.Splitter()
    frames = splitter.feed(bytes(octets))
    found = [describe_apdu(frame) for frame in frames]
    rest = bytes(octets)[sum(map(len, frames)) :]
    if rest:
        error = splitter.fault or f"the APDU is cut off after {len(rest)} octets"
        found.append({"octets": rest.hex(), "format": "?", "error": error})
    return found


def describe_apdu(octets: bytes) -> dict[str, Any]:
    """One whole APDU, from its start octet on."""
    form, first, nr = apci.control_of(octets)
    told: dict[str, Any] = {"octets": octets.hex(), "format": form}
    if form == "U":
        return told | {"function": apci.U_NAMES[first]}
    if form == "S":
        return told | {"nr": nr}
    if form == "?":
        return told | {"error": f"the control octets {octets[2:6].hex()} with length {octets[1]} are not defined"}
    told |= {"ns": first, "nr": nr}
    if len(octets) == 6:
        return told | {"error": "an I frame without an ASDU"}
    return told | describe_asdu(octets[6:])


def describe_asdu(octets: bytes, profile: asdu.Profile = asdu.IEC104) -> dict[str, Any]:
    """One ASDU of either companion standard."""
    try:
        read = asdu.decode(octets, profile)
    except FrameError as error:
        return _header(octets, profile) | {"error": str(error)}
    told = _header(octets, profile)
    if read.objects is None:
        return told | {"error": f"type {read.type} is not known here; {len(octets) - profile.header} octets follow"}
    return told | {"objects": [{"ioa": ioa, **_values(read.type, values)} for ioa, values in read.objects]}


def _header(octets: bytes, profile: asdu.Profile) -> dict[str, Any]:
    if len(octets) < profile.header:
        return {}
    # The header alone is always readable: type 0 has no objects to go wrong.
    read = asdu.decode(b"\0" + octets[1:], profile)
    kind = TYPES.get(octets[0])
    return {
        "type": octets[0],
        "name": kind.name if kind else f"type {octets[0]}",
        "sequence": read.sequence,
        "count": read.amount,
        "cause": read.cause,
        "cause_name": CAUSES.get(read.cause, f"cause {read.cause}"),
        "negative": read.negative,
        "test": read.test,
        "originator": read.originator,
        "ca": read.ca,
    }


def _values(number: int, values: Values) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for name, value in values.items():
        if name == "quality":
            told["quality"] = quality.names(value, number in _COUNTERS)
        elif name == "time_us":
            told["time"] = None if value is None else _iso(value)
        elif isinstance(value, float) and not math.isfinite(value):
            told[name] = str(value)
        else:
            told[name] = value
    if number in _DOUBLES or number in _STEPS:
        told["state"] = (_DOUBLE if number in _DOUBLES else _STEP)[values["value"]]
    return told


def _iso(us: int) -> str:
    moment = _EPOCH + timedelta(microseconds=us)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{us // 1000 % 1000:03d}Z"
