"""One seed, one story: warm up, hurt, heal, demand life. Equal seeds tell equal stories."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

from tools.bench.plan import other
from tools.sim.checks import Broken, Checks
from tools.sim.member import Member
from tools.sim.site import Site
from tools.sim.world import MS, SECOND

EXAMPLE = Path(__file__).resolve().parents[1] / "example-group"
FAULTS = ("kill", "kill-all", "stall", "freeze", "power", "station", "control", "crossover", "switchover")
_WARM_NS = 3 * SECOND
_HEAL_NS = 12 * SECOND
_SETPOINT = 5002


class Story:
    """A site, its checks, and what was done to it."""

    def __init__(self, seed: int, folder: str | Path = EXAMPLE) -> None:
        self.site = Site(seed, folder)
        self.world = self.site.world
        self.checks = Checks(self.site)
        self.setpoints: list[int] = []

    def run(self, faults: int = 3) -> None:
        """The whole story with random faults. Raises Broken."""
        self.warm_up()
        for _ in range(faults):
            draw = self.world.random
            kind, letter = draw.choice(FAULTS), draw.choice("ab")
            self.hurt(kind, letter, draw.randrange(20, 3000) * MS)
            self.world.run(draw.randrange(50, 4000) * MS)
        self.heal()

    def warm_up(self) -> None:
        """A cold start of both, and a setpoint now and then from here on."""
        self._operate()
        self.world.run(_WARM_NS)
        self.checks.alive()

    def heal(self) -> None:
        """Everything is mended; then life is demanded."""
        for what in ("station", "control", "crossover"):
            self.site.bench.cut(what, None, True)
        for letter, member in self.site.members.items():
            self._mend(letter, member)
        self.world.tell("healed")
        self.world.run(_HEAL_NS)
        self.checks.alive()
        self.checks.controls(self.setpoints)

    def _operate(self) -> None:
        value = len(self.setpoints) + 1
        if self.site.centers["probe"].command(50 - 1, _SETPOINT, struct.pack("<hB", value, 0)):
            self.setpoints.append(value)
        self.world.after(500 * MS, self._operate)

    def hurt(self, kind: str, letter: str, for_ns: int) -> None:
        """One fault at one member, mended after a while."""
        member = self.site.members[letter]
        self.world.tell(f"{kind} of {letter} for {for_ns // MS} ms")
        if kind in ("station", "control", "crossover"):
            self.site.bench.cut(kind, None if kind == "crossover" else letter, False)
            self.world.after(for_ns, lambda: self.site.bench.cut(kind, None, True))
            return
        doings: dict[str, Callable[[], object]] = {
            "kill": lambda: member.kill(heart_too=False),
            "kill-all": lambda: member.kill(heart_too=True),
            "stall": lambda: member.freeze(heart_too=False),
            "freeze": lambda: member.freeze(heart_too=True),
            "power": lambda: self._power_off(letter, member),
            "switchover": lambda: member.order(other(letter)),
        }
        if member.up or kind == "power":
            doings[kind]()
        self.world.after(for_ns, lambda: self._mend(letter, member))

    def _power_off(self, letter: str, member: Member) -> None:
        self.site.bench.cut("power", letter, False)
        member.kill(heart_too=True)

    def _mend(self, letter: str, member: Member) -> None:
        if not self.site.bench.power[letter]:
            self.site.bench.cut("power", letter, True)
        member.thaw()
        if not member.up:
            member.kill(heart_too=True)
            member.boot()


def tell(seed: int, faults: int = 3) -> tuple[Story, str]:
    """Run one story; returns it with "" or the sentence of what broke."""
    story = Story(seed)
    try:
        story.run(faults)
    except Broken as broken:
        story.world.tell(f"BROKEN: {broken}")
        return story, str(broken)
    return story, ""
