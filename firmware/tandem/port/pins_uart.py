"""The pins behind a guardian: an RP2040 on a UART that drives relays and LEDs while signed beats come."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from typing import Any

from guardian import wire
from guardian.host import BEAT_MS, Host
from tandem.codec.heart import KEY_LOCAL, LAMP_TEST, PEER_WATCHDOG, PinsRead
from tandem.port.pins import ALL_CARRIERS, NEVER, PinsError
from tandem.port.tty import open_raw

_MS = 1_000_000
_READS_MAX = 8
_INPUTS = ((wire.PEER_WATCHDOG, PEER_WATCHDOG), (wire.LOCAL, KEY_LOCAL), (wire.LAMP, LAMP_TEST))


class UartPins:
    """One guardian's line. At most one frame waits in the port, so that a frozen heart feeds no longer than that."""

    alarm = NEVER

    def __init__(self, plan: dict[str, Any]) -> None:
        self._device: str = plan["device"]
        self.due = 0
        self._host: Host | None = None
        self._key = bytes.fromhex(plan["key"])
        self._inputs = -1
        self._silent_ms = int(plan["silent_ms"])
        self._fd = -1
        self._open(plan)

    def _open(self, plan: dict[str, Any]) -> None:
        try:
            self._fd = open_raw(self._device, plan["baud"], 8, "none", 1)
        except OSError as error:
            reason = error.strerror or error
            raise PinsError(f"guardian at {self._device}: {reason}; is the board's file right?") from None

    def fileno(self) -> int:
        return self._fd

    def say(self, word: bytes, now: int) -> None:
        host = self._of(now)
        host.say(word, now // _MS)
        self._write(host)

    def read(self, now: int) -> list[PinsRead]:
        host, now_ms = self._of(now), now // _MS
        self.due = now + BEAT_MS * _MS
        found = []
        for _ in range(_READS_MAX):
            octets = self._take()
            if not octets:
                break
            if host.receive(octets, now_ms) and host.inputs != self._inputs:
                self._inputs = host.inputs
                found.append(_reading(host.inputs, now))
        host.tick(now_ms)
        self._write(host)
        if trouble := host.silent(now_ms):
            raise PinsError(f"guardian at {self._device}: {trouble}")
        return found

    def close(self) -> None:
        if self._host is not None:
            self._host.bye(self.due // _MS)
            self._write(self._host)
            self._host = None
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _of(self, now: int) -> Host:
        if self._host is None:
            self._host = Host(self._key, now // _MS, self._silent_ms)
        return self._host

    def _write(self, host: Host) -> None:
        if octets := host.outgoing():
            self._put(octets)

    def _take(self) -> bytes:
        """What came, b"" when nothing did. Raises PinsError."""
        try:
            return os.read(self._fd, 4096)
        except BlockingIOError:
            return b""
        except OSError as error:
            raise PinsError(f"guardian at {self._device}: {error.strerror}") from None

    def _put(self, octets: bytes) -> None:
        """Send a frame where the one before has left. Raises PinsError."""
        try:
            if struct.unpack("i", fcntl.ioctl(self._fd, termios.TIOCOUTQ, bytes(4)))[0] < wire.SIZE:
                os.write(self._fd, octets)
        except BlockingIOError:
            pass  # the next beat says the same
        except OSError as error:
            raise PinsError(f"guardian at {self._device}: {error.strerror}") from None


def _reading(inputs: int, now: int) -> PinsRead:
    def closed(bit: int) -> int:
        return int(bool(inputs & bit))

    more = sum(ours for theirs, ours in _INPUTS if inputs & theirs)
    own, peer, watchdog = closed(wire.OWN), closed(wire.PEER), closed(wire.OWN_WATCHDOG)
    return PinsRead(now, own, peer, watchdog, 1, ALL_CARRIERS, more)
