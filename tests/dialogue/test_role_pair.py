"""Two members talk over lossy wires: cold starts, deaths, freezes, cuts, forgeries, and who is active after each."""

from __future__ import annotations

import pytest

from tandem.codec.beat import Beat, Kind, Role
from tandem.point import MS
from tandem.standby import act
from tests.support.standby_world import PATHS, SEAL, World

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


def test_with_relays_a_one_way_cut_moves_nothing() -> None:
    world = World(relays=True)
    world.pair()
    world.cut_off("a")
    world.run(2000)
    assert world.active() == ["a"]
    assert world.b.role is Role.STANDBY and world.b.machine.isolated
    assert sum(t.new is Role.TAKING_OVER for t in world.b.machine.log) == 1, "tried once, and then it waits"
    world.cut.clear()
    world.run(500)
    assert world.active() == ["a"] and not world.b.machine.isolated


@pytest.mark.parametrize("deaf", ["a", "b"])
def test_without_relays_a_one_way_cut_has_one_owner_at_any_time(deaf: str) -> None:
    world = World(relays=False)
    world.pair()
    world.cut_off("a" if deaf == "b" else "b")
    world.run(3000)
    assert len(world.owners) >= 1  # World.check has looked at every millisecond
    world.cut.clear()
    world.run(3000)
    assert len(world.active()) == 1, world.story()


def test_an_active_that_is_not_heard_drops_before_the_other_takes_over() -> None:
    world = World(relays=False)
    world.pair()
    world.cut_off("a")
    dropped = world.until(lambda: world.a.role is Role.STANDBY, 300)
    assert dropped < 100 and not world.b.board.owns(world.now // MS)
    assert "not heard us" in world.a.machine.log[-1].reason


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


@RELAYS
def test_recorded_frames_of_an_earlier_run_are_no_life_and_no_order(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.a.machine.order("make b active", world.now)
    world.run(300)
    world.b.machine.order("make a active", world.now)
    world.run(1000)
    recorded = [(path, octets) for who, path, octets in world.recorded if who == "a"]
    released = [(path, octets) for path, octets in recorded if SEAL.verify(octets).kind == Kind.RELEASED_SERVICE]  # type: ignore[union-attr]
    assert released and world.active() == ["a"]
    world.b.kill_all()
    world.run(100)
    world.b.boot()
    for path, octets in [*recorded, *released]:
        world.b.inbox.append((path, octets))
        if len(world.b.inbox) > 20:
            world.run(1)
    world.run(500)
    assert world.active() == ["a"] and world.b.role is Role.STANDBY, world.story()
    assert world.b.machine.log[0].cause.startswith("peer active")


@RELAYS
def test_a_recording_does_not_keep_a_dead_member_alive(relays: bool) -> None:
    world = World(relays)
    world.pair()
    recorded = [(path, octets) for who, path, octets in world.recorded if who == "a"]
    world.a.kill_all()
    for at in range(0, 600, 5):
        world.after(at, lambda: world.b.inbox.extend(recorded[-6:]))
    took = world.until(lambda: world.b.board.owns(world.now // MS), 600)
    assert took <= 300, world.story()


@RELAYS
def test_a_token_of_an_earlier_handover_moves_nothing_later(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.a.machine.order("make b active", world.now)
    world.run(200)
    world.b.machine.order("make a active", world.now)
    world.run(300)
    assert world.active() == ["a"]
    world.run(1500)  # the token of a's first release would still be within its two seconds
    assert world.active() == ["a"] and world.b.role is Role.STANDBY, world.story()


def test_a_release_of_an_older_epoch_is_stale() -> None:
    world = World()
    world.pair()
    guard = world.a.guard
    beat = Beat(
        Kind.RELEASED_SERVICE, 0, Role.ACTIVE, 255, 0, guard.ear.nonce, guard.ear.next_counter(world.now),
        guard.ear.peer_nonce, guard.ear.peer_counter, world.a.machine.epoch - 2, 0, 0, 0,
    )  # fmt: skip
    world.b.inbox.append((0, SEAL.pack(beat)))
    world.run(300)
    assert world.active() == ["a"] and len(world.b.machine.log) == 1


@RELAYS
def test_both_taking_over_ends_with_one(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.cut_off("a")
    world.cut_off("b")
    world.a.kill_supervisor()
    world.run(10)
    world.cut.clear()
    world.run(3000)
    assert len(world.active()) == 1, world.story()


def test_two_actives_compare_and_one_yields_at_once() -> None:
    world = World(relays=False)
    world.pair()
    world.cut_off("a")
    world.cut_off("b")
    world.two_owners_expected = True  # every path cut, no relays, partition = "serve": openly without a bound
    world.until(lambda: world.active() == ["a", "b"], 1000)
    world.cut.clear()
    took = world.until(lambda: len(world.active()) == 1, 200)
    assert took < 60
    world.two_owners_expected = False
    world.run(2000)
    assert len(world.active()) == 1, world.story()


def test_alone_and_set_to_stop_nobody_serves() -> None:
    world = World(relays=False, partition="stop")
    world.pair()
    world.cut_off("a")
    world.cut_off("b")
    world.run(1000)
    assert not world.active()
    world.cut.clear()
    world.run(2000)
    assert len(world.active()) == 1, world.story()


@RELAYS
def test_a_supervisor_that_comes_back_is_the_standby(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.a.kill_supervisor()
    world.until(lambda: not world.a.heart_lives, 1500)
    world.a.boot()
    world.run(1500)
    assert world.active() == ["b"] and world.a.role is Role.STANDBY, world.story()


@RELAYS
def test_out_and_in(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.a.machine.order("out", world.now)
    world.run(600)
    assert world.active() == ["b"] and world.a.role is Role.OUT_OF_SERVICE
    world.b.kill_supervisor()
    world.run(500)
    assert not world.active()
    world.a.machine.order("in", world.now)
    world.run(1000)
    assert world.active() == ["a"]


@RELAYS
def test_worse_health_moves_the_role_once(relays: bool) -> None:
    world = World(relays)
    world.pair()
    world.a.health = 100
    world.run(2000)
    assert world.active() == ["b"]
    world.a.health, world.b.health = 255, 50
    world.run(3000)
    assert world.active() == ["b"], "one move in ten seconds: " + world.story()


def test_no_carrier_and_nobody_heard_rests_the_lease_and_takes_it_up_again() -> None:
    world = World(relays=True)
    world.pair()
    world.cut_off("a")
    world.cut_off("b")
    world.a.carriers = 0
    world.run(400)
    assert world.a.role is Role.ACTIVE and not world.a.board.owns(world.now // MS)
    world.a.carriers = 3
    world.cut.clear()
    world.run(900)
    assert not world.a.board.owns(world.now // MS)
    world.run(300)
    assert world.a.board.owns(world.now // MS) and world.active() == ["a"]


@pytest.mark.parametrize("seed", range(30))
@RELAYS
def test_stories_of_faults_end_with_exactly_one_active(relays: bool, seed: int) -> None:
    world = World(relays, seed=seed)
    world.pair()
    draw = world.random
    for _ in range(4):
        m = draw.choice(world.members)
        fault = draw.choice(["kill", "stall", "freeze", "heart", "cut", "loss", "restart"])
        if fault == "kill" and m.supervisor_lives:
            m.kill_supervisor()
        elif fault == "stall":
            m.supervisor_frozen = True
        elif fault == "freeze":
            m.supervisor_frozen = m.heart_frozen = True
        elif fault == "heart":
            m.heart_frozen = True
        elif fault == "cut" and relays:  # without relays a cut of every path has no bound on two owners
            world.cut_off(m.letter)
        elif fault == "cut":
            world.cut |= {(m.letter, draw.randrange(len(PATHS)))}
        elif fault == "loss":
            world.loss = 0.2
        world.run(draw.randrange(10, 400))
        world.cut.clear()
        world.loss = 0.0
        for each in world.members:
            each.heart_frozen = each.supervisor_frozen = False
        world.run(draw.randrange(1, 1600))
        for each in world.members:
            if not each.heart_lives or not each.supervisor_lives:
                each.kill_all()
                each.boot()
        world.run(draw.randrange(500, 1500))
    world.run(3000)
    assert len(world.active()) == 1, world.story()
