"""The last failover: its cause and its parts, for the status and as points that both members tell.

Whoever took over writes them as mirrored records, so the other member knows them too, and still does after a restart.
"""

from __future__ import annotations

from tandem.codec.beat import Role
from tandem.parts import Parts
from tandem.point import MS, Cause, Quality
from tandem.standby.lines import LinesStep
from tandem.standby.own import Transition
from tandem.standby.peer import NEVER

_NOT_REACHED = int(Quality.INVALID)
_CAUSES = {"released": 1, "dead": 2, "silence": 3, "nobody": 4, "order": 5}


class Failover:
    """Follows the takeovers of this member; `ids` are the system points', by name without the prefix."""

    def __init__(self, node: Parts, ids: dict[str, int]) -> None:
        self.node = node
        self._ids = {name: ids[f"last_failover_{name}"] for name in (
            "cause", "ms", "detection_ms", "fence_ms", "role_ms", "service_ms", "lines_ms"
        )}  # fmt: skip
        self.count = 0
        self._claimed_ns = self._lines_ns = NEVER
        self._written: object = None

    def changed(self, change: Transition) -> None:
        """The role changed."""
        if change.new is Role.ACTIVE:
            self.count += 1
            self._claimed_ns, self._lines_ns = change.now, NEVER

    def tick(self, now: int, stamp_us: int) -> None:
        """Write what became known of this member's takeover."""
        role = self.node.role
        if not self.node.is_active or self._claimed_ns == NEVER:
            return
        if self._lines_ns == NEVER and role.lines.step is LinesStep.HELD:
            self._lines_ns = now - self._claimed_ns
        known = (role.takeover, self._lines_ns)
        if known == self._written:
            return
        self._written = known
        values = {"cause": cause_number(role.takeover.reason), "ms": self._total_ms(), **self._parts()}
        present, update = self.node.database.present, self.node.database.update
        for name, value in values.items():
            old, quality = present[self._ids[name]], 0 if value is not None else _NOT_REACHED
            if old[2] != (value or 0.0) or old[4] != quality:
                update(self._ids[name], value or 0.0, quality, stamp_us, Cause.SYSTEM)

    def _parts(self) -> dict[str, float | None]:
        takeover = self.node.role.takeover
        parts = {
            "detection_ms": takeover.detection_ns,
            "fence_ms": takeover.fence_ns,
            "role_ms": takeover.role_ns,
            "service_ms": takeover.service_ns,
            "lines_ms": self._lines_ns,
        }
        return {name: None if ns == NEVER else ns / MS for name, ns in parts.items()}

    def _total_ms(self) -> float | None:
        takeover = self.node.role.takeover
        known = [ns for ns in (takeover.detection_ns, takeover.fence_ns, takeover.role_ns) if ns != NEVER]
        return sum(known) / MS if known else None

    def status(self) -> dict[str, object]:
        """The parts of this member's last takeover in ms; None where one was not reached."""
        role = self.node.role
        decided = [change.now for change in role.log if change.new is Role.TAKING_OVER]
        return {
            "cause": role.takeover.reason,
            "decided_ns": decided[-1] if decided else None,
            "listening_ms": self.node.field.listened_ns / MS,
            "in_sync": role.takeover.in_sync,
            "parts": self._parts(),
            "total_ms": self._total_ms(),
        }


def cause_number(reason: str) -> float:
    """The cause of a takeover as `_sys.last_failover_cause` tells it, from its sentence."""
    return float(next((number for word, number in _CAUSES.items() if word in reason), 0))
