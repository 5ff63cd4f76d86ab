"""A control center on a thread that judges every event by its value: which point it is of, and whether one is missing.

It connects again whenever its connection ends. Written against the standard, without the product's codec.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections import Counter

from tests.support.named_load import TURN

_OBJECT = struct.Struct("<HBfB7s")
_FLOAT_WITH_TIME, _SPONTANEOUS = 36, 3
_STARTDT, _TESTFR_CON = bytes.fromhex("680407000000"), bytes.fromhex("680483000000")
_CONFIRM_EVERY = 4


class NamedCenter:
    """`names`: object address -> code. Counters by address: `heard`, `lost`, `repeated`; `wrong`: (address, value)."""

    def __init__(self, source: str, address: tuple[str, int], names: dict[int, int]) -> None:
        self.heard: Counter[int] = Counter()
        self.lost: Counter[int] = Counter()
        self.repeated: Counter[int] = Counter()
        self.wrong: list[tuple[int, float]] = []
        self.connections = 0
        self._source, self._address, self._names = source, address, names
        self._last: dict[int, int] = {}
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def total(self) -> int:
        """All events heard."""
        return self.heard.total()

    def __enter__(self) -> NamedCenter:
        self._thread.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self._end.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._end.is_set():
            with contextlib.suppress(OSError):
                self._connection()
            self._end.wait(0.02)

    def _connection(self) -> None:
        with socket.create_connection(self._address, timeout=0.3, source_address=(self._source, 0)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(_STARTDT)
            self.connections += 1
            connection.settimeout(0.2)
            buffer, received, confirmed = b"", 0, 0
            while not self._end.is_set():
                try:
                    octets = connection.recv(1 << 16)
                except TimeoutError:
                    octets = None
                if octets == b"":
                    return
                buffer += octets or b""
                while len(buffer) >= 6 and len(buffer) >= 2 + buffer[1]:
                    frame, buffer = buffer[: 2 + buffer[1]], buffer[2 + buffer[1] :]
                    if not frame[2] & 1:
                        received += 1
                        self._frame(frame)
                    elif frame[2] == 0x43:
                        connection.sendall(_TESTFR_CON)
                if received - confirmed >= _CONFIRM_EVERY or (received > confirmed and octets is None):
                    confirmed = received
                    connection.sendall(struct.pack("<BBHH", 0x68, 4, 1, received % 32768 << 1))

    def _frame(self, frame: bytes) -> None:
        if frame[6] != _FLOAT_WITH_TIME or frame[8] & 0x3F != _SPONTANEOUS:
            return
        for low, high, value, _, _ in _OBJECT.iter_unpack(frame[12:]):
            address = low | high << 16
            number, count = divmod(int(value), TURN)
            self.heard[address] += 1
            if self._names.get(address) != number:
                self.wrong.append((address, value))
            last = self._last.get(address)
            if last is not None:
                step = (count - last) % TURN
                if step > TURN // 2 or step == 0:
                    self.repeated[address] += 1
                    continue
                self.lost[address] += step - 1
            self._last[address] = count
