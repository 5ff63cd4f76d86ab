"""The gateway's own points: the one table of `_sys.*`, and the point table of a configuration.

Local points live beside the journal on each member and are never mirrored; the others have records like any point.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from tandem.config.model import Config
from tandem.point import Kind
from tandem.registry import PointInfo, PointTable, Registry

PREFIX = "_sys."


@dataclass(slots=True, frozen=True)
class SystemPoint:
    """One row of the table; `states` names 0 and 1 of a binary. `slow`: looked at once a second, others at once.

    `each` in a name stands for what the row is repeated for, as the group's title in `TABLE` says.
    """

    name: str
    kind: Kind
    local: bool
    description: str
    states: tuple[str, ...] = ()
    unit: str = ""
    hot: bool = True
    slow: bool = False


_B, _A, _C = Kind.BINARY, Kind.ANALOG, Kind.COUNTER
_NO_YES, _OPEN_CLOSED, _LOST_OK, _FAILED_OK = ("no", "yes"), ("open", "closed"), ("lost", "ok"), ("failed", "ok")
_LOCAL_REMOTE = ("local", "remote")
_ROLES = "0 starting, 1 standby, 2 taking over, 3 active, 4 releasing, 5 out of service"


def _said(name: str, description: str, states: tuple[str, ...] = _NO_YES) -> SystemPoint:
    return SystemPoint(name, _B, True, description, states)


def _read(name: str, description: str, unit: str = "", slow: bool = False) -> SystemPoint:
    return SystemPoint(name, _A, True, description, (), unit, slow=slow)


def _counted(name: str, description: str, slow: bool = False) -> SystemPoint:
    return SystemPoint(name, _C, True, description, slow=slow)


def _shared(name: str, kind: Kind, description: str, unit: str = "") -> SystemPoint:
    return SystemPoint(name, kind, False, description, (), unit)


_ROLE = (
    _said("role_active", "this member is the active one", ("standby", "active")),
    _read("role", _ROLES),
    _read("epoch", "number of the present history; even: claimed by a, odd: by b"),
    _said("peer_heard", "the other member is heard"),
    _read("peer_role", "the peer's role by the same numbers; -1 unknown"),
    _read("peer_health", "the peer's health; -1 unknown"),
    _read("health", "how fit this member is to serve: 255 nothing wrong, 0 worst"),
    _said("in_sync", "the pair holds a grant of being in sync"),
    _said("takeover_unsynced", "this member took over without being in sync"),
    _said("unprotected", "going on alone: what is confirmed is on one member only"),
    _said("two_actives", "both members say that they are active: somebody must look"),
    _said("link_ok", "the hot-standby link is up", ("down", "up")),
    _read("mirror_lag_ms", "from the end of a turn until the peer had acknowledged its records, newest", "ms", True),
    _read("mirror_lag_records", "records that the peer has not acknowledged", "", True),
    _counted("link.intruders", "strangers refused at the hot-standby port"),
    _counted("beat.intruders", "frames at the heartbeat paths that were forged or sent again"),
)
_MEMBER = (
    _read("member.each.role", "its role, -1 unknown: both members tell of both"),
    _read("member.each.health", "its health, -1 unknown"),
    _said("member.each.lines_held", "it holds the field lines, as far as is known"),
)
_FAILOVER = (
    _counted("failovers", "times that this member took over"),
    _shared("last_failover_cause", _A, "0 none, 1 released, 2 proof of death, 3 silence, 4 vacancy, 5 order"),
    _shared("last_failover_ms", _A, "from the last sign of the old active until the addresses were taken", "ms"),
    _shared("last_failover_detection_ms", _A, "of it: until the decision", "ms"),
    _shared("last_failover_fence_ms", _A, "of it: until the service fence held", "ms"),
    _shared("last_failover_role_ms", _A, "of it: until the heart had lease and addresses", "ms"),
    _shared("last_failover_service_ms", _A, "from the claim until the first center was served", "ms"),
    _shared("last_failover_lines_ms", _A, "from the claim until the field lines were held", "ms"),
    _said("reverts_stopped", "failovers too often: no revert to the preferred member"),
)
_FENCE = (
    _said("lines_held", "this member holds the field lines"),
    _read("lines", "0 none, 1 claiming, 2 held, 3 lost"),
    _read("fence", "what fences beside the heart: 0 none, 1 the kernel lease, 2 the role relay, 3 both"),
    _said("relay.coil", "the role relay's coil is asked for", ("off", "on")),
    _said("relay.own", "feedback: the own role contact, debounced, with the time of its edge", _OPEN_CLOSED),
    _said("relay.peer", "the same: the peer's role contact, as read here", _OPEN_CLOSED),
    _said("relay.watchdog", "the same: the watchdog relay's contact", _OPEN_CLOSED),
    _said("relay.peer_watchdog", "the same: the peer's watchdog contact, as read here", _OPEN_CLOSED),
    _said("key_local", "the key at this member's front panel", ("remote", "local")),
    _said("lamp_test", "the button at this member's front panel", ("released", "pressed")),
    _said("relay.contradiction", "the own contact is closed though the coil is off: welded or bridged"),
    _counted("relay.trips", "times that this member cut the feed of the peer's role relay: its contact stayed closed"),
    _said("witness.answers", "the granting witness answers"),
    _said("witness.granted", "alone, and the witness grants that this member serves"),
    _said("lease", "the kernel lets the group address pass", ("lapsed", "alive")),
)
CONTROL_COUNTS = {
    "forwarded": "that came in at the standby and went to the active",
    "executed": "carried out to the end",
    "refused": "that a rule refused",
    "failed": "that the device refused, or that its feedback did not follow",
    "not_sent": "that ended before the device had them",
    "unknown": "that the device may have, and whose end nobody saw",
}
"""What is counted of controls, each member for itself."""
_CONTROLS = (
    _said("remote", "centers may control the station; else its key says local", _LOCAL_REMOTE),
    _read("tagged", "tags that block controls"),
    *(_counted(f"controls.{word}", f"controls {about} here") for word, about in CONTROL_COUNTS.items()),
    _shared("control_unknown", _C, "controls that ended unknown: somebody must look"),
)
_COMMIT = (
    _read("commit.state", "newest: 0 none, 1 staging, 2 rolling, 3 returning, 4 done, 5 returned, 6 refused, 7 failed"),
    _said("commit.on_trial", "the configuration that runs here has not proved itself yet"),
    _counted("commit.left_out", "events that waited for a center when their point was gone from the configuration"),
)
_MACHINE = (
    _said("disk_ok", "the state folder takes writes", _FAILED_OK),
    _said("journal.durable", "records are on flash before anything that was told of them leaves"),
    _said("archive.ok", "the archive of events is written, and in time", _FAILED_OK),
    _counted("archive.gaps", "gaps that the archive noted since the start: events may be missing there", True),
    _counted("archive.salvaged", "events kept there that the group's history does not have", True),
    _said("realtime", "real-time priority and locked memory were permitted"),
    _said("clock_synced", "stamps may be trusted"),
    _read("clock_error_ms", "how far UTC may be off by its time source's estimate; 0: not synchronised", "ms", True),
    _read("clock_offset_ms", "the peer's clock less this one's, measured over the link; decides nothing", "ms"),
    _read("clock_round_trip_ms", "round trip of that measurement: it is true to half of it", "ms"),
    _counted("process.turns", "turns of the loop that looked at everything", slow=True),
    _read("process.worst_turn_ms", "longest such turn since the statistics were reset", "ms", True),
    _read("process.resident_mib", "memory of the supervisor in RAM", "MiB", True),
    _read("process.cpu_percent", "of one core, over the last second", "%", True),
    _read("process.uptime_s", "since the process started", "s", True),
)
_PATH = (_said("path.each", "beats arrive over it", ("silent", "alive")),)
_LAN = (
    _said("lan.each", "it has a carrier", ("down", "up")),
    _said("lan.each.reference", "its reference address answers; never read before it was asked", _LOST_OK),
    _said("lan.each.duplicate", "another host claims a group address held here; over when not heard of for 35 s"),
)
_MASTER = (
    SystemPoint("master.each.ok", _B, True, "its devices answer", _LOST_OK),
    _said("master.each.driven", "this member drives it: it has the right and a stream is open"),
    _said("master.each.connected", "a stream of it is open here, driven or kept for a takeover"),
    _read("master.each.unanswered", "on a standby: devices that do not answer its ARP or ping"),
    _read("master.each.lost", "enabled devices that were lost: asked, and not answering"),
)
COUNTERS = (
    ("requests", "requests sent"),
    ("answers", "answers received"),
    ("timeouts", "requests that got no answer in time"),
    ("retries", "requests sent again"),
    ("crc_errors", "frames with a wrong checksum"),
    ("exceptions", "answers that said no"),
    ("bad_replies", "answers that made no sense"),
    ("late_replies", "answers after their time-out"),
    ("losses", "times that it was lost"),
    ("controls", "controls sent to it"),
    ("offered_again", "events that it offered once more and that were taken once"),
    ("untimed", "events without a time of its own while others came again: they may be repeated"),
    ("confirm_timeouts", "confirms that waited too long for the standby: the connection was closed instead"),
    ("starts", "times that its data transfer was started"),
    ("window_full", "times that sending waited for the acknowledgement of k frames"),
)
"""What a master counts of a device under these names; one that its protocol does not know stays never read."""
_DEVICE = (
    SystemPoint("device.each.ok", _B, False, "it answers; never read while it is disabled", _LOST_OK),
    _read("device.each.last_answer_ms", "how long its newest answer took", "ms", True),
    _read("device.each.unconfirmed", "frames of its place that the standby does not allow to confirm yet", "", True),
    *(_counted(f"device.each.{name}", about, slow=True) for name, about in COUNTERS),
)
_SLAVE = (
    _said("slave.each.ok", "it can listen at its addresses", _FAILED_OK),
    _said("slave.each.remote", "its centers may control", _LOCAL_REMOTE),
    _counted("slave.each.intruders", "strangers refused"),
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
    _said("center.each.connected", "a front end is connected here"),
    _counted("center.each.confirmed", "events that it confirmed", slow=True),
    _counted("center.each.repeated", "events sent again after a lost connection or a role change", slow=True),
    _counted("center.each.overflowed", "events that its buffer lost", slow=True),
    _counted("center.each.broken", "connections closed here: it broke the protocol or did not answer in time", True),
    _counted("center.each.starts", "times that a front end started its data transfer here", True),
    _counted("center.each.window_full", "times that sending waited for the acknowledgement of k frames", True),
    _read("center.each.unconfirmed", "events sent here and not confirmed yet", "", True),
    _read("center.each.held", "journal records after the last one that it confirmed, listed for it or not", "", True),
)
TABLE: tuple[tuple[str, str, tuple[SystemPoint, ...]], ...] = (
    ("Role and mirror", "", _ROLE),
    ("Members", "member", _MEMBER),
    ("Failovers", "", _FAILOVER),
    ("Lines, relays and fences", "", _FENCE),
    ("Heartbeat paths", "path", _PATH),
    ("LANs", "LAN", _LAN),
    ("Controls", "", _CONTROLS),
    ("Orders", "", _ORDERS),
    ("Masters", "master", _MASTER),
    ("Devices", "device", _DEVICE),
    ("Slaves", "slave", _SLAVE),
    ("Control centers", "center", _CENTER),
    ("Commits", "", _COMMIT),
    ("Clock and machine", "", _MACHINE),
)
"""(title, what the rows are repeated for or "", rows)."""


def system_points(config: Config) -> list[SystemPoint]:
    """Every point of the gateway itself under this configuration, with full names."""
    points: list[SystemPoint] = []
    for _, each, rows in TABLE:
        for name, hot in _each(config, each):
            points += [replace(row, name=PREFIX + row.name.replace("each", name, 1), hot=hot) for row in rows]
    return points


def _each(config: Config, each: str) -> list[tuple[str, bool]]:
    """The names of everything that rows are repeated for, and whether hot standby covers it."""
    if each == "device":
        return [(device.name, master.hot_standby) for master in config.masters for device in master.devices]
    names: dict[str, Iterable[str]] = {
        "": ("",),
        "member": ("a", "b"),
        "path": config.standby.paths,
        "LAN": (lan.name for lan in config.lans),
        "master": (master.name for master in config.masters),
        "slave": (slave.name for slave in config.slaves),
        "center": (center.name for slave in config.slaves for center in slave.centers),
    }
    return [(name, True) for name in names[each]]


def device_point(device: str) -> str:
    """Name of the point that says whether a device answers: 1 answers, 0 lost, never read while disabled."""
    return f"{PREFIX}device.{device}.ok"


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
