"""APCI of IEC 60870-5-104 (clause 5): I, S and U frames, and the cut of a stream into APDUs."""

from __future__ import annotations

import struct

START = 0x68
SHORTEST, LONGEST = 4, 253
"""Of the length octet: the four control octets, and at most 249 octets of ASDU behind them."""
ASDU_MAX = LONGEST - SHORTEST
MODULUS = 32768
"""N(S) and N(R) count modulo 2**15."""
MASK = MODULUS - 1

STARTDT_ACT, STARTDT_CON = 0x07, 0x0B
STOPDT_ACT, STOPDT_CON = 0x13, 0x23
TESTFR_ACT, TESTFR_CON = 0x43, 0x83
U_NAMES = {
    STARTDT_ACT: "STARTDT act",
    STARTDT_CON: "STARTDT con",
    STOPDT_ACT: "STOPDT act",
    STOPDT_CON: "STOPDT con",
    TESTFR_ACT: "TESTFR act",
    TESTFR_CON: "TESTFR con",
}

_HEAD = struct.Struct("<BBHH")
_pack = _HEAD.pack


def i_frame(asdu: bytes, ns: int, nr: int) -> bytes:
    """An I frame: `asdu` of at most ASDU_MAX octets under the numbers N(S) and N(R)."""
    return _pack(START, len(asdu) + 4, ns << 1, nr << 1) + asdu


def s_frame(nr: int) -> bytes:
    """An S frame: everything below N(R) was received."""
    return _pack(START, 4, 1, nr << 1)


def u_frame(control: int) -> bytes:
    """A U frame, `control` one of the six functions."""
    return _pack(START, 4, control, 0)


def control_of(apdu: bytes) -> tuple[str, int, int]:
    """("I", N(S), N(R)), ("S", 0, N(R)) or ("U", function octet, 0) of a whole APDU.

    The last is "?" with the sentence's numbers left 0 for control octets that the standard does not define.
    """
    first, low, high = apdu[2], apdu[4], apdu[5]
    if not first & 1:
        return "I", (apdu[3] << 8 | first) >> 1, (high << 8 | low) >> 1
    if len(apdu) != 6:
        return "?", 0, 0
    if first & 3 == 1:
        return "S", 0, (high << 8 | low) >> 1
    return ("U", first, 0) if first in U_NAMES else ("?", 0, 0)


class Splitter:
    """Cuts a stream into whole APDUs. `fault` is "" until the stream is broken, then a sentence, for good."""

    def __init__(self) -> None:
        self._rest = b""
        self.fault = ""

    def feed(self, data: bytes) -> list[bytes]:
        """The APDUs that `data` completes, each from its start octet on; none any more after a fault."""
        if self.fault:
            return []
        octets = self._rest + data if self._rest else data
        frames: list[bytes] = []
        at, end = 0, len(octets)
        while at < end:
            if octets[at] != START:
                self.fault = f"an APDU begins with 0x{octets[at]:02x} instead of 0x68"
                break
            if end - at < 2:
                break
            length = octets[at + 1]
            if not SHORTEST <= length <= LONGEST:
                self.fault = f"an APDU gives its length as {length}, allowed are {SHORTEST} to {LONGEST}"
                break
            if end - at < length + 2:
                break
            frames.append(bytes(octets[at : at + length + 2]))
            at += length + 2
        self._rest = b"" if self.fault else bytes(octets[at:])
        return frames

    @property
    def waiting(self) -> int:
        """How many octets of an unfinished APDU are held: at most 254."""
        return len(self._rest)
