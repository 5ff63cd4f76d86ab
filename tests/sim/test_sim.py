"""Two real nodes in virtual time: stories from seeds, each fault alone, and bugs planted to see that they are found."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tandem.codec.record import Record
from tandem.database import Database
from tandem.standby import role_sense
from tandem.standby.role_table import Input
from tools.sim.checks import Broken
from tools.sim.story import FAULTS, Story, tell
from tools.sim.world import MS, SECOND

_SEEDS = Path(__file__).with_name("seeds.txt")


_KEPT = [int(line.split()[0]) for line in _SEEDS.read_text().splitlines() if line[:1].isdigit()]


@pytest.mark.parametrize("seed", _KEPT)
def test_a_story_ends_well(seed: int) -> None:
    story, fault = tell(seed)
    assert not fault, "\n".join(story.world.trace[-30:])
    assert story.checks.compared > 100
    assert len(story.setpoints) > 10


def test_without_a_fault_the_role_stays() -> None:
    story = Story(7)
    story.warm_up()
    story.world.run(10 * SECOND)
    story.checks.alive()
    assert story.checks.role_changes == 1
    assert story.site.centers["probe"].started == 1


@pytest.mark.parametrize("kind", FAULTS)
def test_each_fault_alone(kind: str) -> None:
    story = Story(11)
    story.warm_up()
    active = next(letter for letter, m in story.site.members.items() if m.node.is_active)
    story.hurt(kind, active, 900 * MS)
    story.world.run(2 * SECOND)
    moved = [letter for letter, m in story.site.members.items() if m.up and m.node.is_active] != [active]
    assert moved or kind in ("crossover", "station", "control"), f"{kind} of the active moved nothing"
    story.heal()
    assert story.checks.role_changes <= 4


def test_equal_seeds_tell_equal_stories() -> None:
    here, _ = tell(3, faults=1)
    command = [sys.executable, "-m", "tools.sim", "3", "--faults", "1"]
    there = subprocess.run(
        command, env={**os.environ, "PYTHONHASHSEED": "4711"}, capture_output=True, text=True, timeout=120, check=True
    )
    assert f"hash {here.world.digest[:16]}" in there.stdout


def test_a_takeover_without_a_fence_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(role_sense.SENSES, Input.SILENCE, lambda m: "planted" if m.view.suspect else "")
    monkeypatch.setitem(role_sense.SENSES, Input.FENCED, lambda m: "planted")
    story = Story(5)
    story.warm_up()
    for what in ("station", "control", "crossover"):
        story.site.bench.cut(what, None, False)
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
    with pytest.raises(Broken, match="I4"):
        Story(5).run()


def test_a_setpoint_written_twice_is_found() -> None:
    story = Story(5)
    story.warm_up()
    story.site.relay_f1.executed += [(0, "holding", 0, 1)]
    with pytest.raises(Broken, match="I3"):
        story.checks.controls(story.setpoints)
