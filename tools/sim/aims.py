"""Faults that wait for a state change: just before, between two actions of, or a moment after it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from tools.sim.world import MS, World

AIMS = (
    "standby -> taking-over", "taking-over -> active", "active -> releasing", "releasing -> standby",
    "active -> standby", "starting -> standby", "field lines held", "the whole image follows", "mirror resumes",
    "do ServiceOn", "do ServiceOff", "do LinesOn", "do LinesOff", "do Persist", "do Listen", "do CloseChannel",
    "do Dial", "do OpenLine", "heart coil on", "heart coil off", "heart acquire", "heart drop", "heart addresses on",
    "heart addresses off", "write control", "granted", "withdrawn", "the unit forgets",
)  # fmt: skip
"""What can be aimed at: a sentence of the story, or what a process is about to do."""
PATIENCE_MS = 1500
"""A fault waits so long for what it is aimed at, and happens then in any case."""


class Aim(NamedTuple):
    """`what` of AIMS, its `number`th time from now on; then so many `steps` of the process later, or `after_ms`."""

    what: str
    number: int
    steps: int
    after_ms: int


class Aims:
    """The faults that wait. `mark` is called before anything is done, `sentence` when something is told."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.steps: Callable[[str, str, int, Callable[[], None]], None] = lambda letter, what, steps, fire: fire()
        """(member, what, steps, fire): call `fire` so many steps of that process later."""
        self._waiting: list[tuple[Aim, Callable[[], None]]] = []
        self._seen: Counter[str] = Counter()
        world.listeners.append(self._sentence)

    def wait(self, aim: Aim, fire: Callable[[], None]) -> None:
        """Call `fire` when what is aimed at comes; where it does not come soon, then."""
        entry = aim._replace(number=self._seen[aim.what] + aim.number), fire
        self._waiting.append(entry)
        self.world.after(PATIENCE_MS * MS, lambda: self._missed(entry))

    def _missed(self, entry: tuple[Aim, Callable[[], None]]) -> None:
        if entry in self._waiting:
            self._waiting.remove(entry)
            entry[1]()

    def mark(self, letter: str, what: str) -> None:
        """A process of member `letter` is about to do that."""
        if self._waiting:
            self._seen[what] += 1
            self._hit(letter, what)

    def _sentence(self, sentence: str) -> None:
        if self._waiting:
            for what in {aim.what: None for aim, _ in self._waiting}:
                if what in sentence:
                    self._seen[what] += 1
                    self._hit(sentence[:1], what)

    def _hit(self, letter: str, what: str) -> None:
        for entry in [e for e in self._waiting if e[0].what == what and e[0].number <= self._seen[what]]:
            self._waiting.remove(entry)
            aim, fire = entry
            if aim.after_ms:
                self.world.after(aim.after_ms * MS, fire)
            else:
                self.steps(letter, what, aim.steps, fire)

    def clear(self) -> None:
        """Nothing waits any more."""
        self._waiting.clear()
