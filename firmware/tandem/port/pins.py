"""The pins as the heart has them: words go out, readings of the contacts come in, whatever drives them.

Words: `P` pulse, `C1`/`C0` role coil, `Y1`/`Y0` peer-trip, `T` + one octet a LED (see `panel.leds`); `L`/`R`/`D` lease
acquire, renew, drop and `A`/`X` group addresses added, removed, which only the bench's pins take.
"""

from __future__ import annotations

import mmap
import os
import socket
import struct
from collections.abc import Callable
from typing import Any, Protocol

from tandem.codec.heart import PinsRead

_READS_MAX = 32
NEVER = 1 << 62
ALL_CARRIERS = 0xFFFF_FFFF
"""Where the pins do not tell of carriers: taken as up."""


class PinsError(OSError):
    """The pins cannot be had, or are gone: a sentence that names the pin and the cure."""


class Pins(Protocol):
    """One way to relays, contacts and LEDs.

    `due` (monotonic ns): `read` wants to be called then, ready or not, by a heart that is awake; at `alarm` it must be.
    """

    due: int
    alarm: int

    def fileno(self) -> int:
        """Readable when `read` has something; -1: nothing tells, `due` and `alarm` are all."""

    def say(self, word: bytes, now: int) -> None:
        """One word, best effort. Raises PinsError when nobody is there any more."""

    def read(self, now: int) -> list[PinsRead]:
        """The readings since the last call, oldest first. Raises PinsError when nobody is there any more."""

    def close(self) -> None:
        """Everything that is driven goes low, and the descriptors are closed."""


class PulsePage:
    """Pulses and renewals as times, in memory that heart and relay bench share: to retrigger what runs already costs no
    message, as it costs none on a real line.

    Three u64 for each of the two: how long one holds (ns), since when they came without a gap of that length, and when
    the last one came (monotonic ns; 0: none did).
    """

    def __init__(self, fd: int) -> None:
        self._map = mmap.mmap(fd, mmap.PAGESIZE)
        self._words = memoryview(self._map).cast("Q")
        os.close(fd)

    @staticmethod
    def create(holds_ns: tuple[int, int]) -> int:
        """A descriptor of a fresh page: how long a pulse holds, and a renewal."""
        fd = os.memfd_create("tandem-pulses", os.MFD_CLOEXEC)
        os.ftruncate(fd, mmap.PAGESIZE)
        os.pwrite(fd, struct.pack("=QQQQQQ", holds_ns[0], 0, 0, holds_ns[1], 0, 0), 0)
        return fd

    def give(self, at: int, now: int) -> None:
        """A pulse (`at` PULSE) or a renewal (RENEWAL) is given now."""
        words = self._words
        if now - words[at + 2] >= words[at]:
            words[at + 1] = now  # before the other: who sees the new last one sees its train's begin too
        words[at + 2] = now

    def given(self, at: int) -> tuple[int, int]:
        """(since when without a gap, the last one)."""
        last = self._words[at + 2]
        return self._words[at + 1], last

    def close(self) -> None:
        """Unmap."""
        self._words.release()
        self._map.close()


PULSE, RENEWAL = 0, 3
_RETRIGGERS = {b"P": (PULSE, "watchdog"), b"R": (RENEWAL, "lease")}


class BenchPins:
    """The relay bench plays them, on a sequenced-packet socket. It may send a `PulsePage`."""

    due = alarm = NEVER

    def __init__(self, plan: dict[str, Any]) -> None:
        self._inputs = 0
        self._last = PinsRead(0, 0, 1, 0, 0, 0)
        self._page: PulsePage | None = None
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET | socket.SOCK_NONBLOCK)
        try:
            self._socket.connect(plan["path"])
        except OSError as error:
            self._socket.close()
            raise PinsError(f"pins {plan['path']}: {error.strerror}; is the relay bench running?") from None

    def fileno(self) -> int:
        return self._socket.fileno()

    def say(self, word: bytes, now: int) -> None:
        if self._page is not None and word in _RETRIGGERS:
            which, runs = _RETRIGGERS[word]
            self._page.give(which, now)
            if getattr(self._last, runs):
                return
        try:
            self._socket.send(word)
        except BlockingIOError:
            pass  # a bench that does not read sees no pulse: the coil falls, as it should
        except OSError as error:
            raise _gone() from error

    def read(self, now: int) -> list[PinsRead]:
        found = []
        for _ in range(_READS_MAX):
            try:
                word, fds, _, _ = socket.recv_fds(self._socket, 64, 1)
            except BlockingIOError:
                break
            except OSError:
                word, fds = b"", []
            if not word:
                raise _gone()
            if fds:
                self._page = PulsePage(fds[0])
            elif word[:1] == b"S" and len(word) >= 5:
                carriers = sum(1 << bit for bit, up in enumerate(word[5:]) if up)
                self._last = PinsRead(now, word[1], word[2], word[3], word[4], carriers, self._inputs)
            elif word[:1] == b"K" and len(word) == 2:
                self._inputs = word[1]
                self._last = self._last._replace(at_ns=now, inputs=self._inputs)
            else:
                continue
            found.append(self._last)
        return found

    def close(self) -> None:
        self._socket.close()
        if self._page is not None:
            self._page.close()


def _gone() -> PinsError:
    return PinsError("the pins are gone: own contacts count as open, the peer's as closed")


def _uart(plan: dict[str, Any]) -> Pins:
    from tandem.port.pins_uart import UartPins

    return UartPins(plan)


def _gpio(plan: dict[str, Any]) -> Pins:
    from tandem.port.pins_gpio import GpioPins  # a board without GPIO has no use for its memory

    return GpioPins(plan)


_DRIVERS: dict[str, Callable[[dict[str, Any]], Pins]] = {"bench": BenchPins, "gpio": _gpio, "uart": _uart}


def open_pins(plan: dict[str, Any]) -> Pins:
    """The pins of a plan: `driver` and what it needs. Raises PinsError with a sentence."""
    return _DRIVERS[plan["driver"]](plan)
