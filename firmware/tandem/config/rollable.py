"""What a commit while running cannot change: two members that run the old and the new must understand each other."""

from __future__ import annotations

from tandem.config.model import Config

_TOGETHER = (
    "heartbeat_ms", "dead_after_ms", "paths", "profile", "arbitration", "partition", "sync_lease_ms", "witness",
    "witness_ttl_ms",
)  # fmt: skip
_CURE = "stop both members, change --config on both, and start them"


def cannot_roll(old: Config, new: Config) -> list[str]:
    """Sentences, one for each change of `old` that the members must make at the same moment; empty for none."""
    found = [
        f"[standby] {key} is {getattr(old.standby, key)} and becomes {getattr(new.standby, key)}"
        for key in _TOGETHER
        if getattr(old.standby, key) != getattr(new.standby, key)
    ]
    if old.group.name != new.group.name:
        found.append(f"the group {old.group.name} becomes {new.group.name}")
    if _own_addresses(old) != _own_addresses(new):
        found.append("the members' own addresses, or the LANs and their order, change")
    lines = {line.name: line for line in new.serials}
    for line in old.serials:
        if f"serial.{line.name}" in old.standby.paths and lines.get(line.name) != line:
            found.append(f"the heartbeat line [serial.{line.name}] changes")
        elif line.name in lines and lines[line.name].switched != line.switched:
            found.append(f"[serial.{line.name}] is switched by {line.switched} and becomes {lines[line.name].switched}")
    return [f"{wrong}: both members must do that at the same moment; {_CURE}" for wrong in found] + _kinds(old, new)


def _own_addresses(config: Config) -> list[tuple[str, dict[str, tuple[str, ...]]]]:
    return [
        (lan.name, {m: tuple(a.ip for a in port.addresses) for m, port in lan.members.items()}) for lan in config.lans
    ]


def _kinds(old: Config, new: Config) -> list[str]:
    """A name keeps its id, and with it the events that wait under it: they cannot change their kind."""
    kinds = {point.name: point.kind for master in old.masters for device in master.devices for point in device.points}
    return [
        f"{point.place}: {point.name} was {kinds[point.name].word} and becomes {point.kind.word}, and events may wait "
        "under its name; give it another name"
        for master in new.masters
        for device in master.devices
        for point in device.points
        if kinds.get(point.name, point.kind) is not point.kind
    ]
