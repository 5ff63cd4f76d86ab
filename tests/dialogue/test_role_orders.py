"""Orders about the members over the beats: a switchover, out of service and back, and what is refused."""

from __future__ import annotations

import pytest

from tandem.codec.beat import Role
from tandem.point import MS
from tandem.standby.orders import refusal
from tandem.standby.peer import NEVER
from tests.support.standby_world import World


def test_a_switchover_goes_there_and_back_and_is_no_toggle() -> None:
    world = World()
    world.pair()
    a, b = world.a.machine, world.b.machine
    assert a.order("make b active", world.now) == "releasing: b takes over"
    world.until(lambda: world.active() == ["b"] and b.lines_held, 1000)
    world.run(50)
    assert a.order("make b active", world.now) == "this member is standby: there is nothing to hand over"
    assert b.order("make b active", world.now) == "this member is active already"
    world.run(300)
    assert world.active() == ["b"]
    b.order("make a active", world.now)
    world.until(lambda: world.active() == ["a"] and a.lines_held, 1000)


@pytest.mark.parametrize("word", ["make b active", "out"])
def test_nobody_is_ordered_away_who_alone_can_serve(word: str) -> None:
    world = World()
    world.pair()
    world.b.in_sync = False
    world.run(100)
    assert "in sync" in refusal(world.a.machine, word)
    world.b.in_sync = True
    world.run(100)
    assert refusal(world.a.machine, word) == ""
    world.b.kill_all()
    world.run(300)
    assert "no standby" in refusal(world.a.machine, word)


def test_out_of_service_means_no_takeover_until_it_is_ordered_in() -> None:
    world = World()
    world.pair()
    world.b.machine.order("out", world.now, "x: new power supply")
    world.until(lambda: world.b.role is Role.OUT_OF_SERVICE, 100)
    assert world.b.machine.log[-1].reason == "ordered out of service: x: new power supply"
    world.run(100)
    assert "no standby" in refusal(world.a.machine, "make b active")
    world.a.kill_all()
    world.run(3000)
    assert world.active() == [], "a member that was taken out takes nothing over"
    world.b.machine.order("in", world.now)
    world.until(lambda: world.active() == ["b"], 2000)


def test_the_active_that_is_ordered_out_hands_over_first() -> None:
    world = World()
    world.pair()
    assert refusal(world.a.machine, "out") == ""
    world.a.machine.order("out", world.now)
    world.until(lambda: world.active() == ["b"], 500)
    world.until(lambda: world.a.role is Role.OUT_OF_SERVICE, 500)
    world.run(2000)
    assert world.active() == ["b"] and world.a.role is Role.OUT_OF_SERVICE


def test_a_process_that_ends_leaves_no_order_behind() -> None:
    world = World()
    world.pair()
    world.a.machine.leaving = "this process is to end"
    world.until(lambda: world.a.role is Role.OUT_OF_SERVICE, 1000)
    assert world.active() == ["b"] and world.a.machine.ordered_out == ""


def test_an_active_waits_for_its_controls_before_it_gives_the_lines() -> None:
    world = World()
    world.pair()
    m, own = world.a.machine, world.a.machine.own
    m.order("make b active", world.now)
    m.tick(world.now, m.view, own._replace(settled=False))
    assert m.role is Role.RELEASING and m.gave_lines_ns == NEVER
    m.tick(world.now, m.view, own)
    assert m.gave_lines_ns == world.now


def test_the_service_is_given_when_the_own_contact_moves_and_the_centers_have_confirmed() -> None:
    world = World()
    world.pair()
    m, own = world.a.machine, world.a.machine.own
    m.order("make b active", world.now)
    m.tick(world.now, m.view, own._replace(confirmed=False))
    assert m.gave_lines_ns == world.now, "the relay opens while a confirm is on its way"
    m.pins = m.pins._replace(at_ns=world.now + MS, own=0)
    m.tick(world.now + MS, m.view, own._replace(confirmed=False))
    m.tick(world.now + 2 * MS, m.view, own._replace(acknowledged=own.head - 1))
    assert m.dropped_ns == NEVER
    m.pins = m.pins._replace(at_ns=world.now + 3 * MS, own=1)
    m.tick(world.now + 3 * MS, m.view, own)
    assert m.dropped_ns == NEVER, "the contact bounces back"
    m.pins = m.pins._replace(at_ns=world.now + 4 * MS, own=0)
    m.tick(world.now + 4 * MS, m.view, own)
    assert m.dropped_ns == world.now + 4 * MS, "it reads open: it is not welded"
