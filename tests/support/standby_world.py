"""Two members' guards, heartbeats and role machines, their relays and wires, in virtual milliseconds.

Outside checks run every millisecond: never two closed role contacts, never two owners of the service.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from functools import partial

from tandem.codec import heart as say
from tandem.codec.beat import GRANTING, IN_SYNC, LAST_IN_SYNC, BeatBody, Role, Seal
from tandem.config.model import Standby
from tandem.point import MS
from tandem.standby import act
from tandem.standby import guard_words as do
from tandem.standby.guard import Guard
from tandem.standby.guard_words import PathRule, Rules
from tandem.standby.heartbeat import Heartbeat
from tandem.standby.own import OwnState
from tandem.standby.peer import BeatNowWanted, ProbeWanted, SayMissed
from tandem.standby.role import RoleMachine
from tests.support.relays import LEASE_MS, RELAY, Board, feed, read

PATHS = (PathRule("lan.station"), PathRule("lan.control"), PathRule("serial.crossover", 6 * MS, True))
SEAL = Seal(b"the pairing key of this test....")
FLASH_MS = 3
SELF_TEST_MS = 30


class Member:
    """One member: heart and supervisor, each of which can be frozen or killed by itself."""

    def __init__(self, world: World, letter: str) -> None:
        self.world, self.letter = world, letter
        self.board = Board()
        self.heart_frozen = self.supervisor_frozen = False
        self.carriers = 3
        self.reserved = 0
        self.in_sync = True
        self.last_in_sync = True
        self.health = 255
        self.descends = 0
        self.done: list[object] = []
        self.heart_lives = self.supervisor_lives = False

    def boot(self) -> None:
        world, now = self.world, self.world.now
        self.nonce = world.random.randrange(1, 1 << 32)
        relays = world.relays
        self.rules = Rules(
            int(self.letter == "b"), PATHS, watchdog_ns=120 * MS, has_pins=relays, fenced=True, lans=2 if relays else 0
        )
        self.guard = Guard(self.rules, SEAL, self.nonce, now)
        self.heartbeat = Heartbeat(self.rules, ("station", "control"), now)
        self.machine = RoleMachine(self.letter, world.standby, RELAY if relays else None, now, delivery_ns=6 * MS)
        self.messages: list[say.Message] = [say.Ready(self.nonce, 1, "")]
        self.inbox: list[tuple[int, bytes]] = []
        self.turn, self.turn_at = 0, now
        self.body = BeatBody()
        self.pins_told: tuple[int, ...] = ()
        self.heart_ns = now
        self.booted = now
        self.heart_lives = self.supervisor_lives = True
        self.heart_frozen = self.supervisor_frozen = False

    @property
    def role(self) -> Role | None:
        return self.machine.role if self.supervisor_lives else None

    # --- faults

    def kill_supervisor(self) -> None:
        self.supervisor_lives = False
        self.world.after(2, self.tell_death)

    def tell_death(self) -> None:
        if self.heart_lives:
            self.guard.supervisor_died(self.world.now)

    def kill_all(self) -> None:
        self.supervisor_lives = self.heart_lives = False
        self.board.coil = False
        self.board.addresses = False

    def hear(self, path: int, octets: bytes) -> None:
        if self.heart_lives:
            self.inbox.append((path, octets))

    # --- turns

    def heart_turn(self) -> None:
        now = self.world.now
        guard = self.guard
        guard.wake(now)
        for path, octets in self.inbox:
            if path == -1:
                guard.refused(int.from_bytes(octets, "little"), now)
            else:
                guard.received(path, octets, now)
        self.inbox.clear()
        if self.world.relays:
            pins = self.world.pins(self)
            if pins != self.pins_told:
                self.pins_told = pins
                guard.pins(say.PinsRead(now, *pins), now)
        guard.progress(self.turn, self.body, now)
        guard.tick(now)
        self.carry_out()
        self.heart_ns = now

    def carry_out(self) -> None:
        ms, board = self.world.now // MS, self.board
        for output in self.guard.outputs():
            match output:
                case do.Send(path, octets):
                    self.world.send(self, path, octets)
                case do.Pulse():
                    board.pulse_ms = ms
                case do.Coil(on):
                    board.coil = on
                case do.Lease("acquire"):
                    board.lease_until_ms = ms + LEASE_MS
                case do.Lease("renew"):
                    if ms < board.lease_until_ms:
                        board.lease_until_ms = ms + LEASE_MS
                case do.Lease():
                    board.lease_until_ms = -1
                case do.Addresses(on):
                    board.addresses = on
                case do.KillSupervisor():
                    if self.supervisor_lives:
                        self.kill_supervisor()
                case do.Tell(message) | do.Note(message):
                    self.messages.append(message)
                case do.Exit():
                    self.heart_lives = False

    def supervisor_turn(self) -> None:
        now, machine = self.world.now, self.machine
        late = now - self.turn_at
        if late > LEASE_MS * MS:
            machine.permission_lost(f"this process was away for {late // MS} ms")
            self.heartbeat.was_away(late, now)
        heart_ns = self.heart_ns
        for message in [*self.messages, say.HeartTurn(heart_ns)]:
            self.heartbeat.heart_says(message, now)
            machine.heart_says(message)
        self.messages.clear()
        view = self.heartbeat.tick(now)
        own = OwnState(
            health=self.health, ready=now - self.booted >= SELF_TEST_MS * MS, in_sync=self.in_sync,
            last_in_sync=self.last_in_sync, reserved_epoch=self.reserved, epoch=machine.epoch, descends=self.descends,
        )  # fmt: skip
        after: list[say.Request] = []
        for action in machine.tick(now, view, own):
            self.done.append(action)
            if isinstance(action, act.ReserveEpoch):
                self.world.after(FLASH_MS, partial(setattr, self, "reserved", action.epoch))
            for request in (*act.to_heart(action, machine.permit), *act.to_heart_after(action)):
                self.ask(request, after)
        for event in self.heartbeat.events():
            match event:
                case BeatNowWanted():
                    after.append(say.BeatNow())
                case ProbeWanted():
                    after.append(say.Probe())
                case SayMissed(q_ms):
                    after.append(say.Suspect(q_ms))
        flags = machine.beat_flags | (IN_SYNC if self.in_sync else 0) | (LAST_IN_SYNC if self.last_in_sync else 0)
        flags |= GRANTING if machine.role is Role.ACTIVE else 0
        self.turn, self.turn_at = self.turn + 1, now
        self.body = BeatBody(machine.role, self.health, flags, machine.epoch, 0, 0)
        if self.heart_lives and not self.heart_frozen:
            self.guard.progress(self.turn, self.body, now)
            for request in after:
                self.guard.request(request, now)
            self.carry_out()

    def ask(self, request: say.Request, after: list[say.Request]) -> None:
        if isinstance(request, say.BeatNow | say.Probe | say.Suspect):
            after.append(request)
        elif self.heart_lives:
            if self.heart_frozen:
                self.world.after(1, lambda: self.ask(request, after))
            else:
                self.guard.request(request, self.world.now)
                self.carry_out()


class World:
    """Both members on one heap of virtual time."""

    def __init__(self, relays: bool = True, seed: int = 1, **standby: object) -> None:
        self.now = 1_000 * MS
        self.random = random.Random(seed)
        self.relays = relays
        arbitration = "relays" if relays else "software"
        self.standby = Standby(arbitration=arbitration, cold_wait_ms=300, **standby)  # type: ignore[arg-type]
        self.a, self.b = Member(self, "a"), Member(self, "b")
        self.members = (self.a, self.b)
        self.heap: list[tuple[int, int, Callable[[], object]]] = []
        self.counter = 0
        self.cut: set[tuple[str, int]] = set()  # (sender, path)
        self.loss = 0.0
        self.recorded: list[tuple[str, int, bytes]] = []
        self.welds_expected = self.two_owners_expected = False
        self.owners: list[tuple[int, str]] = []

    # --- time

    def after(self, ms: int, call: Callable[[], object]) -> None:
        self.counter += 1
        heapq.heappush(self.heap, (self.now + ms * MS, self.counter, call))

    def run(self, ms: int) -> None:
        for _ in range(ms):
            self.now += MS
            while self.heap and self.heap[0][0] <= self.now:
                heapq.heappop(self.heap)[2]()
            feed(self.a.board, self.b.board, self.now // MS)
            for m in self.members:
                due = m.heart_lives and (m.inbox or self.now >= m.guard.due() or self.pins_changed(m))
                if due and not m.heart_frozen:
                    m.heart_turn()
                if m.supervisor_lives and not m.supervisor_frozen and (m.messages or self.now - m.turn_at >= 5 * MS):
                    m.supervisor_turn()
            self.check()

    def until(self, what: Callable[[], object], within_ms: int) -> int:
        """Run until it is so; how many ms that took."""
        for ms in range(within_ms):
            if what():
                return ms
            self.run(1)
        raise AssertionError(f"not within {within_ms} ms: {self.story()}")

    # --- the physical world

    def peer(self, m: Member) -> Member:
        return self.b if m is self.a else self.a

    def pins(self, m: Member) -> tuple[int, ...]:
        return (*read(m.board, self.peer(m).board, self.now // MS), m.carriers)

    def pins_changed(self, m: Member) -> bool:
        return self.relays and self.pins(m) != m.pins_told

    def send(self, m: Member, path: int, octets: bytes) -> None:
        self.recorded.append((m.letter, path, octets))
        peer = self.peer(m)
        if (m.letter, path) in self.cut or self.random.random() < self.loss:
            return
        serial = PATHS[path].serial
        if not peer.heart_lives:
            if not serial and (peer.letter, path) not in self.cut:
                self.after(1, partial(m.hear, -1, path.to_bytes(2, "little")))
            return
        self.after(5 if serial else 1, partial(peer.hear, path, octets))

    def cut_off(self, letter: str) -> None:
        """Nothing that this member sends arrives."""
        self.cut |= {(letter, path) for path in range(len(PATHS))}

    def check(self) -> None:
        ms = self.now // MS
        if not self.welds_expected:
            assert not (self.a.board.role.closed and self.b.board.role.closed), f"two closed contacts: {self.story()}"
        owners = [m.letter for m in self.members if m.board.owns(ms)]
        assert len(owners) < 2 or self.two_owners_expected, f"two owners: {self.story()}"
        if owners and (not self.owners or self.owners[-1][1] != owners[0]):
            self.owners.append((ms, owners[0]))

    # --- looking at it

    def boot_both(self) -> None:
        self.a.boot()
        self.b.boot()

    def pair(self) -> None:
        """Both up, a active with its lines, b its standby."""
        self.boot_both()
        self.until(lambda: self.a.role is Role.ACTIVE and self.a.machine.lines_held, 1500)
        self.run(200)
        assert self.b.role is Role.STANDBY

    def active(self) -> list[str]:
        return [m.letter for m in self.members if m.role is Role.ACTIVE]

    def story(self) -> str:
        lines = [
            f"{t.now // MS} {m.letter}: {t.old.word} -> {t.new.word}: {t.reason}"
            for m in self.members if hasattr(m, "machine") for t in m.machine.log
        ]  # fmt: skip
        return f"at {self.now // MS}\n" + "\n".join(sorted(lines))
