"""What the remote unit was told to forget, against what the centers were told: nothing lost, nothing doubled."""

from __future__ import annotations

from collections import Counter

from tandem.codec.record import unpack
from tandem.point import DEVICE_TIME, Cause
from tools.sim.center import SPONTANEOUS, Center, Event
from tools.sim.group import POINTS
from tools.sim.site import Site
from tools.sim.unit import TYPES, Key, stamp

_AGAIN = 12


class Confirms:
    """Counts by event, since a contact that chatters makes equal ones within a millisecond.

    Of those one window may come again: when an N(R) was lost nobody can tell which of equal events is offered anew.
    An event whose confirm was lost may also come once as salvaged, where the unit offers it after that. And an
    interrogation may have shown the change before the event came: told with the gateway's time, which may be of the
    same millisecond.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.told: dict[str, Counter[Key]] = {name: Counter() for name in site.centers}
        self._session: dict[str, tuple[int, Counter[Key]]] = {}

    def delivered(self, center: Center, event: Event, sure: bool) -> str:
        """An object came; returns what is wrong with it, "" when nothing is. `sure`: no journal was lost or forked."""
        if event.ioa not in TYPES or event.cause != SPONTANEOUS:
            return ""
        key = event.ioa, event.element
        self.told[center.name][key] += 1
        began, seen = self._session.get(center.name, (-1, Counter()))
        if began != len(center.starts):
            seen = Counter()
            self._session[center.name] = len(center.starts), seen
        seen[key] += 1
        made = self.site.unit.made[key]  # none: a change that an interrogation showed, with the gateway's time
        most = made if made < 2 else made + _AGAIN
        if sure and 0 < most < seen[key] and not (seen[key] == 2 and self._explained(event)):
            return f"{center.name} was told {event.ioa} = {event.value} {seen[key]} times in one session"
        return ""

    def _explained(self, event: Event) -> bool:
        """The oldest record of that millisecond is a salvaged one, or a change with the gateway's own time."""
        node = self.site.members[event.served_by].node
        point = node.table.id(POINTS[event.ioa])
        rings = node.journal.slices(node.journal.cursor(0), node.journal.head, node.journal.soe.capacity)
        found = [r for ring in rings for r in unpack(ring) if r[3] == point and stamp(r[1] // 1000) == event.stamp]
        causes = [record[5] for record in sorted(found)]
        shown = len(causes) == 2 and not causes[0] & DEVICE_TIME and bool(causes[1] & DEVICE_TIME)
        return shown or (bool(causes) and causes[0] & ~DEVICE_TIME == Cause.SALVAGED)

    def lost(self, since: int, until: int) -> str:
        """Which event that was confirmed between those times some center was never told of; "" for none."""
        owed = Counter(forgotten.key for forgotten in self.site.unit.forgotten if since < forgotten.sent_ns < until)
        for key, times in owed.items():
            for name, told in self.told.items():
                if told[key] < times:
                    what = f"{key[0]} = {key[1].hex()}, told {told[key]} times of {times}"
                    return f"{name} lacks an event that the unit was told to forget: {what}"
        return ""
