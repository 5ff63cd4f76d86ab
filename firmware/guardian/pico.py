"""The guardian on an RP2040: its pins, UART and hardware watchdog around the rules. `settings.json` says what is where.

A controller that hangs is reset by its own watchdog, and a reset makes every pin an input: both relays fall.
"""

import json
import os
import time

from machine import UART, WDT, Pin, Timer  # type: ignore[import-not-found]

from guardian import wire
from guardian.rules import Guardian, Settings

WATCHDOG_MS = 500
_INPUTS = (
    ("own-contact", wire.OWN),
    ("peer-contact", wire.PEER),
    ("own-watchdog", wire.OWN_WATCHDOG),
    ("peer-watchdog", wire.PEER_WATCHDOG),
    ("key-local", wire.LOCAL),
    ("lamp-test", wire.LAMP),
)
_PULLS = {"up": Pin.PULL_UP, "down": Pin.PULL_DOWN, "none": None}


class Output:
    """One driven pin, written only when it changes."""

    def __init__(self, line: int, high: bool) -> None:
        self._high = high
        self._on = False
        self._pin = Pin(line, Pin.OUT, value=int(not high))

    def put(self, on: bool) -> None:
        """Drive it."""
        if on != self._on:
            self._on = on
            self._pin.value(int(on == self._high))


class Controller:
    """Everything that is wired, and one step of the loop."""

    def __init__(self, told: dict) -> None:  # type: ignore[type-arg]
        wires = told["wires"]
        self._outputs = {
            name: Output(wires[name][0], wires[name][1])
            for name in ("watchdog-pulse", "role-coil", "peer-trip")
            if name in wires
        }
        self._leds = [Output(wires[name][0], wires[name][1]) if name in wires else None for name in told["leds"]]
        self._inputs = [
            (Pin(wires[name][0], Pin.IN, _PULLS[wires[name][2]]), wires[name][1], bit)
            for name, bit in _INPUTS
            if name in wires
        ]
        self._reset = Pin(told["reset_line"], Pin.OPEN_DRAIN, value=1) if told["reset_line"] >= 0 else None
        self._line = UART(0, told["baud"], tx=Pin(0), rx=Pin(1), rxbuf=1024)
        self._ticks = time.ticks_ms()  # type: ignore[attr-defined]
        self._now = 1000
        nonce = int.from_bytes(os.urandom(4), "little") | 1
        settings = Settings(told["hold_ms"], told["reset"], trip_ms=told["trip_ms"])
        self.guardian = Guardian(settings, bytes.fromhex(told["key"]), nonce, self._now)

    def step(self) -> None:
        """Read, decide, drive: a few milliseconds at most."""
        ticks = time.ticks_ms()  # type: ignore[attr-defined]
        self._now += time.ticks_diff(ticks, self._ticks)  # type: ignore[attr-defined]
        self._ticks = ticks
        guardian, now = self.guardian, self._now
        octets = self._line.read(256) if self._line.any() else None
        if octets:
            guardian.receive(octets, now)
        inputs = 0
        for pin, high, bit in self._inputs:
            if bool(pin.value()) == high:
                inputs |= bit
        guardian.sense(inputs, now)
        guardian.tick(now)
        self._outputs["role-coil"].put(guardian.role)
        self._outputs["watchdog-pulse"].put(guardian.watchdog)
        if "peer-trip" in self._outputs:
            self._outputs["peer-trip"].put(guardian.trip)
        if self._reset is not None:
            self._reset.value(int(not guardian.reset))
        for led, on in zip(self._leds, guardian.leds(now)):  # noqa: B905 - MicroPython's zip is never strict
            if led is not None:
                led.put(on)
        octets = guardian.outgoing()
        if octets:
            self._line.write(octets)

    def rest(self) -> None:
        """Both relays off, the reset line let go."""
        for output in self._outputs.values():
            output.put(False)
        if self._reset is not None:
            self._reset.value(1)


def main() -> None:
    """Run for ever."""
    with open("settings.json") as file:
        controller = Controller(json.load(file))
    watchdog = WDT(timeout=WATCHDOG_MS)
    try:
        while True:
            controller.step()
            watchdog.feed()
            time.sleep_ms(1)  # type: ignore[attr-defined]
    except KeyboardInterrupt:  # somebody at its USB plug wants to install: no relay is held meanwhile
        controller.rest()
        Timer(period=WATCHDOG_MS // 4, callback=lambda _: watchdog.feed())
