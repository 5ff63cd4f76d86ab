"""The pins on GPIO lines, through the RPi.GPIO API: rpi-lgpio provides it on the kernel's character device.

    watchdog-pulse --> monostable that holds K1        own-contact, peer-contact, own-watchdog, ... <-- dry contacts
    role-coil      --> latch, K1, peer's K2 --> K2     led-...  --> lamps
    peer-trip      --> K1 --> K3, in the feed of the peer's K2

Outputs begin low before anything else is asked of them. Levels are read whenever the heart is awake, 10 ms apart at
the normal profile, and every 2 ms while a contact is to follow its coil. Edges are not asked for: lgpio's thread for
them wakes a thousand times a second, at the heart's priority.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from typing import Any

from guardian.blink import SLOT_MS, levels
from tandem.codec.heart import KEY_LOCAL, LAMP_TEST, PEER_WATCHDOG, PinsRead
from tandem.port.pins import ALL_CARRIERS, NEVER, PinsError

_MS = 1_000_000
_READ_NS, _WATCH_NS = 10 * _MS, 2 * _MS
_FOLLOWS_NS = 500 * _MS
"""A contact that has not followed its coil by then is no longer watched for."""
_STILL_NS = 50 * _MS
"""One that has is watched so long: it bounces."""
_INPUTS = ("own-contact", "peer-contact", "own-watchdog", "peer-watchdog", "key-local", "lamp-test")


def _module(plan: dict[str, Any]) -> Any:
    """RPi.GPIO on the plan's chip. Raises PinsError."""
    sys.path += [place for place in plan["paths"] if place not in sys.path]
    os.environ["RPI_LGPIO_CHIP"] = str(plan["chip"])
    if plan["revision"]:
        os.environ.setdefault("RPI_LGPIO_REVISION", plan["revision"])
    os.environ.setdefault(
        "LG_WD", os.environ.get("RUNTIME_DIRECTORY", tempfile.gettempdir())
    )  # lgpio keeps a pipe there
    try:
        import RPi.GPIO as gpio
    except ImportError as error:
        raise PinsError(f'GPIO: {error}; install rpi-lgpio, or write guardian = "none" in the board\'s file') from None
    except Exception as error:  # lgpio has an exception of its own, below nothing else
        cure = "is the board's [gpio] chip right, and may this process open it?"
        raise PinsError(f"GPIO chip /dev/gpiochip{plan['chip']} cannot be opened: {error}; {cure}") from None
    return gpio


class GpioPins:
    """One board's lines; `due` is the next reading or a blinking LED's next change, `alarm` a watched contact's."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self._gpio = gpio = _module(plan)
        self._wires: dict[str, tuple[int, bool, str]] = {name: tuple(wire) for name, wire in plan["wires"].items()}
        self.due, self.alarm = 0, NEVER
        self._coil = False
        self._watch_until = 0
        self._last: PinsRead | None = None
        self._octets = b""
        self._lit: dict[str, bool] = {}
        self._leds = [name if (name := f"led-{led}") in self._wires else "" for led in plan["leds"]]
        self._claimed: list[int] = []
        try:
            gpio.setwarnings(False)
            gpio.setmode(gpio.BCM)
            for name in self._wires:
                self._claim(name)
        except PinsError:
            self.close()
            raise

    def _claim(self, name: str) -> None:
        line, high, pull = self._wires[name]
        gpio = self._gpio
        try:
            if name in _INPUTS:
                gpio.setup(line, gpio.IN, {"up": gpio.PUD_UP, "down": gpio.PUD_DOWN}.get(pull, gpio.PUD_OFF))
            else:
                gpio.setup(line, gpio.OUT, initial=0 if high else 1)
        except Exception as error:  # whatever the library raises: the sentence says which wire
            cure = "free it (gpioinfo says who has it), or correct the board's file"
            raise PinsError(f"GPIO line {line} ({name}) cannot be had: {error}; {cure}") from None
        self._claimed.append(line)

    def fileno(self) -> int:
        return -1

    def say(self, word: bytes, now: int) -> None:
        head = word[:1]
        if head == b"P":
            self._drive("watchdog-pulse", True)
            self._drive("watchdog-pulse", False)
        elif head == b"C":
            self._drive("role-coil", word == b"C1")
            self._coil, self._watch_until, self.alarm = word == b"C1", now + _FOLLOWS_NS, now + _WATCH_NS
        elif head == b"Y":
            self._drive("peer-trip", word == b"Y1")
        elif head == b"T":
            self._octets = word[1:]
            self._show(now)

    def read(self, now: int) -> list[PinsRead]:
        seen = self._sense(now)
        before, self._last = self._last, seen
        if before is not None and before.own != self._coil == seen.own:
            self._watch_until = min(self._watch_until, now + _STILL_NS)
        watched = now < self._watch_until
        self.due = now + (_WATCH_NS if watched else _READ_NS)
        self.alarm = self.due if watched else NEVER
        self._show(now)
        return [] if before is not None and before[1:] == seen[1:] else [seen]

    def close(self) -> None:
        for name in ("role-coil", "peer-trip", "watchdog-pulse", *filter(None, self._leds)):
            if self._wires.get(name, (-1,))[0] in self._claimed:
                self._quietly(lambda name=name: self._drive(name, False))  # type: ignore[misc]
        for line in self._claimed:
            self._quietly(lambda line=line: self._gpio.cleanup(line))  # type: ignore[misc]
        self._claimed.clear()

    def _quietly(self, do: Callable[[], object]) -> None:
        """Giving a line back must not keep the others from being given back."""
        try:
            do()
        except Exception:  # a chip that is gone has no lines left to drive
            pass

    def _sense(self, now: int) -> PinsRead:
        closed = self._closed
        inputs = (
            closed("peer-watchdog") * PEER_WATCHDOG | closed("key-local") * KEY_LOCAL | closed("lamp-test") * LAMP_TEST
        )
        return PinsRead(
            now, closed("own-contact"), closed("peer-contact"), closed("own-watchdog"), 1, ALL_CARRIERS, inputs
        )

    def _closed(self, name: str) -> int:
        wire = self._wires.get(name)
        if wire is None:
            return 0
        try:
            return int(bool(self._gpio.input(wire[0])) == wire[1])
        except Exception as error:  # a chip on a bus that was unplugged
            raise PinsError(f"GPIO line {wire[0]} ({name}) cannot be read: {error}") from None

    def _drive(self, name: str, on: bool) -> None:
        wire = self._wires.get(name)
        if wire is not None:
            try:
                self._gpio.output(wire[0], int(on == wire[1]))
            except Exception as error:  # as above
                raise PinsError(f"GPIO line {wire[0]} ({name}) cannot be driven: {error}") from None

    def _show(self, now: int) -> None:
        """The LEDs as they are lit in this eighth of a second; only what changes is written."""
        lamp_test = bool(self._last is not None and self._last.inputs & LAMP_TEST)
        now_ms = now // _MS
        octets = self._octets.ljust(len(self._leds), b"\0")
        for name, on in zip(self._leds, levels(octets, lamp_test, now_ms), strict=False):
            if name and self._lit.get(name, False) != on:
                self._drive(name, on)
                self._lit[name] = on
        self.due = min(self.due, (now_ms // SLOT_MS + 1) * SLOT_MS * _MS)
