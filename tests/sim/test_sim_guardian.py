"""Two real nodes behind their guardians in virtual time: the rules drive the relays, and all can go wrong between."""

from __future__ import annotations

import pytest

from guardian.rules import Guardian
from tools.sim import guardian
from tools.sim.checks import Broken
from tools.sim.fault import Fault
from tools.sim.plan import draw_plan, taste_of
from tools.sim.story import Story, tell
from tools.sim.world import MS, SECOND

KEPT = (1, 2, 3, 5, 7, 11, 13, 17)
"""Seeds whose stories are told at every test."""


@pytest.mark.parametrize("seed", KEPT)
def test_a_drawn_story_ends_well(seed: int) -> None:
    story, fault = tell(seed, draw_plan(seed, True, taste_of(guardian.GUARDIAN)), guardian.GUARDIAN)
    assert not fault, "\n".join([*story.world.trace[-30:], fault])


@pytest.mark.parametrize("name", sorted(guardian.SCRIPTS))
def test_a_scripted_worst_case_ends_well(name: str) -> None:
    story, fault = tell(3, guardian.SCRIPTS[name], guardian.GUARDIAN)
    assert not fault, "\n".join([*story.world.trace[-30:], fault])


def test_without_a_fault_the_role_stays() -> None:
    story = Story(7, board=guardian.GUARDIAN)
    story.warm_up()
    story.world.run(10 * SECOND)
    story.checks.alive()
    assert story.checks.role_changes == 1 and story.checks.compared > 100


@pytest.mark.parametrize("kind", guardian.KINDS)
def test_each_fault_alone(kind: str) -> None:
    story = Story(11, board=guardian.GUARDIAN)
    story.warm_up()
    active = next(letter for letter, m in story.site.members.items() if m.node.is_active)
    story.faults.hurt(Fault(0, kind, active, 900))
    story.world.run(2 * SECOND)
    story.heal()
    assert story.checks.role_changes <= 4


def test_equal_seeds_tell_equal_stories() -> None:
    plan = draw_plan(5, True, taste_of(guardian.GUARDIAN))
    first, second = (tell(5, plan, guardian.GUARDIAN)[0].world.digest for _ in range(2))
    assert first == second


def test_a_guardian_that_holds_too_long_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    story = Story(5, board=guardian.GUARDIAN)
    story.warm_up()
    for controller in story.site.controllers.values():
        monkeypatch.setattr(controller.guardian.settings, "hold_ms", 140)
    active = next(letter for letter, m in story.site.members.items() if m.node.is_active)
    story.faults.hurt(Fault(0, "freeze", active, 900))
    with pytest.raises(Broken, match="W: the role contact of"):
        story.world.run(SECOND)


def test_a_guardian_that_does_not_latch_is_found_by_what_it_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beats that were kept back on the line come at once: an unlatched one would close its relay on them."""

    def unlatched(self: Guardian, cause: int) -> None:
        self.watchdog = self.role = self.trip = False

    monkeypatch.setattr(Guardian, "_drop", unlatched)
    story = Story(5, board=guardian.GUARDIAN)
    story.warm_up()
    active = next(letter for letter, m in story.site.members.items() if m.node.is_active)
    closed = []
    story.site.bench.watchers.append(lambda e: closed.append(e[0]) if e[1:] == ("contact", active, 1) else None)
    story.faults.hurt(Fault(0, "uart-stuck", active, 250))
    story.faults.hurt(Fault(0, "freeze", active, 900))
    story.world.run(600 * MS)
    assert closed, "so the test of the latch tests the latch"
