"""What the node says of itself: the `_sys.*` points, and the status that the local API and the panel show."""

from __future__ import annotations

from collections.abc import Callable

from tandem.cabinet import Cabinet
from tandem.codec.beat import Role
from tandem.parts import Parts
from tandem.point import MS, Cause, Say
from tandem.show import time_text
from tandem.standby.own import Transition
from tandem.standby.peer import NEVER
from tandem.system import CONTROL_COUNTS, PREFIX

_FAST_NS = 25 * MS  # but a change of role at once
_SLOW_NS = 250 * MS  # counters of centers and devices: so often is enough for a point
_CAUSES = {"released": 1, "dead": 2, "silence": 3, "nobody": 4, "order": 5}


class Reporter:
    """Writes the system points each turn and composes the status when asked."""

    def __init__(self, node: Parts) -> None:
        self.node = node
        self._last: Transition | None = None
        self._fast_at = self._slow_at = self._role_since = 0
        self._unknown = self._beats_said = 0
        self.failovers = 0
        self.control_counts = dict.fromkeys(CONTROL_COUNTS, 0)
        table = node.table
        self._ids = {p.name.removeprefix(PREFIX): p.id for p in table.points if p.name.startswith(PREFIX)}
        self.cabinet = Cabinet(node, self._ids, self.alarms)
        self._fast: list[tuple[str, Callable[[], float]]] = [
            ("role_active", lambda: node.is_active),
            ("role", lambda: node.role.role),
            ("epoch", lambda: node.epoch),
            ("peer_role", lambda: node.view.role if node.view.heard else -1),
            ("in_sync", lambda: node.in_sync),
            ("takeover_unsynced", lambda: node.takeover_unsynced),
            ("unprotected", lambda: node.sync.granter.unprotected),
            ("lines_held", lambda: node.role.lines_held),
            ("link_ok", lambda: bool(node.linkup.channel)),
            ("disk_ok", lambda: not node.unsaved.fault),
            ("realtime", lambda: node.realtime),
            ("fence", lambda: 2 if node.rules.fenced else 1),
            ("clock_synced", lambda: node.clock.synced),
            ("failovers", lambda: self.failovers),
            ("link.intruders", lambda: node.linkup.intruders),
            ("beat.intruders", self.foreign_beats),
            ("health", lambda: node.health.value),
            ("reverts_stopped", lambda: bool(node.role.moves.stopped)),
        ]

    def tick(self, now: int) -> None:
        """Write what changed, when it is time to look or the role has just changed."""
        entered_ns = self.node.role.entered_ns
        if now < self._fast_at and entered_ns == self._role_since:
            return
        self._fast_at, self._role_since = now + _FAST_NS, entered_ns
        stamp_us, _ = self.node.clock.stamp(now)
        for name, value in self._fast:
            self._set(name, float(value()), stamp_us)
        for path in self.node.view.paths:
            self._set(f"path.{path.name}", float(path.alive), stamp_us)
        if now >= self._slow_at:
            self._slow_at = now + _SLOW_NS
            self._slow(stamp_us)
        self.cabinet.tick(now)

    def _slow(self, stamp_us: int) -> None:
        node = self.node
        lag = node.mirror.statistics().get("lag_last_ms")
        if lag is not None:
            self._set("mirror_lag_ms", lag, stamp_us)
        self._set("remote", float(node.remote.station()), stamp_us)
        self._set("tagged", len(node.tags.every()), stamp_us)
        for word, count in self.control_counts.items():
            self._set(f"controls.{word}", count, stamp_us)
        takeover = self.takeover()
        self._set("last_failover_ms", float(takeover["total_ms"] or 0), stamp_us)  # type: ignore[arg-type]
        self._set("last_failover_cause", _cause(node.role.takeover.reason), stamp_us)
        for key, row in node.service.statistics().items():
            center = key.partition(".")[2]
            self._set(f"center.{center}.connected", float(row["connected"] > 0), stamp_us)
            for counter in ("confirmed", "repeated", "overflowed", "broken"):
                self._set(f"center.{center}.{counter}", row[counter], stamp_us)
            self._set(f"center.{center}.held", max(0.0, node.journal.head - row["cursor"]), stamp_us)
        for slave, count in node.service.intruders.items():
            self._set(f"slave.{slave}.intruders", count, stamp_us)
            self._set(f"slave.{slave}.remote", float(node.remote.slave(slave)), stamp_us)
            self._set(f"slave.{slave}.ok", float(slave not in node.service.doors_shut), stamp_us)
        beats = self.foreign_beats()
        if beats > 2 * self._beats_said:
            self._beats_said = beats
            self.node.ask(Say(f"{beats} frames at the heartbeat paths were forged or sent again: ignored", "warning"))
        present = node.database.present
        for master in node.config.masters:
            oks = [present[self._ids[f"device.{d.name}.ok"]][2] for d in master.devices if d.enabled]
            self._set(f"master.{master.name}.ok", float(all(oks)), stamp_us)

    def _set(self, name: str, value: float, stamp_us: int) -> None:
        if point_id := self._ids.get(name):
            self.node.database.set_local(point_id, value, stamp_us)

    def unknown_controls(self, count: int, now: int) -> None:
        """Controls that ended unknown: a mirrored counter, for it must survive who saw it."""
        if count > self._unknown and self.node.is_active:
            point_id = self._ids["control_unknown"]
            total = self.node.database.present[point_id][2] + count - self._unknown
            self.node.database.update(point_id, total, 0, self.node.clock.stamp(now)[0], Cause.SYSTEM)
            self._unknown = count

    def role_changes(self) -> list[Transition]:
        """Drain the changes of role since the last call."""
        log = list(self.node.role.log)
        fresh = log[next((i + 1 for i in range(len(log) - 1, -1, -1) if log[i] is self._last), 0) :]
        self._last = log[-1] if log else None
        self.failovers += sum(change.new is Role.ACTIVE for change in fresh)
        return fresh

    # --- the status -----------------------------------------------------------------------------------------------

    def takeover(self) -> dict[str, object]:
        """The parts of the last takeover in ms; None where one was not reached."""
        takeover = self.node.role.takeover
        parts = {
            "detection_ms": takeover.detection_ns,
            "fence_ms": takeover.fence_ns,
            "role_ms": takeover.role_ns,
            "service_ms": takeover.service_ns,
        }
        known = [ns for ns in (takeover.detection_ns, takeover.fence_ns, takeover.role_ns) if ns != NEVER]
        decided = [change.now for change in self.node.role.log if change.new is Role.TAKING_OVER]
        return {
            "cause": takeover.reason,
            "decided_ns": decided[-1] if decided else None,
            "listening_ms": self.node.field.listened_ns / MS,
            "in_sync": takeover.in_sync,
            "parts": {name: None if ns == NEVER else ns / MS for name, ns in parts.items()},
            "total_ms": sum(known) / MS if known else None,
        }

    def status(self, now: int) -> dict[str, object]:
        """The whole of it, as plain data."""
        node = self.node
        granter, view, pins = node.sync.granter, node.view, node.role.pins
        return {
            "member": node.member,
            "group": node.config.group.name,
            "role": node.role.role.word,
            "since_ms": (now - node.role.entered_ns) // MS,
            "epoch": node.epoch,
            "peer": {
                "role": Role(view.role).word if view.heard else "not heard",
                "epoch": view.epoch,
                "head": view.head,
            },
            "in_sync": node.in_sync,
            "not_in_sync_because": "" if node.in_sync else self._why_not_in_sync(now),
            "unprotected": granter.unprotected,
            "takeover_unsynced": node.takeover_unsynced,
            "mirror": self._mirror(),
            "paths": {path.name: path.alive for path in view.paths},
            "lines": node.role.lines.step.value,
            "out_of_service_because": node.role.ordered_out or node.role.ordered_fault,
            "contacts": {"own": bool(pins.own), "peer": bool(pins.peer), "watchdog": bool(pins.watchdog)},
            "fence": "kernel lease and heart" if node.rules.fenced else "heart",
            "head": node.journal.head,
            "controls": node.control.refuse_reason or "accepted",
            "control_counts": {**node.control.statistics(), "forwarded": self.control_counts["forwarded"]},
            "remote": "permitted" if node.remote.station() else "no: the station is switched to local",
            "tags": {tag.name: f"{tag.who}: {tag.why} ({time_text(tag.stamp_us)})" for tag in node.tags.every()},
            "centers": node.service.statistics(),
            "devices": self._devices(),
            "leds": self.cabinet.words(),
            "alarms": self.alarms(),
            "health": {"value": node.health.value, "losses": node.health.losses},
            "last_failover": self.takeover(),
            "failovers": self.failovers,
            "realtime": node.realtime,
            "clock_synced": node.clock.synced,
            "disk": node.unsaved.fault or "ok",
            "intruders": {
                "link": node.linkup.intruders,
                "beats": self.foreign_beats(),
                **node.service.intruders,
            },
        }

    def _why_not_in_sync(self, now: int) -> str:
        granter = self.node.sync.granter
        return granter.reason if granter.active else self.node.sync.lease.reason(now)

    def _mirror(self) -> dict[str, object]:
        node = self.node
        return {
            "link": node.linkup.channel.removeprefix("link:") or "down",
            "trouble": node.mirror.trouble,
            "head": node.journal.head,
            "acknowledged": node.sync.granter.acknowledged if node.sync.granter.active else node.journal.head,
            **node.mirror.statistics(),
        }

    def _devices(self) -> dict[str, dict[str, object]]:
        rows: dict[str, dict[str, object]] = {}
        for name, counters in self.node.field.statistics().items():
            point_id = self._ids.get(f"device.{name}.ok")
            rows[name] = {"ok": bool(point_id and self.node.database.present[point_id][2]), **counters}
        return rows

    def foreign_beats(self) -> int:
        """Frames at the heartbeat paths that the peer did not send, or not now."""
        return self.node.foreign_beats + self.node.heartbeat.replayed

    def alarms(self) -> list[str]:
        """What somebody has to look at, in sentences."""
        node = self.node
        found = [node.role.ordered_fault, node.role.moves.stopped, node.unsaved.fault, *node.field.alarms()]
        found += node.service.doors_shut.values()
        return [sentence for sentence in found if sentence]


def _cause(reason: str) -> float:
    return float(next((number for word, number in _CAUSES.items() if word in reason), 0))
