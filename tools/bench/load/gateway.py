"""The gateway program with a load beside it: `python -m tools.bench.load.gateway RATE SECONDS gateway-arguments...`.

While this member is active and its peer in sync, RATE transitions a second enter at the database's door, evenly over
all points, each with a value that rises by one; at the end one JSON line says how many, and what the mirror's lag was.
"""

from __future__ import annotations

import json
import sys

from tandem.manage import gateway
from tandem.point import Cause, Kind
from tandem.supervisor import Supervisor

_STEP_S = 0.005
_SETTLE_S = 3.0


class Load:
    """Writes transitions in steps of five milliseconds, so many as the rate asks for by then."""

    def __init__(self, supervisor: Supervisor, rate: float, seconds: float) -> None:
        self.supervisor = supervisor
        self.rate = rate
        self.seconds = seconds
        self.written = 0
        self.started: float | None = None
        node = supervisor.node
        points = [p for p in node.table.points if p.name.startswith("L.")]
        by_kind: dict[tuple[Kind, str], list[int]] = {}
        for point in points:
            by_kind.setdefault((point.kind, point.name.rsplit("-", 1)[0]), []).append(point.id)
        self.ids = [point_id for row in zip(*by_kind.values(), strict=True) for point_id in row]
        self.kinds = [node.table.by_id[i].kind for i in self.ids]
        supervisor.loop.call_later(_SETTLE_S, self._step)

    def _step(self) -> None:
        loop, node = self.supervisor.loop, self.supervisor.node
        if self.started is None:
            started = any(row["started"] for row in node.service.statistics().values())
            if not (node.is_active and node.in_sync and started):
                loop.call_later(0.2, self._step)
                return
            self.started = loop.time()
            self.written = 0
        elapsed = min(loop.time() - self.started, self.seconds)
        stamp_us, quality = node.clock.stamp(self.supervisor.enter())
        update, ids, kinds, count = node.database.update, self.ids, self.kinds, len(self.ids)
        for number in range(self.written, int(elapsed * self.rate)):
            slot = number % count
            turn = number // count
            value = turn % 30000 if kinds[slot] is Kind.ANALOG else turn % 2 + (kinds[slot] is Kind.DOUBLE)
            update(ids[slot], float(value), quality, stamp_us, Cause.SPONTANEOUS)
        self.written = int(elapsed * self.rate)
        self.supervisor.turn_soon()
        if elapsed < self.seconds:
            loop.call_later(_STEP_S, self._step)
        else:
            loop.call_later(1.0, self._report)

    def _report(self) -> None:
        status = self.supervisor.node.status(self.supervisor.enter())
        report = {"written": self.written, "mirror": status["mirror"], "in_sync": status["in_sync"]}
        print(json.dumps(report), flush=True)


def main(argv: list[str]) -> int:
    """Run the gateway with the load."""
    rate, seconds = float(argv[0]), float(argv[1])
    return gateway.run(argv[2:], beside=lambda supervisor: Load(supervisor, rate, seconds))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
