"""`python -m tandem log`: what the gateway and its helpers said, from the system's journal."""

from __future__ import annotations

import argparse
import subprocess
import sys

_UNITS = ("tandem", "tandem-heart", "tandem-network", "tandem-firstboot", "tandem-pair", "tandem-good", "tandem-data")


def run(argv: list[str]) -> int:
    """Print the newest lines; exit code 1 where there is no journal to be read."""
    parser = argparse.ArgumentParser(prog="tandem log", description="What the gateway said, newest last.")
    parser.add_argument("--lines", type=int, default=40, help="how many (40)")
    parser.add_argument("--follow", action="store_true", help="go on with what is said from now on, until Ctrl-C")
    parser.add_argument("--since", default="", help='such as "1 hour ago" or 2026-05-01')
    parser.add_argument("--boot", type=int, default=None, help="0: since this start; -1: of the one before it")
    parser.add_argument("--system", action="store_true", help="of the whole system, refused connections too")
    asked = parser.parse_args(argv)
    command = ["journalctl", "--no-pager", "--quiet", "--no-hostname", "--output=short-iso", f"--lines={asked.lines}"]
    if not asked.system:
        command += [f"--unit={unit}.service" for unit in _UNITS]
    if asked.since:
        command.append(f"--since={asked.since}")
    if asked.boot is not None:
        command.append(f"--boot={asked.boot}")
    if asked.follow:
        command.append("--follow")
    try:
        return int(bool(subprocess.run(command, check=False).returncode))
    except FileNotFoundError:
        print("tandem log: there is no journalctl here; the gateway's log is where its start sent it", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
