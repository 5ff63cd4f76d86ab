"""One gateway as one machine: it gets octets and the time, and gives octets and actions. The only file that knows
everybody; what each part does stands in its own.

    field devices -- field --> database + journal -- mirror --> the standby's
                                     |  service --> control centers
    control centers -- service --> desk --> control --> field       on the standby: mirror --> the active's desk
    heart -- heartbeat, sync --> role --> conduct --> all of these
"""

from __future__ import annotations

from collections.abc import Callable

from tandem.action import Action, Persist
from tandem.codec import heart as say
from tandem.codec.beat import DRAINED, LAST_IN_SYNC, BeatBody, Role
from tandem.commit import Commit
from tandem.conduct import Conduct
from tandem.config.model import Config, Member
from tandem.config.timing import RelayTimes
from tandem.desk import Desk
from tandem.engine import earliest
from tandem.parts import Parts
from tandem.past import Past
from tandem.point import MS, Say
from tandem.registry import PointInfo
from tandem.report import Reporter
from tandem.show import show_point, show_record
from tandem.standby.own import OwnState
from tandem.standby.peer import NEVER
from tandem.statistics import Figures

THINK_NS = 200 * MS
"""So often a node looks at everything, even if nothing happens."""
_EARLY_NS = 20 * MS  # it does so earlier where something woke the loop anyhow
_INTRUDERS_SAID = 10  # each of the first ones, then every hundredth


class Node(Parts):
    """One member of a group, moving."""

    def __init__(
        self,
        config: Config,
        member: Member,
        relay: RelayTimes | None,
        past: Past,
        entropy: Callable[[int], bytes],
        realtime: bool,
        now: int,
    ) -> None:
        super().__init__(config, member, relay, past, entropy, realtime, now)
        self.commit = Commit(self, past.kept())
        self.reporter = Reporter(self, self.commit)
        self.desk = Desk(self, self.reporter)
        self.conduct = Conduct(self, self.desk, self.commit)
        self.service.listen(False, now)
        self._thinks = False
        self._news = True  # something came that a decision may depend on: no values, no octets of masters and centers
        self._now = self._think_at = self._think_due = now
        self._decided_due = 0  # when the parts that decide are due; 0: ask them anew

    # --- what others ask ------------------------------------------------------------------------------------------

    def hand_over(self, now: int) -> bool:
        """This process is to end: True while its role still has to change hands."""
        self._news = True
        self.role.leaving = "this process is to end"
        return self.stories.hurry() or self.has_addresses

    def door(self, slave: str, fault: str, now: int) -> None:
        """Where a slave listens ("": the hot-standby link): `fault` is tried again, "" is all well."""
        self.service.doors_shut.pop(slave, None)
        if fault:
            self.service.doors_shut[slave] = fault
        self.ask(Say(fault or f"{slave or 'the hot-standby port'} listens again", "error" if fault else "info"))

    # --- what comes in --------------------------------------------------------------------------------------------

    def clock_reads(self, utc_us: int, synced: bool, now: int) -> None:
        """The wall clock at monotonic `now`."""
        self.clock.set(now, utc_us, synced)

    def figures(self, figures: Figures) -> None:
        """What this process costs, once a second."""
        self.reporter.statistics.told(figures)

    def was_away(self, away_ns: int, now: int) -> None:
        """The loop did not run for longer than the lease: what was ours may be another's. Before anything else."""
        self._news = True
        self.ask(Say(f"the loop was away for {away_ns // MS} ms", "warning"))
        self.heartbeat.was_away(away_ns, now)
        self.role.permission_lost(f"this process was away for {away_ns // MS} ms")
        self.desk.was_away(away_ns, now)
        self._decide(now)

    def heart_says(self, message: say.Message, now: int) -> bool:
        """A message of the heart. True when it should be thought about at once: the peer's usual beat is not."""
        usual = isinstance(message, say.HeartTurn) or (
            isinstance(message, say.Heard) and self.view.repeats(message.beat)
        )
        usual &= now < self._think_at - _EARLY_NS
        self._decided_due = 0
        self.heartbeat.heart_says(message, now)
        self.role.heart_says(message)
        if isinstance(message, say.Heard):
            self.sync.heard(message, now)
            self.quoted.heard(message)
        elif isinstance(message, say.HeartTurn):
            self.sync.heart_turned(message.at_ns, now)
        elif isinstance(message, say.PinsRead):
            self.reporter.cabinet.read(message)
        else:
            self.conduct.heart(message, now)
        self._news |= not usual
        return not usual

    def opened(self, channel: str, now: int) -> None:
        """A dialed connection or line is up, or the peer's link got through its handshake."""
        self._news = True
        if channel.startswith("master:"):
            self.field.opened(channel, now)
        elif channel.startswith("link:"):
            if self.linkup.opened(channel):
                self.mirror.closed(now, "a newer link took its place")
            self.mirror.opened(now)

    def accepted(self, channel: str, host: str, on_group: bool, now: int) -> None:
        """A control center connected: channel is "slave:NAME#n"."""
        self.service.accepted(channel, channel.removeprefix("slave:").rpartition("#")[0], host, on_group, now)

    def receive(self, channel: str, data: bytes, now: int) -> None:
        """Octets of a channel."""
        if channel.startswith("master:"):
            self.field.receive(channel, data, now)
        elif channel.startswith("slave:"):
            self.service.receive(channel, data, now)
        elif channel == self.linkup.channel:
            self._news |= self.mirror.receive(data, now)

    def closed(self, channel: str, reason: str, now: int) -> None:
        """A channel ended by itself."""
        self._news = True
        if channel.startswith("master:"):
            self.field.closed(channel, reason, now)
        elif channel.startswith("slave:"):
            self.service.closed(channel, reason, now)
        elif self.linkup.closed(channel, now):
            self.ask(Say(f"the hot-standby link ended: {reason}", "warning"))
            self.mirror.closed(now, reason)
            self.heartbeat.link_eof(now)
        elif (count := self.linkup.intruded()) and (count <= _INTRUDERS_SAID or count % 100 == 0):
            self.ask(Say(f"a stranger at the hot-standby port was refused: {reason} ({count} so far)", "warning"))

    def persisted(self, persist: Persist, fault: str, now: int) -> None:
        """A file was written, or could not be: then it is tried again after a while."""
        if sentence := self.unsaved.written(persist, fault, now):
            self.ask(Say(sentence, "error" if fault else "info"))
        self.commit.persisted(persist, fault)
        if persist.name == Past.STANDING and not fault:
            self.standing = Past({Past.STANDING: persist.text}).standing()

    def order_switchover(self, member: str, now: int) -> str:
        """An operator wants `member` ("a", "b" or "peer") to be active; returns what becomes of it."""
        self._news = True
        wanted = self.peer if member == "peer" else member
        return self.desk.orders.order(wanted, f"make {wanted} active", "the local API", now)

    # --- the turn -------------------------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Everything that is due, in the order of the data's way; then the decisions. `pump` ends the turn."""
        self._now = now
        self._thinks = self._news or self.role.asked or now >= min(self._think_at - _EARLY_NS, self._think_due)
        self._news = self.role.role is Role.RELEASING  # then whatever comes may end the hand-over
        if self._thinks:
            self._decided_due = 0
            self.view = self.heartbeat.tick(now)
            self.conduct.heartbeat_wishes()
            self._link(now)
        self.field.tick(now)
        self.service.tick(now)
        self.desk.tick(now)
        self.conduct.drain(now)
        if self._thinks:
            self._think_at = now + THINK_NS
            self._decide(now)

    def pump(self, now: int) -> None:
        """The rest of the turn, when the decisions were carried out: what is remembered, told, and leaves."""
        if self._thinks:
            self.conduct.remember(now)
            self.commit.tick(now)
            self._actions += self.unsaved.again(now) + self.keeping.tick(now)
            self.reporter.tick(now)
        self._pump(now)
        self.journal.settle()
        self._actions += self.field.actions() + self.service.actions() + self.linkup.actions()

    def _link(self, now: int) -> None:
        if self.linkup.hangs(self.view.paths, now):
            self.linkup.drop("its LAN is silent", now)
            self.mirror.closed(now, "its LAN is silent")
        self.linkup.tick(self.view.paths, now)
        self.mirror.tick(now)
        self.conduct.mirror(now)
        stale_ns = self.config.standby.stale_after_ms * MS
        self.database.mirroring = not self.sync.granter.active
        self.database.mirror_silent = self.database.mirroring and now - self.mirror.silent_since > stale_ns

    def _decide(self, now: int) -> None:
        self._actions += [Say(sentence, "warning") for sentence in self.health.look(now, self.is_active)]
        self.conduct.carry_out(self.role.tick(now, self.view, self._own(now)), now)
        self._actions += self.ask_around(now)
        for change in self.reporter.role_changes():
            self.ask(Say(f"{change.old.word} -> {change.new.word}: {change.cause}: {change.reason}"))

    def _own(self, now: int) -> OwnState:
        granter = self.sync.granter
        return OwnState(
            health=self.health.value,
            ready=self.proven and self.role.permit > 0,
            fault=self.unfenced, address_unanswered=self.unanswered(now),
            in_sync=self.sync.lease.in_sync(now) if not granter.active else granter.granting,
            last_in_sync=self.remembered.last_in_sync, was_standby=self.remembered.was_standby,
            epoch=self.epoch, head=self.journal.head, reserved_epoch=self.reserved_epoch,
            spent_epoch=self.remembered.reserved,
            acknowledged=granter.acknowledged,
            drained=self.field.drained,
            settled=not self.control.busy, confirmed=not self.conduct.owed(now),
            descends=self.descends, witness=self.witness.look(now),
        )

    def _pump(self, now: int) -> None:
        if self.role.takeover.service_ns == NEVER and self.is_active and self.service.serves_group():
            self.role.served(now)
        granter = self.sync.granter
        self._actions += self.keeping.turn(now)
        limit = granter.limit(self.journal.head) if granter.active else self.journal.head
        self.service.pump(limit, self.database.local_changes(), now)
        if granter.active:
            granter.released(max(self.service.released(), self.field.release(limit, now)))
        for key, number in (*self.service.cursors().items(), *self.field.cursors().items()):
            self.mirror.cursor(key, number)
        self.centers.tick(now)
        shares = granter.binding if granter.active else self.mirror.sink.following
        self.outside.tick(shares, self.keeping.saves, now)
        self.journeys.tick(now)
        self.mirror.flush(now)
        self.conduct.mirror(now)

    def due(self) -> int:
        """When `tick` must come, at the latest."""
        if not self._decided_due:
            parts = self.linkup.due(), self.role.due(), self.heartbeat.due(self._now), self.asks_due()
            self._decided_due = earliest(self._think_at, self.health.due(), *parts) or self._think_at
        self._think_due = earliest(self._decided_due, self.mirror.due()) or self._decided_due
        due = earliest(self.field.due(), self.service.due(), self.control.due(), self.keeping.due(), self.sync.due())
        return min(self._think_due, due or self._think_due)

    def actions(self) -> list[Action]:
        """Drain what the outside has to do, in order."""
        drained, self._actions = self._actions, []
        return drained

    def outgoing(self) -> list[tuple[str, bytes]]:
        """Octets by channel: the mirror's first, so that an acknowledgement is as young as it can be."""
        return self._mirrored() + self.service.outgoing() + self.field.outgoing()

    def first(self, now: int) -> list[tuple[str, bytes]]:
        """What goes to the other member before this turn thinks of anything else: new records, acknowledgements."""
        self.mirror.flush(now)
        return self._mirrored()

    def _mirrored(self) -> list[tuple[str, bytes]]:
        octets = self.mirror.outgoing() if self.linkup.channel else b""
        return [(self.linkup.channel, octets)] if octets else []

    def beat_body(self) -> BeatBody:
        """What the beats say from now on; published before the turn's octets leave, so `DRAINED` is never too old."""
        flags = self.sync.flags(self._now) | self.role.beat_flags | (DRAINED if self.field.lines_drained else 0)
        flags |= LAST_IN_SYNC if self.remembered.last_in_sync else 0
        released = self.sync.granter.released_seq if self.sync.granter.active else 0
        return BeatBody(self.role.role, self.role.own.health, flags, self.epoch, self.journal.head, released)

    # --- for the local API ----------------------------------------------------------------------------------------

    def status(self, now: int) -> dict[str, object]:
        """Everything the front panel knows and more."""
        return self.reporter.status(now)

    def show_point(self, point: PointInfo) -> dict[str, object]:
        """One point in words."""
        tag = self.tags.find(point.name) if point.kind.is_output else None
        return show_point(self.database, point) | ({"tag": f"{tag.who}: {tag.why}"} if tag else {})

    def show_events(self, after: int, most: int) -> list[dict[str, object]]:
        """At most `most` records numbered above `after`, oldest first."""
        records = self.journal.read(self.journal.cursor(after), self.journal.head, most)[:most]
        return [show_record(self.database, record) for record in records]
