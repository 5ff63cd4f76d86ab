"""One seed, one story: warm up, hurt, heal, demand life. Equal seeds tell equal stories."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from pathlib import Path

from tools.sim.aims import PATIENCE_MS
from tools.sim.checks import Broken, Checks
from tools.sim.fault import Fault
from tools.sim.faults import Faults
from tools.sim.group import EXAMPLE
from tools.sim.plan import draw_plan, taste_of
from tools.sim.site import Site
from tools.sim.world import MS, SECOND

_WARM_NS = 8 * SECOND
_HEAL_NS = 15 * SECOND
"""Within this everything is well again after the last fault was mended."""
_QUIET_MS = 6000  # where no fault is planned
_STEP_NS = 100 * MS
_WELL_NS = 600 * MS
_QUIET_NS = 1_700 * MS  # the slowest poll, and its way to the centers
_AFTER_LAST_NS = 700 * MS
_OPERATE_NS = 300 * MS


class Story:
    """A site, its checks, and what was done to it."""

    def __init__(self, seed: int, folder: str | Path = EXAMPLE, board: str = "relays", probing: bool = False) -> None:
        self.site = Site(seed, folder, board, probing)
        self.world = self.site.world
        self.checks = Checks(self.site)
        self.faults = Faults(self.site)
        self.faults.froze = self.checks.ledger.froze
        self._operating = True

    def run(self, plan: Sequence[Fault]) -> None:
        """The whole story. Raises Broken."""
        self.warm_up()
        for fault in plan:
            self.faults.arm(fault)
        self._watch()
        last_ms = max((fault.at_ms + PATIENCE_MS * (fault.aim is not None) for fault in plan), default=_QUIET_MS)
        self.world.run(last_ms * MS + _AFTER_LAST_NS)
        self.heal()

    def warm_up(self) -> None:
        """A cold start of both, and a setpoint now and then from here on. Raises Broken."""
        self._until_well(_WARM_NS)
        self._operate()
        self.world.run(_STEP_NS)

    def heal(self) -> None:
        """Everything is mended; then life is demanded. Raises Broken."""
        self.world.tell("everything is mended")
        at_heal = self.checks.role_changes
        self.site.aims.clear()
        self.faults.mend_all()
        self._until_well(_HEAL_NS)
        self._operating = self.site.moving = False
        self.world.run(_QUIET_NS)
        self.checks.alive()
        self.checks.calm([*self.faults.kinds, *self.faults.together], at_heal)
        self.checks.ledger.settle()
        for center in self.site.centers.values():
            center.interrogate()
        self.world.run(_STEP_NS)
        self.checks.ledger.values()

    def _until_well(self, most_ns: int) -> None:
        until, well_since = self.world.now + most_ns, -1
        while self.world.now < until:
            self.world.run(_STEP_NS)
            if self.checks.unwell():
                well_since = -1
                self.faults.back_in()
            elif well_since < 0:
                well_since = self.world.now
            elif self.world.now - well_since >= _WELL_NS:
                return
        self.checks.alive()

    def _watch(self) -> None:
        self.checks.watch()
        self.world.after(_STEP_NS, self._watch)

    def _operate(self) -> None:
        if self._operating:
            self.checks.ledger.operate()
            self.world.after(_OPERATE_NS, self._operate)


def tell(
    seed: int,
    plan: Sequence[Fault] | None = None,
    board: str = "relays",
    folder: str | Path = EXAMPLE,
    listen: Callable[[Story], object] = lambda story: None,
) -> tuple[Story, str]:
    """Tell the story of a seed, or of another plan; returns it with "" or the sentence of what broke."""
    story = Story(seed, folder, board)
    listen(story)
    try:
        story.run(draw_plan(seed, board == "relays", taste_of(board)) if plan is None else plan)
    except Broken as broken:
        story.world.tell(f"BROKEN {broken}")
        return story, str(broken)
    except Exception as error:
        story.world.trace += traceback.format_exc().splitlines()
        return story, f"crash: {type(error).__name__}: {error}"
    return story, ""
