"""`./build.sh bench kills [--runs 20] [--rate 2000]`: the active killed at random phases, and what became of it.

The field is a 104 remote unit (c104's server) whose time-tagged events stay in its buffer until N(R) covers them. Its
ledger and the probe's are outside of the pair: each event that the unit gave out must have reached the probe, and of
the ASDUs to the probe at most k come again after a kill. An operator commands one setpoint after the other around
each kill; every answer is compared with what the unit did.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from tandem.config.finding import ConfigError
from tools.bench.around import answers, repeats
from tools.bench.judge import judge_controls, judge_stamped
from tools.bench.machine import machine_factor
from tools.bench.pair import NotReady, Pair
from tools.bench.processes import ROOT
from tools.bench.remote_group import write_group
from tools.bench.stage import Stage
from tools.lab.stage import Lab

_K, _W = 12, 8
_STORIES = 1000
_HURRY_S = 0.1
_DRAIN_S = 60.0
_PHASE_S = (0.3, 1.3)
_BAD = (
    "lost", "unconfirmed_at_the_end", "over_k", "controls_doubled", "untrue", "late_frames", "violations",
)  # fmt: skip


@dataclass(slots=True)
class Around:
    """What is remembered of the kills: when each was, what the device offered again, the members' logs of controls."""

    kills: list[int] = field(default_factory=list)
    matched: float = 0.0
    stories: dict[str, dict[str, Any]] = field(default_factory=dict)
    late: int = 0
    """Frames of killed members for a group address after the successor had it."""


def kill_again_and_again(pair: Pair, runs: int, rate: float, seed: int) -> Around:
    """Kill so often. Raises NotReady when one is not survived."""
    phases = random.Random(seed)
    around = Around()
    pair.begin()
    pair.field({"do": "rate", "value": rate})
    for number in range(runs):
        time.sleep(phases.uniform(*_PHASE_S))
        active = pair.active or "a"
        pair.operator.hurry()
        time.sleep(_HURRY_S)
        fault = pair.fault("kill", active)
        around.kills.append(fault.t_ns)
        _survived(pair, active)
        pair.calm()
        time.sleep(0.5)
        device = _device(pair, "b" if active == "a" else "a")
        around.matched += device["offered_again"]
        told = f"{device['offered_again']:g} offered again, {device['confirm_timeouts']:g} confirms too late"
        print(f"kill {number + 1} of {runs}: {told}", file=sys.stderr, flush=True)
        around.late += pair.stage.late(pair.bench, fault.t_ns, active)
        pair.recover(fault)
        pair.wait_ready(centers=False)
        for letter, member in pair.members.items():
            rows = member.ask("controls", most=_STORIES)["controls"]
            around.stories |= {f"{letter} {row['id']}": row for row in rows}
    return around


def _survived(pair: Pair, killed: str) -> None:
    until = time.monotonic() + 20
    while pair.active in (None, killed):
        if time.monotonic() > until:
            raise NotReady(f"nobody took over from member {killed}")
        time.sleep(0.02)


def _device(pair: Pair, letter: str) -> dict[str, Any]:
    """What a member knows of the unit. Raises NotReady when it does not say so in time."""
    until = time.monotonic() + 20
    while not (known := pair.members[letter].status().get("devices")):
        if time.monotonic() > until:
            raise NotReady(f"member {letter} does not answer")
        time.sleep(0.02)
    return dict(known["R1"])


def verdict(pair: Pair, around: Around) -> dict[str, Any]:
    """Let the unit's buffer run empty, then compare the ledgers."""
    pair.operator.stop()
    pair.field({"do": "rate", "value": 0})
    until = time.monotonic() + _DRAIN_S
    while pair.field({"do": "state"}).get("unconfirmed") and time.monotonic() < until:
        time.sleep(0.1)
    time.sleep(1.0)
    sent, heard = pair.field_ledger.since(pair.began_ns, "sent"), pair.probe_ledger.since(pair.began_ns, "event")
    events = judge_stamped(sent, heard)
    done = pair.field_ledger.since(pair.began_ns, "control")
    executed, doubled = judge_controls(done, pair.operator.point)
    numbered = [line for line in done if line["point"] == pair.operator.point]
    told = answers(pair.operator.answers, numbered, around.stories.values(), around.kills)
    again = repeats(sent, heard, around.kills)
    k = int(str(pair.config.slaves[0].options.get("k", _K)))
    state = pair.field({"do": "state"})
    return {
        "events": events.sent,
        "lost": events.lost,
        "repeated": events.repeated,
        "missing": events.missing[:20],
        "unconfirmed_at_the_end": state.get("unconfirmed"),
        "overflowed": state.get("overflowed"),
        "k": k,
        "asdus_repeated": [row.asdus for row in again[1:]],
        "over_k": sum(row.asdus > k for row in again[1:]) + again[0].events,
        "controls_commanded": len(pair.operator.answers),
        "controls_executed": executed,
        "controls_doubled": doubled,
        "around": {**told._asdict(), "untrue": len(told.untrue)},
        "untrue": told.untrue,
    }


def prove_kills(runs: int, rate: float, points: int, seed: int, stage: Stage | None = None) -> dict[str, Any]:
    """A pair with a remote unit, killed so often: the verdict. Raises NotReady, ConfigError, OSError, ValueError."""
    with tempfile.TemporaryDirectory(prefix="tandem-kills-") as folder:
        source = Path(folder) / "group"
        write_group(ROOT / "tools" / "example-group", source, points, _K, _W)
        with Pair(source, Path(folder) / "run", rate=0, foreign=False, stage=stage) as pair:
            pair.wait_ready()
            around = kill_again_and_again(pair, runs, rate, seed)
            result = verdict(pair, around)
            result["violations"] = pair.bench.state()["counts"]
    return result | {"runs": runs, "matched": around.matched, "late_frames": around.late}


def is_bad(result: dict[str, Any]) -> bool:
    """Lost or left behind, doubled, untrue, too often repeated, answered too late, or two members with one right."""
    return any(result[key] for key in _BAD)


def main(argv: list[str]) -> int:
    """Exit code 1 where an event was lost, more than k ASDUs came again, a control was doubled or an answer untrue."""
    parser = argparse.ArgumentParser(prog="./build.sh bench kills", description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--rate", type=float, default=2000.0, help="events a second")
    parser.add_argument("--points", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1, help="of the phases")
    parser.add_argument("--netns", action="store_true", help="as root: between network namespaces, with an observer")
    parser.add_argument("--json", action="store_true", help="one JSON object as the last line")
    asked = parser.parse_args(argv)
    try:
        stage = Lab() if asked.netns else None
        result = prove_kills(asked.runs, asked.rate, asked.points, asked.seed, stage)
    except (NotReady, ConfigError, OSError, ValueError) as error:
        print(f"kills: {error}", file=sys.stderr)
        return 2
    _print(result, asked.rate)
    if asked.json:
        print(json.dumps(result))
    return int(is_bad(result))


def _print(result: dict[str, Any], rate: float) -> None:
    runs, around, again = result["runs"], result["around"], result["asdus_repeated"]
    print(f"{runs} kills under {rate:g} events/s: {result['events']} events given out")
    print(f"events: {result['lost']} lost, {result['repeated']} repeated at the center, "
          f"{result['matched']:g} offered again by the device and taken once")  # fmt: skip
    print(f"repeated after a kill: median {median(again):g}, worst {max(again)} ASDUs of at most k = {result['k']}")
    print(f"controls: {result['controls_commanded']} commanded, {result['controls_executed']} executed, "
          f"{result['controls_doubled']} doubled")  # fmt: skip
    words = ", ".join(f"{around[word]} {word}" for word in ("done", "refused", "unknown", "unanswered"))
    print(f"controls sent around a kill: {around['sent']}: {words}; {around['untrue']} answers untrue")
    print(f"both members with one right: {result['violations'] or 'never'}")
    print(f"machine factor: {machine_factor():.4f} s for the fixed loop")
    for point, value, _ in result["missing"]:
        print(f"  lost: {point} = {value:g}")
    for sentence in result["untrue"]:
        print(f"  untrue: {sentence}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
