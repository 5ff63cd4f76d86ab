"""What a member shows and feels of its cabinet: LEDs to the heart, contacts, key and lamp test as points."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tandem.action import ToHeart
from tandem.codec import heart as say
from tandem.panel.inputs import Inputs
from tandem.panel.leds import PanelState, leds, octets
from tandem.parts import Parts
from tandem.point import MS, Say

_LOOK_NS = 250 * MS  # but a change of role at once
_DEBOUNCE_NS = 20 * MS


class Cabinet:
    """Front panel and contacts of one member. `ids`: the system points without their prefix; `alarms`: sentences."""

    def __init__(self, node: Parts, ids: Mapping[str, int], alarms: Callable[[], list[str]]) -> None:
        self.node = node
        self._ids = ids
        self._alarms = alarms
        contacts = node.role.lines.contacts.debounce_ns
        self.inputs = Inputs(max(contacts, _DEBOUNCE_NS))
        self._shown = b""
        self._look_at = self._role_since = 0

    def read(self, pins: say.PinsRead) -> None:
        """The heart tells of a contact or a key."""
        self.inputs.read(pins)

    def tick(self, now: int) -> None:
        """What is newly believed becomes points; what the panel shows goes to the heart when it changed."""
        node = self.node
        for change in self.inputs.changes(now):
            stamp_us, quality = node.clock.stamp(change.at_ns)
            node.database.set_local(self._ids[change.name], float(change.value), stamp_us, quality)
            if change.name == "key_local":
                node.remote.key_local = bool(change.value)
                node.ask(Say(f"the key at the front panel stands at {'local' if change.value else 'remote'}"))
        entered_ns = node.role.entered_ns
        if now >= self._look_at or entered_ns != self._role_since:
            self._look_at, self._role_since = now + _LOOK_NS, entered_ns
            shown = octets(self.state())
            if shown != self._shown:
                self._shown = shown
                node.ask(ToHeart(say.Leds(shown)))

    def words(self) -> dict[str, str]:
        """By LED: dark, or its colour and, unless steady, its pattern."""
        return {name: led.word for name, led in leds(self.state()).items()}

    def state(self) -> PanelState:
        """What there is to be shown."""
        node = self.node
        alive = node.view.arriving
        present, ids = node.database.present, self._ids
        devices = [ids[f"device.{d.name}.ok"] for m in node.config.masters for d in m.devices if d.enabled]
        rows = node.service.statistics().values()
        return PanelState(
            node.role.role,
            node.role.lines.step,
            node.in_sync,
            node.role.isolated,
            faulty=bool(node.role.ordered_fault),
            alarm=bool(self._alarms()),
            unprotected=node.sync.granter.unprotected,
            peer_heard=node.view.heard,
            paths=(sum(alive.values()), len(alive)),
            lans=tuple((node.carrier(lan), alive.get(f"lan.{lan}", True)) for lan in node.lan_names),
            devices=(sum(bool(present[point_id][2]) for point_id in devices), len(devices)),
            centers=(sum(row["connected"] > 0 for row in rows), len(rows)),
        )
