"""What a member keeps of its configurations: which one it runs, which one it ran before, and the commit under way.

All of it is one small file, replaced whole: whenever the power goes, the next start finds the old or the new one.
A configuration is named by its digest; its files stand beside in `configuration-NAME.pack`, written before they are
named here. `trial` counts the starts of a configuration that was never healthy yet; 0: it proved itself.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

FILE = "commit.json"
TRIAL_STARTS = 3
"""A configuration that was started so often and was never healthy is given up."""
STEPS_MAX = 64
OPEN = frozenset(("staging", "rolling", "returning"))
"""States of a commit that is under way; the others are `done`, `returned`, `refused` and `failed`."""


@dataclass(slots=True, frozen=True)
class Goal:
    """A commit: every member is to run `to`; if that cannot be, `back`. The active alone changes it.

    staging -> rolling -> done
       |          +-----> returning -> returned | failed
       +-> refused
    """

    uid: str
    state: str
    to: str = ""
    back: str = ""
    steps: tuple[tuple[int, str, str], ...] = ()
    """(UTC us, member, sentence), oldest first."""

    @property
    def open(self) -> bool:
        """It is under way."""
        return self.state in OPEN

    @property
    def wanted(self) -> str:
        """The configuration that both members are to run now."""
        return self.back if self.state == "returning" else self.to

    def step(self, at_us: int, member: str, sentence: str, state: str = "") -> Goal:
        """One step further, and perhaps in another state."""
        steps = (*self.steps, (at_us, member, sentence))[-STEPS_MAX:]
        return replace(self, steps=steps, state=state or self.state)

    @classmethod
    def of(cls, row: Any) -> Goal | None:
        """From its JSON form; None for none. Raises ValueError, TypeError or KeyError."""
        if row is None:
            return None
        steps = tuple((int(at), str(member), str(text)) for at, member, text in row["steps"])[-STEPS_MAX:]
        return cls(str(row["uid"]), str(row["state"]), str(row["to"]), str(row["back"]), steps)


@dataclass(slots=True, frozen=True)
class Kept:
    """`origin`: a mark of what --config held when `running` began; `tables`: table digests by configuration, hex."""

    running: str = ""
    previous: str = ""
    origin: str = ""
    trial: int = 0
    why: str = ""
    """Why the last activation was given up here; "" when it was not."""
    tables: Mapping[str, str] = field(default_factory=dict)
    goal: Goal | None = None

    def to_json(self) -> str:
        """The persisted form."""
        return json.dumps({**asdict(self), "tables": dict(self.tables)})

    def activate(self, name: str) -> Kept:
        """The next start runs `name`, on trial."""
        previous = self.running if name != self.running else self.previous
        return replace(self, running=name, previous=previous, trial=1, why="")

    def give_up(self, why: str) -> Kept:
        """The next start runs the one before, which proved itself."""
        return replace(self, running=self.previous, previous=self.running, trial=0, why=why)

    @property
    def needed(self) -> frozenset[str]:
        """The configurations whose files must stay."""
        names = {self.running, self.previous}
        return frozenset((names | ({self.goal.to, self.goal.back} if self.goal else set())) - {""})


def pack_file(name: str) -> str:
    """The file of the state folder that holds configuration `name`."""
    return f"configuration-{name}.pack"


def read(text: str) -> Kept:
    """The persisted form, read; "" is a member that keeps nothing yet. Raises ValueError with a sentence."""
    if not text:
        return Kept()
    try:
        row = json.loads(text)
        tables = {str(name): bytes.fromhex(digest).hex() for name, digest in row["tables"].items()}
        running, previous, origin = (str(row[key]) for key in ("running", "previous", "origin"))
        return Kept(running, previous, origin, int(row["trial"]), str(row["why"]), tables, Goal.of(row["goal"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ValueError(f"{FILE} is damaged ({error!r})") from None
