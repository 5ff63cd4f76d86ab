"""`python -m tandem check`: verifies a configuration and names every fault, with its place and its cure."""

from __future__ import annotations

import argparse
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tandem.config.finding import Finding, nearest
from tandem.config.load import verify
from tandem.config.model import Config, Place
from tandem.config.timing import RelayTimes

_BOARDS = Path(__file__).resolve().parents[3] / "board"


def run(argv: list[str]) -> int:
    """Verify and print; exit code 0 without errors, 1 with errors, 2 for arguments that are not understood."""
    parser = argparse.ArgumentParser(prog="tandem check", description="Verify a configuration and name every fault.")
    parser.add_argument("--config", required=True, help="folder with gateway.toml and its lists")
    parser.add_argument("--board", default="", help="a board's name or folder: relay times and port names count too")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of sentences")
    try:
        asked = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    config, findings = check(asked.config, asked.board)
    if asked.json:
        print(json.dumps(as_json(config, findings)))
    else:
        print(as_text(config, findings, asked.board))
    return 0 if config is not None else 1


def check(folder: str, board: str = "") -> tuple[Config | None, list[Finding]]:
    """(configuration, findings) of a folder, with the board's relay times and ports where a board is named."""
    if not board:
        return verify(folder)
    file = (Path(board) if "/" in board else _BOARDS / board) / "board.toml"
    name = f"{file.parent.name}/board.toml"
    try:
        data = tomllib.loads(file.read_text(encoding="utf-8"))
        relay = relay_times(data)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        known = sorted(path.parent.name for path in _BOARDS.glob("*/board.toml"))
        cure = nearest(board, known, "the boards are") if isinstance(error, OSError) else "correct the board's file"
        findings = verify(folder)[1]
        return None, [Finding(Place(name, 1), f"the board cannot be read: {reason}", cure), *findings]
    serial = data.get("serial")
    return verify(folder, relay, frozenset(serial if isinstance(serial, dict) else ()))


def relay_times(board: Mapping[str, object]) -> RelayTimes | None:
    """The times of [relay] in a board's file; None where it has no relays. Raises ValueError."""
    table = board.get("relay")
    if table is None:
        return None
    if not isinstance(table, dict):
        raise ValueError("relay is not a table")
    times = {}
    for key in RelayTimes.__dataclass_fields__:
        value = table.get(key, 0.0 if key == "claim_timeout_ms" else None)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 60_000:
            raise ValueError(f"[relay] needs {key}, a number of milliseconds")
        times[key] = float(value)
    return RelayTimes(**times)


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
        if not board and config.standby.arbitration == "relays":
            lines.append("The relays' times were not reckoned with: name the board, as in --board bench.")
    return "\n".join(lines)


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
