"""Members apart and a third machine: who serves, with a granting witness, without one, and when it begins anew."""

from __future__ import annotations

import pytest

from tandem.codec.beat import Role
from tools.sim import third
from tools.sim.fault import Fault
from tools.sim.plan import draw_plan, taste_of
from tools.sim.story import Story, tell
from tools.sim.world import MS, SECOND


@pytest.mark.parametrize("name", sorted(third.SCRIPTS))
@pytest.mark.parametrize("board", third.BOARDS)
def test_a_scripted_partition_ends_well(name: str, board: str) -> None:
    story, fault = tell(3, third.SCRIPTS[name], board)
    assert not fault, "\n".join([*story.world.trace[-30:], fault])


@pytest.mark.parametrize(("seed", "board"), [(seed, board) for seed in (2, 5, 7, 11) for board in third.BOARDS])
def test_a_drawn_story_ends_well(seed: int, board: str) -> None:
    story, fault = tell(seed, draw_plan(seed, False, taste_of(board)), board)
    assert not fault, "\n".join([*story.world.trace[-30:], fault])


class Apart:
    """A pair whose members were cut from each other a second ago, the first of them active until then."""

    def __init__(self, board: str, *faults: str) -> None:
        self.story = Story(5, board=board)
        self.story.warm_up()
        members = self.story.site.members
        self.first, self.second = sorted(members.values(), key=lambda m: not m.node.is_active)
        for kind in faults:
            self.hurt(kind)
        self.hurt("between")
        self.run(1000)

    def hurt(self, kind: str) -> None:
        letter = self.second.letter if kind.endswith("of the second") else self.first.letter
        self.story.faults.arm(Fault(0, kind.removesuffix(" of the second"), letter, 60_000))
        self.run(100)

    def run(self, ms: int) -> None:
        self.story.world.run(ms * MS)

    @property
    def serving(self) -> str:
        members = (("first", self.first), ("second", self.second))
        return " and ".join(name for name, member in members if member.up and member.node.is_active)


@pytest.mark.parametrize(
    ("board", "faults", "serving"),
    [
        ("stop", (), "first"),
        ("stop", ("witness-cut",), "second"),
        ("stop", ("witness-cut of the second",), "first"),
        ("stop", ("witness-gone",), ""),
        ("stop", ("witness-flash-full",), ""),
        ("witness", (), "first"),
        ("witness", ("witness-cut of the second",), "first and second"),
        ("witness", ("witness-gone",), "first and second"),
    ],
)
def test_who_serves_when_the_members_are_apart(board: str, faults: tuple[str, ...], serving: str) -> None:
    assert Apart(board, *faults).serving == serving


def test_the_grant_of_a_dead_member_runs_out() -> None:
    apart = Apart("stop")
    apart.hurt("kill-all")
    assert apart.serving == "" and apart.second.node.role.isolated
    apart.run(apart.story.site.config.standby.witness_ttl_ms + 1500)
    assert apart.serving == "second"


def test_a_witness_that_begins_anew_takes_nothing_away() -> None:
    apart = Apart("stop")
    apart.hurt("witness-restart")
    for _ in range(60):
        apart.run(100)
        assert apart.serving == "first"


def test_a_member_that_starts_alone_asks_first() -> None:
    apart = Apart("stop", "witness-gone")
    apart.hurt("kill-all")
    apart.first.rise()
    apart.run(6000)
    assert apart.serving == ""
    apart.story.site.third.mend()
    apart.run(4000)
    assert apart.serving in ("first", "second")


def test_a_witness_that_is_silent_is_an_alarm_before_it_is_needed() -> None:
    story = Story(5, board="stop")
    story.warm_up()
    story.faults.arm(Fault(0, "witness-gone", "a", 60_000))
    story.world.run(6 * SECOND)
    for member in story.site.members.values():
        assert "the witness does not answer: a member alone will stop" in member.node.reporter.alarms()
        assert member.node.role.role in (Role.ACTIVE, Role.STANDBY)
    story.site.third.mend()
    story.world.run(2 * SECOND)
    assert not any("witness" in s for m in story.site.members.values() for s in m.node.reporter.alarms())
