"""Modbus devices of the simulated field, written against the specification and without the product's codec.

A device remembers what it executed: the ledger that the checkers judge controls by.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from tools.sim.pipes import Pipe
from tools.sim.world import MS, World

_REPLY_NS = 2 * MS
_IDLE_NS = 3_000 * MS
_SESSIONS = 2  # a third master is refused
_BIT_READS = {1: "coil", 2: "discrete"}
_WORD_READS = {3: "holding", 4: "input"}


@dataclass
class Registers:
    """The memory of one device. `executed`: what was written to it, (time in ns, table, number, value, by whom).

    `asker` is the member whose request it answers, `asked` when each was answered last, `polled` every time.
    """

    world: World
    words: dict[tuple[str, int], int] = field(default_factory=dict)
    executed: list[tuple[int, str, int, int, str]] = field(default_factory=list)
    asker: str = ""
    asked: dict[str, int] = field(default_factory=dict)
    polled: list[int] = field(default_factory=list)

    def answer(self, request: bytes) -> bytes:
        """The response PDU to a request PDU."""
        self.asked[self.asker] = self.world.now
        self.polled.append(self.world.now)
        function = request[0]
        if function in _BIT_READS or function in _WORD_READS:
            return self._read(function, *struct.unpack(">HH", request[1:5]))
        if function in (5, 6):
            number, value = struct.unpack(">HH", request[1:5])
            if function == 5:
                self._write("coil", number, int(value == 0xFF00))
            else:
                self._write("holding", number, value)
            return request
        if function == 16:
            first, count = struct.unpack(">HH", request[1:5])
            for i, value in enumerate(struct.unpack(f">{count}H", request[6 : 6 + 2 * count])):
                self._write("holding", first + i, value)
            return request[:5]
        return bytes([function | 0x80, 1])

    def _read(self, function: int, first: int, count: int) -> bytes:
        if function in _WORD_READS:
            table = _WORD_READS[function]
            words = [self.words.get((table, first + i), 0) for i in range(count)]
            return bytes([function, 2 * count]) + struct.pack(f">{count}H", *words)
        bits = sum(bool(self.words.get((_BIT_READS[function], first + i), 0)) << i for i in range(count))
        octets = (count + 7) // 8
        return bytes([function, octets]) + bits.to_bytes(octets, "little")

    def _write(self, table: str, number: int, value: int) -> None:
        self.words[(table, number)] = value
        self.executed.append((self.world.now, table, number, value, self.asker))


class TcpDevice:
    """A Modbus TCP device with one unit and two sessions; answers after a moment. `late_ns`: how much later."""

    def __init__(self, world: World, registers: Registers) -> None:
        self.world = world
        self.registers = registers
        self.late_ns = 0
        self.silent = False
        self._buffers: dict[Pipe, bytes] = {}
        self._heard: dict[Pipe, int] = {}

    def full(self) -> bool:
        """Its sessions are taken, some by masters whose end it has not heard of; one that is silent long goes."""
        for pipe in list(self._buffers):
            if self.world.now - self._heard[pipe] > _IDLE_NS:
                self.pipe_closed(pipe, "silent")
        return len(self._buffers) >= _SESSIONS

    def connected(self, pipe: Pipe, alive_until: Callable[[], int]) -> None:
        """A master is there."""
        self._buffers[pipe] = b""
        self._heard[pipe] = self.world.now

    def restart(self) -> None:
        """It forgets every session: whoever sends next is reset."""
        for pipe in list(self._buffers):
            self.pipe_closed(pipe, "restarted")

    def pipe_octets(self, pipe: Pipe, octets: bytes) -> None:
        """Requests; several may stand in one segment."""
        data = self._buffers.get(pipe, b"") + octets
        self._heard[pipe] = self.world.now
        while len(data) >= 7 and len(data) >= 6 + int.from_bytes(data[4:6], "big"):
            end = 6 + int.from_bytes(data[4:6], "big")
            head, pdu, data = data[:7], data[7:end], data[end:]
            if not self.silent:
                self.registers.asker = pipe.name
                reply = self.registers.answer(pdu)
                frame = head[:4] + struct.pack(">HB", len(reply) + 1, head[6]) + reply
                self.world.after(_REPLY_NS + self.late_ns, partial(pipe.send, self, frame))
        if pipe in self._buffers:
            self._buffers[pipe] = data

    def pipe_closed(self, pipe: Pipe, reason: str) -> None:
        """The master is gone."""
        self._buffers.pop(pipe, None)
        self._heard.pop(pipe, None)
        pipe.close(self, "closed by the device")


def crc(octets: bytes) -> bytes:
    """CRC-16 of Modbus RTU, low octet first."""
    value = 0xFFFF
    for octet in octets:
        value ^= octet
        for _ in range(8):
            value = (value >> 1) ^ (0xA001 if value & 1 else 0)
    return value.to_bytes(2, "little")


class RtuDevices:
    """The devices of a serial field line, by unit; hears every octet on the line, answers only whole good frames."""

    def __init__(self, world: World, units: dict[int, Registers]) -> None:
        self.world = world
        self.units = units
        self.late_ns = 0
        self.silent = False
        self._buffer = b""
        self._last = 0

    def hear(self, octets: bytes, letter: str) -> bytes:
        """Octets of a member on the line; returns the answer, b"" when there is none (yet)."""
        if self.world.now - self._last > 20 * MS:
            self._buffer = b""
        self._last = self.world.now
        self._buffer += octets
        frame = self._buffer
        if len(frame) < 8 or (frame[1] == 16 and len(frame) < 9 + frame[6]):
            return b""
        self._buffer = b""
        if self.silent or crc(frame[:-2]) != frame[-2:] or frame[0] not in self.units:
            return b""
        self.units[frame[0]].asker = letter
        reply = frame[:1] + self.units[frame[0]].answer(frame[1:-2])
        return reply + crc(reply)
