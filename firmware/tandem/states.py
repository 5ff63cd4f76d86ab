"""What is true now, as system points: written when it changes, looked at every 25 ms at the most.

A look is one call and one comparison a point; what nobody hurries for, and sums over devices, every 250 ms.
"""

from __future__ import annotations

from collections.abc import Callable

from tandem.parts import Parts
from tandem.point import MS, Quality
from tandem.standby.lines import LinesStep
from tandem.system import PREFIX

Reader = Callable[[], float]
_SUMS_NS = 250 * MS
_INVALID = int(Quality.INVALID)
_STEPS = {step: float(number) for number, step in enumerate(LinesStep)}
_UNKNOWN = -1.0


class States:
    """The fast part of the system points; `ids` are theirs, by name without the prefix."""

    def __init__(self, node: Parts, ids: dict[str, int], more: dict[str, Reader]) -> None:
        """`more`: readers of what others count, by name."""
        self.node = node
        self._ids = ids
        self._sums_at = 0
        readers = {**_of_role(node), **_of_fences(node), **_of_members(node)}
        for lan in node.lan_names:
            readers[f"lan.{lan}"] = _carrier(node, lan)
            readers[f"lan.{lan}.duplicate"] = _duplicate(node, lan)
        self._readers = [(ids[name], reader) for name, reader in readers.items()]
        self._slow_readers = [(ids[name], reader) for name, reader in {**_of_machine(node), **more}.items()]
        self._device_keys = {
            master.name: [f"device:{device.name}" for device in master.devices if device.enabled]
            for master in node.config.masters
        }
        self._device_oks = {
            master.name: [ids[f"device.{device.name}.ok"] for device in master.devices if device.enabled]
            for master in node.config.masters
        }

    def tick(self, now: int, stamp_us: int) -> None:
        """Write what changed."""
        self._read(self._readers, stamp_us)
        for path, alive in self.node.view.arriving.items():
            self._set(f"path.{path}", alive, stamp_us)
        if now >= self._sums_at:
            self._sums_at = now + _SUMS_NS
            self._read(self._slow_readers, stamp_us)
            self._sums(stamp_us)

    def _read(self, readers: list[tuple[int, Reader]], stamp_us: int) -> None:
        present, set_local = self.node.database.present, self.node.database.set_local
        for point_id, reader in readers:
            value = reader()
            old = present[point_id]
            if old[2] != value or old[4]:
                set_local(point_id, float(value), stamp_us)

    def _sums(self, stamp_us: int) -> None:
        node = self.node
        fronts = node.service.fronts()
        for slave in node.config.slaves:
            self._set(f"slave.{slave.name}.intruders", node.service.intruders[slave.name], stamp_us)
            self._set(f"slave.{slave.name}.remote", node.remote.slave(slave.name), stamp_us)
            self._set(f"slave.{slave.name}.ok", slave.name not in node.service.doors_shut, stamp_us)
            for center in slave.centers:
                self._set(f"center.{center.name}.connected", center.name in fronts, stamp_us)
        for master, row in self.masters().items():
            self._set(f"master.{master}.ok", row["answer"] == row["devices"], stamp_us)
            self._set(f"master.{master}.lost", row["lost"], stamp_us)
            self._set(f"master.{master}.unanswered", row["unanswered"], stamp_us)
            self._set(f"master.{master}.driven", row["driven"], stamp_us)
            self._set(f"master.{master}.connected", row["connected"], stamp_us)
        for lan in node.config.lans:
            if (there := node.reach.there(f"lan:{lan.name}")) is not None:
                self._set(f"lan.{lan.name}.reference", there, stamp_us)
        apart = node.mirror.apart
        quality = 0 if apart.known else _INVALID
        node.database.set_local(self._ids["clock_offset_ms"], apart.offset_us / 1e3, stamp_us, quality)
        node.database.set_local(self._ids["clock_round_trip_ms"], apart.round_trip_ns / 1e6, stamp_us, quality)

    def masters(self) -> dict[str, dict[str, int]]:
        """By master: is connected and driven here, its enabled devices, how many are lost, how many answer."""
        present, streams = self.node.database.present, self.node.field.streams()
        return {
            master: {
                "connected": any(streams[channel.name][0] for channel in self.node.channels[master]),
                "driven": any(streams[channel.name][1] for channel in self.node.channels[master]),
                "devices": len(oks),
                "unanswered": sum(self.node.reach.there(key) is False for key in self._device_keys[master]),
                "lost": sum(not present[point_id][2] and present[point_id][0] > 0 for point_id in oks),
                "answer": sum(present[point_id][2] == 1 for point_id in oks),
            }
            for master, oks in self._device_oks.items()
        }

    def _set(self, name: str, value: float, stamp_us: int) -> None:
        self.node.database.set_local(self._ids[name], float(value), stamp_us)


def system_ids(node: Parts) -> dict[str, int]:
    """The ids of the system points, by name without the prefix."""
    return {p.name.removeprefix(PREFIX): p.id for p in node.table.points if p.name.startswith(PREFIX)}


def _of_role(node: Parts) -> dict[str, Reader]:
    granter = node.sync.granter
    return {
        "role_active": lambda: node.is_active,
        "role": lambda: node.role.role,
        "epoch": lambda: node.epoch,
        "peer_heard": lambda: node.view.heard,
        "peer_role": lambda: node.view.role if node.view.heard else _UNKNOWN,
        "peer_health": lambda: node.view.health if node.view.heard else _UNKNOWN,
        "health": lambda: node.health.value,
        "in_sync": lambda: node.in_sync,
        "takeover_unsynced": lambda: node.takeover_unsynced,
        "unprotected": lambda: granter.unprotected,
        "two_actives": lambda: node.mirror.two_actives,
        "link_ok": lambda: bool(node.linkup.channel),
    }


def _of_fences(node: Parts) -> dict[str, Reader]:
    role = node.role
    return {
        "lines_held": lambda: role.lines_held,
        "lines": lambda: _STEPS[role.lines.step],
        "relay.coil": lambda: role.lines.coil,
        "relay.contradiction": lambda: bool(role.lines.contradiction(node.view.now)),
        "relay.trips": lambda: role.lines.trip.count,
        "lease": lambda: role.pins.lease,
        "witness.answers": lambda: node.witness.view.answers,
        "witness.granted": lambda: node.witness.view.granted,
    }


def _of_members(node: Parts) -> dict[str, Reader]:
    me = node.member
    peer = "b" if me == "a" else "a"
    return {
        f"member.{me}.role": lambda: node.role.role,
        f"member.{me}.health": lambda: node.health.value,
        f"member.{me}.lines_held": lambda: node.role.lines_held,
        f"member.{peer}.role": lambda: node.view.role if node.view.heard else _UNKNOWN,
        f"member.{peer}.health": lambda: node.view.health if node.view.heard else _UNKNOWN,
        f"member.{peer}.lines_held": lambda: node.view.heard and node.view.lines_held,
    }


def _of_machine(node: Parts) -> dict[str, Reader]:
    return {
        "disk_ok": lambda: not node.unsaved.fault,
        "journal.durable": lambda: node.keeping.durable is not None and node.keeping.durable.limit is not None,
        "archive.ok": lambda: not node.keeping.archive.fault,
        "archive.gaps": lambda: node.keeping.archive.counts["gaps"],
        "archive.salvaged": lambda: node.keeping.archive.counts["salvaged"],
        "realtime": lambda: node.realtime,
        "clock_synced": lambda: node.clock.synced,
        "reverts_stopped": lambda: bool(node.role.moves.stopped),
        "remote": lambda: bool(node.remote.station()),
        "tagged": lambda: len(node.tags.every()),
        "fence": lambda: node.fences,
        "link.intruders": lambda: node.linkup.intruders,
    }


def _carrier(node: Parts, lan: str) -> Reader:
    return lambda: node.carrier(lan)


def _duplicate(node: Parts, lan: str) -> Reader:
    return lambda: node.duplicates.claimed(lan)
