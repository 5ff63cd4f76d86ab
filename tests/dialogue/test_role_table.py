"""The table: total, drawn from itself, one door; and every state with every input, whatever the rest says."""

from __future__ import annotations

from collections import deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.codec.beat import Role
from tandem.codec.heart import PinsRead
from tandem.config.model import Standby
from tandem.config.timing import RelayTimes
from tandem.point import MS
from tandem.standby import act
from tandem.standby.lines import LinesStep
from tandem.standby.own import OwnState, next_epoch
from tandem.standby.peer import NEVER, PeerView
from tandem.standby.role import RoleMachine
from tandem.standby.role_sense import SENSES
from tandem.standby.role_table import TABLE, Input, as_dot, as_text, rows

STATES = [role for role in Role if role is not Role.DEAD]
RELAY = RelayTimes(watchdog_ms=120, operate_ms=8, release_ms=5, bounce_ms=3, debounce_ms=5)


def machine(state: Role, member: str = "a", relays: bool = True) -> RoleMachine:
    standby = Standby(arbitration="relays" if relays else "software")
    made = RoleMachine(member, standby, RELAY if relays else None, 1_000 * MS)
    made.role = state
    made.own = OwnState(reserved_epoch=2)
    return made


@pytest.mark.parametrize("given_input", list(Input))
@pytest.mark.parametrize("state", STATES)
def test_every_state_takes_every_input(state: Role, given_input: Input) -> None:
    m = machine(state)
    m.hold_off_until = m.vacant_since = m.gave_lines_ns = m.dropped_ns = 5
    changed = m.apply(given_input, "because the test says so")
    row = TABLE.get((state, given_input))
    assert m.role is (row.next if row else state) and changed is (m.role is not state)
    if changed:
        assert (m.vacant_since, m.gave_lines_ns, m.dropped_ns) == (NEVER, NEVER, NEVER), "the door clears every timer"
        assert m.hold_off_until in (NEVER, m.now + m.hold_off_ns, m.now + m.lines.yield_ns) and m.entered_ns == m.now
        assert m.log[-1].reason == "because the test says so" and m.log[-1].cause == given_input.value


def test_every_input_has_a_sense_and_a_row() -> None:
    assert set(SENSES) == set(Input) == {given_input for _, given_input in TABLE}
    assert {state for state, _ in TABLE} == set(STATES)


def test_who_leaves_a_serving_state_gives_the_service_back_first() -> None:
    for (state, given_input), row in TABLE.items():
        if state in (Role.TAKING_OVER, Role.ACTIVE) and row.next in (Role.STANDBY, Role.OUT_OF_SERVICE):
            m = machine(state)
            m.apply(given_input, "x")
            assert any(isinstance(action, act.Drop) for action in m._actions), (state, given_input)


def test_only_a_fence_leads_to_active() -> None:
    into = {(state, i) for (state, i), row in TABLE.items() if row.next is Role.ACTIVE and state is not Role.ACTIVE}
    assert into == {(Role.TAKING_OVER, Input.FENCED), (Role.RELEASING, Input.NOT_OPEN)}


def test_the_drawings_come_from_the_table() -> None:
    assert len(as_text().splitlines()) == len(TABLE) == as_dot().count("->")
    assert "standby" in as_text() and '"taking-over" -> "active"' in as_dot()
    assert rows(Role.RELEASING)[0][0] is Input.FAULT


times = st.sampled_from([NEVER, 0, 900 * MS, 999 * MS, 1_000 * MS, 1_200 * MS, 1_500 * MS])
flags = st.integers(0, 255)
VIEWS = st.builds(
    PeerView, now=st.just(1_500 * MS), known=st.booleans(), heard=st.booleans(), role=st.sampled_from(list(Role)),
    epoch=st.integers(0, 9), highest_epoch=st.integers(0, 9), health=flags, flags=flags, head=st.integers(0, 3),
    fresh_beats=st.integers(0, 4), fresh_ns=times, echo_sent_ns=times, silent_ns=st.integers(0, 500 * MS),
    suspect=st.booleans(), silent=st.booleans(), settled=st.booleans(), isolated=st.booleans(), deaf=st.booleans(),
    missed_q_ms=st.integers(0, 90), disowned=st.booleans(), dead=st.sampled_from(["", "refused"]), dead_ns=times,
    service_released_ns=times, lines_released_ns=times, lines_drained=st.booleans(),
)  # fmt: skip
OWNS = st.builds(
    OwnState, health=flags, ready=st.booleans(), fault=st.sampled_from(["", "broken"]), in_sync=st.booleans(),
    last_in_sync=st.booleans(), was_standby=st.booleans(), epoch=st.integers(0, 9), head=st.integers(0, 3),
    reserved_epoch=st.integers(0, 12), acknowledged=st.integers(0, 3), drained=st.booleans(),
    descends=st.integers(-1, 1), address_unanswered=st.booleans(),
)  # fmt: skip
PINS = st.builds(PinsRead, times.filter(lambda t: t >= 0), *[st.integers(0, 1)] * 4, st.integers(0, 3))
STEPS = st.lists(st.tuples(st.integers(0, 200), VIEWS, OWNS, PINS, st.sampled_from(["", "lost"])), max_size=8)
ORDERS = st.sampled_from(["", "out", "in", "make a active", "make b active", "re-arm", "nonsense"])


@settings(max_examples=100, deadline=None)
@given(st.sampled_from("ab"), st.booleans(), st.sampled_from(["serve", "stop"]), STEPS, ORDERS)
def test_any_story_is_survived(
    member: str, relays: bool, partition: str, steps: list[tuple[object, ...]], order: str
) -> None:
    standby = Standby(arbitration="relays" if relays else "software", partition=partition)  # type: ignore[arg-type]
    m = RoleMachine(member, standby, RELAY if relays else None, 0, preferred="b")
    now, served = 0, False
    for after_ms, view, own, pins, lost in steps:
        now += after_ms * MS  # type: ignore[operator]
        m.heart_says(pins)  # type: ignore[arg-type]
        if lost:
            m.permission_lost("lost")
        if order:
            assert m.order(order, now)
        for action in m.tick(now, view, own):  # type: ignore[arg-type]
            assert action.reason or isinstance(action, act.ReserveEpoch)
            served = isinstance(action, act.ClaimService) or (served and not isinstance(action, act.Drop))
        assert served is (m.role in (Role.ACTIVE, Role.RELEASING) and m.dropped_ns == NEVER)
        due = m.due()
        assert due is None or due > now
        assert m.epoch == 0 or m.epoch <= 12


def test_epochs_of_a_are_even_and_of_b_odd() -> None:
    for highest in range(9):
        for member, parity in (("a", 0), ("b", 1)):
            epoch = next_epoch(member, highest)
            assert epoch > highest and epoch % 2 == parity and epoch - highest <= 2


def test_no_claim_before_its_epoch_is_on_flash() -> None:
    m = machine(Role.TAKING_OVER)
    view = PeerView(known=True, dead="refused", dead_ns=1_100 * MS, highest_epoch=7, role=Role.ACTIVE)
    first = m.tick(1_200 * MS, view, OwnState(reserved_epoch=6))
    assert m.log == deque() and act.ReserveEpoch(8, first[0].reason) in first
    m.tick(1_205 * MS, view, OwnState(reserved_epoch=8))
    assert m.log[-1].new is Role.ACTIVE and m.epoch == 8


def test_orders_are_answered_in_words() -> None:
    m = machine(Role.ACTIVE)
    assert m.order("make a active", 0) == "this member is active already"
    assert "refused" in m.order("make b active", 0)
    m.view = PeerView(known=True, heard=True, role=Role.STANDBY)
    assert "not in sync" in m.order("make b active", 0)
    assert "is no order" in m.order("toggle", 0)
    assert "nothing to hand over" in machine(Role.STANDBY).order("make b active", 0)


def heard(role: Role, echo_sent_ms: int) -> PeerView:
    return PeerView(known=True, heard=True, role=role, fresh_beats=9, echo_sent_ns=echo_sent_ms * MS)


@pytest.mark.parametrize(("released_ms", "takes"), [(900, False), (1_000, False), (1_001, True)])
def test_a_token_from_before_the_last_change_is_none(released_ms: int, takes: bool) -> None:
    m = machine(Role.STANDBY)
    view = heard(Role.ACTIVE, 1_050)._replace(service_released_ns=released_ms * MS)
    m.tick(1_100 * MS, view, OwnState(reserved_epoch=2))
    assert (m.role is Role.STANDBY) is not takes


@pytest.mark.parametrize(("echo_sent_ms", "fenced"), [(900, False), (1_000, False), (1_004, False), (1_005, True)])
def test_the_peers_word_counts_only_if_it_knew_of_our_claim(echo_sent_ms: int, fenced: bool) -> None:
    m = machine(Role.TAKING_OVER)
    m.tick(1_020 * MS, heard(Role.STANDBY, echo_sent_ms), OwnState(reserved_epoch=2))
    assert (m.role is Role.ACTIVE) is fenced


@pytest.mark.parametrize(("member", "stays"), [("a", True), ("b", False)])
def test_of_two_that_take_over_the_higher_letter_yields(member: str, stays: bool) -> None:
    m = machine(Role.TAKING_OVER, member)
    m.tick(1_020 * MS, heard(Role.TAKING_OVER, 1_010), OwnState(reserved_epoch=2))
    assert (m.role is Role.TAKING_OVER) is stays
    assert stays or m.hold_off_until == m.now + 240 * MS


def test_who_lost_its_contact_yields_to_a_peer_that_cannot_be_heard() -> None:
    """Both contacts are open then: the peer has to find out, to claim, and to close its own."""
    m = machine(Role.ACTIVE)
    m.lines.step = LinesStep.HELD
    m.heart_says(PinsRead(1_000 * MS, 0, 0, 1, 1, 3))
    m.tick(1_001 * MS, PeerView(known=True, role=Role.STANDBY, heard=True), OwnState(reserved_epoch=2))
    assert m.log[-1].cause == Input.OPENED.value and m.role is Role.STANDBY
    silent = PeerView(known=True, role=Role.STANDBY, silent=True, silent_ns=200 * MS)
    for at_ms in range(1_002, 1_001 + 120 + int(RELAY.claim_ms)):
        m.tick(at_ms * MS, silent, OwnState(reserved_epoch=2))
        assert m.role is Role.STANDBY
    m.tick(1_400 * MS, silent, OwnState(reserved_epoch=2))
    assert m.role is Role.ACTIVE, "nobody closed it"
