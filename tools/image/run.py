"""Commands of the build: shown with their time, their words kept in a log, a failure told with its last lines."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

TAIL_LINES = 25


class Failed(Exception):
    """A sentence that names what failed, where its log is, and the log's last lines."""


def say(text: str) -> None:
    """One line to the person who waits."""
    print(f"image: {text}", file=sys.stderr, flush=True)


def command(
    title: str, words: Sequence[object], log: Path, env: dict[str, str] | None = None, cwd: Path | None = None
) -> None:
    """Run `words` with their output in `log`; Failed if they end with anything but 0."""
    began = time.monotonic()
    say(f"{title} ...")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as out:
        out.write(f"\n== {title}: {' '.join(map(str, words))}\n".encode())
        out.flush()
        done = subprocess.run(
            list(map(str, words)),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
            cwd=cwd,
            check=False,
        )
    if done.returncode:
        tail = log.read_text(errors="replace").splitlines()[-TAIL_LINES:]
        raise Failed("\n".join([f"{title} failed ({done.returncode}); all of it is in {log}. Its last lines:", *tail]))
    say(f"{title}: {time.monotonic() - began:.0f} s")


def answer(words: Sequence[object], env: dict[str, str] | None = None) -> str:
    """What a short command says; Failed with its complaint if it ends with anything but 0."""
    done = subprocess.run(
        list(map(str, words)), capture_output=True, text=True, check=False, env={**os.environ, **(env or {})}
    )
    if done.returncode:
        raise Failed(f"{words[0]} failed ({done.returncode}): {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
