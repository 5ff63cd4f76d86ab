"""A story as somebody would tell it: faults, who hears whom, roles, fences, and what each control center sees."""

from __future__ import annotations

from typing import Any, NamedTuple

from tools.bench.plan import MEMBERS, other
from tools.sim.member import Member
from tools.sim.story import Story
from tools.sim.world import MS

_ON = ("off", "on")
_LOOK_NS = 10 * MS


class Line(NamedTuple):
    """One thing that happened; `lane` is FAULT, a member, or where it was seen."""

    at_ms: float
    lane: str
    text: str

    def __str__(self) -> str:
        return f"{self.at_ms:10.1f}  {self.lane:<7} {self.text}"


class Span(NamedTuple):
    """Something that was so from then until then; `what` says what, `value` how."""

    what: str
    value: str
    from_ms: float
    to_ms: float


class Tale:
    """Listens to a story from outside and changes nothing in it."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.site = story.site
        self.world = story.world
        self.lines: list[Line] = []
        self.spans: list[Span] = []
        self._so: dict[str, tuple[str, float]] = {}
        self._hears: dict[str, bool] = {}
        self.world.listeners.append(self._sentence)
        self.site.bench.watchers.append(self._happened)
        turned = self.site.turned

        def look(member: Member) -> None:
            self._look(member)
            turned(member)

        self.site.turned = look
        self._centers()

    @property
    def _ms(self) -> float:
        return self.world.elapsed_ms

    def _tell(self, lane: str, text: str) -> None:
        self.lines.append(Line(self._ms, lane, text))

    def _now(self, what: str, value: str) -> bool:
        """What is so from now on; True when that is news."""
        before = self._so.get(what)
        if before is not None and before[0] == value:
            return False
        if before is not None:
            self.spans.append(Span(what, before[0], before[1], self._ms))
        self._so[what] = value, self._ms
        return True

    def end(self) -> None:
        """The story is over: what is still so ends with it."""
        for what in list(self._so):
            self._now(what, "")

    def _sentence(self, sentence: str) -> None:
        lane, colon, text = sentence.partition(": ")
        if colon and lane in MEMBERS:
            self._tell(lane, text)
        elif sentence.startswith("FAULT"):
            self._tell("FAULT", sentence.removeprefix("FAULT "))
        else:
            self._tell("", sentence)

    def _happened(self, event: tuple[int, str, str, Any]) -> None:
        _, what, where, value = event
        if what == "owner":
            self._now(f"owner of {where}", value or "")
            self._tell("fence", f"{where}: the group address is {f'at {value}' if value else 'nowhere'}")
        elif what in ("lease", "contact", "coil") and self._now(f"{what} of {where}", _ON[value]):
            self._tell("fence", f"{what} of {where} is {_ON[value]}")

    def _look(self, member: Member) -> None:
        letter, view = member.letter, member.node.view
        self._now(f"role of {letter}", member.node.role.role.word)
        if view.known and self._hears.get(letter) != view.heard:
            if letter in self._hears:
                again = "hears" if view.heard else f"has missed beats for {view.silent_ns // MS} ms: does not hear"
                self._tell("beats", f"{letter} {again} {other(letter)}")
            self._hears[letter] = view.heard

    def _centers(self) -> None:
        """What each control center sees, looked at again and again."""
        for name, center in self.site.centers.items():
            served = center.served_by if center.ready else ""
            if self._now(f"center {name}", served):
                self._tell("center", f"{name} is {f'served by {served}' if served else 'not served'}")
        self.world.after(_LOOK_NS, self._centers)


def told(story: Story, tale: Tale) -> str:
    """The time line, and how it ended."""
    tale.end()
    checks = story.checks
    dark = {
        name: sum(s.to_ms - s.from_ms for s in tale.spans if s.what == f"center {name}" and not s.value)
        for name in story.site.centers
    }
    ends = [f"{name} was without service for {ms:.0f} ms" for name, ms in dark.items()]
    summary = f"{len(story.faults.kinds)} faults, {checks.role_changes} takeovers, {'; '.join(ends)}"
    return "\n".join([*map(str, tale.lines), summary])
