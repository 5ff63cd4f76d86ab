"""How a configuration is rolled over both members, decided by the active alone from what it sees at a moment.

    the standby runs another one   -> it activates the wanted one: it restarts, and is mirrored to by name
    it runs the wanted one, in sync, and this active another -> switchover; the new active decides from then on
    both run the wanted one        -> done

Nothing is remembered that a restart could not find anew, so whoever is active goes on wherever the commit stands.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

from tandem.kept import Goal
from tandem.point import MS, SECOND

ACTIVATE_NS = 90 * SECOND
"""From the order to activate until the standby is in sync."""
SWITCHOVER_NS = 30 * SECOND
HEALTHY_NS = 2 * SECOND
"""A new active serves so long without a complaint before the other member activates too."""
HEALTHY_MOST_NS = 30 * SECOND
"""It is given up when it does not get there in this time."""
TRIES = 3
_AGAIN_NS = 1_000 * MS


class Sight(NamedTuple):
    """What the active sees. `peer`: what the standby runs, "" without a session; `boot`: its nonce."""

    runs: str
    peer: str
    boot: int
    in_sync: bool
    complaint: str
    """Why this active is not well, as a sentence; "" when it is."""


class Step(enum.Enum):
    """What is to be done now."""

    WAIT = "wait"
    ACTIVATE = "the standby activates the wanted configuration"
    SWITCH = "the standby takes over"
    DONE = "both run it"
    GIVE_UP = "it cannot be"


@dataclass(slots=True)
class _Memory:
    """Of one direction of one commit, since this member began to decide it."""

    since: int
    told_ns: int
    told_boot: int | None = None
    tries: int = 0
    switch_since: int | None = None
    switch_ns: int = 0
    well_since: int | None = None


class Rolling:
    """Decides one commit at a time, on the active."""

    def __init__(self) -> None:
        self.why = ""
        """Of the last `GIVE_UP`, as a sentence."""
        self._of: tuple[str, str] = ("", "")
        self._m = _Memory(0, 0)

    def rest(self) -> None:
        """This member decides nothing now; when it does again, every time limit begins anew."""
        self._of = ("", "")

    def lacks(self) -> None:
        """The standby has not got the files that it was told to activate: it is told again when it has them."""
        self._m.told_boot = None

    def look(self, goal: Goal, sight: Sight, now: int) -> Step:
        """The next step towards an open goal."""
        if self._of != (goal.uid, goal.state):
            self._of, self._m = (goal.uid, goal.state), _Memory(now, now)
        if not sight.peer:
            if goal.state == "rolling" and sight.runs != goal.to and now - self._m.told_ns > ACTIVATE_NS:
                return self._give_up("the other member did not come back")
            return Step.WAIT
        if sight.peer != goal.wanted:
            return self._activate(goal, sight, now)
        if not sight.in_sync:
            late = now - self._m.told_ns > ACTIVATE_NS
            return self._give_up(f"it was not in sync within {ACTIVATE_NS // SECOND} s") if late else Step.WAIT
        if sight.runs == goal.wanted:
            return Step.DONE
        return self._switch(now)

    def _activate(self, goal: Goal, sight: Sight, now: int) -> Step:
        if sight.runs == goal.wanted and not self._is_well(sight, now):
            late = goal.state == "rolling" and now - self._m.since > HEALTHY_MOST_NS and bool(sight.complaint)
            return self._give_up(f"the new active is not well: {sight.complaint}") if late else Step.WAIT
        if sight.boot == self._m.told_boot:
            late = now - self._m.told_ns > ACTIVATE_NS
            return self._give_up("the standby does not activate it") if late else Step.WAIT
        if self._m.tries >= TRIES:
            return self._give_up(f"the standby began {TRIES} times and runs another one")
        self._m.tries += 1
        self._m.told_boot, self._m.told_ns = sight.boot, now
        return Step.ACTIVATE

    def _is_well(self, sight: Sight, now: int) -> bool:
        """Served without a complaint for a while; a standby of the other table is waited for, and not for ever."""
        if sight.complaint:
            self._m.well_since = None
            return False
        self._m.well_since = now if self._m.well_since is None else self._m.well_since
        well_ns = now - self._m.well_since
        return well_ns >= HEALTHY_NS and (sight.in_sync or now - self._m.since >= HEALTHY_MOST_NS)

    def _switch(self, now: int) -> Step:
        if self._m.switch_since is None:
            self._m.switch_since = now
        elif now - self._m.switch_since > SWITCHOVER_NS:
            return self._give_up("the switchover did not happen")
        elif now - self._m.switch_ns < _AGAIN_NS:
            return Step.WAIT
        self._m.switch_ns = now
        return Step.SWITCH

    def _give_up(self, why: str) -> Step:
        self.why = why
        return Step.GIVE_UP
