"""`python -m tandem commit`: rolls a configuration over both running members, and tells each step with its time."""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tandem.config.files import read_folder
from tandem.config.load import parse_octets
from tandem.config.pack import Pack
from tandem.manage.ask import ask
from tandem.manage.check import as_text, check
from tandem.manage.commit_api import LINE_OCTETS
from tandem.port import clock

_POLL_S = 0.2
_SILENT_MOST_S = 60.0
"""The member that is asked restarts on the way; one that is silent for longer is told of."""
_UNSEEN_MOST_S = 20.0
_DONE = {"done": 0, "returned": 1, "refused": 1, "failed": 1}


def run(argv: list[str]) -> int:
    """Commit, go back or tell; exit code 0 when both members run what was asked, 1 when not, 2 for wrong arguments."""
    parser = argparse.ArgumentParser(
        prog="tandem commit",
        description="Change the configuration of both running members, the standby first: nothing is lost or renamed.",
    )
    parser.add_argument("--state", required=True, help="state folder of a running member, whichever")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", default="", help="folder with gateway.toml and its lists: roll it over both members")
    what.add_argument("--rollback", action="store_true", help="both members go back to what they ran before")
    what.add_argument("--status", action="store_true", help="what runs, and how the newest commit stands")
    parser.add_argument("--board", default="", help="a board's name or folder, to be checked against too")
    parser.add_argument("--json", action="store_true", help="--status: one JSON object")
    asked = parser.parse_args(argv)
    try:
        if asked.status:
            return _status(asked.state, asked.json)
        uid = secrets.token_hex(8)
        if asked.config and not _put(asked.state, asked.config, asked.board):
            return 1
        ask(asked.state, {"ask": "commit", "do": "start" if asked.config else "rollback", "uid": uid})
        return _follow(asked.state, uid)
    except (OSError, ValueError) as error:
        print(f"tandem commit: {error}", file=sys.stderr)
        return 1


def _put(state: str, folder: str, board: str) -> bool:
    """Verify a folder and hand it to the member; False where it has faults, which are printed."""
    config, findings = check(folder, board)
    if config is None or findings:
        print(as_text(config, findings, board))
    if config is None:
        return False
    files = read_folder(folder)
    again, _ = parse_octets(files)
    if again is None or again.digest != config.digest:
        raise ValueError(f"{folder} is being changed: commit it when that is done")
    pack = Pack(files).text()
    told = f"{Path(folder).name} is right: configuration {config.digest[:12]}, {len(pack)} octets when packed"
    print(_line([clock.utc_us(), "commit", told]))
    for at in range(0, len(pack), LINE_OCTETS):
        ask(state, {"ask": "commit_put", "at": at, "octets": pack[at : at + LINE_OCTETS]})
    return True


def _follow(state: str, uid: str) -> int:
    """Print every step as it comes, over the restart of the member that is asked. Raises OSError or ValueError."""
    told: set[tuple[int, str, str]] = set()
    heard = began = time.monotonic()
    while True:
        try:
            found = ask(state, {"ask": "commit"})["commit"]
            heard = time.monotonic()
        except (OSError, ValueError) as error:
            if time.monotonic() - heard > _SILENT_MOST_S:
                raise ValueError(f"the member is silent for {_SILENT_MOST_S:g} s ({error}); see its log") from None
            time.sleep(_POLL_S)
            continue
        if uid in found["refused"]:
            raise ValueError(f"refused: {found['refused'][uid]}")
        goal = found["commit"] or {}
        mine = goal.get("uid") == uid or bool(told) or (goal.get("state") == "returning")
        if not mine and time.monotonic() - began > _UNSEEN_MOST_S:
            raise ValueError("the members did not begin it: see `tandem commit --status` at the other member")
        for step in goal.get("steps", ()) if mine else ():
            if tuple(step) not in told:
                told.add(tuple(step))
                print(_line(step), flush=True)
        if mine and goal["state"] in _DONE:
            return _DONE[goal["state"]]
        time.sleep(_POLL_S)


def _status(state: str, as_json: bool) -> int:
    found: dict[str, Any] = ask(state, {"ask": "commit"})["commit"]
    if as_json:
        print(json.dumps(found))
        return 0
    trial = ", on trial" if found["on_trial"] else ""
    print(f"runs {found['running'][:12]}{trial}; before it {found['previous'][:12] or 'nothing'}")
    if found["gave_up"]:
        print(f"gave up what it was to run: {found['gave_up']}")
    goal = found["commit"]
    print(f"newest commit: {goal['to'][:12] or '-'}, {goal['state']}" if goal else "no commit is known")
    for step in goal["steps"] if goal else ():
        print(_line(step))
    return 0


def _line(step: list[Any]) -> str:
    moment = datetime.fromtimestamp(step[0] / 1e6, UTC)
    return f"{moment:%H:%M:%S}.{moment.microsecond // 1000:03d} {step[1]}: {step[2]}"

