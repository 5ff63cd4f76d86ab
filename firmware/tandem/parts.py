"""The parts of a node, made from a configuration and what is remembered, and not yet moving."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from tandem.action import Action, Persist, Restart
from tandem.centers import Centers
from tandem.clock import Clock
from tandem.codec import heart as say
from tandem.codec.beat import Role
from tandem.codec.witness import WitnessSeal
from tandem.config.model import Config, Master, Member, Point
from tandem.config.timing import RelayTimes
from tandem.control import Control
from tandem.database import Database
from tandem.engine import earliest
from tandem.field import Field
from tandem.health import Health, judgements
from tandem.journal import Journal
from tandem.journeys import Journeys
from tandem.keeping import Keeping
from tandem.master import iec104 as master_iec104
from tandem.master import modbus
from tandem.master.base import Channel
from tandem.outside import Outside
from tandem.past import Past, Unsaved
from tandem.point import MS, Say
from tandem.remote import Remote
from tandem.service import Service
from tandem.slave import iec104
from tandem.standby.alone import wanted, witnessed
from tandem.standby.duplicate import Duplicates
from tandem.standby.heartbeat import Heartbeat
from tandem.standby.link import Identity
from tandem.standby.linkup import LinkUp
from tandem.standby.mirror import Mirror
from tandem.standby.peer import PeerView
from tandem.standby.quoted import Quoted
from tandem.standby.reach import Reach
from tandem.standby.role import RoleMachine
from tandem.standby.rules import BENCH, KERNEL, guard_rules
from tandem.standby.sync import Sync
from tandem.standby.witness import Witness
from tandem.system import ORDER_POINTS, PREFIX, point_table

_LATER_MS = 1000
"""A channel's own time-outs speak first; so much later the control model does."""


FENCES = ("none", "lease", "relay", "both")
"""What fences a member beside its heart."""


class Parts:
    """Everything that a node consists of. `entropy(n)` gives n random octets; `realtime`: the machine permitted it."""

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
        self.remembered = past.standing()
        """Of the last run; what this run has on flash is `standing`."""
        self.standing = self.remembered
        self.history = past.history()
        self.table = point_table(config, self.registry)
        self.clock = Clock()
        self.journal = Journal(config.standby.soe_records, config.standby.analog_records)
        self.database = Database(self.table, self.journal)
        self.view = PeerView()
        self.integrity = False
        """The masters read everything before they trust old values."""
        self.takeover_unsynced = False
        self.unsaved = Unsaved()
        self.foreign_beats = 0
        self.descends = 0
        """While both members are active: 1 where the own claim descends from the peer's, -1 the other way round."""
        self.lan_names = tuple(lan.name for lan in config.lans)
        refs = itertools.count((int.from_bytes(entropy(2), "little") << 32) + 1)
        self.next_ref: Callable[[], int] = lambda: next(refs)
        """The number of the next control; its upper half is this process'."""
        self.tags = past.tags(self.table)
        self.stories = past.stories(member)
        """The control log."""
        self.remote = Remote(config, self.table, self.database)
        self._make_field()
        self._make_service(self.next_ref)
        self._make_standby(relay, self.next_ref, now)
        self.asks_addresses = False
        """Without a lease the heart asks the LANs for the group's addresses before they are taken."""
        self.asked = say.Unanswered(0, 0)
        self.unfenced = ""
        """Why this member must not serve, where the configuration demands a lease and there is none."""
        self.proven = not self.rules.has_pins
        """The watchdog's proof test passed."""
        self.keeping = keeping = Keeping(self, past)
        self.reach = Reach(config)
        self.duplicates = Duplicates(self.lan_names)
        seen = (self.lan_works, self.service.connected, lambda: bool(self.unsaved.fault or keeping.fault))
        self.health = Health(judgements(config, self.database, *seen, self.reach.there))
        self._actions += [Say(fault, "error") for fault in past.faults]
        self._actions.append(Persist(Past.REGISTRY, self.registry.to_json()))

    def _make_field(self) -> None:
        points: dict[int, Point] = {}
        channels: list[Channel] = []
        self.channels: dict[str, list[Channel]] = {}
        answer_ns: dict[str, int] = {}
        limit_ms: dict[str, int] = {}
        for master in self.config.masters:
            made = self.channels[master.name] = self._channels(master)
            channels += made
            answer_ns.update({channel.name: master.timeout_ms * MS for channel in made})
            if confirm_ms := master.options.get("command_timeout_ms"):  # of a selection, then of its execution
                limit_ms.update({channel.name: 2 * int(str(confirm_ms)) + _LATER_MS for channel in made})
            points.update({self.table.id(p.name): p for device in master.devices for p in device.points})
        cold = [channel.name for m in self.config.masters if not m.hot_standby for channel in self.channels[m.name]]
        ready = [c.name for m in self.config.masters if m.on_standby == "connected" for c in self.channels[m.name]]
        self.field = Field(channels, answer_ns, frozenset(cold), frozenset(ready))
        owner = self.field.owner_of() | {self.table.id(PREFIX + name): "" for name in ORDER_POINTS}
        self.control = Control(
            self.table, self.database, points, owner, limit_ms, self.config.standby.control_expiry_ms
        )
        self.control.refuse_reason = "this member is not the active one"

    def _channels(self, master: Master) -> list[Channel]:
        line = self.config.serial(master.serial) if master.serial else None
        standby = self.config.standby
        comm_points = standby.comm_events == "points"
        if master.protocol == "iec104":
            wait_ms = standby.confirm_wait_ms
            return master_iec104.build(master, self.table, self.database, self.clock, wait_ms, comm_points)
        return modbus.build(master, line, self.table, self.database, self.clock, comm_points)

    def _make_service(self, next_ref: Callable[[], int]) -> None:
        devices = [device for master in self.config.masters for device in master.devices if not device.enabled]
        disabled = frozenset(self.table.id(point.name) for device in devices for point in device.points)
        stations = {
            slave.name: (slave, iec104.Station(slave, self.table, self.database, self.clock, next_ref, disabled))
            for slave in self.config.slaves
        }
        self.service = Service(stations, lambda slave, event, now: self.ask(Say(f"{slave}: {event}")), self.member)

    def _make_standby(self, relay: RelayTimes | None, next_ref: Callable[[], int], now: int) -> None:
        config, standby = self.config, self.config.standby
        self.rules = guard_rules(config, self.member, relay, relay is not None)
        self.heartbeat = Heartbeat(self.rules, self.lan_names, now)
        self.sync = Sync(self.rules, standby.sync_lease_ms)
        self.sync.granter.booted(now)
        self.quoted = Quoted(standby.control_expiry_ms * MS)
        nonce = int.from_bytes(self.entropy(4), "little")
        me = Identity(self.member, config.group.name, nonce, self.table.digest(), bytes.fromhex(config.digest))
        self.mirror = Mirror(
            me,
            self.database,
            self.history,
            self.sync.granter,
            self.sync.lease,
            next_ref,
            self.registry.to_json(),
            self.clock,
        )
        self.mirror.confirms = self.field.confirms
        self.centers = Centers(self.member, self.service, self.mirror)
        self.outside = Outside(self.member, self.service, self.mirror, self.ask, standby.confirm_wait_ms)
        self.journeys = Journeys(self.member, self.database, self.mirror, self.service, self.field)
        self.linkup = LinkUp(config, self.member)
        self.witness = Witness(self.member, None, standby.witness_ttl_ms, self.entropy, now)
        slowest_ns = max((path.delivery_ns for path in self.rules.paths), default=2 * MS)
        self.role = RoleMachine(
            self.member, standby, relay, now, config.group.preferred, config.group.revert_after_s, slowest_ns
        )
        self.role.ordered_out, self.role.moves.stopped = self.remembered.ordered_out, self.remembered.reverts_stopped

    def lan_works(self, lan: str) -> bool:
        """It has a carrier, and its reference address answers; where nobody tells, it does."""
        return self.carrier(lan) and self.reach.there(f"lan:{lan}") is not False

    def probed(self, key: str) -> bool:
        """A target of `reach` answered. True when it should be thought about at once."""
        self.role.asked |= self.reach.answered(key)
        return self.role.asked

    def ask_around(self, now: int) -> list[Action]:
        """What the witness, and who is on the LANs, are to be asked now."""
        asks = self.witness.tick(now, *wanted(self.role))
        return asks + self.reach.tick(now, self.is_active, self.view.health)

    def asks_due(self) -> int | None:
        """When the witness or somebody on the LANs is to be asked next."""
        return earliest(self.witness.due(), self.reach.due())

    def ask_witness(self, seal: WitnessSeal, now: int) -> None:
        """The group has a granting witness, and this is the key that it shares with the pair."""
        if witnessed(self.config.standby) and not self.role.has_relays:
            self.witness = Witness(self.member, seal, self.config.standby.witness_ttl_ms, self.entropy, now)

    def witness_says(self, octets: bytes, now: int) -> bool:
        """A datagram from the witness. True when it should be thought about at once."""
        self.role.asked |= self.witness.receive(octets, now)
        return self.role.asked

    def ask(self, action: Action) -> None:
        """Something for the outside to do."""
        self._actions.append(action)

    @property
    def is_active(self) -> bool:
        """This member serves."""
        return self.role.role is Role.ACTIVE

    @property
    def has_addresses(self) -> bool:
        """The group's addresses are here, or are being taken or given."""
        return self.role.role in (Role.TAKING_OVER, Role.ACTIVE, Role.RELEASING)

    @property
    def peer(self) -> str:
        """The other member's letter."""
        return "b" if self.member == "a" else "a"

    @property
    def in_sync(self) -> bool:
        """On the active: the standby has everything. On the standby: a takeover now would lose nothing."""
        granter = self.sync.granter
        return granter.granting if granter.active else self.sync.lease.in_sync(self.view.now)

    @property
    def epoch(self) -> int:
        """Of the history that this member works in, or last worked in."""
        return max(self.standing.epoch, self.history.epoch)

    @property
    def reserved_epoch(self) -> int:
        """On flash for the next claim, and reserved since this start; 0: none yet."""
        reserved = self.standing.reserved
        return reserved if reserved > max(self.standing.epoch, self.remembered.reserved) else 0

    def carrier(self, lan: str) -> bool:
        """Whether a LAN has a carrier; where nobody tells, it has."""
        pins = self.role.pins
        return not pins.at_ns or bool(pins.carriers >> self.lan_names.index(lan) & 1)

    @property
    def fences(self) -> int:
        """What takes the role from this member beside its heart: 1 the kernel lease, 2 the role relay, 3 both."""
        return (1 if self.rules.fenced else 0) | (2 if self.role.has_relays else 0)

    def network(self, whose: str) -> None:
        """Whose addresses and carriers are: see `standby.rules`. The kernel's lease is told of by `fence`."""
        if whose != BENCH:
            self.rules = self.rules._replace(lans=len(self.config.lans) if whose == KERNEL else 0)
            self.heartbeat.rules = self.rules
            self.asks_addresses = whose == KERNEL
            self.fence(False, "" if self.config.standby.lease != "required" else "the kernel lease is not loaded yet")

    def unanswered(self, now: int) -> bool:
        """Nobody answered for the group's addresses for the lease's time, said our heart a moment ago."""
        lease_ns = self.config.standby.lease_ms * MS
        return not self.asks_addresses or (now - self.asked.at_ns < lease_ns and self.asked.for_ns >= lease_ns)

    def fence(self, leased: bool, sentence: str) -> None:
        """There is a kernel lease, or none and why: what is said of fences and done by them is so from now on."""
        self.rules = self.rules._replace(fenced=leased)
        self.role.lease_fenced = leased
        self.unfenced = "" if leased or self.config.standby.lease != "required" else f"lease = required: {sentence}"

    def restart(self, reason: str) -> None:
        """This process is to begin anew."""
        self.ask(Restart(reason))
