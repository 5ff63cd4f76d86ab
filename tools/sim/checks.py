"""Checkers outside the nodes: they look at the plant, the devices, the centers and both journals as time goes by."""

from __future__ import annotations

from collections.abc import Sequence

from tandem.codec.beat import Role
from tandem.codec.record import SIZE
from tandem.point import Cause
from tools.bench.plan import other
from tools.sim.faults import GENTLE
from tools.sim.guardian import HANGS_NS, Controller
from tools.sim.ledger import Broken, Ledger
from tools.sim.member import Member
from tools.sim.site import Site
from tools.sim.world import MS

__all__ = ["Broken", "Checks"]

_IMAGES_NS = 20 * MS  # images are compared so often, not at every event
_APART_NS = 500 * MS  # after a partition that nothing can fence: until the one of the two has dropped
_POLLED_NS = 700 * MS
_AIR_NS = 20 * MS
_OUTAGE_NS = 1_600 * MS
_PER_FAULT, _AT_REST = 3, 2
_ON_LINE = "F1."


class Checks:
    """One driver, one image, one name for one record, epochs that rise, no more role changes than faults explain."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.world = site.world
        self.ledger = Ledger(site)
        self.role_changes = 0
        self.compared = 0
        self._images_at = 0
        self._epochs: dict[int, str] = {}
        self._active: dict[str, int] = {}
        self._served_epoch = 0
        self._unheard: set[int] = set()  # epochs whose active took no turn while the other member was up
        """The highest epoch in which a center was served: one that nobody saw may be passed over."""
        self._unserved_since = -1
        self._excused_until = 0
        self._records: dict[tuple[int, int], bytes] = {}
        self._read_to: dict[str, tuple[object, int]] = {}
        self._line_askers: list[tuple[int, str]] = []
        self._won: dict[str, tuple[int, int]] = {}
        """Who waits for the first answer to itself on a field line: since when, and its journal's head then."""
        self.world.listeners.append(self._said)
        site.bench.changed.append(self._ownership)
        site.wires.asked = self._line_asked
        for controller in site.controllers.values():
            controller.looked = self._beats_hold
        site.turned = self._turned
        site.ended = self.ledger.ended

    # --- physical ownership -------------------------------------------------------------------------------------

    def _ownership(self) -> None:
        """I1, as the kernels and contacts are. Raises Broken."""
        counts = self.site.bench.counts
        if self._may_both():
            counts.clear()
        if counts:
            raise Broken(f"I1: {', '.join(counts)}")

    def _may_both(self) -> bool:
        """No relays, and no octet passes between the members: then nothing can keep them from serving both."""
        if self.site.relay is None and self.site.air.wholly_apart() and self.site.third.excuses:
            self._excused_until = self.world.now + _APART_NS
        return self.world.now < self._excused_until

    def _beats_hold(self, controller: Controller) -> None:
        """A role contact is open within W of the last good beat; one that hangs has its own watchdog. Raises Broken."""
        letter, relay, relays = controller.letter, self.site.relay, self.site.bench.relays
        if relay is None or not relays.contact(letter) or relays.role[letter].welded or relays.held[letter]:
            return
        since = self.world.now - max(controller.good_ns, controller.hung_ns + HANGS_NS)
        if since > relay.watchdog_ms * MS:
            raise Broken(f"W: the role contact of {letter} is closed {since / MS:.1f} ms after the last good beat")

    def _line_asked(self, letter: str, line: str, octets: bytes) -> None:
        """One field line, one driver: a, b and a again within the time of a claim are two. Raises Broken.

        Without relays nothing holds back the one request that a process was about to write when it was frozen.
        """
        now = self.world.now
        if self.site.relay is None and now - self.site.members[letter].thawed_ns < _AIR_NS:
            return
        askers = [(at, who) for at, who in self._line_askers if now - at < 100 * MS]
        self._line_askers = [*askers, (now, letter)]
        words = [who for _, who in self._line_askers]
        if other(letter) in words and letter in words[: words.index(other(letter))] and not self._may_both():
            raise Broken(f"I1: both members drive {line}")

    def _said(self, sentence: str) -> None:
        """A member has won the field lines: what it stores from there on must be answers to itself."""
        if "field lines held" in sentence:
            letter = sentence[:1]
            self._won[letter] = self.world.now, self.site.members[letter].node.journal.head

    def _answered(self, member: Member) -> None:
        """Nothing was read on a line before a device there has answered this member. Raises Broken.

        Where both may drive the line, each hears what the other one asked for.
        """
        held_ns, head = self._won[member.letter]
        replied = self.site.wires.replied.get(member.letter, 0) > held_ns
        if replied or not member.node.is_active or self._may_both():
            del self._won[member.letter]
            return
        journal = member.node.journal
        for _, _, value, point, _, cause, _ in journal.read(journal.cursor(head), journal.head):
            name = member.node.table.by_id[point].name
            if name.startswith(_ON_LINE) and cause in (Cause.SCAN, Cause.INITIAL):
                raise Broken(f"late: {member.letter} has {name} = {value} of an answer to the former owner's request")

    # --- after each turn ----------------------------------------------------------------------------------------

    def _turned(self, member: Member) -> None:
        if member.thawed_ns != self.world.now:  # the rest of a turn that was frozen: what it decided is long over
            self._look_at_epoch(member)
        if member.letter in self._won:
            self._answered(member)
        if self.world.now >= self._images_at:
            self._images_at = self.world.now + _IMAGES_NS
            self._may_both()
            self._images()
            for each in self.site.members.values():
                self._names(each)

    def _look_at_epoch(self, member: Member) -> None:
        role, letter = member.node.role, member.letter
        if role.role is Role.RELEASING:
            return  # one that cannot let go goes on in its epoch
        if role.role is not Role.ACTIVE:
            self._active.pop(letter, None)
            return
        epoch = role.epoch
        if self.site.members[other(letter)].up:
            self._unheard.discard(epoch)
        if self._active.get(letter) == epoch:
            if member.node.service.serves_group():
                self._served_epoch = max(self._served_epoch, epoch)
            return
        risen = epoch > self._served_epoch or self._unheard.issuperset(e for e in self._epochs if e > epoch)
        if (epoch in self._epochs or not risen) and not self._lied() and not self._may_both():
            raise Broken(f"epochs: {epoch} of {letter} does not rise above {max(self._epochs)}")
        fresh = letter not in self._active
        self._active[letter], self._epochs[epoch] = epoch, letter
        self._unheard.add(epoch)
        if fresh:
            self.role_changes += 1
            self.ledger.claimed(member)

    def _images(self) -> None:
        """While the active grants and the standby believes: equal numbers name equal records. Raises Broken."""
        members = [m for m in self.site.members.values() if m.up]
        active = next((m.node for m in members if m.node.sync.granter.granting), None)
        standby = next((m.node for m in members if not m.node.sync.granter.active), None)
        if active is None or standby is None or not standby.sync.lease.in_sync(self.world.now):
            return
        if standby.journal.head < active.sync.granter.acknowledged:
            raise Broken(f"I4: {active.sync.granter.acknowledged} is acknowledged, {standby.journal.head} is there")
        if standby.journal.head != active.journal.head:
            return
        self.compared += 1
        for point in active.table.points:
            mine, its = active.database.present[point.id], standby.database.present[point.id]
            if point.hot and not point.local and mine != its:
                raise Broken(f"I4: {point.name} is {mine} on the active and {its} on the standby")

    def _names(self, member: Member) -> None:
        """A record is named by (epoch, number): equal names are equal octets, wherever they stand. Raises Broken."""
        node = member.node
        claims, head = node.history.claims, node.journal.head
        known, read_to = self._read_to.get(member.letter, (None, 0))
        if known == (member.boots, claims) and read_to == head:
            return
        if known != (member.boots, claims) or head < read_to:
            read_to = 0
        self._read_to[member.letter] = (member.boots, claims), head
        cursor = node.journal.cursor(read_to)
        for octets in node.journal.slices(cursor, head, node.journal.soe.capacity):
            for at in range(0, len(octets), SIZE):
                record = octets[at : at + SIZE]
                number = int.from_bytes(record[:8], "little")
                name = node.history.epoch_at(number), number
                if name[0] and self._records.setdefault(name, record) != record and not self._lied():
                    raise Broken(f"names: {name} of {member.letter} names another record than before")

    def _lied(self) -> bool:
        return any(m.flash.lied for m in self.site.members.values())

    # --- at the end ---------------------------------------------------------------------------------------------

    def unwell(self) -> str:
        """Why life is not back yet: one active, the other standby, in sync, centers served; "" when it is."""
        members = self.site.members.values()
        if not all(member.up for member in members):
            return "a member does not run"
        roles = {member.letter: member.node.role.role.word for member in members}
        if sorted(roles.values()) != ["active", "standby"]:
            return f"the members are {roles}"
        if not all(member.node.in_sync for member in members):
            return "not in sync"
        active = next(member for member in members if member.node.is_active)
        if any(center.served_by != active.letter or not center.ready for center in self.site.centers.values()):
            return "a center is not served by the active"
        if self.site.relay is not None and not self.site.bench.relays.contact(active.letter):
            return "the active's contact is open"
        if not active.node.role.lines_held:
            return "the field lines are not held"
        for device in (self.site.feeder, self.site.meter):
            if self.world.now - device.asked.get(active.letter, 0) > _POLLED_NS:
                return "a device is not asked by the active"
        started = self.site.unit.started
        if self.site.has_unit and (started is None or started.name != active.letter):
            return "the remote unit is not started by the active"
        return ""

    def watch(self) -> None:
        """Call it now and then: while one member is well and the other cannot serve, it serves. Raises Broken."""
        since = -1
        for letter, member in self.site.members.items():
            if self._able(letter) and not self._working(other(letter)) and not member.node.is_active:
                since = self._unserved_since if self._unserved_since >= 0 else self.world.now
        self._unserved_since = since
        if since >= 0 and self.world.now - since > _OUTAGE_NS:
            raise Broken(f"outage: nobody serves for {(self.world.now - since) // MS} ms, and one member is well")

    def _working(self, letter: str) -> bool:
        member = self.site.members[letter]
        frozen = member.supervisor.frozen or member.heart.frozen or letter in self.site.air.hung
        return member.up and not frozen

    def _able(self, letter: str) -> bool:
        """The member runs since long, is no stranger to its cables, and has no reason to wait."""
        member, air = self.site.members[letter], self.site.air
        cabled = all(air.on_lan(letter, lan) and (letter, lan) not in air.mute for lan in self.site.bench.owner)
        role = member.node.role.role
        cabled &= not self.site.third.there and all(each.well for each in self.site.controllers.values())
        return self._working(letter) and cabled and role in (Role.STANDBY, Role.TAKING_OVER) and not self._stuck()

    def _stuck(self) -> bool:
        relays = self.site.bench.relays
        stuck = [relay.welded for relay in relays.role.values()] + list(relays.held.values())
        return self.site.relay is not None and any(stuck)

    def alive(self) -> None:
        """Raises Broken."""
        if sentence := self.unwell():
            raise Broken(f"liveness: {sentence}")

    def calm(self, kinds: Sequence[str], at_heal: int) -> None:
        """Role changes: none from gentle faults, so many from each other, few after all is mended. Raises Broken."""
        allowed = 1 + _PER_FAULT * len([kind for kind in kinds if kind not in GENTLE])
        if at_heal > allowed:
            raise Broken(f"unrest: {at_heal} takeovers from {', '.join(kinds)}")
        if self.role_changes - at_heal > _AT_REST:
            raise Broken(f"unrest: {self.role_changes - at_heal} takeovers after everything was mended")
