"""`python -m tandem bench stalls`: how late this board wakes its processes under load, and what profile it may use."""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys

from tandem.config.schema import PROFILES
from tandem.config.stalls import FILE, LEAST_MINUTES, Measured, Stalls, may_use
from tandem.port import clock
from tandem.port.disk import StateFolder

_WARM_S = 1.0


def run(argv: list[str]) -> int:
    """Measure, print, keep the result in the state folder; exit code 0 where the fast profile may be used, else 1."""
    parser = argparse.ArgumentParser(prog="tandem bench", description="Figures of this board.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    stalls = verbs.add_parser("stalls", help="stalls of heart and supervisor under load, and which profile may be used")
    stalls.add_argument("--state", required=True, help="the member's state folder: load for its flash, and the result")
    stalls.add_argument("--minutes", type=float, default=LEAST_MINUTES, help=f"how long; below {LEAST_MINUTES}: a look")
    stalls.add_argument("--load", choices=("full", "none"), default="full", help="none: only what runs here anyway")
    try:
        asked = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    if not 0 < asked.minutes <= 7 * 24 * 60:
        print("tandem bench: --minutes is a time between 0 and a week")
        return 2
    try:
        state = StateFolder(asked.state)
        measured = measure(state, asked.minutes, asked.load == "full")
    except (OSError, ValueError) as error:
        print(f"tandem bench: {error}", file=sys.stderr)
        return 2
    print(as_text(measured))
    if fault := state.write(FILE, measured.to_json()):
        print(f"tandem bench: {fault}: the result is not kept", file=sys.stderr)
        return 2
    return int(bool(may_use("fast", measured)))


def measure(state: StateFolder, minutes: float, loaded: bool) -> Measured:
    """Both processes and the load, for so long. Raises OSError or ValueError where one of them did not run."""
    cores = os.cpu_count() or 1
    kinds = ["burn"] * cores + ["memory", "flash"] if loaded else []
    seconds = minutes * 60
    load = [_start(kind, seconds + 2 * _WARM_S, str(state.path)) for kind in kinds]
    try:
        probes = [_start(kind, seconds) for kind in ("heart", "supervisor")]
        heart, supervisor = (_answer(probe) for probe in probes)
    finally:
        for process in load:
            process.terminate()
        for process in load:
            process.communicate()
        (state.path / "stalls.load").unlink(missing_ok=True)
    about = os.uname()
    refused = str(heart["refused"] or supervisor["refused"])
    at = datetime.datetime.fromtimestamp(clock.utc_us() // 1_000_000, datetime.UTC).isoformat()
    text = f"{cores} burning, memory, flash" if loaded else "none"
    return Measured(
        round(minutes, 3), _stalls(heart["late_us"]), _stalls(supervisor["late_us"]), about.release, about.machine,
        cores, refused, text, at,
    )  # fmt: skip


def as_text(measured: Measured) -> str:
    """The distribution and the verdicts."""
    lines = [
        f"Stalls over {measured.minutes:g} minutes, load: {measured.load}; {measured.machine}, {measured.cores} cores, "
        f"kernel {measured.kernel}",
        f"{'ms':<12}{'median':>9}{'99 %':>9}{'99.99 %':>9}{'worst':>9}{'wake-ups':>10}",
    ]
    for name in ("heart", "supervisor"):
        row: Stalls = getattr(measured, name)
        shares = f"{row.median_ms:9.2f}{row.p99_ms:9.2f}{row.p9999_ms:9.2f}{row.worst_ms:9.2f}{row.turns:10d}"
        lines.append(f"{name:<12}{shares}")
    if measured.realtime:
        lines.append(f"The machine did not permit: {measured.realtime}")
    for profile in PROFILES:
        found = may_use(profile, measured)
        lines.append(f"profile {profile}: " + (f"no: {'; '.join(found)}" if found else "may be used"))
    return "\n".join(lines)


def _start(kind: str, seconds: float, *rest: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tandem.port.stalls", kind, str(seconds), *rest]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def _answer(process: subprocess.Popen[str]) -> dict[str, list[int]]:
    text, _ = process.communicate()
    if process.returncode:
        raise ValueError(f"a measuring process ended with code {process.returncode}")
    answer: dict[str, list[int]] = json.loads(text)
    return answer


def _stalls(late_us: list[int]) -> Stalls:
    """Of sorted lateness."""
    if not late_us:
        raise ValueError("nothing was measured: ask for more minutes")

    def share(part: float) -> float:
        return late_us[min(len(late_us) - 1, int(part * len(late_us)))] / 1000

    return Stalls(share(0.5), share(0.99), share(0.9999), late_us[-1] / 1000, len(late_us))
