"""What goes onto an RP2040 and how: the guardian's files, its settings from the board's data, the member's key."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from guardian import wire
from guardian.rules import VERSION
from tandem.config.board import BOARDS, BoardData
from tandem.config.signals import LED_NAMES

SOURCE = BOARDS.parent / "firmware" / "guardian"
FILES = ("__init__.py", "blink.py", "wire.py", "rules.py", "pico.py")
LOWEST = (1, 24)
NAMED = "MicroPython 1.28 for RPI_PICO"
"""What it was written for; older than LOWEST is refused."""
_WHO = "import sys, os; print(sys.implementation[0], *sys.implementation[1][:2], os.uname().machine)"
_VERSION = "import guardian.rules; print(guardian.rules.VERSION)"
_MAIN = "from guardian.pico import main\n\nmain()\n"
_WAIT_S = 60
Run = Callable[[list[str]], str]
"""Runs mpremote with these arguments; returns what it printed. Raises GuardianError."""


class GuardianError(RuntimeError):
    """The controller cannot be had, in a sentence with the cure."""


def mpremote(port: str) -> Run:
    """mpremote at a port; "" takes the first controller that is plugged in."""

    def run(arguments: list[str]) -> str:
        command = [sys.executable, "-m", "mpremote", "connect", port or "auto", *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_WAIT_S, check=False)
        except subprocess.TimeoutExpired:
            raise GuardianError(f"{port or 'the controller'} does not answer; unplug it and plug it in again") from None
        if done.returncode:
            reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] or ["mpremote failed"]
            raise GuardianError(f"{port or 'no controller'}: {reason[0]}; is it plugged in, and does it run {NAMED}?")
        return done.stdout.strip()

    return run


def settings(board: BoardData, beat_key: bytes, member: str) -> dict[str, object]:
    """`settings.json` of a member's guardian. Raises GuardianError for a board that has none."""
    if board.uart is None or board.watchdog is None:
        raise GuardianError(f'board {board.name} has no guardian: its file says guardian = "{board.guardian}"')
    return {
        "key": wire.derive(beat_key, member).hex(),
        "baud": board.uart.baud,
        "hold_ms": int(board.watchdog.hold_ms),
        "reset": board.uart.reset,
        "reset_line": board.uart.reset_line if board.uart.reset else -1,
        "trip_ms": int(board.relay.trip_ms) if board.relay else 0,
        "leds": list(LED_NAMES),
        "wires": {pin.signal: [pin.line, pin.active == "high", pin.pull] for pin in board.pins},
    }


def identify(run: Run) -> str:
    """What runs there, in words. Raises GuardianError unless it is a new enough MicroPython on an RP2040."""
    said = run(["exec", _WHO])
    name, major, minor, *machine = said.split()[:64] if len(said.split()) > 3 else ("", "0", "0")
    words = f"{name} {major}.{minor} on {' '.join(machine)}"
    if name != "micropython" or "RP2040" not in said:
        raise GuardianError(f"this is {said[:80] or 'no MicroPython'}; put {NAMED} onto an RP2040 first")
    if (int(major), int(minor)) < LOWEST:
        raise GuardianError(f"{words} is too old: put {NAMED} onto it")
    return words


def install(run: Run, told: dict[str, object]) -> str:
    """Copy, start, and ask for the version; returns it. Raises GuardianError."""
    identify(run)
    try:
        run(["fs", "mkdir", ":guardian"])
    except GuardianError:
        pass  # it is there already; the copies below say if not
    run(["fs", "cp", *(str(SOURCE / name) for name in FILES), ":guardian/"])
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (("settings.json", json.dumps(told)), ("main.py", _MAIN)):
            file = Path(folder) / name
            file.touch(mode=0o600)
            file.write_text(text, encoding="utf-8")
            run(["fs", "cp", str(file), f":{name}"])
    found = version(run)
    if found != VERSION:
        raise GuardianError(f"it answers version {found or 'nothing'} and not {VERSION}: install it again")
    run(["reset"])
    return found


def version(run: Run) -> str:
    """The version of the guardian that is on the controller."""
    return run(["exec", _VERSION])
