"""Where an event is, asked at both members in virtual time: before and after a failover."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.sim_group import SimGroup
from tools.sim.member import Member

Stages = dict[tuple[str, str], dict[str, Any]]


@pytest.fixture
def group(tmp_path: Path) -> SimGroup:
    return SimGroup(tmp_path / "group")


def journey(member: Member, number: int) -> Stages:
    """The stages by (name, center)."""
    node = member.node
    event: Any = node.journeys.event(number, lambda ns: node.clock.stamp(ns)[0])
    return {(stage["stage"], stage.get("center", "")): stage for stage in event["stages"]}


def fresh_event(group: SimGroup) -> int:
    """The number of an event of F1's that has just come."""
    before, table = group.active.node.journal.head, group.active.node.table

    def served() -> list[int]:
        journal = group.active.node.journal
        records = journal.read(journal.cursor(before), journal.head)
        return [record[0] for record in records if table.by_id[record[3]].name == "F1.voltage_l1"]

    group.until(served)
    return served()[0]


def test_an_event_is_followed_to_every_center(group: SimGroup) -> None:
    number = fresh_event(group)
    group.run(200)
    active, standby = group.active, group.standby
    stages = journey(active, number)
    assert [key for key in stages if not key[1]] == [("stamped", ""), ("arrived", ""), ("mirrored", "")]
    assert (stages["arrived", ""]["member"], stages["arrived", ""]["ms"]) == (active.letter, 0)
    assert stages["mirrored", ""]["member"] == standby.letter
    for center in ("scada.north", "scada.probe"):
        ways = [stages["mirrored", ""], stages["delivered", center], stages["confirmed", center]]
        times = [way["ms"] for way in ways]
        assert all(way["state"] == "done" for way in ways)
        assert 0 < times[0] <= times[1] < times[2] < 20, times
        assert {way["member"] for way in ways[1:]} == {active.letter}
    theirs = journey(standby, number)
    assert (theirs["applied", ""]["member"], theirs["applied", ""]["ms"]) == (standby.letter, 0)
    assert ("mirrored", "") not in theirs
    confirmed = theirs["confirmed", "scada.north"]
    assert (confirmed["member"], confirmed["state"]) == (active.letter, "done") and confirmed["ms"] > 0
    assert theirs["delivered", "scada.north"]["member"] == active.letter


def test_what_waits_is_pending_and_what_was_never_is_a_sentence(group: SimGroup) -> None:
    group.standby.freeze(heart=True)
    number = fresh_event(group)
    stages = journey(group.active, number)
    assert stages["mirrored", ""]["state"] == "pending" and stages["delivered", "scada.north"]["ms"] is None
    with pytest.raises(ValueError, match="there is no event 999999 yet"):
        journey(group.active, 999_999)
    group.standby.thaw()


def test_after_a_failover_the_successor_knows_who_did_what(group: SimGroup) -> None:
    number = fresh_event(group)
    group.run(200)
    old, new = group.active, group.standby
    old.kill(heart_too=True)
    group.until(lambda: new.node.is_active)
    later = fresh_event(group)
    group.run(200)
    before, after = journey(new, number), journey(new, later)
    assert before["applied", ""]["state"] == "done"
    assert before["confirmed", "scada.probe"]["member"] == old.letter
    assert after["arrived", ""]["member"] == new.letter
    assert after["mirrored", ""]["state"] == "pending", "nobody is there to mirror it"
    assert after["confirmed", "scada.probe"]["member"] == new.letter
    old.boot()
    group.until(lambda: new.node.in_sync, 8000)
    group.run(100)
    newest = fresh_event(group)
    group.run(200)
    assert journey(new, newest)["mirrored", ""]["ms"] > 0
    assert journey(old, newest)["confirmed", "scada.probe"]["member"] == new.letter
