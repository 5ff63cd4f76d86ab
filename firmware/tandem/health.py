"""How fit a member is to serve, as one number: 255 less what each LAN without a carrier and each condition costs.

A condition on a LAN, or on a point, is judged by both members as they see it. One that looks at the field or at the
control centers can be judged only by the member that serves; the other keeps what it found when it served last, for
a while. So a loss that both would meet moves the role once at most, and never to and fro.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tandem.config import when
from tandem.config.model import Condition, Config
from tandem.database import Database
from tandem.point import MS, SECOND
from tandem.system import device_point

BEST = 255
COST = 60
"""Of each loss that holds; four of them leave nothing that a fifth could take."""
FLASH_NS = 10 * SECOND
"""A flash that fails for so long is a loss: once is written again."""
REMEMBERED_NS = 3600 * SECOND
"""What a member found while it served counts against it so long afterwards."""


@dataclass(slots=True)
class Judgement:
    """One loss: `seen()` is true while it is there, `holds` once it was there for `for_ns` without a break."""

    name: str
    for_ns: int
    seen: Callable[[], bool]
    serving_only: bool = False
    since_ns: int = -1
    holds: bool = False
    judged_ns: int = 0

    def look(self, now: int, serving: bool) -> bool:
        """Judge anew; True when `holds` changed."""
        before = self.holds
        if self.serving_only and not serving:
            self.since_ns = -1
            self.holds = before and now - self.judged_ns < REMEMBERED_NS
            return before != self.holds
        self.judged_ns = now
        if not self.seen():
            self.since_ns, self.holds = -1, False
        elif self.since_ns < 0:
            self.since_ns, self.holds = now, self.for_ns == 0
        else:
            self.holds = self.holds or now - self.since_ns >= self.for_ns
        return before != self.holds


class Health:
    """The judgements of a member; looked at in every turn."""

    def __init__(self, judgements: list[Judgement]) -> None:
        self.judgements = judgements
        self.value = BEST

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
    config: Config, database: Database, carrier: Callable[[str], bool], connected: Callable[[], Mapping[str, bool]],
    unwritten: Callable[[], bool] = bool,
) -> list[Judgement]:  # fmt: skip
    """Every configured condition, a LAN without a carrier where no condition says for how long, a flash that fails.

    `carrier` answers for a LAN by name; `connected`: by control center, whether one of its front ends is here;
    `unwritten`: the flash does not take what is to be written.
    """
    made = [_condition(one, config, database, carrier, connected) for one in config.standby.conditions]
    named = {term.name for one in config.standby.conditions if (term := when.parse(one.when)).subject == "lan"}
    for lan in config.lans:
        if lan.name not in named:
            made.append(Judgement(f"lan.{lan.name}.down", 0, _down(carrier, lan.name)))
    made.append(Judgement("flash.failed", FLASH_NS, unwritten))
    return made


def _condition(
    one: Condition,
    config: Config,
    database: Database,
    carrier: Callable[[str], bool],
    connected: Callable[[], Mapping[str, bool]],
) -> Judgement:
    term, for_ns = when.parse(one.when), one.for_ms * MS
    if term.subject == "lan":
        return Judgement(one.when, for_ns, _down(carrier, term.name))
    if term.subject == "center":
        return Judgement(one.when, for_ns, lambda: not connected().get(term.name, False), serving_only=True)
    if term.subject == "master":
        return Judgement(one.when, for_ns, _lost_share(term, config, database), serving_only=True)
    point_id = database.table.id(term.name)
    return Judgement(one.when, for_ns, lambda: database.present[point_id][2] == 1)


def _down(carrier: Callable[[str], bool], lan: str) -> Callable[[], bool]:
    return lambda: not carrier(lan)


def _lost_share(term: when.Term, config: Config, database: Database) -> Callable[[], bool]:
    master = next(m for m in config.masters if m.name == term.name)
    ids = [database.table.id(device_point(device.name)) for device in master.devices if device.enabled]

    def seen() -> bool:
        present = database.present
        # a device that was never read is not lost yet: a start is no reason to move
        lost = sum(not present[i][2] and present[i][0] > 0 for i in ids)
        share = lost / len(ids) if ids else 0.0
        return share >= term.limit if term.inclusive and lost else share > term.limit

    return seen
