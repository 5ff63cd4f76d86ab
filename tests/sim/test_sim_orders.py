"""Orders about the members of a running group in virtual time: a switchover, out of service and back, priority."""

from __future__ import annotations

import itertools
import struct
from pathlib import Path

import pytest

from tandem.codec.beat import Role
from tests.support.sim_group import B_IN, MAKE_B, SETPOINT, SimGroup
from tools.sim.world import MS, SECOND

C_SC, ACT_CON, ACT_TERM = 45, 7, 10
SOFTWARE = ("gateway.toml", 'arbitration = "relays"', 'arbitration = "software"')


def ordered(group: SimGroup, ioa: int, on: bool = True) -> list[tuple[int, bool]]:
    """Give a control to the probe's connection; (cause, negative) of its answers."""
    probe = group.site.centers["probe"]
    before = len(probe.answers)
    assert probe.command(C_SC, ioa, bytes([on]))
    group.run(10)
    return [(cause, negative) for _, kind, cause, negative, _ in probe.answers[before:] if kind == C_SC]


@pytest.mark.parametrize("arbitration", ["relays", "software"])
def test_a_center_orders_a_switchover_and_is_answered_before_it(tmp_path: Path, arbitration: str) -> None:
    group = SimGroup(tmp_path / "group", *([SOFTWARE] if arbitration == "software" else []))
    probe, began = group.site.centers["probe"], group.world.now
    assert ordered(group, MAKE_B) == [(ACT_CON, False), (ACT_TERM, False)]
    assert group.active.letter == "a", "the answer leaves before the role"
    group.until(lambda: group.site.members["b"].node.role.lines_held, 1000)
    group.until(lambda: probe.command(C_SC, 1, b"\0"), 1000)
    if arbitration == "relays":  # the plant's field line is behind the role contacts
        probe.command(49, SETPOINT, struct.pack("<hB", 61, 0))
        group.until(lambda: group.written(61) == 1)
    group.run(500)
    group.checks.alive()
    assert ordered(group, MAKE_B) == [(ACT_CON, False), (ACT_TERM, False)], "no toggle: b is active and stays so"
    group.run(500)
    assert group.active.letter == "b" and group.checks.role_changes == 2
    assert ordered(group, MAKE_B, on=False) == [(ACT_CON, True)]
    assert group.value(group.active, "_sys.control_unknown") == 0
    meter = [at for at in group.site.meter.polled if at > began - 500 * MS]
    gaps_ms = [(after - before) // MS for before, after in itertools.pairwise(meter)]
    assert 200 <= max(gaps_ms) < 2 * 200, f"{max(gaps_ms)}: one poll cycle of 200 ms is skipped at most"


def test_nothing_is_lost_or_repeated_in_a_switchover_under_way(tmp_path: Path) -> None:
    """The breaker moves all the time; every step that the device made arrives once."""
    group = SimGroup(tmp_path / "group")
    probe = group.site.centers["probe"]
    before = len(probe.events)
    group.active.order("b")
    group.until(lambda: group.site.members["b"].node.role.lines_held, 1000)
    group.run(5000)
    moved = [(e.ioa, e.element) for e in probe.events[before:] if e.type == 30 and e.ioa == 1002]
    assert len(moved) == len(set(moved)) > 1


def test_the_role_waits_for_a_control_s_end_and_new_ones_are_refused(tmp_path: Path) -> None:
    group = SimGroup(tmp_path / "group")
    active = group.active
    name = group.operate(active, "F1.trip_close", 1.0)
    group.until(lambda: group.story(active.node, name).steps[-1][1] == "the device confirmed it", 300)
    active.order("b")
    group.until(lambda: active.node.role.role is Role.RELEASING, 50)
    late = group.operate(active, "F1.tap_setpoint", 71)
    group.until(lambda: group.story(active.node, late).outcome == "refused", 50)
    group.until(lambda: group.site.members["b"].node.role.lines_held, 2500)
    assert group.story(active.node, name).outcome == "executed", group.story(active.node, name).steps
    assert group.written(71) == 0


def test_out_of_service_by_a_control_point_outlives_a_restart(tmp_path: Path) -> None:
    group = SimGroup(tmp_path / "group")
    b = group.standby
    assert b.letter == "b"
    assert ordered(group, B_IN, on=False) == [(ACT_CON, False), (ACT_TERM, False)]
    group.until(lambda: b.node.role.role is Role.OUT_OF_SERVICE, 500)
    group.run(100)
    b.kill(heart_too=True)
    b.boot()
    group.run(4000)
    assert b.node.role.role is Role.OUT_OF_SERVICE
    assert "scada.probe" in str(b.node.status(group.world.now)["out_of_service_because"])
    assert ordered(group, MAKE_B) == [(ACT_CON, True)], "refused: b is no standby"
    assert ordered(group, B_IN) == [(ACT_CON, False), (ACT_TERM, False)]
    group.until(lambda: b.node.role.role is Role.STANDBY and b.node.in_sync, 5000)
    group.run(100)  # the flash has it
    b.kill(heart_too=True)
    b.boot()
    group.until(lambda: b.node.role.role is Role.STANDBY and b.node.in_sync, 5000)


def test_the_active_is_not_ordered_out_where_nobody_is_left_but_by_force(tmp_path: Path) -> None:
    group = SimGroup(tmp_path / "group")
    active, standby = group.active, group.standby
    standby.kill(heart_too=True)
    group.run(1000)

    def out(force: bool) -> str:
        return str(active.call(lambda now: active.node.desk.orders.order("a", "out", "smith", now, force)))

    assert out(False).startswith("refused: nobody would serve")
    group.run(500)
    assert group.active is active
    assert out(True) == "ordered out"
    group.until(lambda: active.node.role.role is Role.OUT_OF_SERVICE, 3000)


def test_an_order_at_the_standby_reaches_the_active(tmp_path: Path) -> None:
    group = SimGroup(tmp_path / "group")
    standby = group.standby
    said = standby.call(lambda now: standby.node.desk.orders.order("a", "out", "smith, new fan", now))
    assert said == 'the order "out" went to member a'
    group.until(lambda: standby.node.is_active, 2000)
    a = group.site.members["a"]
    group.until(lambda: a.node.role.role is Role.OUT_OF_SERVICE, 1000)
    assert a.node.role.ordered_out == "ordered out of service: smith, new fan at b"


def test_the_preferred_member_gets_the_role_back_after_its_time(tmp_path: Path) -> None:
    edits = [
        ("gateway.toml", 'preferred = "none"', 'preferred = "a"'),
        ("gateway.toml", "revert_after_s = 300", "revert_after_s = 3"),
    ]
    group = SimGroup(tmp_path / "group", *edits)
    a, b = group.site.members["a"], group.site.members["b"]
    a.order("b")
    group.until(lambda: b.node.is_active and a.node.in_sync, 3000)
    began = group.world.now
    group.until(lambda: a.node.is_active, 6000)
    assert 2.5 * SECOND < group.world.now - began < 4 * SECOND


def test_what_stops_reverting_outlives_a_restart_and_is_ended_by_an_order(tmp_path: Path) -> None:
    group = SimGroup(tmp_path / "group")
    b = group.standby
    b.node.role.moves.stopped = "3 unclean failovers in an hour"
    group.run(1100)
    b.kill(heart_too=True)
    b.boot()
    group.until(lambda: group.value(b, "_sys.reverts_stopped") == 1, 500)
    assert "3 unclean failovers in an hour" in b.node.reporter.alarms()
    group.run(2000)
    a = group.active
    assert str(a.call(lambda now: a.node.desk.orders.order("a", "re-arm", "smith", now))).endswith("allowed again")
    group.until(lambda: group.value(b, "_sys.reverts_stopped") == 0, 500)
