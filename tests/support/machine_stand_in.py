"""MicroPython's `machine` and the clock's extras, for the controller's program under CPython."""

from __future__ import annotations

import time
import types
from typing import Any, ClassVar


class Pin:
    """One pin; `all` has the newest of each number."""

    IN, OUT, OPEN_DRAIN, PULL_UP, PULL_DOWN = 0, 1, 2, 1, 2
    all: ClassVar[dict[int, Pin]] = {}

    def __init__(self, line: int, mode: int = -1, pull: int | None = None, value: int | None = None) -> None:
        self.line, self.mode, self.pull = line, mode, pull
        self.level = 1 if value is None and pull == Pin.PULL_UP else int(value or 0)
        Pin.all[line] = self

    def value(self, level: int | None = None) -> int:
        if level is not None:
            self.level = level
        return self.level


class UART:
    """A line whose octets the test puts in and takes out."""

    newest: Any = None

    def __init__(self, number: int, baud: int, **more: Any) -> None:
        self.baud, self.more = baud, more
        self.came, self.sent = b"", b""
        UART.newest = self

    def any(self) -> int:
        return len(self.came)

    def read(self, most: int) -> bytes:
        octets, self.came = self.came[:most], self.came[most:]
        return octets

    def write(self, octets: bytes) -> None:
        self.sent += octets


class WDT:
    """Counts what feeds it; at `ends_at` feeds somebody presses Ctrl-C."""

    fed, timeout, ends_at = 0, 0, 50

    def __init__(self, timeout: int) -> None:
        WDT.timeout, WDT.fed = timeout, 0

    def feed(self) -> None:
        WDT.fed += 1
        if WDT.fed == WDT.ends_at:
            raise KeyboardInterrupt


class Timer:
    """The newest one, with what it calls."""

    newest: Any = None

    def __init__(self, period: int, callback: Any) -> None:
        self.period, self.callback = period, callback
        Timer.newest = self


def module() -> types.ModuleType:
    """As `machine`."""
    made = types.ModuleType("machine")
    for cls in (Pin, UART, WDT, Timer):
        setattr(made, cls.__name__, cls)
    return made


class Ticks:
    """`time.ticks_ms` and its kin under the test's hand; it wraps as the controller's does."""

    WRAP = 1 << 30

    def __init__(self) -> None:
        self.now = Ticks.WRAP - 100

    def put(self, monkeypatch: Any) -> None:
        """Into the module `time`."""
        monkeypatch.setattr(time, "ticks_ms", lambda: self.now % Ticks.WRAP, raising=False)
        diff = lambda a, b: (a - b + Ticks.WRAP // 2) % Ticks.WRAP - Ticks.WRAP // 2  # noqa: E731
        monkeypatch.setattr(time, "ticks_diff", diff, raising=False)
        monkeypatch.setattr(time, "sleep_ms", self.sleep, raising=False)

    def sleep(self, ms: int) -> None:
        self.now += ms
