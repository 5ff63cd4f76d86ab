"""The gateway's own points: the one table of `_sys.*`, and the point table of a configuration.

Local points live beside the journal on each member and are never mirrored; the others have records like any point.
"""

from __future__ import annotations

from dataclasses import dataclass

from tandem.config.model import Config
from tandem.point import Kind
from tandem.registry import PointInfo, PointTable, Registry

PREFIX = "_sys."


@dataclass(slots=True, frozen=True)
class SystemPoint:
    """One row of the table; `states` names 0 and 1 of a binary."""

    name: str
    kind: Kind
    local: bool
    description: str
    states: tuple[str, ...] = ()
    unit: str = ""
    hot: bool = True


_B, _A, _C = Kind.BINARY, Kind.ANALOG, Kind.COUNTER
_NO_YES = ("no", "yes")
CONTROL_COUNTS = {
    "forwarded": "that came in at the standby and went to the active",
    "executed": "carried out to the end",
    "refused": "that a rule refused",
    "failed": "that the device refused, or that its feedback did not follow",
    "not_sent": "that ended before the device had them",
    "unknown": "that the device may have, and whose end nobody saw",
}
"""What is counted of controls, each member for itself."""
_FIXED = (
    SystemPoint("role_active", _B, True, "this member is the active one", ("standby", "active")),
    SystemPoint("role", _A, True, "0 starting, 1 standby, 2 taking over, 3 active, 4 releasing, 5 out of service"),
    SystemPoint("peer_role", _A, True, "the peer's role by the same numbers; -1 unknown"),
    SystemPoint("epoch", _A, True, "number of the present history; even: claimed by a, odd: by b"),
    SystemPoint("in_sync", _B, True, "the pair holds a grant of being in sync", _NO_YES),
    SystemPoint("takeover_unsynced", _B, True, "this member took over without being in sync", _NO_YES),
    SystemPoint("unprotected", _B, True, "going on alone: what is confirmed is on one member only", _NO_YES),
    SystemPoint("mirror_lag_ms", _A, True, "age of the oldest record that the peer has not acknowledged", (), "ms"),
    SystemPoint("failovers", _C, True, "times that this member took over"),
    SystemPoint("last_failover_ms", _A, True, "from the last sign of the old active until service", (), "ms"),
    SystemPoint("last_failover_cause", _A, True, "0 none, 1 released, 2 proof of death, 3 silence, 4 vacancy, 5 order"),
    SystemPoint("lines_held", _B, True, "this member holds the field lines", _NO_YES),
    SystemPoint(
        "fence", _A, True, "what withdraws the service: 0 nothing, 1 the heart, 2 the heart and a kernel lease"
    ),
    SystemPoint("disk_ok", _B, True, "the state folder takes writes", ("failed", "ok")),
    SystemPoint("realtime", _B, True, "real-time priority and locked memory were permitted", _NO_YES),
    SystemPoint("link_ok", _B, True, "the hot-standby link is up", ("down", "up")),
    SystemPoint("link.intruders", _C, True, "strangers refused at the hot-standby port"),
    SystemPoint("beat.intruders", _C, True, "frames at the heartbeat paths that were forged or sent again"),
    SystemPoint("health", _A, True, "how fit this member is to serve: 255 nothing wrong, 0 worst"),
    SystemPoint("clock_synced", _B, True, "stamps may be trusted", _NO_YES),
    SystemPoint("reverts_stopped", _B, True, "failovers too often: no revert to the preferred member", _NO_YES),
    SystemPoint("remote", _B, True, "centers may control the station; else its key says local", ("local", "remote")),
    SystemPoint("tagged", _A, True, "tags that block controls"),
    *(SystemPoint(f"controls.{word}", _C, True, f"controls {about} here") for word, about in CONTROL_COUNTS.items()),
    SystemPoint("contact.own", _B, True, "role relay of this member", ("open", "closed")),
    SystemPoint("contact.peer", _B, True, "role relay of the peer, as this member reads it", ("open", "closed")),
    SystemPoint("watchdog.own", _B, True, "watchdog relay of this member", ("open", "closed")),
    SystemPoint("watchdog.peer", _B, True, "watchdog relay of the peer, as this member reads it", ("open", "closed")),
    SystemPoint("key_local", _B, True, "local/remote key of this member's front panel", ("remote", "local")),
    SystemPoint("lamp_test", _B, True, "button of this member's front panel", ("released", "pressed")),
    SystemPoint("control_unknown", _C, False, "controls that ended unknown: somebody must look"),
)
_OUT = Kind.BINARY_OUTPUT
_ORDERS = (
    SystemPoint("make_a_active", _OUT, True, "order: member a is to be active; on alone means something"),
    SystemPoint("make_b_active", _OUT, True, "order: member b is to be active; on alone means something"),
    SystemPoint("a_in_service", _OUT, True, "order: member a out of service, or back", ("out", "in")),
    SystemPoint("b_in_service", _OUT, True, "order: member b out of service, or back", ("out", "in")),
    SystemPoint("rearm", _OUT, True, "order: the role may go back to the preferred member again; on alone"),
)
ORDER_POINTS = tuple(point.name for point in _ORDERS)
"""The gateway's own control points, without the prefix."""
_CENTER = (
    SystemPoint("connected", _B, True, "a front end is connected here", ("no", "yes")),
    SystemPoint("confirmed", _C, True, "events that it confirmed"),
    SystemPoint("repeated", _C, True, "events sent again after a lost connection or a role change"),
    SystemPoint("overflowed", _C, True, "events that its buffer lost"),
    SystemPoint("broken", _C, True, "connections closed here: it broke the protocol or did not answer in time"),
    SystemPoint("held", _A, True, "events that wait for its confirm"),
)


def system_points(config: Config) -> list[SystemPoint]:
    """Every point of the gateway itself under this configuration, with full names."""
    points = [_renamed(point, point.name) for point in (*_FIXED, *_ORDERS)]
    for path in config.standby.paths:
        points.append(SystemPoint(f"{PREFIX}path.{path}", _B, True, f"beats arrive over {path}", ("silent", "alive")))
    for master in config.masters:
        about = f"devices of master {master.name} answer"
        points.append(SystemPoint(f"{PREFIX}master.{master.name}.ok", _B, True, about, ("lost", "ok")))
        for device in master.devices:
            about = f"device {device.name} answers" if device.enabled else f"device {device.name} is disabled"
            name = device_point(device.name)
            points.append(SystemPoint(name, _B, False, about, ("lost", "ok"), hot=master.hot_standby))
    for slave in config.slaves:
        about = f"strangers refused by slave {slave.name}"
        points.append(SystemPoint(f"{PREFIX}slave.{slave.name}.intruders", _C, True, about))
        about = f"centers of slave {slave.name} may control"
        points.append(SystemPoint(f"{PREFIX}slave.{slave.name}.remote", _B, True, about, ("local", "remote")))
        about = f"slave {slave.name} can listen at its addresses"
        points.append(SystemPoint(f"{PREFIX}slave.{slave.name}.ok", _B, True, about, ("failed", "ok")))
        for center in slave.centers:
            points += [_renamed(point, f"center.{center.name}.{point.name}") for point in _CENTER]
    return points


def device_point(device: str) -> str:
    """Name of the point that says whether a device answers: 1 answers, 0 lost, never read while disabled."""
    return f"{PREFIX}device.{device}.ok"


def _renamed(point: SystemPoint, name: str) -> SystemPoint:
    return SystemPoint(PREFIX + name, point.kind, point.local, point.description, point.states, point.unit, point.hot)


def point_table(config: Config, registry: Registry) -> PointTable:
    """The points of a verified configuration: configured ones first, in its order, then the gateway's own.

    Names that the registry does not know yet get their ids in this order.
    """
    rows = [
        (point, registry.id(point.name), master.hot_standby, device.name)
        for master in config.masters
        for device in master.devices
        for point in device.points
    ]
    own = [(point, registry.id(point.name)) for point in system_points(config)]
    answers = {point.name: number for point, number in own}
    table = [
        PointInfo(
            number,
            point.name,
            point.kind,
            False,
            hot,
            answers[device_point(device)],
            point.unit,
            point.states,
            point.description,
        )
        for point, number, hot, device in rows
    ]
    table += [
        PointInfo(number, p.name, p.kind, p.local, p.hot, 0, p.unit, p.states, p.description) for p, number in own
    ]
    return PointTable(table, registry.highest)
