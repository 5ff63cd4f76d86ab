"""`python -m tandem check`: verifies a configuration and names every fault, with its place and its cure."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path

from tandem.config import stalls
from tandem.config.board import BoardData, read_board, way_ms
from tandem.config.finding import Finding, nearest
from tandem.config.load import verify
from tandem.config.margins import margins
from tandem.config.model import Config, Place
from tandem.config.schema import MAIN_FILE


def run(argv: list[str]) -> int:
    """Verify and print; exit code 0 without errors, 1 with errors, 2 for arguments that are not understood."""
    parser = argparse.ArgumentParser(prog="tandem check", description="Verify a configuration and name every fault.")
    parser.add_argument("--config", default="", help="folder with gateway.toml and its lists")
    parser.add_argument("--board", default="", help="a board's name or folder: relay times and port names count too")
    parser.add_argument("--state", default="", help="a member's folder, on its board: what was measured counts too")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    try:
        asked = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    if not asked.config:
        return _board_alone(asked.board)
    config, findings = check(asked.config, asked.board)
    config, findings = _measured(config, findings, asked.state)
    if asked.json:
        print(json.dumps(as_json(config, findings)))
    else:
        print(as_text(config, findings, asked.board))
    return 0 if config is not None else 1


def _board_alone(name: str) -> int:
    """A board's file without a configuration."""
    if not name:
        print("tandem check: name a configuration with --config, a board with --board, or both")
        return 2
    board, findings = read_board(name)
    print(*findings, *(_spare(name) if board else ()), sep="\n")
    return 0 if board else 1


def check(folder: str, board: str = "") -> tuple[Config | None, list[Finding]]:
    """(configuration, findings) of a folder, with the board's relay times and ports where a board is named."""
    if not board:
        return verify(folder)
    data, findings = read_board(board)
    if data is None:
        return None, [*findings, *verify(folder)[1]]
    config, found = verify(folder, data.relay, frozenset(port.name for port in data.serials))
    return config, [*findings, *found, *_interfaces(config, data)]


def _measured(
    config: Config | None, findings: list[Finding], state: str
) -> tuple[Config | None, list[Finding]]:
    """The profile against what was measured on this board; without a state folder only a reminder."""
    if config is None or config.standby.profile == "normal":
        return config, findings
    place = Place(MAIN_FILE, 1)
    if not state:
        wrong = f'profile = "{config.standby.profile}" starts only on a board that was measured'
        right = "check there with --state DIR, see `tandem bench stalls`"
        return config, [*findings, Finding(place, wrong, right, "warning")]
    file = Path(state) / stalls.FILE
    text = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
    wrong, _, right = stalls.refusal(config.standby.profile, text, os.uname().release).rpartition("; ")
    return (None, [*findings, Finding(place, wrong, right)]) if wrong else (config, findings)


def _interfaces(config: Config | None, board: BoardData) -> list[Finding]:
    """Interfaces that the board does not have, where it names its own."""
    known = set(board.interfaces.values())
    place = Place(MAIN_FILE, 1)
    return [
        Finding(place, f"[lan.{lan.name}] {m}: board {board.name} has no interface {port.interface}",
                nearest(port.interface, known, "it has"), "warning")
        for lan in (config.lans if config and known else ())
        for m, port in lan.members.items()
        if port.interface not in known
    ]  # fmt: skip


def counts(findings: list[Finding]) -> tuple[int, int]:
    """(errors, warnings)."""
    errors = sum(finding.level == "error" for finding in findings)
    return errors, len(findings) - errors


def as_json(config: Config | None, findings: list[Finding]) -> dict[str, object]:
    """The answer for programs: ok, counts, findings, and what there is when it is right."""
    errors, warnings = counts(findings)
    rows = [
        {
            "file": f.place.file,
            "line": f.place.line,
            "level": f.level,
            "code": f.code,
            "wrong": f.wrong,
            "right": f.right,
        }
        for f in findings
    ]
    found: dict[str, object] = {"ok": config is not None, "errors": errors, "warnings": warnings, "findings": rows}
    if config is not None:
        found["group"] = config.group.name
        found["digest"] = config.digest
    return found


def as_text(config: Config | None, findings: list[Finding], board: str = "") -> str:
    """The answer for people: a line for each fault, and a closing sentence."""
    lines = [str(f) if f.level == "error" else f"{f.place}: (warning) {str(f).partition(': ')[2]}" for f in findings]
    errors, warnings = counts(findings)
    if lines:
        lines.append("")
    beside = f", {_many(warnings, 'warning')}" if warnings else ""
    if config is None:
        lines.append(f"{_many(errors, 'error')}{beside}. The gateway does not start with this configuration.")
    else:
        lines.append(f'The configuration of "{config.group.name}" is right{beside}: {_contents(config)}.')
        lines += _spare(board)
        if not board and config.standby.arbitration == "relays":
            lines.append("The relays' times were not reckoned with: name the board, as in --board bench.")
    return "\n".join(lines)


def _spare(board: str) -> list[str]:
    """What the board's relays leave to spare in each step, in ms."""
    data = read_board(board)[0] if board else None
    if data is None or data.relay is None or data.watchdog is None:
        return []
    steps = [f"  {m.spare_ms:6g} ms  {m.name}" for m in margins(data.relay, data.watchdog, way_ms(data.uart))]
    return [f"The relays of board {data.name} leave to spare:", *steps]


def _contents(config: Config) -> str:
    devices = [device for master in config.masters for device in master.devices]
    points = sum(len(device.points) for device in devices)
    rows = sum(len(slave.rows) for slave in config.slaves)
    return ", ".join(
        (
            _many(len(config.lans), "LAN"),
            _many(len(config.serials), "serial line"),
            f"{_many(len(config.masters), 'master')} with {_many(len(devices), 'device')} and {_many(points, 'point')}",
            f"{_many(len(config.slaves), 'slave')} with {_many(rows, 'row')}",
        )
    )


def _many(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
