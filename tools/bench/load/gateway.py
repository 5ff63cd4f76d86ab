"""The gateway program with a load beside it: `python -m tools.bench.load.gateway LOAD gateway-arguments...`.

LOAD is a JSON object, see `Plan`. While this member is active and its peer in sync, transitions enter at the database's
door, evenly over all points, each with a value that rises by one. One JSON line says when that began, one at the end
how many there were and what the mirror's lag was.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass

from tandem.manage import gateway
from tandem.point import Cause, Kind
from tandem.standby.lag import Lag
from tandem.supervisor import Supervisor

_SETTLE_S = 3.0
_LAGS_KEPT = 1_000_000


@dataclass(slots=True, frozen=True)
class Plan:
    """What enters: RATE transitions a second for so long, or BURST of them as fast as turns come, PER_TURN in each."""

    rate: float = 20_000
    seconds: float = 5.0
    step_ms: float = 5.0
    burst: int = 0
    per_turn: int = 2_000
    served: bool = True
    """Begin only when a control center has started its data transfer."""

    def argument(self) -> str:
        """For the command line."""
        return json.dumps(asdict(self))


class Load:
    """Writes transitions, so many as the plan asks for by then."""

    def __init__(self, supervisor: Supervisor, plan: Plan) -> None:
        self.supervisor = supervisor
        self.plan = plan
        self.written = 0
        self.began = 0.0
        self.changes = 0
        node = supervisor.node
        points = [p for p in node.table.points if p.name.startswith("L.")]
        by_kind: dict[tuple[Kind, str], list[int]] = {}
        for point in points:
            by_kind.setdefault((point.kind, point.name.rsplit("-", 1)[0]), []).append(point.id)
        self.ids = [point_id for row in zip(*by_kind.values(), strict=True) for point_id in row]
        self.kinds = [node.table.by_id[i].kind for i in self.ids]
        supervisor.loop.call_later(_SETTLE_S, self._wait)

    def _wait(self) -> None:
        node = self.supervisor.node
        started = any(row["started"] for row in node.service.statistics().values())
        if not (node.is_active and node.in_sync and (started or not self.plan.served)):
            self.supervisor.loop.call_later(0.2, self._wait)
            return
        node.mirror.source.lag = Lag(_LAGS_KEPT)
        self.began, self.cpu = time.monotonic(), time.process_time()
        self.changes = len(node.role.log)
        print(json.dumps({"began": self.began}), flush=True)
        (self._burst if self.plan.burst else self._step)()

    def _step(self) -> None:
        loop = self.supervisor.loop
        elapsed = min(time.monotonic() - self.began, self.plan.seconds)
        self._write(int(elapsed * self.plan.rate))
        if elapsed < self.plan.seconds:
            loop.call_later(self.plan.step_ms / 1e3, self._step)
        else:
            loop.call_later(1.0, self._report)

    def _burst(self) -> None:
        self._write(min(self.plan.burst, self.written + self.plan.per_turn))
        if self.written < self.plan.burst:
            self.supervisor.loop.call_soon(self._burst)
        else:
            self.took = time.monotonic() - self.began
            self._await_mirrored()

    def _await_mirrored(self) -> None:
        node = self.supervisor.node
        if node.sync.granter.acknowledged < node.journal.head and time.monotonic() < self.began + self.plan.seconds:
            self.supervisor.loop.call_later(0.001, self._await_mirrored)
            return
        mirrored = time.monotonic() - self.began
        print(json.dumps({"entered_ms": round(self.took * 1e3), "mirrored_ms": round(mirrored * 1e3)}), flush=True)
        self.supervisor.loop.call_later(1.0, self._report)

    def _write(self, upto: int) -> None:
        node = self.supervisor.node
        stamp_us, quality = node.clock.stamp(self.supervisor.enter())
        update, ids, kinds, count = node.database.update, self.ids, self.kinds, len(self.ids)
        for number in range(self.written, upto):
            slot = number % count
            turn = number // count
            value = turn % 30000 if kinds[slot] is Kind.ANALOG else turn % 2 + (kinds[slot] is Kind.DOUBLE)
            update(ids[slot], float(value), quality, stamp_us, Cause.SPONTANEOUS)
        self.written = upto
        self.supervisor.turn_soon()

    def _report(self) -> None:
        node = self.supervisor.node
        status = node.status(self.supervisor.enter())
        report = {"written": self.written, "mirror": status["mirror"], "in_sync": status["in_sync"]}
        print(json.dumps(report | {"role_changes": len(node.role.log) - self.changes}), flush=True)


def main(argv: list[str]) -> int:
    """Run the gateway with the load."""
    plan = Plan(**json.loads(argv[0]))
    return gateway.run(argv[1:], beside=lambda supervisor: Load(supervisor, plan))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
