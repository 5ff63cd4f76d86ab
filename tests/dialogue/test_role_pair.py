"""Two members talk over lossy wires: cold starts, deaths, freezes, cuts, forgeries, and who is active after each."""

from __future__ import annotations

import pytest

from tandem.codec.beat import Role
from tandem.point import MS
from tandem.standby import act
from tests.support.standby_world import World

RELAYS = pytest.mark.parametrize("relays", [True, False], ids=["relays", "software"])


@RELAYS
def test_a_cold_start_of_both_ends_with_exactly_one_active(relays: bool) -> None:
    world = World(relays)
    world.boot_both()
    took = world.until(world.active, 2000)
    assert world.active() == ["a"] and took < 600
    world.run(3000)
    assert world.active() == ["a"] and world.b.role is Role.STANDBY
    assert len(world.a.machine.log) == 3, world.story()


@RELAYS
@pytest.mark.parametrize("gap_ms", [0, 1, 7, 20, 61, 130])
def test_a_cold_start_one_after_the_other(relays: bool, gap_ms: int) -> None:
    world = World(relays, seed=gap_ms)
    world.b.boot()
    world.run(gap_ms)
    world.a.boot()
    world.until(world.active, 2500)
    world.run(2500)
    assert len(world.active()) == 1, world.story()


@RELAYS
def test_alone_after_the_cold_wait(relays: bool) -> None:
    world = World(relays)
    world.b.boot()
    assert 300 <= world.until(world.active, 1500) < 800
    assert world.active() == ["b"]


@RELAYS
def test_a_killed_supervisor_is_reported_by_its_heart(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.a.kill_supervisor()
    took = world.until(lambda: world.b.board.owns(world.now // MS), 200)
    assert took <= 8, f"released-service is an explicit signal, it took {took} ms"
    held = world.until(lambda: world.b.machine.lines_held, 300)
    assert held < 60
    assert world.b.machine.takeover.reason == "the peer released the service"
    assert world.b.machine.epoch % 2 == 1


@RELAYS
def test_a_stalled_supervisor_is_killed_after_p(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.a.supervisor_frozen = True
    took = world.until(lambda: world.b.board.owns(world.now // MS), 300)
    assert 38 <= took <= 60, "P after the last turn, which may lie a turn back"
    assert not world.a.supervisor_lives
    world.until(lambda: world.b.machine.lines_held, 300)


@RELAYS
def test_everything_killed_is_proven_by_refusals(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.a.kill_all()
    world.b.heartbeat.link_eof(world.now)
    took = world.until(lambda: world.b.board.owns(world.now // MS), 300)
    assert took < 50, f"a refusal on every path is proof within a round trip, it took {took} ms"
    assert "refused" in world.b.machine.takeover.reason


@RELAYS
def test_a_freeze_of_everything_and_the_thaw(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.a.heart_frozen = world.a.supervisor_frozen = True
    took = world.until(lambda: world.b.board.owns(world.now // MS), 400)
    assert 100 <= took <= 160
    world.run(400)
    world.a.heart_frozen = world.a.supervisor_frozen = False
    world.run(600)
    assert world.active() == ["b"], world.story()
    assert world.a.role is Role.STANDBY and not world.a.board.coil


@RELAYS
@pytest.mark.parametrize("freeze_ms", [30, 61, 75, 110, 125, 180])
def test_a_short_freeze_never_makes_two_owners(relays: bool, freeze_ms: int) -> None:
    world = World(relays)
    world.pair()
    world.a.heart_frozen = world.a.supervisor_frozen = True
    world.run(freeze_ms)
    world.a.heart_frozen = world.a.supervisor_frozen = False
    world.run(2500)
    assert len(world.active()) == 1, world.story()


@RELAYS
def test_a_standby_that_was_frozen_takes_nothing(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.b.heart_frozen = world.b.supervisor_frozen = True
    world.run(500)
    world.b.heart_frozen = world.b.supervisor_frozen = False
    world.run(1000)
    assert world.active() == ["a"] and world.b.role is Role.STANDBY, world.story()
    assert len(world.a.machine.log) == 3 and len(world.b.machine.log) == 1


@RELAYS
def test_a_frozen_heart_alone_loses_the_service_and_stays_quiet_after_it(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.a.heart_frozen = True
    world.until(lambda: world.active() == ["b"] or world.b.board.owns(world.now // MS), 400)
    world.a.heart_frozen = False
    world.run(1500)
    assert world.active() == ["b"], world.story()


@RELAYS
def test_eof_with_both_alive_is_a_suspicion_only(relays: bool) -> None:
    world = World(relays)
    world.pair()
    for _ in range(5):
        world.b.heartbeat.link_eof(world.now)
        world.a.heartbeat.link_eof(world.now)
        world.run(50)
    assert world.active() == ["a"] and len(world.b.machine.log) == 1


@RELAYS
def test_lost_beats_move_nothing(relays: bool) -> None:
    world = World(relays, seed=5)
    world.pair()
    world.loss = 0.3
    world.run(5000)
    assert world.active() == ["a"] and len(world.b.machine.log) == 1


@RELAYS
def test_a_switchover_passes_the_role_without_a_gap_of_silence(relays: bool) -> None:
    world = World(relays)
    world.pair()
    assert world.a.machine.order("make b active", world.now).startswith("releasing")
    took = world.until(lambda: world.b.board.owns(world.now // MS), 500)
    assert took < 50
    world.run(1000)
    assert world.active() == ["b"] and world.b.machine.lines_held and world.a.role is Role.STANDBY
    assert world.b.machine.order("make a active", world.now).startswith("releasing")
    world.run(1000)
    assert world.active() == ["a"] and world.a.machine.lines_held
    assert world.a.machine.epoch > world.b.machine.epoch and world.a.machine.epoch % 2 == 0


def test_a_welded_contact_is_found_before_the_service_is_given() -> None:
    world = World(relays=True)
    world.pair()
    world.a.board.welded = world.welds_expected = True
    world.a.machine.order("make b active", world.now)
    world.run(1000)
    assert world.active() == ["a"], world.story()
    assert world.owners[-1][1] == "a"
    assert any(isinstance(x, act.Alarm) and "welded" in x.reason for x in world.a.done)
