"""A member's guardian in a story: the rules, unmodified, on a controller of its own, behind a UART of any mood.

    heart, product's host end --uart--> Guardian --K1, K2--> the relay bench's relays --contacts--> Guardian --> heart

The controller reads its line and its inputs every millisecond, as `guardian/pico.py` does. One that hangs holds what it
drives until its own watchdog resets it: then its pins are inputs, and both relays fall.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from guardian import wire
from guardian.rules import Guardian, Settings
from tools.bench.plan import other
from tools.sim.aims import Aim
from tools.sim.fault import Fault
from tools.sim.pins import UartLine
from tools.sim.uart import Uart
from tools.sim.world import MS

GUARDIAN = "guardian"
"""The board's name in the simulator."""
KINDS = ("uart-cut", "uart-noise", "uart-late", "uart-stuck", "uart-replay", "guardian-hang", "guardian-restart")
"""Its faults: octets lost, spoilt, late, kept back and then all at once, or repeated; it hangs; it begins anew."""
AIMS = ("guardian holds K2", "guardian drops", "guardian is told to end", "guardian pulls the reset line")
PLANS = (
    *KINDS, *KINDS, "uart-cut", "kill", "kill-all", "kill-heart", "stall", "freeze", "freeze-heart", "power", "hang",
    "end", "switchover", "cable-1", "apart", "between", "one-way", "weld",
)  # fmt: skip
"""What its stories are made of: mostly what befalls the guardian and its line."""
HANGS_NS = 500 * MS
"""Its own watchdog: `pico.WATCHDOG_MS`."""
_STEP_NS = MS
_LATE_NS = 40 * MS
_RX_BUFFER = 1024
_AGAIN_NS = 20 * MS
_RECOVERS_NS = 2000 * MS
_INPUTS = (wire.OWN, wire.PEER, wire.OWN_WATCHDOG, wire.PEER_WATCHDOG)


class Controller:
    """The RP2040 of one member. `site` is the `Site` it stands in."""

    def __init__(self, site: Any, letter: str) -> None:
        self.site, self.world, self.bench = site, site.world, site.bench
        self.letter = letter
        self.good_ns = self.world.now
        """When the last good beat with a pulse arrived, as somebody at the line sees it."""
        self.hung_ns = -HANGS_NS
        """Since when it hangs, or hung last."""
        self.looked: Callable[[Controller], None] = lambda controller: None
        """Called at each step, whether it hangs or not."""
        self._key = wire.derive(bytes(32), letter)
        self.down = Uart(self.world, self._receives)
        self.up = Uart(self.world, lambda octets: site.members[letter].hear_guardian(octets))
        self._hangs = False
        self._powered = True
        self._replays = False
        self._starts = 0
        self._hurt_ns = self.world.now
        self._start()
        self.bench.changed.append(self._supply)
        self._step()

    def opened(self) -> UartLine:
        """A heart opens its end of the line."""
        silent_ms = self.settings.hold_ms + 20  # as `port.board` reckons it
        plan = {"device": "its UART", "baud": wire.BAUD, "key": self._key.hex(), "silent_ms": silent_ms}
        return UartLine(plan, self.down.send)

    @property
    def settings(self) -> Settings:
        """As it is installed on the bench's board, with its reset line wired."""
        return Settings(int(self.bench.plan.board["watchdog"]["hold_ms"]), reset=True)

    @property
    def well(self) -> bool:
        """It runs, and its line is whole, for a while now."""
        hurt = self._hangs or any(way.hurt for way in (self.up, self.down))
        self._hurt_ns = self.world.now if hurt else self._hurt_ns
        return bool(self.world.now - max(self._hurt_ns, self.hung_ns + HANGS_NS) > _RECOVERS_NS)

    # --- faults -------------------------------------------------------------------------------------------------

    def hurt(self, kind: str) -> Callable[[], None]:
        """One of KINDS; returns how it is mended."""
        match kind:
            case "guardian-hang":
                self._hangs, self.hung_ns = True, self.world.now
                starts = self._starts
                self.world.after(HANGS_NS, lambda: self._start() if self._starts == starts else None)
            case "guardian-restart":
                self._start()
            case "uart-cut":
                self.up.cut = self.down.cut = True
            case "uart-noise":
                self.up.noisy = self.down.noisy = True
            case "uart-late":
                self.up.late_ns = self.down.late_ns = _LATE_NS
            case "uart-stuck":
                self.up.stuck = self.down.stuck = True
            case "uart-replay":
                self._replays = True
                self._replay(self._starts)
        return self.mend

    def mend(self) -> None:
        """The line is whole again; a controller that hangs is its watchdog's."""
        self._replays = False
        self.up.heal()
        self.down.heal()

    def _replay(self, starts: int) -> None:
        """The newest write comes again and again, whoever lives at the other end."""
        if self._replays and self._starts == starts:
            self._receives(self.down.newest)
            self.world.after(_AGAIN_NS, lambda: self._replay(starts))

    # --- the program --------------------------------------------------------------------------------------------

    def _start(self) -> None:
        """Its pins are inputs, and it knows nothing."""
        self._starts += 1
        self._hangs = False
        self._rx = b""
        self._nonce = self.world.random.getrandbits(32) | 1
        self.guardian = Guardian(self.settings, self._key, self._nonce, self._ms)
        self._seen = wire.Frames(wire.Seal(self._key), wire.TO_GUARDIAN)
        self._newest = 0
        self._k1 = self._k2 = self._reset = False
        if self._powered:
            self.bench.relays.coil(self.letter, False, self.world.now)
            self.bench.relays.keep(self.letter, False, self.world.now)
            self.bench.settle()

    @property
    def _ms(self) -> int:
        return int(self.world.now // MS)

    def _supply(self) -> None:
        """It has the board's supply."""
        if self._powered and not self.bench.power[self.letter]:
            self._powered = False
            self._start()
        self._powered = self.bench.power[self.letter]

    def _receives(self, octets: bytes) -> None:
        if not self._powered:
            return
        self._rx = (self._rx + octets)[:_RX_BUFFER]
        for kind, flags, nonce, sequence, _ in self._seen.feed(octets):
            if nonce == self._nonce and sequence > self._newest:
                self._newest = sequence
                if kind == wire.BEAT and flags & wire.PULSE:
                    self.good_ns = self.world.now
                if kind == wire.BYE:
                    self.world.tell(f"{self.letter}: guardian is told to end")

    def _step(self) -> None:
        self.world.after(_STEP_NS, self._step)
        self.looked(self)
        if self._hangs or not self._powered:
            return
        guardian, now = self.guardian, self._ms
        octets, self._rx = self._rx[:256], self._rx[256:]
        if octets:
            guardian.receive(octets, now)
        guardian.sense(self._inputs(), now)
        guardian.tick(now)
        self._drive(guardian)
        if octets := guardian.outgoing():
            self.up.send(octets)

    def _inputs(self) -> int:
        relays, m, n = self.bench.relays, self.letter, other(self.letter)
        closed = (relays.contact(m), relays.contact(n), relays.watchdog[m].closed, relays.watchdog[n].closed)
        return sum(bit for bit, on in zip(_INPUTS, closed, strict=True) if on)

    def _drive(self, guardian: Guardian) -> None:
        now, letter = self.world.now, self.letter
        driven = guardian.watchdog, guardian.role
        if driven != (self._k1, self._k2):
            dropped = self._k1 and not guardian.watchdog
            rises = guardian.role and not self._k2
            self._k1, self._k2 = driven
            self.bench.relays.coil(letter, guardian.role, now)
            self.bench.relays.keep(letter, guardian.watchdog, now)
            self.bench.note(now, "coil", letter, int(guardian.role))
            self.bench.settle()
            if dropped or rises:
                self.world.tell(f"{letter}: guardian {'drops' if dropped else 'holds K2'}")
        if guardian.reset and not self._reset:
            self.world.tell(f"{letter}: guardian pulls the reset line")
            self.site.members[letter].reset()
        self._reset = guardian.reset


def _at(what: str, steps: int = 0, after_ms: int = 0) -> Aim:
    return Aim(what, 1, steps, after_ms)


SCRIPTS: dict[str, tuple[Fault, ...]] = {
    "cut as the coil is asked for": (
        Fault(0, "switchover", "a", 0), Fault(0, "uart-cut", "b", 300, _at("heart coil on")),
        Fault(0, "uart-cut", "a", 300, _at("guardian holds K2")),
    ),
    "frozen, its last beats kept back on the line": (
        Fault(0, "uart-stuck", "a", 90), Fault(0, "freeze", "a", 900), Fault(1200, "uart-stuck", "b", 300),
        Fault(1200, "freeze", "b", 250),
    ),
    "late and spoilt, and the other is killed": (
        Fault(0, "uart-late", "b", 1500), Fault(0, "uart-noise", "b", 1500), Fault(300, "kill-all", "a", 700),
    ),
    "hangs while its heart is frozen": (
        Fault(0, "guardian-hang", "a", 0), Fault(20, "freeze", "a", 900), Fault(1500, "guardian-hang", "b", 0),
    ),
    "begins anew as it takes the lines": (
        Fault(0, "switchover", "a", 0), Fault(0, "guardian-restart", "b", 0, _at("guardian holds K2")),
        Fault(0, "guardian-restart", "a", 0, _at("guardian holds K2", 0, 20)),
    ),
    "a hung kernel is reset, and again while it boots": (
        Fault(0, "hang", "a", 2500), Fault(0, "hang", "a", 1500, _at("guardian pulls the reset line", 0, 30)),
        Fault(2600, "hang", "b", 1800),
    ),
    "ends in order over a line that loses it": (
        Fault(0, "uart-cut", "a", 1300), Fault(5, "end", "a", 1500),
    ),
}  # fmt: skip
"""Worst cases that somebody thought of."""
