"""How fit a member is to serve, as one number: 255 less what each LAN without a carrier and each condition costs.

A condition on a LAN, or on a point, is judged by both members as they see it; a LAN is down without a carrier, or when
its reference address does not answer. One that looks at the field or at the control centers can be judged only by the
member that serves; the other keeps what it found when it served last, for a while, and counts devices that do not
answer its probes. So a loss that both would meet moves the role once at most, and never to and fro.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tandem.config import when
from tandem.config.model import Condition, Config
from tandem.database import Database
from tandem.engine import earliest
from tandem.point import MS, SECOND
from tandem.system import device_point

BEST = 255
COST = 60
"""Of each loss that holds; four of them leave nothing that a fifth could take."""
FLASH_NS = 10 * SECOND
"""A flash that fails for so long is a loss: once is written again."""
REMEMBERED_NS = 3600 * SECOND
"""What a member found while it served counts against it so long afterwards."""
APART_NS = 60 * SECOND
"""A loss that probes showed counts so long after they are answered again: the peer's master needs longer to notice."""


@dataclass(slots=True)
class Judgement:
    """One loss: `seen()` is true while it is there, `holds` once it was there for `for_ns` without a break."""

    name: str
    for_ns: int
    seen: Callable[[], bool]
    serving_only: bool = False
    apart: Callable[[], bool] = lambda: False
    """Of `serving_only`: whether a member that does not serve sees in another, damped way that it would meet it."""
    since_ns: int = -1
    holds: bool = False
    found: bool = False
    apart_ns: int = -APART_NS
    judged_ns: int = 0

    def look(self, now: int, serving: bool) -> bool:
        """Judge anew; True when `holds` changed."""
        before = self.holds
        if self.serving_only and not serving:
            self.found = self.found and now - self.judged_ns < REMEMBERED_NS
            self.since_ns = -1
            self.apart_ns = now if self.apart() else self.apart_ns
            self.holds = self.found or now - self.apart_ns < APART_NS
        else:
            self.judged_ns = now
            self.found = self.holds = self._lasts(self.seen(), now)
        return before != self.holds

    def due(self) -> int | None:
        """When a loss that is there will have lasted; None where nothing is on its way."""
        waits = self.since_ns >= 0 and not self.holds
        return self.since_ns + self.for_ns if waits else None

    def _lasts(self, seen: bool, now: int) -> bool:
        """It was there for `for_ns` without a break."""
        if not seen:
            self.since_ns = -1
        elif self.since_ns < 0:
            self.since_ns = now
        return seen and now - self.since_ns >= self.for_ns


class Health:
    """The judgements of a member; looked at in every turn."""

    def __init__(self, judgements: list[Judgement]) -> None:
        self.judgements = judgements
        self.value = BEST

    def due(self) -> int | None:
        """When the next loss will hold, if nothing changes."""
        return earliest(*(one.due() for one in self.judgements))

    def look(self, now: int, serving: bool) -> list[str]:
        """Judge everything; returns a sentence for each loss that began or ended to hold."""
        changed = [one for one in self.judgements if one.look(now, serving)]
        if changed:
            self.value = max(0, BEST - COST * sum(one.holds for one in self.judgements))
        return [
            f"{one.name} {'holds' if one.holds else 'holds no more'}: health is {self.value} of {BEST}"
            for one in changed
        ]

    @property
    def losses(self) -> list[str]:
        """What holds now."""
        return [one.name for one in self.judgements if one.holds]


def judgements(
    config: Config, database: Database, works: Callable[[str], bool], connected: Callable[[], Mapping[str, bool]],
    unwritten: Callable[[], bool] = bool, there: Callable[[str], bool | None] = lambda key: None,
) -> list[Judgement]:  # fmt: skip
    """Every configured condition, a LAN that does not work where no condition says for how long, a flash that fails.

    `works` answers for a LAN by name; `connected`: by control center, whether one of its front ends is here;
    `unwritten`: the flash does not take what is to be written; `there`: whether "device:NAME" answers probes, None
    where nothing is known.
    """
    made = [_condition(one, config, database, works, connected, there) for one in config.standby.conditions]
    named = {term.name for one in config.standby.conditions if (term := when.parse(one.when)).subject == "lan"}
    for lan in config.lans:
        if lan.name not in named:
            made.append(Judgement(f"lan.{lan.name}.down", 0, _down(works, lan.name)))
    made.append(Judgement("flash.failed", FLASH_NS, unwritten))
    return made


def _condition(
    one: Condition,
    config: Config,
    database: Database,
    works: Callable[[str], bool],
    connected: Callable[[], Mapping[str, bool]],
    there: Callable[[str], bool | None],
) -> Judgement:
    term, for_ns = when.parse(one.when), one.for_ms * MS
    if term.subject == "lan":
        return Judgement(one.when, for_ns, _down(works, term.name))
    if term.subject == "center":
        return Judgement(one.when, for_ns, lambda: not connected().get(term.name, False), serving_only=True)
    if term.subject == "master":
        return Judgement(one.when, for_ns, _lost_share(term, config, database), True, _unanswered(term, config, there))
    point_id = database.table.id(term.name)
    return Judgement(one.when, for_ns, lambda: database.present[point_id][2] == 1)


def _down(works: Callable[[str], bool], lan: str) -> Callable[[], bool]:
    return lambda: not works(lan)


def _unanswered(term: when.Term, config: Config, there: Callable[[str], bool | None]) -> Callable[[], bool]:
    """The same share of a master's devices does not answer this member's probes."""
    master = next(m for m in config.masters if m.name == term.name)
    keys = [f"device:{device.name}" for device in master.devices if device.enabled]
    return lambda: _beyond(term, sum(there(key) is False for key in keys), len(keys))


def _beyond(term: when.Term, lost: int, of: int) -> bool:
    share = lost / of if of else 0.0
    return share >= term.limit if term.inclusive and lost else share > term.limit


def _lost_share(term: when.Term, config: Config, database: Database) -> Callable[[], bool]:
    master = next(m for m in config.masters if m.name == term.name)
    ids = [database.table.id(device_point(device.name)) for device in master.devices if device.enabled]

    def seen() -> bool:
        present = database.present
        # a device that was never read is not lost yet: a start is no reason to move
        return _beyond(term, sum(not present[i][2] and present[i][0] > 0 for i in ids), len(ids))

    return seen
