"""`python -m tools.bench.relaybench --config DIR --dir RUN`: play the world around two gateways until told to end."""

from __future__ import annotations

import argparse
import gc
import sys
from pathlib import Path

from tandem.config.finding import ConfigError
from tandem.port.realtime import be_realtime
from tools.bench.plan import BOARD, MEMBERS, read_plan
from tools.bench.processes import end_with_parent
from tools.bench.relaybench.beats import Wire
from tools.bench.relaybench.control import Control
from tools.bench.relaybench.lines import Lines
from tools.bench.relaybench.loop import Loop
from tools.bench.relaybench.patch import PatchBay
from tools.bench.relaybench.pins import Pins
from tools.bench.relaybench.world import World

_PRIORITY = 30  # above the members and their hearts


def main() -> int:
    """Run until a signal or `end`; exit code 2 with a sentence where something cannot be had."""
    parser = argparse.ArgumentParser(prog="relaybench")
    parser.add_argument("--config", required=True, help="folder with gateway.toml and its lists")
    parser.add_argument("--dir", required=True, type=Path, help="run folder: sockets and serial links are made there")
    parser.add_argument("--board", default=str(BOARD), help="folder of the bench's board.toml")
    asked = parser.parse_args()
    end_with_parent()
    asked.dir.mkdir(parents=True, exist_ok=True)
    loop = Loop()
    try:
        plan = read_plan(asked.config, asked.board)
        world = World(plan, loop)
        real = plan.board.get("network") == "kernel"
        played = [] if real else [lan for lan in plan.lans if len(lan.own) == len(MEMBERS)]
        bay = PatchBay(plan, loop, world) if played else None
        wires = [Wire(plan, lan.name, loop, world) for lan in played]
        lines = Lines(plan.lines, asked.dir, loop, world)
        pins = [Pins(m, asked.dir / f"pins-{m}", loop, world) for m in MEMBERS]
        Control(asked.dir / "control", loop, world)
    except (ConfigError, OSError) as error:
        print(f"relay bench: {error}", file=sys.stderr)
        return 2
    loop.stop_at_signals()
    world.settle()
    gc.collect()
    gc.freeze()
    be_realtime(_PRIORITY)  # wires and relays do not wait for a processor; where that is not permitted they do
    networks = f"{len(bay.flows)} flows, {len(wires)} LANs" if bay else "the networks are the kernel's"
    print(f"relay bench ready: {networks}, {len(pins)} members", flush=True)
    loop.run()
    print(f"relay bench ended: {loop.ended or 'asked to'}", flush=True)
    lines.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
