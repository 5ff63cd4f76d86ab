"""The signals between a board and its relays and front panel: one table for boards, pins, drawings and tests."""

from __future__ import annotations

from typing import Literal, NamedTuple


class Signal(NamedTuple):
    """One wire. `needed`: where relays arbitrate, a board without it is refused."""

    name: str
    way: Literal["in", "out"]
    needed: bool
    about: str


LED_NAMES = ("power", "run", "active", "standby", "fault", "peer", "lan1", "lan2", "field", "center")
"""The front panel's LEDs from left to right; their octets travel in this order."""

SIGNALS = (
    Signal("watchdog-pulse", "out", True, "pulses that hold the watchdog relay K1"),
    Signal("role-coil", "out", True, "asks for the role relay K2, fed through K1 and the peer's K2"),
    Signal("peer-trip", "out", False, "a pulse opens the feed of the peer's role relay through K3"),
    Signal("own-contact", "in", True, "role relay K2 of this member is closed"),
    Signal("peer-contact", "in", True, "role relay K2 of the peer is closed"),
    Signal("own-watchdog", "in", True, "watchdog relay K1 of this member is closed"),
    Signal("peer-watchdog", "in", False, "watchdog relay K1 of the peer is closed"),
    Signal("key-local", "in", False, "the local/remote key stands at local: controls from afar are refused"),
    Signal("lamp-test", "in", False, "button: every LED shines"),
    *(Signal(f"led-{name}", "out", False, f"LED {name}") for name in LED_NAMES),
)
BY_NAME = {signal.name: signal for signal in SIGNALS}
