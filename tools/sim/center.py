"""A simulated control center: an IEC 104 client of a few lines that reconnects, interrogates, confirms and remembers.

Its decoder is its own: it reads the fixed fields of the types that the example group serves and nothing more.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from tools.sim.pipes import Pipe
from tools.sim.world import MS, World

_ELEMENT_OCTETS = {1: 1, 3: 1, 9: 3, 11: 3, 13: 5, 15: 5, 30: 8, 31: 8, 34: 10, 35: 10, 36: 12, 37: 12}
_RECONNECT_NS = 20 * MS


class Center:
    """Dials the group address for ever; `events` holds (time, type, ioa, element octets) of every object received."""

    def __init__(self, world: World, dial: Callable[[Center], Pipe | None]) -> None:
        self.world = world
        self.events: list[tuple[int, int, int, bytes]] = []
        self.answers: list[tuple[int, int, int, bool]] = []  # (time, type, cause, negative) of command answers
        self.started = 0
        self._dial = dial
        self._pipe: Pipe | None = None
        self._buffer = b""
        self._received = 0
        self._sent = 0
        world.after(_RECONNECT_NS, self._connect)

    def _connect(self) -> None:
        if self._pipe is None:
            self._pipe = self._dial(self)
            if self._pipe is None:
                self.world.after(_RECONNECT_NS, self._connect)
                return
            self._buffer, self._received, self._sent = b"", 0, 0
            self._pipe.send(self, bytes.fromhex("680407000000"))

    def pipe_closed(self, pipe: Pipe, reason: str) -> None:
        """The member is gone or threw us out."""
        pipe.close(self, "closed by the center")
        if pipe is self._pipe:
            self._pipe = None
            self.world.after(_RECONNECT_NS, self._connect)

    def give_up(self) -> None:
        """Hang up and dial again: what a front end does after silence."""
        if self._pipe is not None:
            self.pipe_closed(self._pipe, "silence")

    def pipe_octets(self, pipe: Pipe, octets: bytes) -> None:
        """APDUs."""
        if pipe is not self._pipe:
            return
        data = self._buffer + octets
        while len(data) >= 2 and len(data) >= 2 + data[1]:
            frame, data = data[: 2 + data[1]], data[2 + data[1] :]
            self._frame(frame)
        self._buffer = data

    def _frame(self, frame: bytes) -> None:
        assert self._pipe is not None
        if frame[2] == 0x0B:
            self.started += 1
        elif frame[2] == 0x43:
            self._pipe.send(self, bytes.fromhex("680483000000"))
        elif not frame[2] & 1:
            self._received = (self._received + 1) % 32768
            self._pipe.send(self, struct.pack("<BBHH", 0x68, 4, 1, self._received << 1))
            self._asdu(frame[6:])

    def _asdu(self, asdu: bytes) -> None:
        kind, shape, cause = asdu[0], asdu[1], asdu[2]
        if kind not in _ELEMENT_OCTETS:
            self.answers.append((self.world.now, kind, cause & 0x3F, bool(cause & 0x40)))
            return
        size, rest = _ELEMENT_OCTETS[kind], asdu[6:]
        if shape & 0x80:
            first = int.from_bytes(rest[:3], "little")
            for i in range(shape & 0x7F):
                self.events.append((self.world.now, kind, first + i, rest[3 + i * size : 3 + (i + 1) * size]))
            return
        for i in range(shape):
            part = rest[i * (3 + size) : (i + 1) * (3 + size)]
            self.events.append((self.world.now, kind, int.from_bytes(part[:3], "little"), part[3:]))

    def command(self, type_id: int, ioa: int, element: bytes, common_address: int = 47) -> bool:
        """Send one activation; False when there is no started connection."""
        if self._pipe is None or not self.started:
            return False
        asdu = bytes([type_id, 1, 6, 0]) + struct.pack("<H", common_address) + ioa.to_bytes(3, "little") + element
        apci = struct.pack("<BBHH", 0x68, 4 + len(asdu), self._sent << 1, self._received << 1)
        self._sent = (self._sent + 1) % 32768
        self._pipe.send(self, apci + asdu)
        return True
