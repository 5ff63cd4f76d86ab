"""Modbus RTU frames: unit, PDU, checksum. Lengths come from the function code, never from gaps in time.

USB adapters and ptys deliver octets in lumps, so silence proves nothing here; a checksum at the derived length does.
"""

from __future__ import annotations

from collections.abc import Callable

from tandem.codec.modbus import pdu as modbus

LONGEST = 256
_KEPT = 512
"""Octets kept while a reply is awaited; what is older than that is noise."""


def _table() -> tuple[int, ...]:
    rows = []
    for octet in range(256):
        crc = octet
        for _ in range(8):
            crc = crc >> 1 ^ (0xA001 if crc & 1 else 0)
        rows.append(crc)
    return tuple(rows)


_TABLE = _table()


def crc(octets: bytes | bytearray | memoryview) -> int:
    """CRC-16 of Modbus: polynomial 0xA001 reflected, start 0xFFFF."""
    table, value = _TABLE, 0xFFFF
    for octet in octets:
        value = value >> 8 ^ table[(value ^ octet) & 0xFF]
    return value


def frame(unit: int, pdu: bytes) -> bytes:
    """The frame of a PDU."""
    body = bytes((unit,)) + pdu
    return body + crc(body).to_bytes(2, "little")


def frame_at(octets: bytes | bytearray, start: int, length: Callable[[bytes], int | None]) -> int | None:
    """Size of the whole, checked frame at `start`; 0: there is none, None: it is not complete yet."""
    size = length(bytes(octets[start + 1 : start + 12]))
    if size is None:
        return None
    if size < 0 or size + 3 > LONGEST:
        return 0
    end = start + size + 3
    if end > len(octets):
        return None
    return size + 3 if crc(memoryview(octets)[start : end - 2]) == octets[end - 2] | octets[end - 1] << 8 else 0


class RtuReplies:
    """The master's ear: finds the reply to one request among whatever the line brings.

    A frame counts only if unit and function are those asked for, so late replies of other requests, echoes and
    noise fall through; they are kept until `explain` and then forgotten.
    """

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._echo = b""
        self._unit = -1
        self._function = 0
        self._octets = 0
        self._size = 0
        self.crc_errors = 0
        """1 when a frame looked like the reply and failed its checksum, since `expect`."""

    def expect(self, unit: int, request: bytes, echo: bytes = b"") -> None:
        """From now on the reply to `request` is awaited; `echo` are own octets that the port hears first."""
        self._buffer.clear()
        self._echo = echo
        self._unit, self._function = unit, request[0]
        self._octets = modbus.reply_octets(request)
        self._size = self._octets + 5 if self._octets else (10 if request[0] == modbus.MASK_WRITE else 8)
        self.crc_errors = 0

    def forget(self) -> None:
        """No reply is awaited any more."""
        self._unit = -1
        self._buffer.clear()

    def whole(self, octets: bytes, known: bytes) -> bool:
        """True when all that came, `octets` included, is exactly the frame `known`; it is then taken."""
        buffer = self._buffer
        if self._echo or len(buffer) + len(octets) != len(known):
            return False
        return known == (bytes(buffer) + octets if buffer else octets)

    def feed(self, octets: bytes) -> bytes | None:
        """Octets came: the frame that answers the request, once it is whole."""
        buffer = self._buffer
        buffer += octets
        if self._echo and not self._drop_echo():
            return None
        if len(buffer) > _KEPT:
            del buffer[: len(buffer) - _KEPT]
        return self._find(patient=True)

    def last_look(self) -> bytes | None:
        """The time is over: a reply that stood behind noise which looked like a longer one."""
        return self._find(patient=False)

    def _drop_echo(self) -> bool:
        buffer, echo = self._buffer, self._echo
        size = min(len(buffer), len(echo))
        if buffer[:size] == echo[:size]:
            if size < len(echo):
                return False
            del buffer[:size]
        self._echo = b""  # gone, or the port does not hear itself after all
        return True

    def _find(self, patient: bool) -> bytes | None:
        buffer, unit, function = self._buffer, self._unit, self._function
        start = buffer.find(unit) if unit >= 0 else -1
        while 0 <= start < len(buffer) - 1:
            if buffer[start + 1] & 0x7F == function:
                size = 5 if buffer[start + 1] & 0x80 else self._size
                if start + size <= len(buffer):
                    found = self._checked(start, size)
                    if found is not None:
                        return found
                elif patient and (size != self._size or len(buffer) < start + 3 or self._plausible(start)):
                    return None
            start = buffer.find(unit, start + 1)
        return None

    def _plausible(self, start: int) -> bool:
        return not self._octets or self._buffer[start + 2] == self._octets

    def _checked(self, start: int, size: int) -> bytes | None:
        buffer = self._buffer
        if size == self._size and not self._plausible(start):
            return None
        found = bytes(buffer[start : start + size])
        if crc(found[:-2]) != found[-2] | found[-1] << 8:
            if start == 0:
                self.crc_errors = 1
            return None
        self._buffer.clear()
        return found

    def explain(self) -> str:
        """What came instead of the reply, as the end of a sentence; forgets it."""
        octets = bytes(self._buffer)
        self._buffer.clear()
        if not octets:
            return "nothing came"
        if self.crc_errors:
            return f"the reply's checksum is wrong: {_short(octets)}"
        for start in range(len(octets) - 3):
            size = frame_at(octets, start, modbus.reply_length)
            if size:
                return self._misfit(octets[start : start + size])
        return f"{len(octets)} octets came that are no frame: {_short(octets)}"

    def _misfit(self, found: bytes) -> str:
        if found[0] != self._unit:
            return f"unit {found[0]} answered, unit {self._unit} was asked"
        if found[1] & 0x7F != self._function:
            return f"function {found[1] & 0x7F} was answered, function {self._function} was asked"
        return f"a reply with {len(found) - 5} octets of data came, {self._octets} were asked"


def _short(octets: bytes) -> str:
    return octets[:16].hex(" ") + (" ..." if len(octets) > 16 else "")
