"""The event ledger: what each control center was told, what devices executed, and what must follow from it.

The field's measured values rise step by step, so a center that was told a value and meets a member that has only
older ones has seen a past that the survivor does not have.
"""

from __future__ import annotations

import struct
from collections import Counter

from tandem.codec.record import unpack
from tandem.point import Command, Step
from tools.bench.plan import other
from tools.sim.center import INTERROGATED, SPONTANEOUS, Center, Event
from tools.sim.confirms import Confirms
from tools.sim.member import Member
from tools.sim.site import Site
from tools.sim.unit import LEVEL, TYPES
from tools.sim.world import MS, SECOND

RISING = {2001: "F1.voltage_l1", 2101: "M1.active_power", LEVEL: "U1.level"}
"""By information object address: points whose values only rise."""
SETPOINT, SETPOINT_NAME = 5002, "F1.tap_setpoint"
_FORWARDED_EVERY = 3
_LOCAL = 9000  # from here on each member speaks for itself
_STALL_NS = 250 * MS
_SETTLED_NS = SECOND


class Broken(AssertionError):
    """An invariant does not hold; the sentence names it."""


class Ledger:
    """Truth on the one side, what was told on the other."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        self.told: dict[str, dict[tuple[int, float, bytes], int]] = {name: {} for name in site.centers}
        """By center: when each event (address, value, stamp) first came, spontaneous ones only."""
        self.repeated = 0
        self.asked: dict[int, int] = {}
        """Setpoints by value: when the center gave them."""
        self.horizon = 0
        """What was told before may have been lost with a journal that nobody else had."""
        self.confirms = Confirms(site)
        self._highest: dict[int, float] = {}
        self._unprotected: dict[int, float] = {}
        """By address: the last value that an active told which had no standby to wait for."""
        self._session: dict[str, tuple[int, set[tuple[int, float, bytes]]]] = {}
        self._frozen: dict[str, tuple[int, int]] = {}
        rows = (row for slave in site.config.slaves for row in slave.rows if row.deadband)
        self._deadbands = {int(row.address): row.deadband for row in rows}
        table = site.members["a"].node.table
        self._rising = {ioa for ioa, name in RISING.items() if name in table.by_name and table.by_name[name].hot}
        site.delivered = self._delivered

    def operate(self) -> None:
        """A center gives a setpoint that no one gave before; every third one is given at the standby's own panel."""
        value = len(self.asked) + 1
        center = self.site.centers["probe"]
        if self._at_the_standby(value) or center.command(49, SETPOINT, struct.pack("<hB", value, 0)):
            self.asked[value] = self.world.now

    def _at_the_standby(self, value: int) -> bool:
        member = next((m for m in self.site.members.values() if m.up and not m.node.is_active), None)
        if value % _FORWARDED_EVERY or member is None or member.supervisor.frozen:
            return False
        node = member.node
        point = node.table.by_name.get(SETPOINT_NAME)
        if point is None:
            return False
        command = Command(node.next_ref(), point.id, float(value), Step.DIRECT, "local.panel", self.world.now)
        return bool(member.call(lambda now: node.desk.operate(command)))

    def froze(self, letter: str, began: int) -> None:
        """A member's processes stood still from `began` until now."""
        if self.world.now - began > _STALL_NS:
            self._frozen[letter] = began, self.world.now

    # --- as it happens ------------------------------------------------------------------------------------------

    def _delivered(self, center: Center, event: Event) -> None:
        if wrong := self.confirms.delivered(center, event, not self.horizon):
            raise Broken(f"twice: {wrong}")
        if event.cause == SPONTANEOUS and event.stamp and event.ioa < _LOCAL:
            self._spontaneous(center, event)
        if event.ioa in self._rising:
            self._highest[event.ioa] = max(self._highest.get(event.ioa, 0.0), event.value)
            self._promised(event)

    def _spontaneous(self, center: Center, event: Event) -> None:
        key = event.ioa, event.value, event.element
        began, seen = self._session.get(center.name, (-1, set()))
        if began != len(center.starts):
            seen = set()
            self._session[center.name] = len(center.starts), seen
        once = not self.horizon and event.ioa not in TYPES  # two that were apart may both have seen the same change
        if key in seen and once:
            raise Broken(f"twice: {center.name} was told {event.ioa} = {event.value} twice in one session")
        seen.add(key)
        told = self.told[center.name]
        self.repeated += key in told
        told.setdefault(key, event.at_ns)

    def _promised(self, event: Event) -> None:
        """While the active grants and the standby believes, a center is told nothing that the standby lacks."""
        members = self.site.members
        active, standby = members.get(event.served_by), members.get(other(event.served_by))
        if not active or not standby or not active.up or not standby.up or not active.node.sync.granter.granting:
            self._unprotected[event.ioa] = event.value
            return
        if standby.node.sync.granter.active or not standby.node.sync.lease.in_sync(self.world.now):
            return
        if not self._has(standby, event.ioa, event.value):
            raise Broken(f"promise: a center was told {event.ioa} = {event.value}, and the standby has less")

    @staticmethod
    def _has(member: Member, ioa: int, value: float) -> bool:
        """The member knows a value as high: now, or in a record (an event of the past that it was given)."""
        node = member.node
        point, value = node.table.id(RISING[ioa]), round(value, 3)
        if round(node.database.present[point][2], 3) >= value:
            return True
        rings = node.journal.slices(node.journal.cursor(0), node.journal.head, node.journal.soe.capacity)
        return any(record[3] == point and round(record[2], 3) >= value for ring in rings for record in unpack(ring))

    def claimed(self, member: Member) -> None:
        """A member became active. One that says it is in sync has all that any center was told. Raises Broken."""
        peer = self.site.members[other(member.letter)]
        if peer.up and not peer.supervisor.frozen and peer.node.is_active:
            self.forget()
        if not member.node.role.takeover.in_sync:
            return
        for ioa, value in self._highest.items():
            if not self._has(member, ioa, value) and not self._comes_yet(ioa, value):
                raise Broken(f"amnesia: {member.letter} is active in sync without {ioa} = {value}, told to a center")

    def _comes_yet(self, ioa: int, value: float) -> bool:
        """An active without a standby told it and withheld the confirm: the unit keeps it for whoever is active."""
        return self._unprotected.get(ioa) == value and any(
            key[0] == ioa and struct.unpack_from("<f", key[1])[0] == value for key in self.site.unit.waiting
        )

    def forget(self) -> None:
        """What was told until now is no measure any more."""
        self.horizon = self.world.now
        self._highest.clear()

    def ended(self, member: Member) -> None:
        """A member's processes are gone, and its journal with them: unless the other has it, so is what it told."""
        peer = self.site.members[other(member.letter)]
        node, its = member.node, peer.node
        if node.sync.granter.active:
            kept = peer.up and node.sync.granter.granting and (its.sync.granter.active or its.sync.lease.whole)
        else:
            kept = peer.up and its.is_active and node.history.claims == its.history.claims
        if not kept:
            self.forget()

    # --- at the end ---------------------------------------------------------------------------------------------

    def settle(self) -> None:
        """Raises Broken for a center that was not told what another was, and for controls."""
        until = self.world.now - _SETTLED_NS
        for name, told in self.told.items():
            for key, at in told.items():
                if self.horizon < at < until:
                    for peer, its in self.told.items():
                        if key not in its and not self._shown(peer, *key[:2]):
                            raise Broken(f"lost: {peer} was never told {key[0]} = {key[1]}, which {name} was")
        if wrong := self.confirms.lost(self.horizon, until):
            raise Broken(f"lost: {wrong}")
        self._controls()

    def _shown(self, name: str, ioa: int, value: float) -> bool:
        """An interrogation came before the event of that value: within the row's deadband nothing changed."""
        deadband = self._deadbands.get(ioa, 0.0)
        events = self.site.centers[name].events if deadband else ()
        return any(e.ioa == ioa and e.cause == INTERROGATED and abs(e.value - value) < deadband for e in events)

    def _controls(self) -> None:
        executed = [row for row in self.site.feeder.executed if row[1] == "holding"]
        times = Counter(value for _, _, _, value, _ in executed)
        for value, count in times.items():
            if count > 1:
                raise Broken(f"I3: setpoint {value} was written {count} times")
            if value not in self.asked:
                raise Broken(f"I3: setpoint {value} was written, and nobody gave it")
        for at, _, _, value, letter in executed:
            began, thawed = self._frozen.get(letter, (0, 0))
            if began < self.asked[value] < thawed - MS and at > thawed:
                raise Broken(f"I3: setpoint {value} came while {letter} stood still, and was written after it")
        for answer in self.site.centers["probe"].answers:
            if answer.type == 49 and answer.cause == 7 and not answer.negative:
                value = int.from_bytes(answer.element[:2], "little")
                if not times[value]:
                    raise Broken(f"I3: setpoint {value} was confirmed and never written")

    def values(self) -> None:
        """What the centers hold after an interrogation is what the devices hold, and good. Raises Broken."""
        truth = self.site.truth()
        for center in self.site.centers.values():
            for ioa, value in truth.items():
                last = center.last.get(ioa)
                if last is None or abs(last.value - value) > 0.01 or not last.good:
                    shown = "nothing" if last is None else f"{last.value}{'' if last.good else ' (not good)'}"
                    raise Broken(f"final: {center.name} holds {shown} of {ioa}, the device holds {value}")
