"""The gateway program under a flow of events whose values say which point they are of.

    python -m tests.support.named_load RATE gateway-arguments...

While this member is active, RATE transitions a second enter at the database's door, evenly over the points of device L,
whose names are a letter and a number: the value is CODE * TURN + n, where n rises by one and goes on from what the
mirror brought.
"""

from __future__ import annotations

import sys

from tandem.manage import gateway
from tandem.point import Cause
from tandem.supervisor import Supervisor

TURN = 10_000
_STEP_S = 0.005
_BASES = {"p": 0, "q": 500, "r": 1000}


def code(name: str) -> int:
    """A point's code, from its name alone; with TURN below what a 32-bit float carries exactly."""
    return _BASES[name[0]] + int(name[1:])


class NamedLoad:
    """Writes in steps of five milliseconds, so many as the rate asks for by then."""

    def __init__(self, supervisor: Supervisor, rate: float) -> None:
        self._supervisor = supervisor
        self._rate = rate
        named = [point for point in supervisor.node.table.points if point.name.startswith("L.")]
        self._points = [(point.id, code(point.name[2:])) for point in named]
        self._owed = 0.0
        self._next = 0
        self._last_s = supervisor.loop.time()
        supervisor.loop.call_later(_STEP_S, self._step)

    def _step(self) -> None:
        loop, node = self._supervisor.loop, self._supervisor.node
        now_s = loop.time()
        elapsed_s, self._last_s = min(now_s - self._last_s, 0.1), now_s
        self._owed += self._rate * elapsed_s
        if node.is_active:
            stamp_us, quality = node.clock.stamp(self._supervisor.enter())
            for _ in range(int(self._owed)):
                point_id, number = self._points[self._next % len(self._points)]
                self._next += 1
                before = node.database.present[point_id]
                count = (int(before[2]) % TURN + 1) % TURN if before[0] else 0
                value = float(number * TURN + count)
                node.database.update(point_id, value, quality, stamp_us, Cause.SPONTANEOUS)
            self._supervisor.turn_soon()
        self._owed %= 1
        loop.call_later(_STEP_S, self._step)


def main(argv: list[str]) -> int:
    """Run the gateway with the load."""
    rate = float(argv[0])
    return gateway.run(argv[1:], beside=lambda supervisor: NamedLoad(supervisor, rate))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
