"""`python -m tandem control|controls|tag|untag|tags|out|in|rearm`: what an operator does at a running gateway."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from collections.abc import Callable
from typing import Any

from tandem.manage.ask import ask

_LOOK_S = 0.05
_PATIENCE_S = 30.0


def run(argv: list[str]) -> int:
    """Do it and print; exit code 1 when nobody answers or the answer is no."""
    verb = argv[0]
    asked = _parser(verb).parse_args(argv[1:])
    asked.verb = verb
    doing: dict[str, Callable[[argparse.Namespace], int]] = {"control": _control, "controls": _controls, "tags": _tags}
    try:
        return doing.get(verb, _order)(asked)
    except OSError as error:
        print(f"tandem {verb}: {error} (is a gateway running with --state {asked.state}?)", file=sys.stderr)
    except ValueError as error:
        print(f"tandem {verb}: {error}", file=sys.stderr)
    return 1


def _parser(verb: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"tandem {verb}")
    if verb in ("control", "tag", "untag"):
        parser.add_argument("point", help="full name of an output" + ("" if verb == "control" else ", or a device"))
    if verb == "control":
        parser.add_argument("value", help="a state's name, on or off, higher or lower, or a number")
        parser.add_argument("--select", action="store_true", help="select first, then execute")
    parser.add_argument("--state", required=True, help="the member's state folder")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    if verb == "controls":
        parser.add_argument("--most", type=int, default=20, help="how many of the newest")
    elif verb != "tags":
        parser.add_argument("--by", default=_user(), help="who does it (default: the user)")
    if verb in ("out", "in"):
        parser.add_argument("--member", default="", choices=("", "a", "b"), help="default: the one that is asked")
    if verb in ("out", "in", "tag", "untag"):
        parser.add_argument("--reason", default="", required=verb == "tag", help="why, for the log and the status")
    if verb == "out":
        parser.add_argument("--force", action="store_true", help="even if nobody is left to serve")
    return parser


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "local API"


def _order(asked: argparse.Namespace) -> int:
    question: dict[str, Any] = {"ask": asked.verb, "by": asked.by}
    for key in ("point", "member", "reason", "force"):
        question |= {key: value} if (value := getattr(asked, key, None)) else {}
    sentence = ask(asked.state, question)["sentence"]
    print(json.dumps(sentence) if asked.json else sentence)
    return 1 if str(sentence).startswith("refused") else 0


def _control(asked: argparse.Namespace) -> int:
    story: dict[str, Any] = {}
    for step in ("select", "execute") if asked.select else ("direct",):
        question = {"ask": "control", "point": asked.point, "value": asked.value, "step": step, "by": asked.by}
        story = _ended(asked.state, story.get("id", ""), str(ask(asked.state, question)["id"]), f"{step} asked")
        if story["outcome"] not in ("selected", "executed"):
            break
    _print(story, asked.json)
    return 0 if story["outcome"] == "executed" else 1


def _ended(state: str, known: str, id: str, step: str) -> dict[str, Any]:
    """The story of a control when it has ended; an execute goes on with the story of its select (`known`)."""
    until = time.monotonic() + _PATIENCE_S
    while time.monotonic() < until:
        for name in filter(None, (id, known)):
            rows = ask(state, {"ask": "controls", "id": name})["controls"]
            asked = rows and any(row["words"] == step for row in rows[0]["steps"])
            if asked and rows[0]["outcome"]:
                return dict(rows[0])
        time.sleep(_LOOK_S)
    raise ValueError(f"control {id} did not end within {_PATIENCE_S:g} s: look at the device, and at `tandem controls`")


def _controls(asked: argparse.Namespace) -> int:
    rows = ask(asked.state, {"ask": "controls", "most": asked.most})["controls"]
    if asked.json:
        print(json.dumps(rows))
        return 0
    for row in rows:
        _print(row, False)
    return 0


def _print(row: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(row))
        return
    outcome = row["outcome"].replace("_", " ") or "under way"
    print(f"{row['time']} {row['id']} {row['point']} {row['value']} by {row['origin']}: {outcome}")
    for step in row["steps"]:
        print(f"{step['ms']:>14.1f} ms  {step['words']}")


def _tags(asked: argparse.Namespace) -> int:
    rows = ask(asked.state, {"ask": "tags"})["tags"]
    if asked.json:
        print(json.dumps(rows))
    for row in () if asked.json else rows:
        print(f"{row['time']} {row['point']:32} {row['by']}: {row['reason']}")
    return 0
