"""Modbus TCP frames: the MBAP header (transaction, protocol 0, length, unit) before a PDU."""

from __future__ import annotations

import struct
from typing import NamedTuple

from tandem.codec.modbus.pdu import LONGEST as LONGEST_PDU
from tandem.codec.modbus.pdu import FrameError

HEADER = struct.Struct(">HHHB")
LONGEST = 260
_TAIL = struct.Struct(">HHB")


class TcpFrame(NamedTuple):
    """One frame: its transaction, its unit, its PDU."""

    transaction: int
    unit: int
    pdu: bytes


def frame(transaction: int, unit: int, pdu: bytes) -> bytes:
    """The frame of a PDU; `transaction` 0..65535."""
    return HEADER.pack(transaction, 0, len(pdu) + 1, unit) + pdu


def tail(unit: int, pdu: bytes) -> bytes:
    """The frame without its two octets of transaction: it is the same each time the same is asked."""
    return _TAIL.pack(0, len(pdu) + 1, unit) + pdu


class TcpFrames:
    """Takes frames out of a stream, however TCP cut it; keeps less than one frame between two calls."""

    def __init__(self) -> None:
        self._buffer = b""

    @property
    def empty(self) -> bool:
        """True when no part of a frame is waiting for the rest."""
        return not self._buffer

    def clear(self) -> None:
        """The stream begins anew."""
        self._buffer = b""

    def feed(self, octets: bytes) -> list[TcpFrame]:
        """The frames that are whole now. Raises FrameError when the stream is no Modbus TCP: it cannot go on."""
        buffer = self._buffer + octets if self._buffer else octets
        frames: list[TcpFrame] = []
        start = 0
        while len(buffer) - start >= 8:
            transaction, protocol, length, unit = HEADER.unpack_from(buffer, start)
            if protocol:
                raise FrameError(f"protocol id {protocol} in the header; Modbus is 0")
            if not 2 <= length <= LONGEST_PDU + 1:
                raise FrameError(f"a length of {length} octets in the header; 2 to {LONGEST_PDU + 1} are possible")
            if len(buffer) - start < 6 + length:
                break
            frames.append(TcpFrame(transaction, unit, buffer[start + 7 : start + 6 + length]))
            start += 6 + length
        self._buffer = buffer[start:]
        return frames
