"""Health: what each loss costs, how long it must last, and that a shared one moves nothing to and fro."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tandem.config.load import load
from tandem.config.model import Condition
from tandem.database import Database
from tandem.health import BEST, COST, REMEMBERED_NS, Health, Judgement, judgements
from tandem.journal import Journal
from tandem.point import MS, Cause
from tandem.registry import Registry
from tandem.system import point_table
from tests.support.configs import EXAMPLE


class Rig:
    """A member with these conditions; `down` LANs and `there` centers are the test's."""

    def __init__(self, *conditions: Condition) -> None:
        config = load(EXAMPLE)
        config = replace(config, standby=replace(config.standby, conditions=conditions))
        self.database = Database(point_table(config, Registry()), Journal(64, 64))
        self.down: set[str] = set()
        self.there: set[str] = set()
        self.now = 0
        self.serving = True
        self.health = Health(
            judgements(config, self.database, lambda lan: lan not in self.down, lambda: dict.fromkeys(self.there, True))
        )

    def after(self, ms: int) -> int:
        """Look again after so long, with a look before that ends; returns the health."""
        self.health.look(self.now, self.serving)
        self.now += ms * MS
        self.said = self.health.look(self.now, self.serving)
        return self.health.value

    def write(self, name: str, value: float) -> None:
        self.database.update(self.database.table.id(name), value, 0, 1, Cause.SPONTANEOUS)


def test_a_lan_without_a_condition_costs_at_once() -> None:
    rig = Rig()
    assert rig.after(0) == BEST
    rig.down = {"station"}
    assert rig.after(0) == BEST - COST and rig.health.losses == ["lan.station.down"]
    rig.down = {"station", "control"}
    assert rig.after(0) == BEST - 2 * COST
    rig.down = set()
    assert rig.after(0) == BEST and rig.health.losses == []


def test_a_condition_must_hold_without_a_break() -> None:
    rig = Rig(Condition("lan.control.down", 500))
    rig.down = {"control"}
    assert rig.after(499) == BEST
    rig.down = set()
    assert rig.after(0) == BEST
    rig.down = {"control"}
    assert rig.after(499) == BEST
    assert rig.after(1) == BEST - COST
    assert rig.said == [f"lan.control.down holds: health is {BEST - COST} of {BEST}"]
    rig.down = set()
    assert rig.after(0) == BEST


@pytest.mark.parametrize(
    ("when", "lost", "holds"),
    [
        ("master.meters.down_share > 0.5", {"M1": 0}, True),
        ("master.meters.down_share > 0.5", {"M1": 1}, False),
        ("master.meters.down_share >= 1", {"M1": 0}, True),
        ("master.meters.down_share >= 0", {"M1": 1}, False),
        ("master.meters.down_share > 0.5", {}, False),
        ("master.feeders.down_share > 0", {"F1": 0}, True),
        ("master.feeders.down_share > 0", {"F1": 1, "F2": 0}, False),
    ],
)
def test_the_share_of_lost_devices(when: str, lost: dict[str, int], holds: bool) -> None:
    rig = Rig(Condition(when, 100))
    for device, ok in lost.items():
        rig.write(f"_sys.device.{device}.ok", ok)
    assert (rig.after(100) < BEST) is holds


def test_a_point_is_judged_by_both_members() -> None:
    rig = Rig(Condition("F1.earth_switch", 0))
    rig.serving = False
    rig.write("F1.earth_switch", 1)
    assert rig.after(0) == BEST - COST
    rig.write("F1.earth_switch", 0)
    assert rig.after(0) == BEST


def test_what_only_the_serving_member_sees_is_remembered_by_the_other() -> None:
    """The role moves once: the former active still counts its loss when the new one finds the same."""
    rig = Rig(Condition("center.probe.missing", 1000))
    assert rig.after(1000) == BEST - COST
    rig.serving = False
    assert rig.after(60_000) == BEST - COST
    rig.there = {"probe"}
    assert rig.after(0) == BEST - COST, "it cannot know: the center is at the other one"
    rig.now += REMEMBERED_NS
    assert rig.after(0) == BEST
    rig.serving = True
    assert rig.after(5000) == BEST


def test_a_standby_that_never_served_finds_nothing() -> None:
    rig = Rig(Condition("center.north.missing", 0), Condition("master.meters.down_share > 0", 0))
    rig.serving = False
    rig.write("_sys.device.M1.ok", 0)
    assert rig.after(10_000) == BEST


def test_many_losses_leave_no_health_below_zero() -> None:
    health = Health([Judgement(str(n), 0, lambda: True) for n in range(9)])
    health.look(0, True)
    assert health.value == 0
