"""What the node says of itself: the `_sys.*` points, and the status that the local API and the panel show."""

from __future__ import annotations

from functools import partial

from tandem.cabinet import Cabinet
from tandem.codec.beat import Role
from tandem.commit import Commit
from tandem.failover import Failover
from tandem.parts import FENCES, Parts
from tandem.point import MS, Cause, Say
from tandem.show import time_text
from tandem.standby.own import Transition
from tandem.standby.reach import lost_targets
from tandem.states import Reader, States, system_ids
from tandem.statistics import Statistics
from tandem.system import CONTROL_COUNTS

_LOOK_NS = 25 * MS  # but a change of role at once
_SLOW_NS = 250 * MS


class Reporter:
    """Keeps the system points as they are and composes the status when asked."""

    def __init__(self, node: Parts, commit: Commit) -> None:
        self.node = node
        self._commit = commit
        self._last: Transition | None = None
        self._look_at = self._slow_at = self._role_since = 0
        self._step: object = None
        self._beats_said = 0
        ids = self._ids = system_ids(node)
        self.failover = Failover(node, ids)
        self.control_counts = dict.fromkeys(CONTROL_COUNTS, 0)
        self._unknown = 0
        more: dict[str, Reader] = {"failovers": lambda: self.failover.count, "beat.intruders": self.foreign_beats}
        for word in CONTROL_COUNTS:
            more[f"controls.{word}"] = partial(self.control_counts.__getitem__, word)
        more["commit.state"] = lambda: commit.state
        more["commit.on_trial"] = lambda: commit.on_trial
        more["commit.left_out"] = lambda: commit.left_out
        self.states = States(node, ids, more)
        self.statistics = Statistics(node, ids)
        self.cabinet = Cabinet(node, ids, self.alarms)

    def tick(self, now: int) -> None:
        """Write what changed, when it is time to look or the role has just changed."""
        role = self.node.role
        if now < self._look_at and role.entered_ns == self._role_since and role.lines.step is self._step:
            return
        self._look_at, self._role_since, self._step = now + _LOOK_NS, role.entered_ns, role.lines.step
        stamp_us, _ = self.node.clock.stamp(now)
        self.failover.tick(now, stamp_us)
        self.states.tick(now, stamp_us)
        self.statistics.tick(now, stamp_us)
        self.cabinet.tick(now)
        if now >= self._slow_at:
            self._slow_at = now + _SLOW_NS
            self._say_foreign_beats()
            for sentence in self.node.duplicates.tick(now, self.node.has_addresses):
                self.node.ask(Say(sentence))

    def _say_foreign_beats(self) -> None:
        beats = self.foreign_beats()
        if beats > 2 * self._beats_said:
            self._beats_said = beats
            self.node.ask(Say(f"{beats} frames at the heartbeat paths were forged or sent again: ignored", "warning"))

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
        for change in fresh:
            self.failover.changed(change)
        return fresh

    # --- the status -----------------------------------------------------------------------------------------------

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
                "health": view.health,
                "head": view.head,
            },
            "in_sync": node.in_sync,
            "not_in_sync_because": "" if node.in_sync else self._why_not_in_sync(now),
            "unprotected": granter.unprotected,
            "takeover_unsynced": node.takeover_unsynced,
            "mirror": self._mirror(),
            "paths": view.arriving,
            "lines": node.role.lines.step.value,
            "out_of_service_because": node.role.ordered_out or node.role.ordered_fault,
            "contacts": {"own": bool(pins.own), "peer": bool(pins.peer), "watchdog": bool(pins.watchdog)},
            "coil": node.role.lines.coil,
            "unreachable": dict(node.reach.lost()),
            "lans": {lan: node.carrier(lan) for lan in node.lan_names},
            "fence": FENCES[node.fences],
            "alone": node.role.alone.words(node.witness.view),
            "head": node.journal.head,
            "controls": node.control.refuse_reason or "accepted",
            "control_counts": {**node.control.statistics(), "forwarded": self.control_counts["forwarded"]},
            "remote": "permitted" if node.remote.station() else "no: the station is switched to local",
            "tags": {tag.name: f"{tag.who}: {tag.why} ({time_text(tag.stamp_us)})" for tag in node.tags.every()},
            "centers": node.service.statistics(),
            "masters": self.states.masters(),
            "devices": self._devices(),
            "leds": self.cabinet.words(),
            "alarms": self.alarms(),
            "health": {"value": node.health.value, "losses": node.health.losses},
            "last_failover": self.failover.status(),
            "failovers": self.failover.count,
            "commit": self._commit.status(),
            "realtime": node.realtime,
            "clock_synced": node.clock.synced,
            "clock": self._clock(),
            "process": self.statistics.figures._asdict(),
            "disk": node.unsaved.fault or "ok",
            **node.keeping.statistics(),
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

    def _clock(self) -> dict[str, object]:
        apart = self.node.mirror.apart
        return {
            "offset_ms": apart.offset_us / 1e3 if apart.known else None,
            "round_trip_ms": apart.round_trip_ns / 1e6 if apart.known else None,
            "peer_synced": apart.peer_synced if apart.known else None,
        }

    def _devices(self) -> dict[str, dict[str, object]]:
        rows: dict[str, dict[str, object]] = {}
        enabled = {device.name: device.enabled for m in self.node.config.masters for device in m.devices}
        for name, counters in self.statistics.devices().items():
            point_id = self._ids.get(f"device.{name}.ok")
            number, _, ok, *_ = self.node.database.present[point_id or 0]
            rows[name] = {"ok": ok == 1, "known": number > 0, "enabled": enabled[name], **counters}
        return rows

    def foreign_beats(self) -> int:
        """Frames at the heartbeat paths that the peer did not send, or not now."""
        return self.node.foreign_beats + self.node.heartbeat.replayed

    def alarms(self) -> list[str]:
        """What somebody has to look at, in sentences."""
        node = self.node
        two = "both members are active: take one out of service" if node.mirror.two_actives else ""
        found = [two, node.role.ordered_fault, node.role.moves.stopped, node.unsaved.fault, *node.keeping.alarms()]
        found += lost_targets(node.reach) + node.duplicates.alarms()
        found.append(node.role.lines.trip.alarm(node.view.now))
        found += [node.role.alone.alarm(node.witness.view), *node.field.alarms()]
        found += node.service.doors_shut.values()
        return [sentence for sentence in found if sentence]
