"""`./build.sh guardian install | version`: puts the guardian onto an RP2040 at a USB port of this machine."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tandem.config.board import read_board
from tools.guardian.install import GuardianError, identify, install, mpremote, settings, version


def main(argv: list[str]) -> int:
    """Carry out a verb; 1 for what could not be done, with the reason in a sentence."""
    parser = argparse.ArgumentParser(prog="./build.sh guardian", description=__doc__)
    parser.add_argument("verb", choices=("install", "version"))
    parser.add_argument("--port", default="", help="its port, such as /dev/ttyACM0; default: the first found")
    parser.add_argument("--board", default="cm4-dual", help="a board's name or folder")
    parser.add_argument("--member", choices=("a", "b"), help="install: whose guardian it is")
    parser.add_argument("--state", help="install: the member's state folder, whose keys/beat.key pairs the guardian")
    asked = parser.parse_args(argv)
    try:
        if asked.verb == "version":
            print(f"guardian {version(mpremote(asked.port))}, {identify(mpremote(asked.port))}")
            return 0
        print(f"guardian {_install(asked)} is installed and runs")
        return 0
    except (GuardianError, OSError) as error:
        print(f"guardian: {error}", file=sys.stderr)
        return 1


def _install(asked: argparse.Namespace) -> str:
    board, findings = read_board(asked.board)
    if board is None:
        raise GuardianError("; ".join(map(str, findings)))
    if not asked.member or not asked.state:
        raise GuardianError("name the member and its state folder: --member a --state DIR")
    beat_key = (Path(asked.state) / "keys" / "beat.key").read_bytes()
    return install(mpremote(asked.port), settings(board, beat_key, asked.member))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
