"""`python -m tandem.port.stalls KIND SECONDS [FOLDER]`: one process of a measurement of stalls.

`heart` and `supervisor` wake as the gateway's own processes do, with their priorities, and print as JSON what the
machine did not permit and how late they were, in microseconds. `burn`, `memory` and `flash` are load.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sys
import time
from array import array
from pathlib import Path

from tandem.port.readers import Readers
from tandem.port.realtime import be_realtime

PRIORITY = {"heart": 20, "supervisor": 10}
TICK_NS = {"heart": 5_000_000, "supervisor": 10_000_000}
_LATENESS_MAX = 0xFFFF_FFFF
_FLASH_OCTETS = 1 << 20
_MEMORY_OCTETS = 64 << 20
_PAGE = 4096


def heart(seconds: float) -> array[int]:
    """Lateness of each wake-up of a loop like the heart's."""
    late, tick = array("I"), TICK_NS["heart"]
    readers, now = Readers(), time.monotonic_ns
    until = now() + int(seconds * 1e9)
    due = now() + tick
    while due < until:
        readers.wait(due - now())
        woke = now()
        late.append(min(max(0, woke - due) // 1000, _LATENESS_MAX))
        due = woke + tick
    return late


async def _supervisor(seconds: float, late: array[int]) -> None:
    loop, tick = asyncio.get_running_loop(), TICK_NS["supervisor"]
    ended: asyncio.Future[None] = loop.create_future()
    until = time.monotonic_ns() + int(seconds * 1e9)

    def turn(due: int) -> None:
        woke = time.monotonic_ns()
        late.append(min(max(0, woke - due) // 1000, _LATENESS_MAX))
        sum(range(5000))  # a turn's work
        if woke >= until:
            ended.set_result(None)
        else:
            at = time.monotonic_ns() + tick
            loop.call_at(at / 1e9, turn, at)

    turn(time.monotonic_ns())
    await ended


def supervisor(seconds: float) -> array[int]:
    """Lateness of each turn of a loop like the supervisor's, with some work in each."""
    late = array("I")
    asyncio.run(_supervisor(seconds, late))
    return late


def _burn(until: float, folder: str) -> None:
    while time.monotonic() < until:
        sum(range(100_000))


def _memory(until: float, folder: str) -> None:
    octets = bytearray(_MEMORY_OCTETS)
    while time.monotonic() < until:
        for at in range(0, len(octets), _PAGE):
            octets[at] = (octets[at] + 1) & 255


def _flash(until: float, folder: str) -> None:
    file = Path(folder) / "stalls.load"
    try:
        while time.monotonic() < until:
            with file.open("wb") as written:
                written.write(os.urandom(_FLASH_OCTETS))
                written.flush()
                os.fsync(written.fileno())
    finally:
        file.unlink(missing_ok=True)


_LOADS = {"burn": _burn, "memory": _memory, "flash": _flash}


def main(argv: list[str]) -> int:
    """Be one of the processes for so long."""
    kind, seconds = argv[0], float(argv[1])
    if kind in _LOADS:
        _LOADS[kind](time.monotonic() + seconds, argv[2] if len(argv) > 2 else ".")
        return 0
    refused = be_realtime(PRIORITY[kind])
    gc.collect()
    gc.freeze()
    gc.disable()
    late = heart(seconds) if kind == "heart" else supervisor(seconds)
    print(json.dumps({"refused": refused, "late_us": sorted(late)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
