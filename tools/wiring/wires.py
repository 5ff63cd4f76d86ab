"""Which wire goes where: the terminals of the passive panel and of a member's strip X1, from a board's data."""

from __future__ import annotations

from typing import NamedTuple

from tandem.config.board import BoardData
from tandem.config.signals import BY_NAME, LED_NAMES


class PanelTerminal(NamedTuple):
    """A terminal of the interlock panel, once for each member: number, what hangs on it in the panel, where it goes."""

    number: int
    inside: str
    outside: str


PANEL = (
    PanelTerminal(1, "K1 A1", "+24 V of the member"),
    PanelTerminal(2, "K1 A2", "relay driver A2, output 1"),
    PanelTerminal(3, "K1 13, feeds K2", "+24 V of the member"),
    PanelTerminal(4, "K2 A2", "relay driver A2, output 2"),
    PanelTerminal(5, "K2 33-34", "own-contact"),
    PanelTerminal(6, "peer's K2 61-62", "peer-contact"),
    PanelTerminal(7, "K1 23-24", "own-watchdog"),
    PanelTerminal(8, "peer's K1 33-34", "peer-watchdog"),
    PanelTerminal(9, "other ends of 5 to 8", "0 V of the member's inputs"),
    PanelTerminal(10, "K2 13", "RS-485 card, A"),
    PanelTerminal(11, "K2 23", "RS-485 card, B"),
)
"""The field side of the bus leaves the panel at F1 (A: K2a 14 and K2b 14) and F2 (B: K2a 24 and K2b 24)."""
TRIP = PanelTerminal(12, "K3 A2; K3 A1 to K1 44", "relay driver A2, output 3")
"""Where the board trips its peer: K1 43-44 feeds K3, so a board that stands still trips nobody."""
FEEDBACK = {"own-contact": 5, "peer-contact": 6, "own-watchdog": 7, "peer-watchdog": 8}
DRIVER = {"watchdog-pulse": "A2 in 1", "role-coil": "A2 in 2", "peer-trip": "A2 in 3"}


def panel_of(board: BoardData) -> tuple[PanelTerminal, ...]:
    """The panel's terminals under this board."""
    return (*PANEL, TRIP) if board.pin("peer-trip") else PANEL


def destination(signal: str) -> str:
    """Where the wire of a signal ends."""
    if signal in FEEDBACK:
        return f"P1:{FEEDBACK[signal]}"
    if signal in DRIVER:
        return DRIVER[signal]
    if signal == "key-local":
        return "S1 key, other end 0 V"
    if signal == "lamp-test":
        return "S2 button, other end 0 V"
    number = LED_NAMES.index(signal.removeprefix("led-")) + 1
    return f"H{number} lamp {LED_NAMES[number - 1]}"


def terminal_of(board: BoardData, signal: str) -> str:
    """X1's terminal of a signal, a dash where the board has none."""
    pin = board.pin(signal)
    return f"X1:{pin.terminal}" if pin else "-"


def x1_rows(board: BoardData) -> list[list[str]]:
    """Terminal, signal, line, header pin, core, destination; heads first."""
    line = "GP" if board.guardian == "uart" else "GPIO"
    rows = [["X1", "signal", line, "pin", "core", "closed, on", "goes to"]]
    for pin in sorted(board.pins, key=lambda pin: pin.terminal):
        rows.append(
            [str(pin.terminal), pin.signal, str(pin.line), str(pin.pin or "-"), f"core:{pin.colour}", pin.active,
             destination(pin.signal)]
        )  # fmt: skip
    return rows


def readme_table(board: BoardData) -> str:
    """The same for the board's README."""
    head = ["terminal", "signal", "line", "pin", "active", "pull", "core", "goes to", ""]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for pin in sorted(board.pins, key=lambda pin: pin.terminal):
        cells = [
            f"X1:{pin.terminal}", f"`{pin.signal}`", str(pin.line), str(pin.pin or "-"), pin.active, pin.pull,
            pin.colour, destination(pin.signal), BY_NAME[pin.signal].about,
        ]  # fmt: skip
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
