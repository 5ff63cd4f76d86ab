"""Hands on: cut, freeze, crash, weld and heal a simulated group, and let time pass step by step."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from tools.bench.plan import MEMBERS
from tools.sim.fault import Fault
from tools.sim.faults import KINDS
from tools.sim.ledger import Broken
from tools.sim.story import Story
from tools.sim.tale import Tale
from tools.sim.world import MS

_STEP_MS = 500
HELP = f"""KIND [a|b]      a fault, until it is mended: {', '.join(sorted(KINDS))}
cut LAN [a|b]   a cable by its LAN's name, or the crossover;   heal: everything is whole again
thaw [a|b]      who was frozen goes on;   make a|b: a switchover is ordered
step [MS]       time passes ({_STEP_MS} ms);   status: who is what;   quit"""


class Play:
    """One group at the prompt; `say` prints."""

    def __init__(self, seed: int, board: str, folder: str | Path, say: Callable[[str], None]) -> None:
        self.story = Story(seed, folder, board)
        self.tale = Tale(self.story)
        self._say = say
        self._told = 0

    def run(self, lines: Iterable[str]) -> int:
        """Warm up, then one command a line; 1 when an invariant broke."""
        try:
            self.story.warm_up()
            self._tell_on()
            self._say(HELP)
            for line in lines:
                words = line.split()
                if words[:1] == ["quit"]:
                    break
                if words:
                    self._say(self._do(*words))
                self._tell_on()
        except Broken as broken:
            self._tell_on()
            self._say(f"BROKEN {broken}")
            return 1
        return 0

    def _tell_on(self) -> None:
        for line in self.tale.lines[self._told :]:
            self._say(str(line))
        self._told = len(self.tale.lines)

    def _do(self, word: str, *rest: str) -> str:
        site, faults = self.story.site, self.story.faults
        letter = next((w for w in rest if w in MEMBERS), "a")
        match word:
            case "step":
                if rest and not rest[0].isdigit():
                    return "how many milliseconds? step 500"
                self.story.world.run(int(rest[0] if rest else _STEP_MS) * MS)
            case "status":
                return self._status()
            case "heal":
                faults.mend_all()
                faults.back_in()
            case "thaw":
                for each in rest or MEMBERS:
                    site.members[each].thaw()
            case "make" if rest:
                site.members[letter].order(letter)
            case "cut" if rest and rest[0] in (*site.bench.owner, "crossover"):
                site.bench.cut(rest[0], None if rest[0] == "crossover" or len(rest) < 2 else letter, False)
            case _ if word in KINDS:
                faults.hurt(Fault(0, word, letter, 1 << 40))
            case _:
                return HELP
        return self._status() if word != "step" else ""

    def _status(self) -> str:
        site = self.story.site
        parts = []
        for letter, member in site.members.items():
            state = member.node.role.role.word if member.supervisor.alive else "dead"
            state += ", frozen" if member.supervisor.frozen else ""
            state += ", in sync" if member.supervisor.alive and member.node.in_sync else ""
            parts.append(f"{letter}: {state}")
        owners = ", ".join(f"{lan} at {owner or 'nobody'}" for lan, owner in site.bench.owner.items())
        served = ", ".join(f"{name} served by {c.served_by or 'nobody'}" for name, c in site.centers.items())
        return f"-- {'; '.join(parts)}; {owners}; {served}"


def prompt() -> Iterable[str]:
    """Lines from the terminal, or from a file."""
    while True:
        if sys.stdin.isatty():
            print("sim> ", end="", flush=True)
        line = sys.stdin.readline()
        if not line:
            return
        yield line
