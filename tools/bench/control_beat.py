"""`python -m tools.bench.control_beat --core N --file FILE`: how late this core woke one who comes before all others.

A process of the highest real-time priority here, bound to one core, sleeps one heartbeat period after the other.
Whatever keeps it from its core kept the gateway's processes from it too, and was not theirs: a hypervisor, an
interrupt, firmware. Each beat is one record of FILE: when it was due (monotonic ns), how late it came (us).
"""

from __future__ import annotations

import argparse
import gc
import os
import struct
import sys
import time
from bisect import bisect_left
from collections.abc import Iterable
from pathlib import Path

from tandem.port.realtime import be_realtime
from tools.bench.processes import end_with_parent

PRIORITY = 40
"""Above the relay bench's, which is above the members'."""
PERIOD_NS = 20_000_000
_RECORD = struct.Struct("<QI")
_FLUSH_EVERY = 50


class ControlBeats:
    """What the control beats of every core saw, for asking afterwards."""

    def __init__(self, cores: Iterable[bytes]) -> None:
        whole = (octets[: len(octets) - len(octets) % _RECORD.size] for octets in cores)
        self._cores = [list(_RECORD.iter_unpack(octets)) for octets in whole]

    @classmethod
    def of(cls, files: Iterable[Path]) -> ControlBeats:
        """From what the processes wrote."""
        return cls(file.read_bytes() for file in files if file.exists())

    def late_ms(self) -> list[float]:
        """Every lateness of every core, ascending."""
        return sorted(late_us / 1000 for beats in self._cores for _, late_us in beats)

    def held_up_ms(self, since_ns: int, until_ns: int) -> float:
        """For how long within that time the worst core was kept from its beat, all its delays together."""
        return max((self._held_up(beats, since_ns, until_ns) for beats in self._cores), default=0.0)

    @staticmethod
    def _held_up(beats: list[tuple[int, ...]], since_ns: int, until_ns: int) -> float:
        first = max(0, bisect_left(beats, (since_ns,)) - 1)  # the beat before may have been late into this time
        held_ns = 0
        for due, late_us in beats[first:]:
            if due >= until_ns:
                break
            held_ns += max(0, min(due + late_us * 1000, until_ns) - max(due, since_ns))
        return held_ns / 1e6


def main() -> int:
    """Beat until the end of who started this."""
    parser = argparse.ArgumentParser(prog="control_beat")
    parser.add_argument("--core", type=int, required=True)
    parser.add_argument("--file", type=Path, required=True)
    asked = parser.parse_args()
    end_with_parent()
    os.sched_setaffinity(0, {asked.core})
    if refused := be_realtime(PRIORITY):
        print(f"control beat: {refused}", file=sys.stderr)
    gc.disable()
    now = time.monotonic_ns
    with asked.file.open("ab") as out:
        due, beats = now() + PERIOD_NS, 0
        while True:
            time.sleep(max(0, due - now()) / 1e9)
            woke = now()
            out.write(_RECORD.pack(due, max(0, woke - due) // 1000))
            beats += 1
            if beats % _FLUSH_EVERY == 0:
                out.flush()
            due = woke + PERIOD_NS


if __name__ == "__main__":
    sys.exit(main())
