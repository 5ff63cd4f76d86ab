"""The state of the bench's world: power, cables, relays, leases, owners, and the history of all that happened."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from tandem.codec.heart import KEY_LOCAL, LAMP_TEST, PEER_WATCHDOG
from tandem.port.pins import PULSE, RENEWAL, PulsePage
from tools.bench.plan import MEMBERS, MS, Plan, other
from tools.bench.relaybench.loop import Loop, Timer
from tools.bench.relaybench.relays import Lease, Relays

HISTORY_MOST = 100_000
HANDS = {"key": KEY_LOCAL, "lamp": LAMP_TEST}
"""What people turn or press at a member's front panel."""
Event = tuple[int, str, str, Any]
"""(monotonic ns, what, member or "", value)."""


class World:
    """Who may reach whom, and who owns what. `changed` callbacks run after every change of it."""

    def __init__(self, plan: Plan, loop: Loop) -> None:
        self.plan = plan
        self.loop = loop
        self.relays = Relays.of_board(plan.board, self.note)
        self.lease = {m: Lease(plan.lease_ms * MS) for m in MEMBERS}
        self.claimed = dict.fromkeys(MEMBERS, False)
        self.owner: dict[str, str | None] = {lan.name: None for lan in plan.lans}
        self.power = dict.fromkeys(MEMBERS, True)
        self.cable = {(m, lan.name): True for m in MEMBERS for lan in plan.lans}
        self.crossover = True
        self.hearts = dict.fromkeys(MEMBERS, False)
        self.pages: dict[str, PulsePage] = {}
        self.leds = dict.fromkeys(MEMBERS, b"")
        self.turned = {(m, what): False for m in MEMBERS for what in HANDS}
        self.counts: dict[str, int] = {}
        self.history: deque[Event] = deque(maxlen=HISTORY_MOST)
        self.watchers: list[Callable[[Event], None]] = []
        self.changed: list[Callable[[], None]] = []
        self.reset_link: Callable[[], int] = lambda: 0
        self._told: dict[tuple[str, str], Any] = {}
        self._timer: Timer | None = None

    # --- what passes ------------------------------------------------------------------------------------------

    def on_lan(self, m: str, lan: str) -> bool:
        """The member has power and its cable to that LAN is whole."""
        return self.power[m] and self.cable[m, lan]

    def between(self, lan: str) -> bool:
        """The members reach each other on that LAN."""
        return self.on_lan("a", lan) and self.on_lan("b", lan)

    def serves(self, m: str, lan: str) -> bool:
        """The group address of that LAN is the member's, its lease alive and its cable whole."""
        return self.owner[lan] == m and self.lease[m].alive and self.on_lan(m, lan)

    def holds(self, m: str) -> bool:
        """The member has the group addresses and a live lease: its kernel would answer for them."""
        return self.claimed[m] and self.lease[m].alive and self.power[m]

    def drives(self, m: str, switched: bool) -> bool:
        """The member's transceiver is on a field line: always where no relay switches it."""
        return (self.relays.contact(m) or not switched) and self.power[m]

    # --- what the hearts say ----------------------------------------------------------------------------------

    def said(self, m: str, message: bytes) -> None:
        """One message of a member's heart on its pins."""
        if not self.power[m]:
            return
        head, now = message[:1], self.loop.now
        came = self.loop.input_ns
        if head == b"P":
            if self.relays.pulse(m, now):
                return
        elif head == b"R":
            if self.lease[m].renew(came, now):
                return
        elif head == b"T":
            self.leds[m] = message[1:33]
        elif head == b"C":
            self.relays.coil(m, message == b"C1", now)
            self.note(now, "coil", m, int(message == b"C1"))
        elif head == b"Y":
            self.relays.pulse_trip(m, message == b"Y1", now)
            self.note(now, "trip", m, int(message == b"Y1"))
        elif head == b"L":
            self.lease[m].acquire(now)
        elif head == b"D":
            self.lease[m].drop()
        elif head in (b"A", b"X"):
            self._claim(m, head == b"A")
        self.settle()

    def heart(self, m: str, there: bool) -> None:
        """A heart connected to its pins, or is gone: its coil falls with its pulses, its addresses a moment later."""
        self.hearts[m] = there
        self.note(self.loop.now, "heart", m, int(there))
        if not there:
            later = int(self.plan.board["address"]["dies_with_heart_ms"] * MS)
            self.loop.at(self.loop.now + later, lambda: self._gone(m))
        self.settle()

    def _gone(self, m: str) -> None:
        if self.claimed[m] and not self.hearts[m]:
            self._claim(m, False)
            self.settle(self.loop.now)

    def _claim(self, m: str, taken: bool) -> None:
        self.claimed[m] = taken
        self.note(self.loop.now, "claim", m, int(taken))
        for lan, owner in self.owner.items():
            if taken and self.on_lan(m, lan):
                self.owner[lan] = m
            elif not taken and owner == m:
                self.owner[lan] = None

    # --- what people do ---------------------------------------------------------------------------------------

    def cut(self, what: str, member: str | None, whole: bool) -> None:
        """Cut (or with `whole` restore) a LAN's cable, the crossover or a supply. Raises ValueError."""
        now = self.loop.now
        if what not in ("crossover", "power", *self.owner):
            raise ValueError(f"{what!r} cannot be cut; these can: crossover, power, {', '.join(self.owner)}")
        if member not in (None, *MEMBERS) or (what == "power" and member is None):
            raise ValueError(f"member {member!r}: name a or b")
        self.note(now, "restore" if whole else "cut", member or "", what)
        if what == "crossover":
            self.crossover = whole
        elif what == "power":
            self._supply(str(member), whole)
        else:
            for m in MEMBERS if member is None else (member,):
                self.cable[m, what] = whole
        self.settle()

    def turn(self, what: str, member: str | None, on: bool) -> None:
        """Turn the key to local, press the lamp test, or undo it. Raises ValueError."""
        if what not in HANDS or member not in MEMBERS:
            raise ValueError(f"{what!r} of member {member!r}: turn {' or '.join(HANDS)} of a or b")
        self.turned[member, what] = on
        self.note(self.loop.now, "turn" if on else "unturn", member, what)
        self.settle()

    def inputs(self, m: str) -> bytes:
        """What else a heart reads: the peer's watchdog contact, the key, the lamp test, in one octet."""
        bits = sum(bit for what, bit in HANDS.items() if self.turned[m, what])
        return b"K" + bytes([bits | (PEER_WATCHDOG if self.relays.watchdog[other(m)].closed else 0)])

    def _supply(self, m: str, on: bool) -> None:
        self.power[m] = on
        self.relays.power(m, on, self.loop.now)
        self.lease[m].drop()
        self.claimed[m] = False
        self.leds[m] = b""
        for lan, owner in self.owner.items():
            if owner == m:
                self.owner[lan] = None

    # --- after every change -----------------------------------------------------------------------------------

    def settle(self, until_ns: int | None = None) -> None:
        """Time passes for relays and leases, owners are found again, and everybody who depends on it is told.

        While a turn's input is taken in nothing expires that a pulse or a renewal still unread may have saved.
        """
        now = self.loop.input_ns - 1 if until_ns is None else until_ns
        self._retrigger()
        self.relays.tick(now)
        for m in MEMBERS:
            self.lease[m].tick(now)
        for lan, owner in self.owner.items():
            if owner is None or not self.serves(owner, lan):
                found = [m for m in MEMBERS if self.holds(m) and self.on_lan(m, lan)]
                if len(found) == 1:
                    self.owner[lan] = found[0]
        self._note_changes(now)
        self._arm()

    def _retrigger(self) -> None:
        """What the hearts noted in their pages since the last look prolongs what still ran then."""
        for m, page in self.pages.items():
            if self.power[m]:
                self.relays.prolong(m, *page.given(PULSE))
                self.lease[m].prolong(*page.given(RENEWAL))

    def _note_changes(self, now: int) -> None:
        fresh: dict[tuple[str, str], Any] = {("owner", lan): owner for lan, owner in self.owner.items()}
        fresh |= self.turned
        for m in MEMBERS:
            fresh["lease", m], fresh["holds", m] = int(self.lease[m].alive), int(self.holds(m))
            fresh["contact", m], fresh["watchdog", m] = self.relays.contact(m), self.relays.watchdog[m].closed
            fresh["power", m] = self.power[m]
            fresh["heart", m] = self.hearts[m]
        fresh["cables", ""] = (tuple(self.cable.values()), self.crossover)
        if fresh == self._told:
            return
        for key, value in fresh.items():
            if key[0] in ("owner", "lease", "holds") and value != self._told.get(key, value if value is None else 0):
                self.note(now, key[0], key[1], value)
        self._told = fresh
        if all(self.holds(m) for m in MEMBERS):
            self.count("two holders", now)
        if all(self.relays.contact(m) for m in MEMBERS):
            self.count("two contacts", now)
        for call in self.changed:
            call()

    def _arm(self) -> None:
        times = [t for m in MEMBERS if (t := self.lease[m].until) is not None]
        if (due := self.relays.due()) is not None:
            times.append(due)
        if self._timer is not None:
            if times and self._timer.at == min(times):
                return
            self._timer.cancel()
        self._timer = self.loop.at(min(times), self._timed) if times else None

    def _timed(self) -> None:
        self._timer = None
        self.settle(self.loop.now)

    # --- history ----------------------------------------------------------------------------------------------

    def note(self, when: int, what: str, member: str, value: Any) -> None:
        """Something happened."""
        event = (when, what, member, value)
        self.history.append(event)
        for watcher in self.watchers:
            watcher(event)

    def count(self, what: str, now: int) -> None:
        """Something happened that is counted and noted."""
        self.counts[what] = self.counts.get(what, 0) + 1
        self.note(now, "count", "", what)

    def sense(self, m: str) -> bytes:
        """The S message: own contact, peer's contact, own watchdog contact, lease, a carrier for each LAN."""
        bits = [self.relays.contact(m), self.relays.contact(other(m)), self.relays.watchdog[m].closed]
        bits += [self.lease[m].alive, *(self.cable[m, lan] for lan in self.owner)]
        return b"S" + bytes(map(int, bits))

    def state(self) -> dict[str, Any]:
        """Everything of this moment, as JSON likes it."""
        members = {
            m: {
                "contact": self.relays.contact(m),
                "watchdog": self.relays.watchdog[m].closed,
                "coil": self.relays.role[m].fed,
                "lease": self.lease[m].alive,
                "claimed": self.claimed[m],
                "power": self.power[m],
                "heart": self.hearts[m],
                "cables": {lan: self.cable[m, lan] for lan in self.owner},
                "leds": list(self.leds[m]),
            }
            for m in MEMBERS
        }
        return {"t": self.loop.now, "owner": self.owner, "crossover": self.crossover, "members": members,
                "counts": self.counts, "worst_late_ms": self.loop.worst_late_ns / MS}  # fmt: skip
