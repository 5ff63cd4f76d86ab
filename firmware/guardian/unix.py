"""The guardian under MicroPython's unix port: `micropython -m guardian.unix TTY KEY_HEX HOLD_MS RESET`.

Standard input: a line with the inputs as a number whenever they change. Standard output: a line for each change of
what is driven: ms, K1, K2, reset, LEDs.
"""

import os
import select
import sys
import time

from guardian.rules import Guardian, Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Clock:
    """Monotonic ms out of a counter that wraps."""

    def __init__(self) -> None:
        self._last = time.ticks_ms()  # type: ignore[attr-defined]
        self._now = 1000

    def now(self) -> int:
        """Milliseconds since the start, and a second."""
        ticks = time.ticks_ms()  # type: ignore[attr-defined]
        self._now += time.ticks_diff(ticks, self._last)  # type: ignore[attr-defined]
        self._last = ticks
        return self._now


def main(tty: str, key: str, hold_ms: str, reset: str) -> None:
    """Run until standard input ends."""
    clock = Clock()
    settings = Settings(int(hold_ms), reset == "1")
    nonce = int.from_bytes(os.urandom(4), "little") | 1
    guardian = Guardian(settings, bytes.fromhex(key), nonce, clock.now())
    line = open(tty, "r+b")  # noqa: SIM115
    poller: Any = select.poll()  # MicroPython's gives streams, not numbers
    poller.register(line, select.POLLIN)
    poller.register(sys.stdin, select.POLLIN)
    shown = ""
    while True:
        for stream, _ in poller.poll(2):
            if stream is sys.stdin:
                word = sys.stdin.readline()
                if not word:
                    return
                guardian.sense(int(word), clock.now())
            else:
                guardian.receive(line.read(1), clock.now())
        guardian.tick(clock.now())
        octets = guardian.outgoing()
        if octets:
            line.write(octets)
        now = clock.now()
        leds = "".join("1" if on else "0" for on in guardian.leds(now))
        driven = f"{int(guardian.watchdog)} {int(guardian.role)} {int(guardian.reset)} {leds}"
        if driven != shown:
            shown = driven
            print(now, driven)


if __name__ == "__main__":
    main(*sys.argv[1:])
