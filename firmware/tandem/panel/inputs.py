"""What people turn and what contacts say, debounced: a value is believed when still, and stamped when it began."""

from __future__ import annotations

from typing import NamedTuple

from tandem.codec.heart import BLIND, KEY_LOCAL, LAMP_TEST, PEER_WATCHDOG, PinsRead

_NEVER = -1


class Change(NamedTuple):
    """An input took a value; `at_ns`: when it began to have it."""

    name: str
    value: int
    at_ns: int


class Inputs:
    """Every input of the pins. Blind pins change nothing: what was believed last stands."""

    def __init__(self, debounce_ns: int) -> None:
        self.debounce_ns = debounce_ns
        self.believed: dict[str, int] = {}
        self._seen: dict[str, tuple[int, int]] = {}  # name -> (value, since)
        self._due = _NEVER

    def read(self, pins: PinsRead) -> None:
        """Take in one reading."""
        if pins.inputs & BLIND or not pins.at_ns:
            return
        bits = pins.inputs
        for name, value in (
            ("relay.own", pins.own), ("relay.peer", pins.peer), ("relay.watchdog", pins.watchdog),
            ("relay.peer_watchdog", bits & PEER_WATCHDOG), ("key_local", bits & KEY_LOCAL),
            ("lamp_test", bits & LAMP_TEST),
        ):  # fmt: skip
            level = int(bool(value))
            if name not in self._seen or self._seen[name][0] != level:
                self._seen[name] = level, pins.at_ns
                self._due = pins.at_ns + self.debounce_ns

    def changes(self, now: int) -> list[Change]:
        """What is newly believed since the last call."""
        if self._due == _NEVER:
            return []
        found = []
        waiting = False
        for name, (value, since) in self._seen.items():
            if self.believed.get(name) != value:
                if now - since >= self.debounce_ns:
                    self.believed[name] = value
                    found.append(Change(name, value, since))
                else:
                    waiting = True
        if not waiting:
            self._due = _NEVER
        return found
