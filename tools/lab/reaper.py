"""`python -m tools.lab.reaper OCTET`: waits for the end of stdin, which is its parent's end, and sweeps."""

from __future__ import annotations

import os
import signal
import sys

from tools.lab.netns import sweep


def main(argv: list[str]) -> int:
    """Wait, sweep, end."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while os.read(0, 4096):
        pass
    sweep(int(argv[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
