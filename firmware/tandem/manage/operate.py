"""`python -m tandem out|in|rearm --state DIR`: what an operator does at a running gateway."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
from typing import Any

from tandem.manage.ask import ask


def run(argv: list[str]) -> int:
    """Order and print; exit code 1 when nobody answers or the answer is no."""
    asked = _parser(argv[0]).parse_args(argv[1:])
    asked.verb = argv[0]
    try:
        return _order(asked)
    except (OSError, ValueError) as error:
        print(f"tandem {argv[0]}: {error} (is a gateway running with --state {asked.state}?)", file=sys.stderr)
        return 1


def _parser(verb: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=f"tandem {verb}")
    parser.add_argument("--state", required=True, help="the member's state folder")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    parser.add_argument("--by", default=_user(), help="who does it (default: the user)")
    if verb in ("out", "in"):
        parser.add_argument("--member", default="", choices=("", "a", "b"), help="default: the one that is asked")
        parser.add_argument("--reason", default="", help="why, for the log and the status")
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
    question |= {key: value for key in ("member", "reason", "force") if (value := getattr(asked, key, None))}
    sentence = ask(asked.state, question)["sentence"]
    print(json.dumps(sentence) if asked.json else sentence)
    return 1 if str(sentence).startswith("refused") else 0
