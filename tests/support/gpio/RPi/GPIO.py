"""The RPi.GPIO API over a file of 64 octets that a test maps too: bits for level, output, claimed, pulled up.

FAKE_GPIO names the file; FAKE_GPIO_TAKEN the lines that somebody else has; FAKE_GPIO_GONE a file: while it exists
there is no chip.
"""

from __future__ import annotations

import mmap
import os

BCM, IN, OUT = 11, 1, 0
PUD_OFF, PUD_DOWN, PUD_UP = 20, 21, 22
LEVEL, OUTPUT, CLAIMED, PULLED = 1, 2, 4, 8


class error(Exception):
    """As lgpio raises it."""


def _alive() -> None:
    if os.path.exists(os.environ["FAKE_GPIO_GONE"]):
        raise error("can not open gpiochip")


_alive()
_fd = os.open(os.environ["FAKE_GPIO"], os.O_RDWR)
_lines = mmap.mmap(_fd, 64)
os.close(_fd)


def setwarnings(on: bool) -> None: ...


def setmode(mode: int) -> None:
    assert mode == BCM


def setup(line: int, direction: int, pull_up_down: int = PUD_OFF, initial: int | None = None) -> None:
    _alive()
    if str(line) in os.environ.get("FAKE_GPIO_TAKEN", "").split():
        raise RuntimeError("GPIO busy")
    old = _lines[line]
    if direction == OUT:
        assert pull_up_down == PUD_OFF
        _lines[line] = CLAIMED | OUTPUT | int(bool(initial))
    else:
        _lines[line] = CLAIMED | old & LEVEL | (PULLED if pull_up_down == PUD_UP else 0)


def output(line: int, value: int) -> None:
    _alive()
    assert _lines[line] & OUTPUT, "set up first"
    _lines[line] = _lines[line] & ~LEVEL | int(bool(value))


def input(line: int) -> int:
    _alive()
    assert _lines[line] & CLAIMED, "set up first"
    return _lines[line] & LEVEL


def cleanup(line: int) -> None:
    _lines[line] = 0
