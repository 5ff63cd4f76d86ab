"""Two real nodes in virtual time: stories from seeds, each fault alone, and bugs planted to see that they are found."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tandem.codec.record import Record
from tandem.database import Database
from tandem.standby import role_sense
from tandem.standby.role_table import Input
from tools.sim.checks import Broken
from tools.sim.fault import Fault
from tools.sim.faults import KINDS
from tools.sim.kept import Kept, read_kept
from tools.sim.plan import SCRIPTS, draw_plan
from tools.sim.story import Story, tell
from tools.sim.world import MS, SECOND

_MOVES = {"kill", "kill-all", "kill-heart", "stall", "freeze", "end", "power", "hang", "switchover"}


@pytest.mark.parametrize("kept", read_kept(), ids=lambda kept: kept.was)
def test_a_kept_story_ends_well(kept: Kept) -> None:
    story, fault = tell(kept.seed, kept.plan, kept.board)
    assert not fault, "\n".join([*story.world.trace[-30:], fault])


@pytest.mark.parametrize("board", ["relays", "software"])
def test_without_a_fault_the_role_stays(board: str) -> None:
    story = Story(7, board=board)
    story.warm_up()
    story.world.run(10 * SECOND)
    story.checks.alive()
    assert story.checks.role_changes == 1
    assert story.checks.compared > 100
    assert len(story.checks.ledger.asked) > 30
    assert all(len(center.starts) == 1 for center in story.site.centers.values())


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_each_fault_alone(kind: str) -> None:
    story = Story(11)
    story.warm_up()
    active = next(letter for letter, m in story.site.members.items() if m.node.is_active)
    story.faults.arm(Fault(0, kind, active, 900))
    story.world.run(850 * MS)
    moved = [letter for letter, m in story.site.members.items() if m.up and m.node.is_active] != [active]
    assert kind not in _MOVES or moved, f"{kind} of the active moved nothing"
    story.world.run(1200 * MS)
    story.heal()
    assert story.checks.role_changes <= 4


@pytest.mark.parametrize("name", sorted(SCRIPTS))
@pytest.mark.parametrize("board", ["relays", "software"])
def test_a_scripted_worst_case_ends_well(name: str, board: str) -> None:
    story, fault = tell(3, SCRIPTS[name], board)
    assert not fault, "\n".join([*story.world.trace[-30:], fault])


def test_equal_seeds_tell_equal_stories() -> None:
    here, _ = tell(3, draw_plan(3))
    command = [sys.executable, "-m", "tools.sim", "3", "--board", "relays"]
    there = subprocess.run(
        command, env={**os.environ, "PYTHONHASHSEED": "4711"}, capture_output=True, text=True, timeout=120, check=True
    )
    assert f"hash {here.world.digest[:16]}" in there.stdout


def test_a_takeover_without_a_fence_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(role_sense.SENSES, Input.SILENCE, lambda m: "planted" if m.view.suspect else "")
    monkeypatch.setitem(role_sense.SENSES, Input.FENCED, lambda m: "planted")
    story = Story(5)
    story.warm_up()
    story.faults.arm(Fault(0, "between", "a", 2000))
    with pytest.raises(Broken, match="two holders"):
        story.world.run(2 * SECOND)


def test_a_record_that_is_not_applied_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Database.apply

    def forgetful(self: Database, head: int, soe: bytes, analog: bytes) -> int:
        before: list[Record] = list(self.present)
        count = whole(self, head, soe, analog)
        if analog:
            number = int.from_bytes(analog[24:28], "little")
            self.present[number] = before[number]
        return count

    monkeypatch.setattr(Database, "apply", forgetful)
    story = Story(5)
    with pytest.raises(Broken, match=r"I4|promise"):
        story.run(())


def test_a_setpoint_written_twice_is_found() -> None:
    story = Story(5)
    story.warm_up()
    story.site.feeder.executed += 2 * [(0, "holding", 0, 1, "a")]
    with pytest.raises(Broken, match="I3"):
        story.checks.ledger.settle()
