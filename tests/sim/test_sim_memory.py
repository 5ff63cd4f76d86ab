"""Parameters and frozen counters of control centers at two nodes in virtual time: a successor carries on with them."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from tests.sim.test_sim_centers import CENTERS, EAST, VOLTAGE, WEST
from tests.support.front import Front
from tests.support.sim_group import SimGroup
from tools.sim.world import SECOND

ENERGY = 3001
THRESHOLD, LOW_LIMIT = 1, 3
GENERAL = bytes.fromhex("64010600 2f00 000000 14")
READ, FREEZE = bytes.fromhex("65010600 2f00 000000 05"), bytes.fromhex("65010600 2f00 000000 45")


@pytest.fixture
def group(tmp_path: Path) -> SimGroup:
    return SimGroup(tmp_path / "group", CENTERS, ("gateway.toml", "slow = 60000", "slow = 1000"))


def parameter(value: float, kind: int) -> bytes:
    """P_ME_NC_1 of the voltage."""
    return bytes.fromhex("700106002f00") + VOLTAGE.to_bytes(3, "little") + struct.pack("<fB", value, kind)


def threshold(value: float) -> bytes:
    """So much must it change to be told."""
    return parameter(value, THRESHOLD)


def reported(group: SimGroup, front: Front) -> list[tuple[int, float]]:
    """(kind, value) of the voltage's parameters, interrogated now."""
    before = len(front.asdus)
    front.ask(GENERAL)
    group.run(200)
    found = [a.objects or [] for a in front.asdus[before:] if a.cause == 20 and a.name == "P_ME_NC_1"]
    return [(v["kind"], v["value"]) for objects in found for ioa, v in objects if ioa == VOLTAGE]


def count(group: SimGroup, kwh: int) -> None:
    """The feeder's counter shows so much, and it was read."""
    group.site.feeder.words[("input", 11)] = kwh
    group.until(lambda: group.value(group.active, "F1.energy") == kwh, 20_000)


def confirmed(front: Front, name: str) -> int:
    """How many positive confirmations of that type came."""
    return sum(a.name == name and a.cause == 7 and not a.negative for a in front.asdus)


def frozen(group: SimGroup, front: Front) -> list[tuple[float, int]]:
    """(reading, sequence number) of the counter, interrogated now."""
    before = len(front.asdus)
    front.ask(READ)
    group.run(200)
    found = [a.objects or [] for a in front.asdus[before:] if a.cause == 37 and a.name == "M_IT_NA_1"]
    return [(v["value"], v["sequence"]) for objects in found for ioa, v in objects if ioa == ENERGY]


def test_a_successor_carries_on_with_what_a_center_wrote(group: SimGroup) -> None:
    old, new = group.active, group.standby
    west, other = Front(group, WEST, None), Front(group, EAST, new)
    count(group, 40)
    west.ask(threshold(1e6))
    west.ask(parameter(-1e6, LOW_LIMIT))
    west.ask(FREEZE)
    group.run(1500)
    assert (confirmed(west, "P_ME_NC_1"), confirmed(west, "C_CI_NA_1")) == (2, 1)
    ((reading, sequence),) = frozen(group, west)
    assert sequence == 1
    told = len(west.events(VOLTAGE))
    old.kill(heart_too=True)
    group.until(lambda: west.started == 2)
    group.run(1500)
    count(group, 70)
    assert frozen(group, west) == [(reading, 1)], "the frozen reading outlived its member"
    assert (reading, group.value(new, "F1.energy")) == (40, 70)
    assert len(west.events(VOLTAGE)) <= told + 1, "the threshold is in force: at most its first value is told"
    assert len(other.events(VOLTAGE)) > told + 2, "another center is told every change"
    assert reported(group, west) == [(THRESHOLD, 1e6), (LOW_LIMIT, -1e6)], "and the successor says so"
    assert reported(group, other) == []
    west.ask(FREEZE)
    group.run(100)
    ((later, sequence),) = frozen(group, west)
    assert (later, sequence) == (70, 2)
    old.boot()
    group.until(lambda: old.node.in_sync, 10_000)
    new.kill(heart_too=True)
    group.until(lambda: west.started == 3)
    assert frozen(group, west) == [(later, 2)], "and that one too, by the way of the member that returned"


def test_what_a_center_wrote_at_its_own_buffer_on_a_member_comes_back_with_that_member(group: SimGroup) -> None:
    active, standby = group.active, group.standby
    at_standby, at_active = Front(group, EAST, standby), Front(group, EAST, active)
    at_standby.ask(FREEZE)
    group.run(500)
    assert [sequence for _, sequence in frozen(group, at_standby)] == [1]
    assert [sequence for _, sequence in frozen(group, at_active)] == [0], "the other member's buffer is another one"
    (reading,) = frozen(group, at_standby)
    standby.kill(heart_too=True)
    group.run(500)
    standby.boot()
    group.until(lambda: standby.node.in_sync and at_standby.started == 2, 10_000)
    assert frozen(group, at_standby) == [reading]


def test_with_a_durable_journal_it_outlives_the_power_of_both(tmp_path: Path) -> None:
    durable = ("gateway.toml", 'journal = "ram"', 'journal = "durable"')
    group = SimGroup(tmp_path / "group", CENTERS, durable, ("gateway.toml", "slow = 60000", "slow = 1000"))
    west = Front(group, WEST, None)
    count(group, 40)
    west.ask(threshold(1e6))
    west.ask(FREEZE)
    group.run(1500)
    assert frozen(group, west) == [(40, 1)]
    members = list(group.site.members.values())
    for member in members:
        member.kill(heart_too=True)
        member.flash.power_lost()
    group.run(50)
    for member in members:
        member.rise()
    group.world.run(6 * SECOND)
    group.until(lambda: west.started == 2)
    count(group, 70)
    assert frozen(group, west) == [(40, 1)]
    told = len(west.events(VOLTAGE))
    group.run(3000)
    assert len(west.events(VOLTAGE)) <= told + 1
