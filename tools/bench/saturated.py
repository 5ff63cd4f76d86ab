"""A pair on a machine whose every core is busy, for an hour: does a role move, or a relay drop, that nobody touched?

`./build.sh bench saturated [--minutes 60] [--profile fast] [--json]`. stress-ng keeps the cores busy; nobody hurts the
pair. What moved all the same is false, save where a control beat (`control_beat.py`) of higher priority was held up so
long in the time before that no heart could have done better: that is the machine's, and printed apart.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tandem.config.schema import PROFILES
from tandem.config.stalls import FILE, LEAST_MINUTES, Measured, Stalls
from tools.bench.control_beat import ControlBeats
from tools.bench.machine import machine_factor
from tools.bench.pair import NotReady, Pair
from tools.bench.plan import MEMBERS, MS
from tools.bench.processes import end, launch, start

_EXAMPLE = Path(__file__).resolve().parents[1] / "example-group"
_LOOK_S = 5.0
_MOVES = frozenset({"contact", "watchdog", "owner", "lease"})
_APART_NS = 1_000_000_000


@dataclass(frozen=True)
class Incident:
    """Something moved that nobody touched. `held_up_ms`: the worst core's control beat, in the time that led to it."""

    at_s: float
    moved: tuple[str, ...]
    held_up_ms: float
    explained: bool

    @property
    def failover(self) -> bool:
        """A group address changed hands, or was nowhere for a moment."""
        return "owner" in self.moved

    @property
    def drop(self) -> bool:
        """A relay's contact moved."""
        return bool({"contact", "watchdog"} & set(self.moved))


def judged(
    history: list[tuple[int, str, str, Any]], beats: ControlBeats, began_ns: int, window_ns: int, enough_ms: float
) -> list[Incident]:
    """What moved by itself, moves within a second of each other together, and whether the machine did it.

    `window_ns`: so long before the first move its cause may lie; `enough_ms`: the shortest delay that costs a right.
    """
    found: list[tuple[int, list[str]]] = []
    last = began_ns - _APART_NS
    for at, what, _, _ in history:
        if what in _MOVES and at >= began_ns:
            if at - last >= _APART_NS:
                found.append((at, []))
            found[-1][1].append(what)
            last = at
    incidents = []
    for at, moved in found:
        held_up_ms = beats.held_up_ms(at - window_ns, at)
        explained = held_up_ms >= enough_ms
        incidents.append(Incident(round((at - began_ns) / 1e9, 3), tuple(moved), round(held_up_ms, 1), explained))
    return incidents


def _share(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def _allowed(pair: Pair) -> None:
    """The fast profile starts where a measurement allows it; the bench writes one, since its board is no board."""
    calm = Stalls(0.1, 0.2, 0.5, 1.0, 1)
    measured = Measured(LEAST_MINUTES, calm, calm, os.uname().release, os.uname().machine, 1, "", "bench", "bench")
    for member in MEMBERS:
        state = pair.run / member
        state.mkdir(parents=True, exist_ok=True)
        (state / FILE).write_text(measured.to_json())


def _configured(folder: Path, profile: str) -> Path:
    made = folder / "group"
    shutil.copytree(_EXAMPLE, made)
    file = made / "gateway.toml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    own = tuple(f"{key} =" for key in PROFILES[profile])  # what is written wins over a profile
    kept = [line.replace('profile = "normal"', f'profile = "{profile}"') for line in lines if not line.startswith(own)]
    file.write_text("".join(kept), encoding="utf-8")
    return made


class Watch:
    """One run: the pair, the load, the control beats, and what was seen so far."""

    def __init__(self, folder: Path, profile: str, rate: float) -> None:
        self.folder = folder
        self.pair = Pair(_configured(folder, profile), folder / "run", rate=rate, foreign=False)
        if profile != "normal":
            _allowed(self.pair)
        standby = self.pair.config.standby
        self.window_ns = (standby.dead_after_ms + 2 * standby.heartbeat_ms) * MS
        self.enough_ms = standby.lease_ms / 2
        """Half a lease: beyond that a heart may be late for the renewal, which comes in the other half."""
        self.began_ns = 0
        self.state: dict[str, Any] = {}
        self.history: list[tuple[int, str, str, Any]] = []
        self.files = [folder / f"core-{core}" for core in sorted(os.sched_getaffinity(0))]

    def run(self, seconds: float, tell: Callable[[Watch], None], look_s: float = _LOOK_S) -> None:
        """Watch for so long, telling every `look_s`. Raises NotReady."""
        log = self.folder / "load.log"
        words = ["stress-ng", "--cpu", str(len(self.files)), "--io", "1", "--vm", "1", "--vm-bytes", "128M", "--quiet"]
        beats = [
            start(file.name, ["-m", "tools.bench.control_beat", "--core", file.name[5:], "--file", str(file)], log)
            for file in self.files
        ]
        with self.pair:
            self.pair.wait_ready(centers=False)
            load = launch("stress-ng", words, log)
            try:
                self.began_ns = since = time.monotonic_ns()
                until = time.monotonic() + seconds
                while (left := until - time.monotonic()) > 0:
                    time.sleep(min(look_s, left))
                    if load.poll() is not None:
                        raise NotReady(f"stress-ng ended: {log.read_text(errors='replace')[-300:]}")
                    fresh = self.pair.bench.history(since)
                    since = time.monotonic_ns() if not fresh else fresh[-1][0] + 1
                    self.history += fresh
                    tell(self)
                self.state = self.pair.bench.state()
            finally:
                end(load)
                for beat in beats:
                    end(beat)

    def found(self) -> dict[str, Any]:
        """Everything seen so far, as figures."""
        beats = ControlBeats.of(self.files)
        moved = judged(self.history, beats, self.began_ns, self.window_ns, self.enough_ms)
        late = beats.late_ms()
        false = [incident for incident in moved if not incident.explained]
        excused = [incident for incident in moved if incident.explained]
        return {
            "minutes": round((time.monotonic_ns() - self.began_ns) / 60e9, 1),
            "false_failovers": sum(incident.failover for incident in false),
            "false_drops": sum(incident.drop for incident in false),
            "explained_failovers": sum(incident.failover for incident in excused),
            "explained_drops": sum(incident.drop for incident in excused),
            "incidents": [asdict(incident) for incident in moved],
            "control_late_ms": {
                "median": round(statistics.median(late), 2) if late else 0.0,
                "p99.9": round(_share(late, 0.999), 2),
                "worst": round(late[-1], 1) if late else 0.0,
            },
        }


def told(found: dict[str, Any]) -> str:
    """One sentence."""
    return (
        f"{found['minutes']:.0f} minutes: "
        f"{found['false_failovers']} false failovers, {found['false_drops']} false drops; "
        f"by the machine {found['explained_failovers']} and {found['explained_drops']}; "
        f"control beats late by {found['control_late_ms']['worst']} ms at worst"
    )


def main(argv: list[str]) -> int:
    """Measure and print; 1 when something moved that the machine does not explain."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--profile", choices=("normal", "fast"), default="normal")
    parser.add_argument("--rate", type=float, default=20.0, help="events of the field a second")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args(argv)
    if not shutil.which("stress-ng"):
        print("saturated: stress-ng is not installed: sudo apt-get install stress-ng", file=sys.stderr)
        return 2
    told_at = time.monotonic()

    def tell(watch: Watch) -> None:
        nonlocal told_at
        if time.monotonic() - told_at >= 60:
            told_at = time.monotonic()
            print(f"saturated: {told(watch.found())}", file=sys.stderr, flush=True)

    with tempfile.TemporaryDirectory() as folder:
        watch = Watch(Path(folder), asked.profile, asked.rate)
        try:
            watch.run(60 * asked.minutes, tell)
        except NotReady as error:
            print(f"saturated: {error}", file=sys.stderr)
            return 2
        found = {**watch.found(), "profile": asked.profile, "bench_late_ms": watch.state.get("worst_late_ms")}
    found["machine_factor"] = round(machine_factor(), 4)
    print(json.dumps(found) if asked.json else told(found))
    return 1 if found["false_failovers"] or found["false_drops"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
