"""The third machine: the granting witness, unmodified, on a virtual flash, and what can happen to it and its ways.

A group on the boards here has no relays. `stop`: a member alone needs a grant, so nothing may ever be served twice.
`witness`: where the witness is silent, both may serve.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tandem.codec.witness import Holder, WitnessSeal, derive
from tandem.config.model import Standby
from tandem.standby.alone import witnessed
from tandem.standby.granting import Granting, Held
from tools.bench.plan import MEMBERS, other
from tools.sim.fault import Fault
from tools.sim.world import MS

BOARDS = ("witness", "stop")
KINDS = ("witness-cut", "witness-gone", "witness-restart", "witness-flash-full")
"""Faults of the witness: cut from one member, from both, begun anew, its flash takes nothing."""
_WAY_NS = 2 * MS
_BEAT_KEY = bytes(32)
_BOOTS_NS = 300 * MS
_AFTER_NS = 600 * MS
PLANS = (
    "between", "between", "apart", "one-way", "kill-all", "freeze", "power", "cable-1", "cable-2", "stall",
    "switchover", "kill", *KINDS,
)  # fmt: skip
"""What stories with a witness are made of: mostly what cuts the members apart."""
SCRIPTS: dict[str, tuple[Fault, ...]] = {
    "apart, and the witness sees both": (Fault(0, "between", "a", 2500), Fault(2000, "clock", "a", 0)),
    "apart, and the active does not reach the witness": (
        Fault(0, "witness-cut", "a", 3500), Fault(300, "between", "a", 2500), Fault(2500, "clock", "a", 0),
    ),
    "apart, and the standby does not reach the witness": (
        Fault(0, "witness-cut", "b", 3500), Fault(300, "between", "a", 2500), Fault(2500, "clock", "a", 0),
    ),
    "apart, and nobody reaches the witness": (
        Fault(0, "witness-gone", "a", 3500), Fault(300, "between", "a", 2500), Fault(2500, "clock", "a", 0),
    ),
    "the witness begins anew while the members are apart": (
        Fault(0, "between", "a", 4000), Fault(900, "witness-restart", "a", 0), Fault(3300, "clock", "a", 0),
    ),
    "alone with a grant, then dead": (
        Fault(0, "between", "a", 6000), Fault(800, "kill-all", "a", 5500), Fault(5000, "clock", "a", 0),
    ),
    "the active is frozen with its grant": (
        Fault(0, "between", "a", 5500), Fault(700, "freeze", "a", 4000), Fault(5000, "clock", "a", 0),
    ),
}  # fmt: skip


def standby_of(board: str, standby: Standby) -> Standby:
    """The configuration's standby, for a board."""
    if board not in BOARDS:
        return standby
    asked = replace(standby, arbitration="witness", witness="192.0.2.9:4722")
    return replace(asked, partition="stop") if board == "stop" else asked


class Third:
    """The witness' machine. `site` is the `Site` it stands in."""

    def __init__(self, site: Any) -> None:
        self.site, self.world = site, site.world
        self.there = witnessed(site.config.standby)
        self.seal = WitnessSeal(derive(_BEAT_KEY))
        self.flash, self.full = "", False
        self.cut: set[str] = set()
        """Members that do not reach it."""
        self._boots = 0
        self._unreached_ns = 0
        self._begin()
        if self.there:  # it has been up for longer than anybody needs it
            self.granting = Granting(self.seal, 1, Held(), self.world.now - 60_000 * MS)

    @property
    def excuses(self) -> bool:
        """Two members that are apart may both serve."""
        if not self.there:
            return True
        if self.site.config.standby.partition == "stop":
            return False
        if not all(map(self._reaches, MEMBERS)) or self.granting.holder(self.world.now) == Holder.NOT_KNOWN:
            self._unreached_ns = self.world.now
        return bool(self.world.now - self._unreached_ns < _AFTER_NS)

    def ask(self, member: Any, octets: bytes) -> None:
        """A member's datagram sets out."""
        if self._reaches(member.letter):
            self.world.after(_WAY_NS, lambda: self._hear(member, octets))

    def hurt(self, fault: str, letter: str) -> Callable[[], None]:
        """One of KINDS; returns how it is mended."""
        if fault == "witness-restart":
            self._begin()
            return lambda: None
        if fault == "witness-flash-full":
            self.full = True
            return self.mend
        members = {letter} if fault == "witness-cut" else set(MEMBERS)
        self.cut |= members
        return lambda: self.cut.difference_update(members)

    def mend(self) -> None:
        """All is whole."""
        self.cut.clear()
        self.full = False

    def _begin(self) -> None:
        """Its power was cut: what is on flash is all that it knows."""
        self._boots += 1
        began = self._boots
        self.granting = Granting(self.seal, 2 * began + 1, Held.of(self.flash), self.world.now + _BOOTS_NS)
        self._up_at = self.world.now + _BOOTS_NS

    def _reaches(self, letter: str) -> bool:
        """Switches that filter both members' words filter between them: the way here goes elsewhere."""
        air = self.site.air
        ways = [lan for lan in self.site.bench.owner if air.on_lan(letter, lan)]
        cabled = any((letter, lan) not in air.mute or (other(letter), lan) in air.mute for lan in ways)
        return letter not in self.cut and cabled and self.world.now >= self._up_at

    def _hear(self, member: Any, octets: bytes) -> None:
        granting = self.granting
        answer = granting.receive(octets, self.world.now)
        if answer is None or (answer.keep and self.full):
            return
        if answer.keep:
            self.flash = answer.keep
            granting.kept()
        if answer.said:
            self.world.tell(f"{member.letter}: the witness: {answer.said}")
        if self._reaches(member.letter):
            self.world.after(_WAY_NS, lambda: member.hear_witness(answer.octets))
