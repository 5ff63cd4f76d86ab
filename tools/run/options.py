"""The command line of `./build.sh run`."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from tools.bench.faults import KINDS
from tools.bench.processes import ROOT

EXAMPLE = ROOT / "tools" / "example-group"
_ABOUT = """
Starts both members of a redundancy group, their field and two control centers on this machine's loopback, without
root. Alone it shows both front panels; keys do the harm. With --headless it does as told and prints what it took.

  kill        SIGKILL of the active's supervisor; its heart lives      kill-all   SIGKILL of both
  stall       SIGSTOP of the active's supervisor                       freeze     SIGSTOP of both
  power       every path cut without FIN or reset, then SIGKILL        switchover the operator's order

--json prints one object as its last line: data_ms (fault until our probe, dialing the group address every 5 ms, has
STARTDT confirmed and its first answer), field_ms (until a value polled after the fault arrives), control_ms (until a
control is executed at the device), c104_ms (c104's client, which pauses a second by itself), parts, events_sent,
events_lost, events_repeated, controls_executed, controls_doubled. See tools/bench/README.md for each definition.
"""


@dataclass(slots=True, frozen=True)
class Options:
    """What the user asked for; `faults` in the order of their seconds."""

    config: Path
    run: Path | None
    octet: int | None
    rate: float
    headless: bool
    seconds: float
    json: bool
    faults: tuple[tuple[float, str], ...]
    netns: bool


def parse(argv: list[str]) -> Options:
    """The options; argparse ends the program with a sentence for what it does not know."""
    parser = argparse.ArgumentParser(
        prog="./build.sh run", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--config", type=Path, default=EXAMPLE, help="folder with gateway.toml (the example group)")
    parser.add_argument(
        "--field", choices=("example", "auto"), default="example",
        help="auto: generated from the point lists of --config, whatever they are (the example's is made so too)",
    )  # fmt: skip
    parser.add_argument("--dir", type=Path, help="run folder with logs, keys and ledgers (a temporary one)")
    parser.add_argument("--octet", type=int, help="use 127.N.x.y, N from 1 to 54 (20, or the next free one)")
    parser.add_argument("--rate", type=float, default=5.0, help="events a second of the field (5)")
    parser.add_argument("--headless", action="store_true", help="no screen: do as told, print, end")
    parser.add_argument("--for", dest="seconds", type=float, default=20.0, help="headless: how many seconds (20)")
    parser.add_argument("--json", action="store_true", help="headless: the last line is one JSON object")
    parser.add_argument(
        "--netns", action="store_true", help="as root: between network namespaces, with real addresses (./build.sh lab)"
    )
    for kind in KINDS:
        parser.add_argument(
            f"--{kind}-at", type=float, action="append", default=[], metavar="S", help=f"{kind} the active at second S"
        )
    asked = parser.parse_args(argv)
    faults = [(at, kind) for kind in KINDS for at in getattr(asked, f"{kind.replace('-', '_')}_at")]
    if not asked.headless and (faults or asked.json):
        parser.error("faults at given seconds and --json belong to --headless; on the screen keys do it")
    return Options(
        asked.config, asked.dir, asked.octet, asked.rate, asked.headless, asked.seconds, asked.json,
        tuple(sorted(faults)), asked.netns,
    )  # fmt: skip
