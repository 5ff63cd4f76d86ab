"""One gateway as one machine: it gets octets and the time, and gives octets and actions. The only file that knows
everybody; what each part does stands in its own.

    field devices -- field --> database + journal -- mirror --> the standby's
                                     |  service --> control centers
    control centers -- service --> control --> field            on the standby: mirror --> the active's control
    heart -- heartbeat, sync --> role --> conduct --> all of these
"""

from __future__ import annotations

import itertools
from collections.abc import Callable

from tandem.action import Action, Persist, Restart, ToHeart
from tandem.clock import Clock
from tandem.codec import heart as say
from tandem.codec.beat import LAST_IN_SYNC, BeatBody, Role
from tandem.conduct import Conduct
from tandem.config.model import Config, Member, Slave
from tandem.config.timing import RelayTimes
from tandem.control import Control
from tandem.database import Database
from tandem.engine import Close, earliest
from tandem.field import Field
from tandem.journal import Journal
from tandem.master import modbus
from tandem.past import Past, Standing
from tandem.point import MS, Command, Outcome, Report, Say, Stage
from tandem.registry import PointInfo
from tandem.report import Reporter
from tandem.service import Service
from tandem.show import show_point, show_record
from tandem.slave import iec104
from tandem.standby import told
from tandem.standby.heartbeat import Heartbeat
from tandem.standby.histories import History
from tandem.standby.link import Identity
from tandem.standby.linkup import LinkUp
from tandem.standby.mirror import Mirror
from tandem.standby.own import OwnState
from tandem.standby.peer import BeatNowWanted, PeerView, ProbeWanted, SayMissed
from tandem.standby.quoted import Quoted
from tandem.standby.role import RoleMachine
from tandem.standby.rules import guard_rules
from tandem.standby.sync import Sync
from tandem.system import point_table

STALLED_NS = 200 * MS
"""After a pause this long the controls that had waited are refused: their operators have long turned elsewhere."""
_LAN_DOWN_COSTS = 64  # of the 255 of a healthy member


class Node:
    """One member of a group. `entropy(n)` gives n random octets; `realtime` says what the machine permitted."""

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
        self.config, self.member, self.entropy, self.realtime = config, member, entropy, realtime
        self._actions: list[Action] = []
        self.registry = past.registry()
        self.standing = past.standing()
        self.table = point_table(config, self.registry)
        self.clock = Clock()
        self.journal = Journal(config.standby.soe_records, config.standby.analog_records)
        self.database = Database(self.table, self.journal)
        refs = itertools.count(1)
        self._make_sides(lambda: next(refs))
        self._make_standby(relay, lambda: next(refs), now)
        self.conduct = Conduct(self)
        self.view = PeerView()
        self.reserving = 0
        self.integrity = False
        self.takeover_unsynced = False
        self.disk_fault = ""
        self.proven = not self.rules.has_pins
        self._refuse_until = 0
        self.reporter = Reporter(self)
        self._actions += [Say(fault, "error") for fault in past.faults]
        self._actions.append(Persist(Past.REGISTRY, self.registry.to_json()))
        self.service.listen(False, now)

    def _make_sides(self, next_ref: Callable[[], int]) -> None:
        config, points = self.config, {}
        channels, answer_ns = [], {}
        for master in config.masters:
            line = config.serial(master.serial) if master.serial else None
            made = modbus.build(
                master, line, self.table, self.database, self.clock, config.standby.comm_events == "points"
            )
            channels += made
            answer_ns.update({channel.name: master.timeout_ms * MS for channel in made})
            points.update({self.table.id(p.name): p for device in master.devices for p in device.points})
        self.field = Field(channels, answer_ns)
        stations = {
            slave.name: (slave, iec104.Station(slave, self.table, self.database, self.clock, next_ref))
            for slave in config.slaves
        }
        self.service = Service(stations, self._slave_says)
        self.control = Control(self.table, self.database, points, self.field.owner_of())
        self.control.refuse_reason = "this member is not the active one"

    def _make_standby(self, relay: RelayTimes | None, next_ref: Callable[[], int], now: int) -> None:
        config, standby = self.config, self.config.standby
        self.rules = guard_rules(config, self.member, relay, relay is not None)
        self.heartbeat = Heartbeat(self.rules, tuple(lan.name for lan in config.lans), now)
        self.sync = Sync(self.rules, standby.sync_lease_ms)
        self.quoted = Quoted(standby.control_expiry_ms * MS)
        nonce = int.from_bytes(self.entropy(4), "little")
        me = Identity(self.member, config.group.name, nonce, self.table.digest(), bytes.fromhex(config.digest))
        self.history = History()
        self.mirror = Mirror(
            me, self.database, self.history, self.sync.granter, self.sync.lease, next_ref, self.registry.to_json()
        )
        self.linkup = LinkUp(config, self.member)
        slowest_ns = max((path.delivery_ns for path in self.rules.paths), default=2 * MS)
        self.role = RoleMachine(
            self.member, standby, relay, now, config.group.preferred, config.group.revert_after_s, slowest_ns
        )

    # --- what others ask ------------------------------------------------------------------------------------------

    @property
    def is_active(self) -> bool:
        """This member serves."""
        return self.role.role is Role.ACTIVE

    @property
    def in_sync(self) -> bool:
        """On the active: the standby has everything. On the standby: a takeover now would lose nothing."""
        granter = self.sync.granter
        return granter.granting if granter.active else self.sync.lease.in_sync(self.view.now)

    def ask(self, action: Action) -> None:
        """Something for the outside to do."""
        self._actions.append(action)

    def restart(self, reason: str) -> None:
        """This process is to begin anew."""
        self.ask(Restart(reason))

    def trouble(self, sentence: str, now: int) -> None:
        """A port cannot do what it should, and tries again."""
        self.ask(Say(sentence, "error"))

    # --- what comes in --------------------------------------------------------------------------------------------

    def clock_reads(self, utc_us: int, synced: bool, now: int) -> None:
        """The wall clock at monotonic `now`."""
        self.clock.set(now, utc_us, synced)

    def was_away(self, away_ns: int, now: int) -> None:
        """The loop did not run for longer than the lease: what was ours may be another's. Before anything else."""
        self.ask(Say(f"the loop was away for {away_ns // MS} ms", "warning"))
        self.heartbeat.was_away(away_ns, now)
        self.role.permission_lost(f"this process was away for {away_ns // MS} ms")
        if away_ns >= STALLED_NS:
            self._refuse_until = now
        self._decide(now)

    def heart_says(self, message: say.Message, now: int) -> None:
        """A message of the heart."""
        self.heartbeat.heart_says(message, now)
        self.role.heart_says(message)
        if isinstance(message, say.Heard):
            self.sync.heard(message, now)
            self.quoted.heard(message)
        elif isinstance(message, say.HeartTurn):
            self.sync.heart_turned(message.at_ns, now)
        else:
            self.conduct.heart(message, now)

    def opened(self, channel: str, now: int) -> None:
        """A dialed connection or line is up, or the peer's link got through its handshake."""
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
            self.mirror.receive(data, now)

    def closed(self, channel: str, reason: str, now: int) -> None:
        """A channel ended by itself."""
        if channel.startswith("master:"):
            self.field.closed(channel, reason, now)
        elif channel.startswith("slave:"):
            self.service.closed(channel, reason, now)
        elif self.linkup.closed(channel, now):
            self.ask(Say(f"the hot-standby link ended: {reason}", "warning"))
            self.mirror.closed(now, reason)
            self.heartbeat.link_eof(now)

    def persisted(self, name: str, fault: str, now: int) -> None:
        """A file was written, or could not be: then it is tried again when it changes next."""
        if fault != self.disk_fault:
            self.ask(Say(f"the state folder cannot be written: {fault}" if fault else "the state folder takes writes"))
            self.disk_fault = fault
        if name == Past.STANDING and not fault:
            self.standing = self._standing_asked

    def order_switchover(self, member: str, now: int) -> str:
        """An operator wants `member` ("a", "b" or "peer") to be active; returns what becomes of it."""
        wanted = member if member in ("a", "b") else "b" if self.member == "a" else "a"
        if member not in ("a", "b", "peer"):
            return f"{member!r} is no member: say a, b or peer"
        if self.is_active or (wanted == self.member and self.role.role is not Role.STANDBY):
            return self.role.order(f"make {wanted} active", now)
        if self.mirror.order(wanted, "local API"):
            return f"the order to make {wanted} active went to the peer"
        return "this member is not active, and the hot-standby link is down: order it at the active member"

    # --- the turn -------------------------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Everything that is due, in the order of the data's way; then the decisions; then what leaves."""
        self.view = self.heartbeat.tick(now)
        self._heart_wishes()
        self._link(now)
        self.field.tick(now)
        self.service.tick(now)
        self._controls(now)
        self._decide(now)
        self.reporter.tick(now)
        self._pump(now)
        self.journal.soe.settle()
        self.journal.analog.settle()
        self._actions += self.field.actions() + self.service.actions() + self.linkup.actions()

    def _heart_wishes(self) -> None:
        for wish in self.heartbeat.events():
            match wish:
                case BeatNowWanted():
                    self.ask(ToHeart(say.BeatNow()))
                case ProbeWanted():
                    self.ask(ToHeart(say.Probe()))
                case SayMissed(q_ms):
                    self.ask(ToHeart(say.Suspect(q_ms)))

    def _link(self, now: int) -> None:
        if self.linkup.hangs(self.view.paths, now):
            self.linkup.drop("its LAN is silent", now)
            self.mirror.closed(now, "its LAN is silent")
        self.linkup.tick(self.view.paths, now)
        self.mirror.tick(now)
        self._mirror_says(now)
        stale_ns = self.config.standby.stale_after_ms * MS
        self.database.mirroring = not self.sync.granter.active
        self.database.mirror_silent = self.database.mirroring and now - self.mirror.silent_since > stale_ns

    def _decide(self, now: int) -> None:
        self.conduct.carry_out(self.role.tick(now, self.view, self._own(now)), now)
        for change in self.reporter.role_changes():
            self.heartbeat.forget_tokens()
            self.ask(Say(f"{change.old.word} -> {change.new.word}: {change.cause}: {change.reason}"))

    def _own(self, now: int) -> OwnState:
        granter = self.sync.granter
        pins = self.role.pins
        downs = sum(not pins.carriers >> i & 1 for i in range(self.rules.lans)) if pins.at_ns else 0
        return OwnState(
            health=255 - _LAN_DOWN_COSTS * min(downs, 3),
            ready=self.proven and self.role.permit > 0,
            in_sync=self.sync.lease.in_sync(now) if not granter.active else granter.granting,
            last_in_sync=self.standing.last_in_sync,
            was_standby=self.standing.was_standby,
            epoch=max(self.standing.epoch, self.history.epoch),
            head=self.journal.head,
            reserved_epoch=self.standing.reserved if self.standing.reserved > self.standing.epoch else 0,
            acknowledged=granter.acknowledged,
            drained=self.field.drained,
        )

    def _pump(self, now: int) -> None:
        granter = self.sync.granter
        self.mirror.flush(now)
        limit = granter.limit(self.journal.head) if granter.active else self.journal.head
        self.service.pump(limit, self.database.local_changes(), now)
        if granter.active:
            granter.released(self.service.released())
        for center, number in self.service.cursors().items():
            self.mirror.cursor(center, number)
        self.mirror.flush(now)
        self._mirror_says(now)

    def due(self) -> int | None:
        """When `tick` must come, at the latest."""
        return earliest(
            self.field.due(), self.service.due(), self.control.due(), self.mirror.due(), self.linkup.due(),
            self.role.due(), self.heartbeat.due(self.view.now),
        )  # fmt: skip

    def actions(self) -> list[Action]:
        """Drain what the outside has to do, in order."""
        drained, self._actions = self._actions, []
        return drained

    def outgoing(self) -> list[tuple[str, bytes]]:
        """Octets by channel: the mirror's first, so that an acknowledgement is as young as it can be."""
        out: list[tuple[str, bytes]] = []
        if self.linkup.channel and (octets := self.mirror.outgoing()):
            out.append((self.linkup.channel, octets))
        return out + self.service.outgoing() + self.field.outgoing()

    def beat_body(self) -> BeatBody:
        """What the beats say from now on; to be published at once."""
        now = self.view.now
        flags = self.sync.flags(now) | self.role.beat_flags | (LAST_IN_SYNC if self.standing.last_in_sync else 0)
        epoch = self.role.epoch or max(self.standing.epoch, self.history.epoch)
        granter = self.sync.granter
        released = granter.released_seq if granter.active else 0
        return BeatBody(self.role.role, self.role.own.health, flags, epoch, self.journal.head, released)

    # --- controls -------------------------------------------------------------------------------------------------

    def _controls(self, now: int) -> None:
        for slave, command in self.service.commands():
            self._command(slave, command, now)
        self.control.changed(now)
        self.control.tick(now)
        for channel, command in self.control.to_masters():
            self.field.control(channel, command, now)
        self.take_reports(now)

    def _command(self, slave: Slave, command: Command, now: int) -> None:
        if self._refuse_until == now:
            self._answer(_refused(command, "this gateway was stalled: repeat the control"), now)
        elif self.role.role in (Role.ACTIVE, Role.RELEASING):
            self.control.submit(command, now)
        elif slave.hot_standby == "acquisition-and-control":
            self.mirror.forward(command, self.quoted.newest, now)
        else:
            self._answer(_refused(command, f"{slave.name} takes no controls on the standby"), now)

    def take_reports(self, now: int) -> None:
        """The devices' answers to the control model, and its answers to who asked."""
        for report in self.field.reports():
            self.control.device_report(report, now)
        for report in self.control.reports():
            self._answer(report, now)
        self.reporter.unknown_controls(self.control.unknown_count, now)

    def _answer(self, report: Report, now: int) -> None:
        if report.sentence:
            self.ask(Say(f"control: {report.outcome.name.lower()}: {report.sentence}"))
        if not self.mirror.report(report):
            self.service.report(report, now)

    # --- the mirror -----------------------------------------------------------------------------------------------

    def _mirror_says(self, now: int) -> None:
        for event in self.mirror.events():
            match event:
                case Say():
                    self.ask(event)
                case Close(reason):
                    if self.linkup.drop(reason, now):
                        self.ask(Say(f"the hot-standby link is closed: {reason}", "warning"))
                        self.mirror.closed(now, reason)
                case Report():
                    self.service.report(event, now)
                case told.ForwardedControl(command, beat):
                    self._forwarded(command, beat, now)
                case told.PeerCursor(center, number):
                    self.service.set_cursor(center, number)
                case told.ImageSwapped(head):
                    self.service.restore_cursors(self.mirror.cursors.numbers, head)
                case told.AdoptRegistry(json):
                    self.ask(Persist(Past.REGISTRY, json))
                    self.restart("the active's point ids are adopted")
                case told.ClaimAgain(epoch):
                    self._claim_again(epoch, now)
                case told.Ordered(member, origin):
                    self.ask(Say(f"ordered by {origin} of the peer: {self.role.order(f'make {member} active', now)}"))
                case _:
                    pass

    def _forwarded(self, command: Command, beat: int, now: int) -> None:
        if not self.quoted.is_young(beat, now):
            self._answer(_refused(command, "it was on its way from the standby for too long: repeat the control"), now)
        else:
            self.control.submit(command, now)

    # --- histories ------------------------------------------------------------------------------------------------

    def begin_history(self, epoch: int, now: int) -> None:
        """This member's records are the group's from now on."""
        claim = self.history.next_claim(epoch, self.entropy(8), self.journal.head)
        self.mirror.set_role(True, now, claim)
        self.persist_standing(epoch=epoch)

    def end_history(self, now: int) -> None:
        """This member follows."""
        self.mirror.set_role(False, now)
        self.persist_standing()

    def _claim_again(self, epoch: int, now: int) -> None:
        reserved = self.standing.reserved
        if self.is_active and reserved > max(epoch, self.history.epoch):
            self.role.epoch = reserved
            self.begin_history(reserved, now)
            self.ask(ToHeart(say.ServiceOn(reserved, self.role.permit)))

    def persist_standing(self, epoch: int = 0, reserved: int = 0) -> None:
        """Write what is to be remembered over a restart."""
        known = self.standing
        self._standing_asked = Standing(
            max(epoch, known.epoch), max(reserved, known.reserved), self.in_sync or epoch > 0, not self.is_active
        )
        self.ask(Persist(Past.STANDING, self._standing_asked.to_json()))

    # --- for the local API ----------------------------------------------------------------------------------------

    def status(self, now: int) -> dict[str, object]:
        """Everything the front panel knows and more."""
        return self.reporter.status(now)

    def show_point(self, point: PointInfo) -> dict[str, object]:
        """One point in words."""
        return show_point(self.database, point)

    def show_events(self, after: int, most: int) -> list[dict[str, object]]:
        """At most `most` records numbered above `after`, oldest first."""
        records = self.journal.read(self.journal.cursor(after), self.journal.head, most)[:most]
        return [show_record(self.database, record) for record in records]

    def _slave_says(self, slave: str, event: object, now: int) -> None:
        self.ask(Say(f"{slave}: {event}"))


def _refused(command: Command, sentence: str) -> Report:
    return Report(command.ref, Stage.CONFIRM, Outcome.REFUSED, sentence)

