"""Controls of two nodes in virtual time: identity, the log, tags, local and remote, and what a dying active leaves."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tandem.desk import STALLED_NS
from tandem.point import Step
from tests.support.sim_group import SETPOINT, SimGroup
from tools.sim.world import MS

SET = "F1.tap_setpoint"
REMOTE = ("gateway.toml", 'preferred = "none"', 'remote = "not M1.alarm"\npreferred = "none"')


@pytest.fixture
def group(tmp_path: Path) -> SimGroup:
    return SimGroup(tmp_path / "group")


def test_a_control_at_the_standby_is_one_story_on_both_members(group: SimGroup) -> None:
    active, standby = group.active, group.standby
    name = group.operate(standby, SET, 777)
    group.until(lambda: group.story(standby.node, name).outcome)
    theirs, ours = group.story(standby.node, name), group.story(active.node, name)
    assert (theirs.outcome, ours.outcome, group.written(777)) == ("executed", "executed", 1)
    assert (theirs.origin, ours.origin) == ("local.smith", f"local.smith at member {standby.letter}")
    assert [words for _, words in ours.steps] == [
        "direct asked", "given to feeders", "the device confirmed it", "executed",
    ]  # fmt: skip
    group.run(400)
    words = ("_sys.controls.forwarded", "_sys.controls.executed")
    counts = [tuple(group.value(member, word) for word in words) for member in (standby, active)]
    assert counts == [(1, 1), (0, 1)]


def test_a_forwarded_control_that_quotes_an_old_beat_is_refused(
    group: SimGroup, monkeypatch: pytest.MonkeyPatch
) -> None:
    active, standby = group.active, group.standby
    group.run(700)
    old = (standby.node.quoted.newest - 40) & 0xFFFF_FFFF  # 40 beats of 20 ms: 800 ms
    monkeypatch.setattr(standby.node.quoted, "heard", lambda word: None)  # no newer one before the control leaves
    monkeypatch.setattr(standby.node.quoted, "newest", old)
    name = group.operate(standby, SET, 778)
    group.until(lambda: group.story(standby.node, name).outcome)
    assert group.story(standby.node, name).outcome == "refused" and group.written(778) == 0
    assert "too long" in group.story(active.node, name).steps[-1][1]


@pytest.mark.parametrize("after_us", [0, 100, 400, 700, 2_000, 5_000, 9_000, 16_000, 40_000])
def test_the_active_dies_at_any_moment_of_a_forwarded_control(tmp_path: Path, after_us: int) -> None:
    group = SimGroup(tmp_path / "group", seed=after_us + 1)
    active, standby = group.active, group.standby
    name = group.operate(standby, SET, 999)
    group.world.run(after_us * 1000)
    active.kill(heart_too=bool(after_us % 3))
    group.until(lambda: standby.node.is_active and standby.node.role.lines_held)
    group.run(500)
    outcome, written = group.story(standby.node, name).outcome, group.written(999)
    truth = {"executed": {1}, "refused": {0}, "not_sent": {0}, "unknown": {0, 1}}
    assert written in truth[outcome], f"{outcome}, and the device has it {written} times"
    total = group.value(standby, "_sys.control_unknown")
    assert total <= 1 and (outcome == "unknown" or total == 0)


def test_a_control_in_flight_when_its_own_active_died_is_told_by_the_successor(group: SimGroup) -> None:
    active, standby = group.active, group.standby
    name = group.operate(active, "F1.trip_close", 1.0, Step.SELECT)
    group.run(20)
    group.operate(active, "F1.trip_close", 1.0, Step.EXECUTE)
    group.until(lambda: any(words.startswith("given") for _, words in group.story(active.node, name).steps), 100)
    group.run(3)
    active.kill(heart_too=True)
    group.until(lambda: standby.node.is_active)
    told = group.story(standby.node, name)
    assert (told.outcome, told.point, told.value, told.origin) == ("unknown", "F1.trip_close", "off", "local.smith")
    group.run(50)
    assert group.value(standby, "_sys.control_unknown") == 1
    group.run(1000)
    assert [w for _, *coil, w, _ in group.site.feeder.executed if coil == ["coil", 1] and w] in ([], [1])


def test_the_successor_ends_a_pulse_that_its_predecessor_began(group: SimGroup) -> None:
    active, standby = group.active, group.standby
    group.operate(active, "F1.trip_close", 1.0)
    coil = group.site.feeder.words
    group.until(lambda: coil.get(("coil", 1)))
    began = group.world.now
    group.run(30)
    active.kill(heart_too=True)
    group.until(lambda: standby.node.role.lines_held)
    assert coil["coil", 1], "the coil of a dead active stays on"
    name = group.operate(standby, "F1.trip_close", 2.0)
    group.until(lambda: group.story(standby.node, name).outcome == "refused", 20)
    assert "pulse of the former active" in group.story(standby.node, name).steps[-1][1]
    group.until(lambda: not coil["coil", 1], 1000)
    assert 480 * MS < group.world.now - began < 700 * MS, "for as long as its pulse lasts"
    group.run(1000)
    assert [(n, w) for _, t, n, w, _ in group.site.feeder.executed if t == "coil"] == [(1, 1), (1, 0)]


@pytest.mark.parametrize("step_ms", [3, 40])
def test_a_living_active_that_loses_the_role_counts_its_unknown_controls_once(group: SimGroup, step_ms: int) -> None:
    """In flight at the device (3 ms), or confirmed and waiting for its end (40 ms)."""
    active, standby = group.active, group.standby
    name = group.operate(active, "F1.trip_close", 1.0)
    group.run(step_ms)
    active.call(lambda now: active.node.role.permission_lost("the test says so"))
    group.until(lambda: group.story(active.node, name).outcome == "unknown", 50)
    both = (active, standby)
    group.until(lambda: any(m.node.role.lines_held for m in both) and all(m.node.in_sync for m in both), 5000)
    for member in (*both, active):
        group.operate(member, "_sys.make_a_active" if member.letter == "a" else "_sys.make_b_active", 1.0)
        group.until(lambda member=member: member.node.role.lines_held and all(m.node.in_sync for m in both), 5000)
        group.run(300)
        assert group.value(member, "_sys.control_unknown") == 1


def test_what_waited_while_the_member_stood_still_is_refused(group: SimGroup) -> None:
    standby = group.standby

    def stalled(now: int) -> None:
        standby.node.desk.was_away(STALLED_NS, now)

    standby.call(stalled)
    name = group.operate(standby, SET, 12)
    group.until(lambda: group.story(standby.node, name).outcome == "refused", 20)
    assert "was stalled" in group.story(standby.node, name).steps[-1][1]
    group.run(300)
    assert group.written(12) == 0


def test_a_selection_does_not_outlive_the_role(group: SimGroup) -> None:
    active, standby = group.active, group.standby
    name = group.operate(standby, SET, 321, Step.SELECT)
    group.until(lambda: group.story(standby.node, name).outcome == "selected")
    active.kill(heart_too=True)
    group.until(lambda: standby.node.is_active and standby.node.role.lines_held)
    later = group.operate(standby, SET, 321, Step.EXECUTE)
    group.until(lambda: "not selected" in group.story(standby.node, name).steps[-1][1])
    assert group.written(321) == 0 and later


def test_a_tag_is_known_on_both_survives_a_failover_and_a_restart_and_is_taken_off_anywhere(group: SimGroup) -> None:
    active, standby = group.active, group.standby
    standby.call(lambda now: standby.node.desk.tag("F1", True, "smith", "cable open", now))
    group.until(lambda: active.node.tags.find(SET))
    name = group.operate(active, SET, 5)
    group.until(lambda: group.story(active.node, name).outcome == "refused")
    assert "tagged by smith: cable open" in group.story(active.node, name).steps[-1][1]
    group.until(lambda: group.value(active, "_sys.tagged") == 1)
    active.kill(heart_too=True)
    group.until(lambda: standby.node.is_active and standby.node.role.lines_held)
    name = group.operate(standby, SET, 6)
    group.until(lambda: group.story(standby.node, name).outcome == "refused")
    active.boot()
    assert active.node.tags.find(SET), "it was on flash"
    group.until(lambda: active.node.in_sync, 5000)
    active.call(lambda now: active.node.desk.tag("F1", False, "jones", "", now))
    group.until(lambda: not standby.node.tags.find(SET))
    name = group.operate(standby, SET, 7)
    group.until(lambda: group.story(standby.node, name).outcome == "executed")
    assert (group.written(5), group.written(6), group.written(7)) == (0, 0, 1)


def test_a_tag_set_while_the_members_are_apart_is_told_when_they_meet(group: SimGroup) -> None:
    active, standby = group.active, group.standby
    standby.kill(heart_too=True)
    group.run(200)
    active.call(lambda now: active.node.desk.tag("F1.trip_close", True, "smith", "x", now))
    standby.boot()
    group.until(lambda: standby.node.tags.find("F1.trip_close"), 6000)
    assert not standby.node.tags.find(SET)


def test_a_key_that_says_local_blocks_the_centers_and_not_the_people_at_the_station(tmp_path: Path) -> None:
    group = SimGroup(tmp_path / "group", REMOTE)
    active, probe = group.active, group.site.centers["probe"]
    group.until(lambda: group.value(active, "_sys.remote") == 1)
    probe.command(49, SETPOINT, struct.pack("<hB", 41, 0))
    group.until(lambda: group.written(41) == 1)
    group.site.meter.words[("holding", 4)] = 1 << 3
    group.until(lambda: group.value(active, "M1.alarm") == 1, 2000)
    group.until(lambda: group.value(active, "_sys.slave.scada.remote") == 0)
    before = len(probe.answers)
    probe.command(49, SETPOINT, struct.pack("<hB", 42, 0))
    group.until(lambda: len(probe.answers) > before)
    assert probe.answers[-1][2:4] == (7, True), "a negative confirmation"
    assert any("switched to local" in words for _, words in active.node.stories.newest(1)[0].steps)
    name = group.operate(active, SET, 43)
    group.until(lambda: group.story(active.node, name).outcome == "executed")
    assert (group.written(42), group.written(43)) == (0, 1)


def test_the_log_is_on_flash_before_long_and_a_restart_reads_it(group: SimGroup) -> None:
    active, standby = group.active, group.standby
    name = group.operate(active, SET, 31)
    group.run(1200)
    active.kill(heart_too=True)
    group.until(lambda: standby.node.is_active)
    active.boot()
    assert group.story(active.node, name).outcome == "executed"
    assert sum(key.startswith("controls-") for key in active.flash.files) == 1
