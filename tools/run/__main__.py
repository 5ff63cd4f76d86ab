"""`python -m tools.run`: what `./build.sh run` starts. Nothing is left running, however it ends."""

from __future__ import annotations

import signal
import sys
import tempfile
from pathlib import Path

from tandem.config.finding import ConfigError
from tools.bench.pair import NotReady, Pair
from tools.lab.stage import Lab
from tools.run.headless import run_headless
from tools.run.options import Options, parse
from tools.run.screen import run_screen

_USUAL_OCTET = 20


def main(argv: list[str]) -> int:
    """Run; exit code 2 with a sentence where it could not start."""
    options = parse(argv)
    signal.signal(signal.SIGTERM, _interrupt)
    signal.signal(signal.SIGHUP, _interrupt)
    try:
        if options.run is not None:
            return _run(options, options.run)
        with tempfile.TemporaryDirectory(prefix="tandem-run-") as folder:
            return _run(options, Path(folder))
    except (ConfigError, NotReady, OSError, ValueError) as error:
        print(f"run: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("ended; nothing is left running", file=sys.stderr)
        return 130


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _run(options: Options, folder: Path) -> int:
    with _pair(options, folder) as pair:
        return run_headless(pair, options) if options.headless else run_screen(pair)


def _pair(options: Options, folder: Path) -> Pair:
    def say(sentence: str) -> None:
        print(f"run: {sentence}", flush=True)

    stage = Lab() if options.netns else None
    if options.octet is None:
        try:
            return Pair(options.config, folder, _USUAL_OCTET, options.rate, say=say, stage=stage)
        except BlockingIOError as error:
            say(f"{error}; taking a free one")
    return Pair(options.config, folder, options.octet, options.rate, say=say, stage=stage)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
