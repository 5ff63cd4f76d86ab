"""A simulated control center: an IEC 104 client of a few lines that reconnects, interrogates, confirms and remembers.

Its decoder is its own: it reads the fixed fields of the types that the example group serves and nothing more.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from tools.sim.pipes import Pipe
from tools.sim.world import MS, SECOND, World

_ELEMENT_OCTETS = {1: 1, 3: 1, 9: 3, 11: 3, 13: 5, 15: 5, 30: 8, 31: 8, 34: 10, 35: 10, 36: 12, 37: 12}
_COMMAND_OCTETS = {46: 1, 49: 3}
_RECONNECT_NS = 20 * MS
_PATIENCE_NS = 1 * SECOND  # of silence, then it tests the connection, and after as much again it hangs up
_STARTDT, _TESTFR, _TESTFR_CON = (bytes.fromhex(f"6804{word}000000") for word in ("07", "43", "83"))
SPONTANEOUS, INTERROGATED = 3, 20


class Event(NamedTuple):
    """One object in monitor direction, as it came; `served_by` is the member at the other end."""

    at_ns: int
    type: int
    cause: int
    ioa: int
    element: bytes
    served_by: str

    @property
    def value(self) -> float:
        """The value in the types that the example group serves; counters and scaled ones are left out as -1."""
        if self.type in (13, 36):
            return float(struct.unpack("<f", self.element[:4])[0])
        if self.type in (1, 30):
            return self.element[0] & 1
        return self.element[0] & 3 if self.type in (3, 31) else -1

    @property
    def good(self) -> bool:
        """No quality bit is set."""
        quality = self.element[4] if self.type in (13, 36) else self.element[0] & 0xF0
        return not quality & 0xF1 if self.type in (13, 36) else not quality

    @property
    def stamp(self) -> bytes:
        """The seven octets of its time tag, b"" without one."""
        return self.element[-7:] if self.type >= 30 else b""


class Answer(NamedTuple):
    """An answer to a command: cause 7 confirms, 10 ends it."""

    at_ns: int
    type: int
    cause: int
    negative: bool
    element: bytes


class Center:
    """Dials the group address for ever; `host` is its address, `dial` what connects it."""

    def __init__(
        self,
        world: World,
        name: str,
        host: str,
        dial: Callable[[Center], Pipe | None],
        read: Callable[[Center, Event], None],
    ) -> None:
        self.world = world
        self.name = name
        self.host = host
        self.answers: list[Answer] = []
        self.events: list[Event] = []
        self.starts: list[int] = []
        """When data transfer was started (ns)."""
        self.last: dict[int, Event] = {}
        """By information object address: the newest object."""
        self.ready = False
        self.away = False
        """It does not dial."""
        self._dial = dial
        self._read = read
        self._pipe: Pipe | None = None
        self._buffer = b""
        self._received = self._sent = 0
        self._heard_ns = 0
        world.after(_RECONNECT_NS, self._connect)
        world.after(_PATIENCE_NS, self._wait)

    @property
    def served_by(self) -> str:
        """The letter of the member at the other end, "" for none."""
        return self._pipe.name if self._pipe is not None else ""

    def _connect(self) -> None:
        if self._pipe is None:
            self._pipe = None if self.away else self._dial(self)
            if self._pipe is None:
                self.world.after(_RECONNECT_NS, self._connect)
                return
            self._buffer, self._received, self._sent = b"", 0, 0
            self._heard_ns = self.world.now
            self._pipe.send(self, _STARTDT)

    def _wait(self) -> None:
        silent_ns = self.world.now - self._heard_ns
        if self._pipe is not None and silent_ns > 2 * _PATIENCE_NS:
            self.hang_up()
        elif self._pipe is not None and silent_ns > _PATIENCE_NS:
            self._pipe.send(self, _TESTFR)
        self.world.after(_PATIENCE_NS // 2, self._wait)

    def hang_up(self) -> None:
        """End the connection, and dial again."""
        if self._pipe is not None:
            self.pipe_closed(self._pipe, "the center hung up")

    def pipe_closed(self, pipe: Pipe, reason: str) -> None:
        """The member is gone or threw us out, or we hang up."""
        pipe.close(self, "closed by the center", reset=True)
        if pipe is self._pipe:
            self._pipe, self.ready = None, False
            self.world.after(_RECONNECT_NS, self._connect)

    def pipe_octets(self, pipe: Pipe, octets: bytes) -> None:
        """APDUs."""
        if pipe is not self._pipe:
            return
        self._heard_ns = self.world.now
        data = self._buffer + octets
        confirm = self._received
        while len(data) >= 2 and len(data) >= 2 + data[1]:
            frame, data = data[: 2 + data[1]], data[2 + data[1] :]
            self._frame(pipe, frame)
        self._buffer = data
        if confirm != self._received:
            pipe.send(self, struct.pack("<BBHH", 0x68, 4, 1, self._received << 1))

    def _frame(self, pipe: Pipe, frame: bytes) -> None:
        if frame[2] == 0x0B:
            self.ready = True
            self.starts.append(self.world.now)
            self.interrogate()
        elif frame[2] == 0x43:
            pipe.send(self, _TESTFR_CON)
        elif not frame[2] & 1:
            self._received = (self._received + 1) % 32768
            self._asdu(frame[6:], pipe.name)

    def _asdu(self, asdu: bytes, served_by: str) -> None:
        kind, shape, cause = asdu[0], asdu[1], asdu[2] & 0x3F
        if kind not in _ELEMENT_OCTETS:
            element = asdu[9 : 9 + _COMMAND_OCTETS.get(kind, 0)]
            self.answers.append(Answer(self.world.now, kind, cause, bool(asdu[2] & 0x40), element))
            return
        size, rest = _ELEMENT_OCTETS[kind], asdu[6:]
        first = int.from_bytes(rest[:3], "little")
        for i in range(shape & 0x7F):
            if shape & 0x80:
                ioa, element = first + i, rest[3 + i * size : 3 + (i + 1) * size]
            else:
                part = rest[i * (3 + size) : (i + 1) * (3 + size)]
                ioa, element = int.from_bytes(part[:3], "little"), part[3:]
            event = Event(self.world.now, kind, cause, ioa, element, served_by)
            self.last[ioa] = event
            self.events.append(event)
            self._read(self, event)

    def interrogate(self) -> None:
        """Ask for everything."""
        self.command(100, 0, b"\x14")

    def command(self, type_id: int, ioa: int, element: bytes, common_address: int = 47) -> bool:
        """Send one activation; False when there is no started connection."""
        if self._pipe is None or not self.ready:
            return False
        asdu = bytes([type_id, 1, 6, 0]) + struct.pack("<H", common_address) + ioa.to_bytes(3, "little") + element
        apci = struct.pack("<BBHH", 0x68, 4 + len(asdu), self._sent << 1, self._received << 1)
        self._sent = (self._sent + 1) % 32768
        self._pipe.send(self, apci + asdu)
        return True
