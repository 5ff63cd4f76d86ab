"""The exhaustive walk: two role machines with their heartbeats and guards, and everything that the way between them
can do in the first so many steps: deliver, lose, hold back, and either member frozen, at every step anew.

A state seen before (times taken relative to now) is not walked again. At every millisecond one member at most owns the
service, and one at most the lines.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from tandem.codec import heart as say
from tandem.codec.beat import DRAINED, BeatBody, Role
from tandem.config.model import Member, Standby
from tandem.config.timing import RelayTimes
from tandem.point import MS
from tandem.standby import act
from tandem.standby import guard_words as do
from tandem.standby.guard import Guard
from tandem.standby.guard_words import PathRule, Rules
from tandem.standby.heartbeat import Heartbeat
from tandem.standby.own import OwnState
from tandem.standby.peer import BeatNowWanted, ProbeWanted, SayMissed
from tandem.standby.role import RoleMachine
from tools.bench.plan import MEMBERS, other
from tools.bench.relaybench.relays import Lease, Relays, Times

_WISHES: dict[type, Callable[[Any], say.Request]] = {
    BeatNowWanted: lambda _: say.BeatNow(),
    ProbeWanted: lambda _: say.Probe(),
    SayMissed: lambda wish: say.Suspect(wish.q_ms),
}
CHOICES = ("deliver", "lose a", "lose b", "lose both", "hold a", "hold b", "swap", "freeze a", "freeze b")
"""What a step can do: "lose a" loses what a sends, "hold a" delivers it in the next step, "swap" newest first.

Without relays nothing bounds two owners who cannot hear each other at all: there "lose both" is left out.
"""
STEP_NS = 60 * MS
_TICK_NS = 10 * MS
_DELIVERY_NS = 1 * MS
_RELAY = RelayTimes(120, 8, 5, 3, 5)
_WARM_STEPS = 12
_HEAL_STEPS = 40
_START_NS = 1_000_000 * MS


class Found(NamedTuple):
    """A way to a state that must not be."""

    path: tuple[str, ...]
    what: str


class _Seal:
    """Frames pass as they are: what a key does is tried elsewhere."""

    def pack(self, beat: Any) -> Any:
        return (beat,)

    def verify(self, octets: Any) -> Any:
        return octets[0]

    def __deepcopy__(self, _: dict[int, Any]) -> _Seal:
        return self


class _One:
    """One member: machine, heartbeat, guard, and its share of the plant."""

    def __init__(self, letter: Member, relays: bool, now: int) -> None:
        standby = Standby(arbitration="relays" if relays else "software", paths=("lan.one",))
        self.letter = letter
        self.rules = Rules(
            MEMBERS.index(letter), (PathRule("lan.one"),), lease_ns=standby.lease_ms * MS, tick_ns=_TICK_NS,
            has_pins=relays, watchdog_ns=120 * MS if relays else 0,
        )  # fmt: skip
        self.role = RoleMachine(letter, standby, _RELAY if relays else None, now)
        self.heartbeat = Heartbeat(self.rules, (), now)
        self.guard = Guard(self.rules, _Seal(), 7 + MEMBERS.index(letter), now)  # type: ignore[arg-type]
        self.lease = Lease(standby.lease_ms * MS)
        self.claimed = False
        self.reserved = 0
        self.turn = 1
        self.body = BeatBody()
        self.inbox: list[Any] = []
        self.frozen = False
        self._tell(say.Ready(self.guard.ear.nonce, self.guard.permit, ""), now)

    @property
    def holds(self) -> bool:
        return self.claimed and self.lease.alive

    def _tell(self, message: Any, now: int) -> None:
        self.heartbeat.heart_says(message, now)
        self.role.heart_says(message)

    def turns(self, now: int, plant: _Pair) -> None:
        """One turn of heart and supervisor."""
        self.guard.wake(now)
        for frame in self.inbox:
            self.guard.received(0, frame, now)
        self.inbox.clear()
        self.guard.progress(self.turn, self.body, now)
        self.guard.tick(now)
        self._carry_out(now, plant)
        self._tell(say.HeartTurn(now), now)
        view = self.heartbeat.tick(now)
        for wish in self.heartbeat.events():
            self.guard.request(_WISHES[type(wish)](wish), now)
        own = OwnState(
            in_sync=True, epoch=self.role.epoch,
            reserved_epoch=self.reserved if self.reserved > self.role.epoch else 0,
        )  # fmt: skip
        for action in self.role.tick(now, view, own):
            if isinstance(action, act.ReserveEpoch):
                self.reserved = action.epoch
            for request in (*act.to_heart(action, self.role.permit), *act.to_heart_after(action)):
                self.guard.request(request, now)
        self.turn += 1
        self.body = BeatBody(self.role.role, 255, self.role.beat_flags | DRAINED, self.role.epoch)
        self.guard.progress(self.turn, self.body, now)
        self._carry_out(now, plant)

    def _carry_out(self, now: int, plant: _Pair) -> None:
        for output in self.guard.outputs():
            match output:
                case do.Note(heard):
                    self._tell(heard, now)
                case do.Send(_, octets):
                    plant.sent[self.letter].append((now, octets))
                case do.Tell(message):
                    self._tell(message, now)
                case do.Lease("acquire"):
                    self.lease.acquire(now)
                case do.Lease("renew"):
                    self.lease.renew(now, now)
                case do.Lease():
                    self.lease.drop()
                case do.Addresses(on):
                    self.claimed = on
                case do.Pulse() if plant.relays:
                    plant.relays.pulse(self.letter, now)
                case do.Coil(on) if plant.relays:
                    plant.relays.coil(self.letter, on, now)


class _Pair:
    """Both members, the relays between them, and what is on its way."""

    def __init__(self, with_relays: bool) -> None:
        self.now = _START_NS
        times = Times(8 * MS, 5 * MS, 3 * MS)
        self.relays = Relays(Times(5 * MS, 4 * MS), times, 100 * MS, _nobody) if with_relays else None
        self.sent: dict[str, list[tuple[int, Any]]] = {m: [] for m in MEMBERS}
        self.held: dict[str, list[Any]] = {m: [] for m in MEMBERS}
        self._pins: dict[str, tuple[int, ...]] = {}
        self.members = {"a": _One("a", with_relays, self.now), "b": _One("b", with_relays, self.now)}

    def step(self, choice: str) -> str:
        """Let a step pass under that choice; returns what must not be, or ""."""
        for letter, member in self.members.items():
            member.frozen = choice == f"freeze {letter}"
        for letter in MEMBERS:
            if not choice.startswith("hold"):
                self.members[other(letter)].inbox += self.held[letter]
                self.held[letter] = []
        until = self.now + STEP_NS
        while self.now < until:
            self.now += _DELIVERY_NS
            self._plant()
            if not (self.now - _START_NS) % _TICK_NS:
                for member in self.members.values():
                    if not member.frozen:
                        member.turns(self.now, self)
            self._deliver(choice)
            if wrong := self._wrong():
                return wrong
        return ""

    def _deliver(self, choice: str) -> None:
        for letter in MEMBERS:
            frames = [frame for at, frame in self.sent[letter]]
            self.sent[letter].clear()
            if choice in (f"lose {letter}", "lose both"):
                continue
            if choice == f"hold {letter}":
                self.held[letter] += frames
            elif choice == "swap":
                self.members[other(letter)].inbox[:0] = frames
            else:
                self.members[other(letter)].inbox += frames

    def _plant(self) -> None:
        for member in self.members.values():
            member.lease.tick(self.now)
        if self.relays is None:
            return
        self.relays.tick(self.now)
        for letter, member in self.members.items():
            dog = self.relays.watchdog[letter].closed
            pins = (int(self.relays.contact(letter)), int(self.relays.contact(other(letter))), int(dog))
            if pins != self._pins.get(letter) and not member.frozen:
                self._pins[letter] = pins
                member.guard.pins(say.PinsRead(self.now, *pins, 0, 0), self.now)

    def _wrong(self) -> str:
        if all(member.holds for member in self.members.values()):
            return "both own the service"
        if self.relays is not None and all(self.relays.contact(letter) for letter in MEMBERS):
            return "both own the lines"
        return ""

    def roles(self) -> list[str]:
        """Both roles in words, sorted."""
        return sorted(member.role.role.word for member in self.members.values())

    def key(self) -> str:
        """The state, times relative to now and counters relative to each other."""
        return repr([_plain(self.members[letter], self.now, set()) for letter in MEMBERS]) + repr(
            [len(self.held[letter]) for letter in MEMBERS]
        )


def _nobody(when: int, what: str, member: str, value: int) -> None:
    """Nobody is told of contacts."""


_LEFT_OUT = {"log", "rules", "standby", "relay", "_seal", "_last", "view", "turn", "now", "_now", "_sent", "takeover"}


def _plain(thing: Any, now: int, seen: set[int]) -> Any:
    """A state as plain data. Times become their distance from now, in ms; counters and logs are left out."""
    if isinstance(thing, bool | str | Role) or thing is None:
        return thing
    if isinstance(thing, int):
        return (thing - now) // MS if thing > _START_NS // 2 else thing if thing < 16 else "n"
    if isinstance(thing, list | tuple):
        return [_plain(each, now, seen) for each in thing]
    if isinstance(thing, dict):
        return sorted((repr(k), _plain(v, now, seen)) for k, v in thing.items() if k not in _LEFT_OUT)
    if hasattr(thing, "__dict__") and id(thing) not in seen:
        return _plain(vars(thing), now, seen | {id(thing)})
    return ""


def settled(active: Member, relays: bool) -> _Pair:
    """A pair in which that member is active and the other stands by."""
    pair = _Pair(relays)
    for _ in range(_WARM_STEPS):
        pair.step("deliver" if active == "a" else "freeze a")
    for _ in range(_WARM_STEPS):
        pair.step("deliver")
    return pair


class Walk:
    """Every way of `depth` steps. `states` were walked, `ways` were tried; `found` is what must not be."""

    def __init__(self, active: Member, relays: bool, depth: int, ends: int = 200) -> None:
        """`ends`: from so many of the last states the way back to rest is tried too."""
        self.states = self.ways = 0
        self.found: list[Found] = []
        self._start = settled(active, relays)
        self._depth, self._most_ends = depth, ends
        self._choices = [c for c in CHOICES if relays or c != "lose both"]

    def run(self) -> Iterator[int]:
        """Walk level by level; yields how many states each level left to go on from."""
        level: list[tuple[tuple[str, ...], _Pair]] = [((), self._start)]
        known = {self._start.key()}
        for _ in range(self._depth):
            beyond = []
            for path, pair in level:
                for choice in self._choices:
                    self.ways += 1
                    after = copy.deepcopy(pair)
                    if wrong := after.step(choice):
                        self.found.append(Found((*path, choice), wrong))
                    elif (key := after.key()) not in known:
                        known.add(key)
                        beyond.append(((*path, choice), after))
            level = beyond
            self.states = len(known)
            yield len(level)
        self._ends(level)

    def _ends(self, level: list[tuple[tuple[str, ...], _Pair]]) -> None:
        """From every state at the end the way back: whole again, one is active and one stands by."""
        for path, pair in level[:: max(1, len(level) // self._most_ends)] if self._most_ends else ():
            for _ in range(_HEAL_STEPS):
                if wrong := pair.step("deliver"):
                    self.found.append(Found((*path, "whole again"), wrong))
                    break
            if pair.roles() != ["active", "standby"]:
                self.found.append(Found((*path, "whole again"), f"roles are {pair.roles()}"))


