"""Two nodes whose boards have a peer-trip: a held contact is opened once, a welded one is not, nobody is doubled."""

from __future__ import annotations

import pytest

from tandem.codec.beat import Role
from tools.sim.fault import Fault
from tools.sim.member import Member
from tools.sim.plan import draw_plan, taste_of
from tools.sim.story import Story, tell
from tools.sim.world import MS

_FOR_LONG = 60_000


class Stuck:
    """A warm pair whose active's contact sticks in some way, and then something more befalls it."""

    def __init__(self, board: str, *faults: str) -> None:
        self.story = Story(5, board=board)
        self.story.warm_up()
        members = self.story.site.members.values()
        self.first, self.second = sorted(members, key=lambda m: not m.node.is_active)
        for kind in faults:
            self.story.faults.hurt(Fault(0, kind, self.first.letter, _FOR_LONG))
        self.run(1500)

    def run(self, ms: int) -> None:
        self.story.world.run(ms * MS)

    def contact(self, member: Member) -> bool:
        return self.story.site.bench.relays.contact(member.letter)

    @property
    def trips(self) -> int:
        return self.second.node.role.lines.trip.count

    def pulses(self) -> int:
        history = self.story.site.bench.history
        return sum((what, member, value) == ("trip", self.second.letter, 1) for _, what, member, value in history)


def test_the_held_contact_of_a_silent_active_is_opened() -> None:
    stuck = Stuck("trip", "held", "hang")
    assert stuck.second.node.role.role is Role.ACTIVE and stuck.second.node.role.lines_held
    assert stuck.trips == stuck.pulses() == 1
    assert stuck.contact(stuck.second) and not stuck.contact(stuck.first)
    assert any("tripped 1 times within the hour" in s for s in stuck.second.node.reporter.alarms())
    stuck.story.heal()


def test_without_a_trip_that_takeover_ends_isolated() -> None:
    stuck = Stuck("relays", "held", "hang")
    assert stuck.second.node.role.isolated and stuck.contact(stuck.first)
    stuck.story.heal()


@pytest.mark.parametrize(("board", "held"), [("trip", True), ("relays", False)])
def test_the_lines_of_a_dead_active_whose_contact_is_held(board: str, held: bool) -> None:
    stuck = Stuck(board, "held", "kill-all")
    assert stuck.second.node.is_active, "its kernel says that it is dead"
    assert stuck.second.node.role.lines_held is held
    stuck.story.heal()


def test_a_welded_contact_is_tripped_once_and_nobody_serves() -> None:
    stuck = Stuck("trip", "weld", "hang")
    assert stuck.trips == 1 and stuck.second.node.role.isolated and stuck.contact(stuck.first)
    stuck.run(3000)
    assert stuck.trips == 1
    stuck.story.heal()


def test_members_that_are_only_apart_move_the_role_once() -> None:
    """What cannot be told from a held contact; the one that was tripped lives, and trips nobody."""
    stuck = Stuck("trip", "between")
    assert stuck.second.node.is_active and stuck.first.node.role.role is Role.STANDBY
    before = stuck.story.checks.role_changes
    stuck.run(4000)
    assert stuck.story.checks.role_changes == before and stuck.trips == 1
    assert stuck.first.node.role.lines.trip.count == 0 and not stuck.first.node.is_active
    stuck.story.heal()


def test_who_is_cut_off_trips_nobody() -> None:
    story = Story(5, board="trip")
    story.warm_up()
    standby = next(m for m in story.site.members.values() if not m.node.is_active)
    story.faults.hurt(Fault(0, "apart", standby.letter, _FOR_LONG))
    story.world.run(2000 * MS)
    assert not standby.node.is_active and standby.node.role.lines.trip.count == 0
    story.heal()


@pytest.mark.parametrize("seed", [2, 5, 7, 11])
def test_a_drawn_story_ends_well(seed: int) -> None:
    story, fault = tell(seed, draw_plan(seed, True, taste_of("trip")), "trip")
    assert not fault, "\n".join([*story.world.trace[-30:], fault])
