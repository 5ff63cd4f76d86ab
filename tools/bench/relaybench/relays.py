"""Watchdog relays and role relays of both members, sans-IO: pulses and coils in, contacts out, exact to the ns.

The role coil is fed through the watchdog's contact and the other role relay's break contact. When the watchdog
contact opens the request for the coil is forgotten (latched): pulses alone never close the role contact again.
A member's trip relay is fed through its own watchdog contact; while it is operated the peer's role coil has no feed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tools.bench.plan import MEMBERS, MS, other

Told = Callable[[int, str, str, int], None]
"""(when ns, "watchdog" or "contact", member, 1 closed or 0 open)."""


@dataclass(slots=True, frozen=True)
class Times:
    """Of one kind of relay, in ns."""

    operate_ns: int
    release_ns: int
    bounce_ns: int = 0


_INSTANT = Times(0, 0)
_FOR_EVER = 1 << 62


class Relay:
    """One coil and its contacts. The make contact closes and opens with a bounce: there, back, and there for good.

    The break contact (`left`: it is open) opens halfway through the operate time and closes with the open make contact,
    as forcibly guided ones do.
    """

    def __init__(self, times: Times) -> None:
        self.times = times
        self.fed = False
        self.closed = self.left = False
        self.welded = False
        self.agenda: list[tuple[int, str, bool]] = []

    def feed(self, on: bool, t: int) -> None:
        """The coil has current from `t` on, or has none."""
        if on == self.fed:
            return
        self.fed = on
        self.agenda = []
        delay, bounce = (self.times.operate_ns if on else self.times.release_ns), self.times.bounce_ns
        if on and not self.left:
            self.agenda.append((t + delay // 2, "left", True))
        if on != self.closed:
            self.agenda.append((t + delay, "closed", on))
            if bounce:
                self.agenda += [(t + delay + bounce // 2, "closed", not on), (t + delay + bounce, "closed", on)]
        if not on and self.left:
            self.agenda.append((t + delay + (bounce if self.closed else 0), "left", False))

    def step(self, t: int) -> bool:
        """Do what the agenda has up to `t`, one step; True when the contact moved."""
        if not self.agenda or self.agenda[0][0] > t:
            return False
        _, what, value = self.agenda.pop(0)
        if self.welded and not value and self.closed:
            return False
        if what == "left":
            self.left = value
            return False
        moved, self.closed = value != self.closed, value
        return moved


class Relays:
    """Both members' relays on one passive panel."""

    def __init__(self, watchdog: Times, role: Times, hold_ns: int, told: Told, trip: Times = _INSTANT) -> None:
        self.hold_ns = hold_ns
        self.told = told
        self.watchdog = {m: Relay(watchdog) for m in MEMBERS}
        self.role = {m: Relay(role) for m in MEMBERS}
        self.trip = {m: Relay(trip) for m in MEMBERS}
        self.tripping = dict.fromkeys(MEMBERS, False)
        self.held = dict.fromkeys(MEMBERS, False)
        """The role coil is fed whatever its driver and its watchdog relay do."""
        self.wanted = dict.fromkeys(MEMBERS, False)
        self.powered = dict.fromkeys(MEMBERS, True)
        self.last_pulse: dict[str, int | None] = dict.fromkeys(MEMBERS)

    @classmethod
    def of_board(cls, board: dict[str, dict[str, float]], told: Told) -> Relays:
        """The relays that a board's data describes."""
        dog, role = board["watchdog"], board["relay"]
        return cls(
            Times(int(dog["operate_ms"] * MS), int(dog["release_ms"] * MS)),
            Times(int(role["operate_ms"] * MS), int(role["release_ms"] * MS), int(role["bounce_ms"] * MS)),
            int(dog["hold_ms"] * MS),
            told,
            Times(int(role.get("trip_operate_ms", 0) * MS), int(role["release_ms"] * MS)),
        )

    def pulse(self, m: str, t: int) -> bool:
        """A pulse of member `m` came at `t`. True when it only prolongs what was: no relay moves sooner by it."""
        before, self.last_pulse[m] = self.last_pulse[m], t
        if before is not None:
            return True
        self._settle(t)
        return False

    def prolong(self, m: str, since: int, last: int) -> None:
        """Pulses of member `m` came without a gap from `since` to `last`: if the first came in time, all did."""
        held = self.last_pulse[m]
        if held is not None and since < held + self.hold_ns and last > held:
            self.last_pulse[m] = last

    def keep(self, m: str, on: bool, t: int) -> None:
        """A guardian holds the watchdog relay of member `m`, or lets it go: no pulse has to come."""
        self.last_pulse[m] = _FOR_EVER if on else None
        self._settle(t)

    def coil(self, m: str, on: bool, t: int) -> None:
        """Member `m` drives its role coil, or not."""
        self.wanted[m] = on
        self._settle(t)

    def pulse_trip(self, m: str, on: bool, t: int) -> None:
        """Member `m` drives its peer-trip output, or not."""
        self.tripping[m] = on
        self._settle(t)

    def hold(self, m: str, on: bool, t: int) -> None:
        """The driver of the role coil is stuck on, and its watchdog relay as well; or they are freed."""
        self.held[m] = on
        self.tick(t)
        self._settle(t)

    def power(self, m: str, on: bool, t: int) -> None:
        """The board's supply: without it no coil has current and what was driven is forgotten."""
        self.powered[m] = on
        self.wanted[m] = self.tripping[m] = False
        self.last_pulse[m] = None
        self._settle(t)

    def weld(self, m: str, on: bool, t: int) -> None:
        """The role contact sticks as soon as it is closed, or is freed."""
        relay = self.role[m]
        relay.welded = on
        if not on and relay.closed and not relay.fed:
            relay.agenda = [(t, "closed", False), (t, "left", False)]
        self.tick(t)

    def contact(self, m: str) -> bool:
        """True while the role contact is closed."""
        return self.role[m].closed

    def due(self) -> int | None:
        """When something happens by itself next."""
        every = (*self.watchdog.values(), *self.trip.values(), *self.role.values())
        times = [r.agenda[0][0] for r in every if r.agenda]
        times += [p + self.hold_ns for m in MEMBERS if (p := self.last_pulse[m]) is not None]
        return min(times, default=None)

    def tick(self, now: int) -> None:
        """Everything up to `now`, in the order of its own times."""
        while (t := self.due()) is not None and t <= now:
            for m in MEMBERS:
                pulse = self.last_pulse[m]
                if pulse is not None and pulse + self.hold_ns <= t:
                    self.last_pulse[m] = None
                if self.watchdog[m].step(t):
                    self._dog_moved(m, t)
                self.trip[m].step(t)
                if self.role[m].step(t):
                    self.told(t, "contact", m, int(self.role[m].closed))
            self._settle(t)

    def _dog_moved(self, m: str, t: int) -> None:
        closed = self.watchdog[m].closed
        if not closed:
            self.wanted[m] = False
        self.told(t, "watchdog", m, int(closed))

    def _settle(self, t: int) -> None:
        for m in MEMBERS:
            self.watchdog[m].feed(self.powered[m] and self.last_pulse[m] is not None, t)
            self.trip[m].feed(self.powered[m] and self.tripping[m] and self.watchdog[m].closed, t)
            free = not self.role[other(m)].left and not self.trip[other(m)].left
            asked = self.held[m] or (self.wanted[m] and self.watchdog[m].closed)
            self.role[m].feed(self.powered[m] and asked and free, t)


class Lease:
    """A latched permission: acquired once, renewed only while alive, gone when it lapses or is dropped."""

    def __init__(self, length_ns: int) -> None:
        self.length_ns = length_ns
        self.until: int | None = None

    @property
    def alive(self) -> bool:
        """True until it lapses, which `tick` notices."""
        return self.until is not None

    def acquire(self, now: int) -> None:
        """Alive from now on."""
        self.until = now + self.length_ns

    def renew(self, came: int, now: int) -> bool:
        """Longer, if it was alive when the renewal `came`. True when that is all: it was alive, and is."""
        if self.until is not None:
            self.until = now + self.length_ns if came <= self.until else None
        return self.until is not None

    def prolong(self, since: int, last: int) -> None:
        """Renewals came without a gap from `since` to `last`: if the first came while it was alive, all did."""
        if self.until is not None and since <= self.until < last + self.length_ns:
            self.until = last + self.length_ns

    def drop(self) -> None:
        """Gone at once."""
        self.until = None

    def tick(self, now: int) -> None:
        """Gone when its time is over."""
        if self.until is not None and self.until <= now:
            self.until = None
