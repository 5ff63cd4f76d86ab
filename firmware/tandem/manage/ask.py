"""The verbs that ask a running gateway over its local API: `python -m tandem status --state DIR` and the like."""

from __future__ import annotations

import argparse
import json
import shutil
import socket
import sys
from pathlib import Path
from typing import Any

from tandem.manage.screen import screen

_ANSWER_S = 5.0


def ask(state: str, question: dict[str, object]) -> dict[str, Any]:
    """One question to the gateway whose state folder is `state`. Raises OSError or ValueError with a sentence."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(_ANSWER_S)
        connection.connect(str(Path(state) / "api.sock"))
        connection.sendall(json.dumps({"v": 1, **question}).encode() + b"\n")
        with connection.makefile("rb") as answers:
            answer = json.loads(answers.readline() or b"{}")
    if not answer.get("ok"):
        raise ValueError(str(answer.get("error", "the gateway closed the connection")))
    return dict(answer)


def run(argv: list[str]) -> int:
    """Ask and print; exit code 1 when nobody answers or the answer is no."""
    parser = argparse.ArgumentParser(prog=f"tandem {argv[0]}")
    parser.add_argument("verb", choices=tuple(_PRINTERS))
    if argv[:1] == ["reset-statistics"]:
        parser.add_argument("device", nargs="?", default="", help="one device; without it everything of this member")
    if argv[:1] == ["event"]:
        parser.add_argument("number", type=int, help="the event's number, as `events` shows it")
    parser.add_argument("--state", required=True, help="the member's state folder")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--match", default="", help="points: part of the name")
    parser.add_argument("--most", type=int, default=50, help="events: how many")
    parser.add_argument("--to", default="peer", help="switchover: a, b or peer")
    asked = parser.parse_intermixed_args(argv)
    try:
        answer = _PRINTERS[asked.verb][0](asked)
    except (OSError, ValueError) as error:
        print(f"tandem {asked.verb}: {error} (is a gateway running with --state {asked.state}?)", file=sys.stderr)
        return 1
    if asked.json:
        print(json.dumps(answer))
    else:
        _PRINTERS[asked.verb][1](answer)
    return 0


def _get_status(asked: argparse.Namespace) -> Any:
    return ask(asked.state, {"ask": "status"})["status"]


def _get_points(asked: argparse.Namespace) -> Any:
    rows: list[Any] = []
    start: int | None = 0
    while start is not None:
        answer = ask(asked.state, {"ask": "points", "match": asked.match, "from": start})
        rows += answer["points"]
        start = answer["next"]
    return rows


def _get_events(asked: argparse.Namespace) -> Any:
    return ask(asked.state, {"ask": "events", "most": asked.most})["events"]


def _get_event(asked: argparse.Namespace) -> Any:
    return ask(asked.state, {"ask": "event", "number": asked.number})["event"]


def _get_switchover(asked: argparse.Namespace) -> Any:
    return ask(asked.state, {"ask": "switchover", "to": asked.to})["sentence"]


def _get_reset(asked: argparse.Namespace) -> Any:
    return ask(asked.state, {"ask": "reset_statistics", "device": asked.device})["sentence"]


def _print_status(status: dict[str, Any]) -> None:
    print(screen(status, shutil.get_terminal_size((110, 24)).columns))


def _print_points(rows: list[dict[str, Any]]) -> None:
    if not rows:
        print("no point's name holds that", file=sys.stderr)
    for row in rows:
        print(f"{row['name']:32} {row['text']:>16}  {row['quality']:24} {row['time']}")


def _print_events(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        print(f"{row['number']:>9} {row['time']} {row['name']:32} {row['text']:>16}  {row['quality']:20}", row["cause"])


def _print_event(event: dict[str, Any]) -> None:
    """What happened, then one line a stage: when, how many ms after the arrival here, on which member."""
    print(f"{event['number']}  {event['name']}  {event['text']}  {event['quality']}  {event['cause']}")
    for stage in event["stages"]:
        about = " ".join(filter(None, (stage["stage"], stage.get("center") or stage.get("channel"))))
        ms = "" if stage["ms"] is None else f"{stage['ms']:+.1f} ms"
        member = f"at {stage['member']}" if stage["member"] else ""
        state = "" if stage["state"] == "done" else stage["state"]
        print(f"  {about:36} {stage['time']:23} {ms:>12}  {member:5} {state}".rstrip())


_PRINTERS: dict[str, Any] = {
    "status": (_get_status, _print_status),
    "points": (_get_points, _print_points),
    "events": (_get_events, _print_events),
    "event": (_get_event, _print_event),
    "switchover": (_get_switchover, print),
    "reset-statistics": (_get_reset, print),
}
