"""`./build.sh bench [FIGURE] [options]`: the figures. Alone it prints their names; each has --help."""

from __future__ import annotations

import runpy
import sys

FIGURES = {
    "failovers": ("tools.bench.figures", "every kind of failover: data, field and control, median and worst"),
    "netns": ("tools.bench.netns", "outages on real networks, beside keepalived, and who answered too late; as root"),
    "kills": ("tools.bench.kills", "the active killed under events that a device keeps until they are confirmed"),
    "rolechanges": ("tools.bench.rolechanges", "ordered role changes in a row: how long, and did a contact chatter"),
    "saturated": ("tools.bench.saturated", "an hour with every core busy: what moved that nobody touched"),
    "load": ("tools.bench.load", "events a second through a running pair, mirrored, to a counting client"),
    "lag": ("tools.bench.load.lag", "the mirror's lag and both processors at a rate of transitions; bursts"),
    "idle": ("tools.bench.idle", "what a member costs when nothing happens: processor and memory"),
    "events": ("tools.bench.iec104_events_micro", "the IEC 104 slave alone: events a second"),
    "durable": ("tools.bench.durable_micro", "the durable journal: what an event waits for the flash, events a second"),
    "journal": ("tools.bench.journal_micro", "append and apply, steps a second"),
    "memory": ("tools.bench.memory", "what the journal and many points take of memory"),
    "reads": ("tools.bench.modbus_reads", "the Modbus TCP master against four libmodbus servers: reads a second"),
}


def main(argv: list[str]) -> int:
    """Run one figure's program with the rest of the command line."""
    if not argv or argv[0] not in FIGURES:
        print("usage: ./build.sh bench FIGURE [options]")
        for name, (_, about) in FIGURES.items():
            print(f"  {name:11} {about}")
        return 0 if not argv else 2
    sys.argv = [f"./build.sh bench {argv[0]}", *argv[1:]]
    runpy.run_module(FIGURES[argv[0]][0], run_name="__main__", alter_sys=False)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
