"""The two framings of a Modbus channel under one face: a serial line, and a TCP connection."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from tandem.codec.modbus import rtu, tcp
from tandem.codec.modbus.pdu import reply_octets
from tandem.config.model import SerialLine
from tandem.point import MS

_FAST_BAUD = 19200
_FAST_GAP_NS = 1_750_000
"""Silence between frames above 19200 baud (Modbus over serial line 2.5.1.1); 3.5 characters below."""


class Reply(NamedTuple):
    """A reply as the wire found it; `known` is what `Wire.same` compares the next one with."""

    key: int
    unit: int
    pdu: bytes
    known: bytes


class Wire(Protocol):
    """What the channel asks of a framing."""

    serial: bool
    quiet_ns: int
    """Silence between a reply and the next request."""

    def clear(self) -> None:
        """Nothing is awaited, what came is forgotten."""

    def request(self, unit: int, pdu: bytes) -> tuple[int, bytes]:
        """(key of the reply, frame to send); on a serial line only the newest request is awaited."""

    def air_ns(self, frame: bytes, pdu: bytes) -> int:
        """How long the frame and the longest answer to it occupy the line."""

    def same(self, octets: bytes, key: int, known: bytes) -> bool:
        """True when `octets` are, whole and alone, the reply `key` with the content `known`; they are then taken."""

    def replies(self, octets: bytes) -> list[Reply]:
        """The replies that are whole now. Raises FrameError when the stream cannot go on."""

    def last_look(self) -> tuple[Reply | None, str, bool]:
        """The time is over: (a reply that was hidden by noise, what came instead, it was a wrong checksum)."""


class RtuWire:
    """Frames of a serial line; one request at a time."""

    serial = True

    def __init__(self, line: SerialLine) -> None:
        self._octet_ns = line.octet_ns
        gap_ns = _FAST_GAP_NS if line.baud > _FAST_BAUD else 7 * line.octet_ns // 2
        self.quiet_ns = max(line.turnaround_ms * MS, gap_ns)
        self._echo = line.echo
        self._replies = rtu.RtuReplies()

    def clear(self) -> None:
        """See Wire."""
        self._replies.forget()

    def request(self, unit: int, pdu: bytes) -> tuple[int, bytes]:
        """See Wire."""
        frame = rtu.frame(unit, pdu)
        self._replies.expect(unit, pdu, frame if self._echo else b"")
        return 0, frame

    def air_ns(self, frame: bytes, pdu: bytes) -> int:
        """See Wire."""
        return (len(frame) + reply_octets(pdu) + 8) * self._octet_ns

    def same(self, octets: bytes, key: int, known: bytes) -> bool:
        """See Wire."""
        if not self._replies.whole(octets, known):
            return False
        self._replies.forget()
        return True

    def replies(self, octets: bytes) -> list[Reply]:
        """See Wire."""
        frame = self._replies.feed(octets)
        return [_rtu_reply(frame)] if frame else []

    def last_look(self) -> tuple[Reply | None, str, bool]:
        """See Wire."""
        frame = self._replies.last_look()
        if frame:
            return _rtu_reply(frame), "", False
        wrong = bool(self._replies.crc_errors)
        return None, self._replies.explain(), wrong


def _rtu_reply(frame: bytes) -> Reply:
    return Reply(0, frame[0], frame[1:-2], frame)


class TcpWire:
    """Frames of a TCP connection, matched by transaction."""

    serial = False
    quiet_ns = 0

    def __init__(self) -> None:
        self._frames = tcp.TcpFrames()
        self._transaction = 0

    def clear(self) -> None:
        """See Wire. Transactions go on: a new connection's replies cannot be taken for the old one's."""
        self._frames.clear()

    def request(self, unit: int, pdu: bytes) -> tuple[int, bytes]:
        """See Wire."""
        self._transaction = key = (self._transaction + 1) & 0xFFFF
        return key, tcp.frame(key, unit, pdu)

    def air_ns(self, frame: bytes, pdu: bytes) -> int:
        """See Wire: a LAN is quick."""
        return 0

    def same(self, octets: bytes, key: int, known: bytes) -> bool:
        """See Wire."""
        return octets[2:] == known and octets[0] << 8 | octets[1] == key and self._frames.empty

    def replies(self, octets: bytes) -> list[Reply]:
        """See Wire."""
        return [Reply(key, unit, pdu, tcp.tail(unit, pdu)) for key, unit, pdu in self._frames.feed(octets)]

    def last_look(self) -> tuple[Reply | None, str, bool]:
        """See Wire: a late reply has a transaction that nobody awaits, so nothing hides here."""
        return None, "nothing came", False
