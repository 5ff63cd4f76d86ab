"""The pins as a simulated heart has them: the plant's own, or a guardian behind the product's end of its line."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tandem.port.pins import PinsError
from tandem.port.pins_uart import UartPins
from tandem.standby.guard import Guard
from tools.sim.plant import Plant
from tools.sim.world import MS

AGAIN_NS = 500 * MS
"""As `heart.py` does: between two tries to open the pins."""
_KERNEL_KEEPS = 4096  # octets for a heart that does not read


class PlantPins:
    """Words go to the plant at once; it tells of every contact by itself."""

    def __init__(self, plant: Plant, letter: str) -> None:
        self._plant = plant
        self._letter = letter

    def say(self, word: bytes, now: int) -> None:
        """One word of the heart."""
        del now
        self._plant.say(self._letter, word)

    def turn(self, guard: Guard, now: int) -> None:
        """Nothing is due."""

    def close(self) -> None:
        """Nobody has to be told."""


class _VirtualUart(UartPins):
    """The product's pins behind a UART, with octets of the heap instead of a descriptor's."""

    def __init__(self, plan: dict[str, Any], send: Callable[[bytes], None]) -> None:
        self.kept = b""
        self._send = send
        super().__init__(plan)

    def _open(self, plan: dict[str, Any]) -> None:
        pass

    def _take(self) -> bytes:
        octets, self.kept = self.kept, b""
        return octets

    def _put(self, octets: bytes) -> None:
        self._send(octets)


class UartLine:
    """Plays what `heart.py` does with its pins: reads them when they are due, loses them, opens them anew."""

    def __init__(self, plan: dict[str, Any], send: Callable[[bytes], None]) -> None:
        self._plan, self._send = plan, send
        self._uart: _VirtualUart | None = None
        self._leds = b"T"
        self._open_at = 0

    def say(self, word: bytes, now: int) -> None:
        """One word of the heart; nobody hears it where the line is lost."""
        self._leds = word if word[:1] == b"T" else self._leds
        if self._uart is not None:
            self._uart.say(word, now)

    def came(self, octets: bytes) -> None:
        """Octets of the guardian."""
        if self._uart is not None:
            self._uart.kept = (self._uart.kept + octets)[-_KERNEL_KEEPS:]

    def turn(self, guard: Guard, now: int) -> None:
        """The heart's turn: what came, what is due, and whether the guardian is still there."""
        if self._uart is None:
            if now < self._open_at:
                return
            self._uart = _VirtualUart(self._plan, self._send)
            self._uart.say(self._leds, now)
        if not self._uart.kept and now < self._uart.due:
            return
        try:
            for read in self._uart.read(now):
                guard.pins(read, now)
        except PinsError as error:
            self.close()
            self._open_at = now + AGAIN_NS
            guard.pins_gone(str(error), now)

    def close(self) -> None:
        """In order: the guardian is told."""
        if self._uart is not None:
            self._uart.close()
            self._uart = None
