"""Two members whose wires are cut, lossy or in the hands of a stranger: who is active after each story."""

from __future__ import annotations

import pytest

from tandem.codec.beat import Beat, Kind, Role
from tandem.point import MS
from tests.support.standby_world import PATHS, SEAL, World

RELAYS = pytest.mark.parametrize("relays", [True, False], ids=["relays", "software"])


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


@pytest.mark.parametrize("seed", range(12))
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
