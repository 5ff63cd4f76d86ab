"""The control log: every control as a short story in words, with its origin, each step's time, and how it ended.

A select and the execute that follows it are one story. The newest stories are kept on flash, in files of a few that
are written again whole, seconds after they changed: a row of controls costs one write each ten seconds.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from tandem.point import MS, SECOND, Command, Outcome, Report, Stage, Step

STORIES_MAX = 1024
PER_FILE = 32
STEPS_MAX = 16
"""Of one story; a later step takes the place of the last one."""
FIRST_NS = 1 * SECOND
"""Between a change and its first write."""
PAUSE_NS = 10 * SECOND
"""Between two writes."""
FILES = tuple(f"controls-{number:02}.jsonl" for number in range(STORIES_MAX // PER_FILE + 1))
_SELECTED_MAX = 256
_ENDS = {Step.SELECT: "selected", Step.CANCEL: "cancelled"}
_CUT_OFF = "this gateway began anew before it saw the end; look at the device"


@dataclass(slots=True)
class Story:
    """`steps`: (ms since the beginning, words). `outcome` is "" while nobody knows; `sent`: a device may have it."""

    number: int
    id: str
    stamp_us: int
    point: str
    value: str
    origin: str
    outcome: str = ""
    sent: bool = False
    steps: list[tuple[float, str]] = field(default_factory=list)
    began_ns: int = 0

    def to_json(self) -> str:
        """One line."""
        known = (self.number, self.id, self.stamp_us, self.point, self.value, self.origin, self.outcome, self.sent)
        return json.dumps([*known, self.steps])

    @classmethod
    def from_json(cls, line: str) -> Story:
        """Read `to_json`. Raises ValueError."""
        row = json.loads(line)
        shape = [int, str, int, str, str, str, str, bool, list]
        if not isinstance(row, list) or [type(cell) for cell in row] != shape:
            raise ValueError("a line is no story of a control")
        row[8] = [(float(ms), str(words)) for ms, words in row[8]]
        return cls(*row)


class ControlLog:
    """The stories of one member; `texts` are its files."""

    def __init__(self, member: str, texts: Mapping[str, str]) -> None:
        """A line that is damaged is left out and counted in `damaged`."""
        self.member = member
        self.damaged = 0
        self.stories: dict[int, Story] = {}
        self._open: dict[int, tuple[Story, Command]] = {}  # by ref
        self._selected: dict[tuple[str, int], Story] = {}
        self._dirty: set[int] = set()
        self._write_at = 0
        self._wrote_at = -PAUSE_NS
        self.flights = 0
        """Grows whenever `in_flight` changes."""
        for story in sorted(self._read(texts), key=lambda story: story.number)[-STORIES_MAX:]:
            self.stories[story.number] = story
        self._next = max(self.stories, default=-1) + 1
        for story in list(self.stories.values()):
            if not story.outcome:
                story.outcome = "unknown" if story.sent else "not_sent"
                self._step(story, _CUT_OFF if story.sent else "this gateway began anew before it was sent", 0)

    def _read(self, texts: Mapping[str, str]) -> list[Story]:
        stories = []
        for line in "\n".join(texts.get(name, "") for name in FILES).split("\n"):
            if not line:
                continue
            try:
                stories.append(Story.from_json(line))
            except (ValueError, TypeError, RecursionError):
                self.damaged += 1
        return stories

    # --- what happens ---------------------------------------------------------------------------------------------

    def came(self, command: Command, point: str, value: str, origin: str, stamp_us: int, now: int, theirs: str) -> None:
        """A control was asked for; `theirs`: the identity that the other member gave it, "" for one that came here."""
        place = command.center, command.point_id
        story = self._selected.pop(place, None) if command.step is not Step.SELECT else None
        if story is None:
            name = theirs or identity(self.member, command.ref)
            story = self._add(Story(self._next, name, stamp_us, point, value, origin, began_ns=now))
        elif command.step is not Step.CANCEL:
            story.outcome = ""
        self._open[command.ref] = story, command
        self._step(story, f"{command.step.name.lower()} asked", now)

    def step(self, ref: int, words: str, now: int, sent: bool = False) -> None:
        """Something happened to it; `sent`: from here on a device may have it."""
        if found := self._open.get(ref):
            found[0].sent |= sent
            self.flights += sent
            self._step(found[0], words, now)

    def report(self, report: Report, now: int) -> bool:
        """Its answer; True where that is how a control ended (a select or a cancel is none)."""
        found = self._open.get(report.ref)
        if found is None:
            return False
        story, command = found
        good, words = report.outcome is Outcome.DONE, report.sentence or report.outcome.name.lower()
        if words.startswith(f"{story.point} "):
            words = words.partition(": ")[2]  # the story has the rest already
        self._step(story, words, now)
        if good and report.stage is Stage.CONFIRM and command.step not in _ENDS:
            return False
        del self._open[report.ref]
        self.flights += story.sent
        if command.step is Step.CANCEL and not good and story.outcome:
            return False
        story.outcome = _ENDS.get(command.step, "executed") if good else report.outcome.name.lower()
        if good and command.step is Step.SELECT:
            self._selected[command.center, command.point_id] = story
            if len(self._selected) > _SELECTED_MAX:
                del self._selected[next(iter(self._selected))]
        return command.step is not Step.CANCEL and not (good and command.step is Step.SELECT)

    def inherited(self, row: list[str], stamp_us: int, now: int) -> bool:
        """A control that the former active had in flight when it died; False where its story is known here."""
        if any(story.id == row[0] for story in self.stories.values()):
            return False
        story = self._add(Story(self._next, row[0], stamp_us, row[1], row[2], row[3], "unknown", True, [], now))
        self._step(story, "in flight at the former active when the role moved; look at the device", now)
        return True

    def in_flight(self) -> list[list[str]]:
        """The controls that a device may have and that nobody has seen end, in texts.

        Each: identity, point, value in words, origin, value, pulse in ms (0: the point's own).
        """
        return [
            [story.id, story.point, story.value, story.origin, repr(command.value), str(command.pulse_ms)]
            for story, command in self._open.values()
            if story.sent
        ]

    def _add(self, story: Story) -> Story:
        self.stories[story.number] = story
        self._next += 1
        if len(self.stories) > STORIES_MAX:
            del self.stories[next(iter(self.stories))]
        return story

    def _step(self, story: Story, words: str, now: int) -> None:
        since_ms = round((now - story.began_ns) / MS, 1) if story.began_ns else 0.0
        story.steps[STEPS_MAX - 1 :] = [(since_ms, words)]
        if not self._dirty:
            self._write_at = max(now + FIRST_NS, self._wrote_at + PAUSE_NS)
        self._dirty.add(story.number // PER_FILE)

    # --- what is shown and kept -----------------------------------------------------------------------------------

    def newest(self, most: int, id: str = "") -> list[Story]:
        """The newest stories, oldest first; with an `id` the one that has it."""
        if id:
            return [story for story in self.stories.values() if story.id == id][-1:]
        return list(self.stories.values())[-most:] if most > 0 else []

    def id_of(self, ref: int) -> str:
        """The identity of a control that is under way."""
        return self._open[ref][0].id if ref in self._open else ""

    def hurry(self) -> bool:
        """Write what is new with the next turn; True where there is something."""
        self._write_at = 0
        return bool(self._dirty)

    def files(self, now: int) -> list[tuple[str, str]]:
        """Drain the files to write now: (name, text)."""
        if not self._dirty or now < self._write_at:
            return []
        dirty, self._dirty, self._wrote_at = sorted(self._dirty), set(), now
        return [(FILES[number % len(FILES)], self._text(number)) for number in dirty]

    def _text(self, number: int) -> str:
        numbers = range(number * PER_FILE, (number + 1) * PER_FILE)
        return "\n".join(self.stories[n].to_json() for n in numbers if n in self.stories)


def identity(member: str, ref: int) -> str:
    """How both members call a control: where it came in, that process' tag, its number there."""
    return f"{member}-{ref >> 32:04x}-{ref & 0xFFFF_FFFF}"
