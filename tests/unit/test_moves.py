"""Reverting to the preferred member: after its time, damped when it is undone, stopped when failovers are unclean."""

from __future__ import annotations

from tandem.codec.beat import IN_SYNC, Role
from tandem.point import SECOND
from tandem.standby.moves import HOUR_NS, WAITS_MAX, Moves
from tandem.standby.peer import PeerView

WELL = PeerView(heard=True, role=Role.STANDBY, health=255, flags=IN_SYNC)


def wait_s(moves: Moves, now: int) -> int:
    """How long the peer has to be well from `now` on until the role should go to it; -1 for never."""
    assert not moves.wish(WELL, 255, now)
    due = moves.due()
    if due is None:
        return -1
    assert not moves.wish(WELL, 255, due - 1)
    assert moves.wish(WELL, 255, due) == "the preferred member is healthy and in sync again"
    return (due - now) // SECOND


def test_the_role_goes_back_after_the_time_of_the_configuration() -> None:
    assert wait_s(Moves("b", "a", 300), 1000) == 300
    assert wait_s(Moves("a", "a", 300), 1000) == -1
    assert wait_s(Moves("b", "none", 300), 1000) == -1


def test_a_peer_that_is_not_well_all_the_time_waits_anew() -> None:
    moves = Moves("b", "a", 300)
    assert not moves.wish(WELL, 255, 0)
    assert not moves.wish(WELL._replace(flags=0), 255, 299 * SECOND)
    assert wait_s(moves, 299 * SECOND + 1) == 300


def test_a_revert_undone_within_an_hour_doubles_the_wait_and_a_good_one_ends_that() -> None:
    moves, now = Moves("b", "a", 300), 0
    for times in (2, 4, 8):
        moves.moved(now)
        now += 60 * SECOND
        moves.became_active(False, True, now)
        assert wait_s(moves, now) == 300 * times
    moves.moved(now)
    now += HOUR_NS
    moves.became_active(False, True, now)
    assert wait_s(moves, now) == 300
    for _ in range(20):
        moves.moved(now)
        moves.became_active(False, True, now + SECOND)
    assert moves.waits == WAITS_MAX


def test_three_unclean_failovers_in_an_hour_stop_reverting_until_it_is_armed_again() -> None:
    moves, now = Moves("b", "a", 300), HOUR_NS
    for minute in (0, 30):
        moves.became_active(False, False, now + minute * 60 * SECOND)
    assert not moves.stopped
    moves.became_active(False, False, now + 59 * 60 * SECOND)
    assert moves.stopped == "3 unclean failovers in an hour"
    assert wait_s(moves, now + 5 * HOUR_NS) == -1, "time alone arms nothing"
    moves.rearm()
    assert wait_s(moves, now + 5 * HOUR_NS) == 300


def test_unclean_failovers_far_apart_stop_nothing() -> None:
    moves = Moves("b", "a", 300)
    for hour in range(9):
        moves.became_active(False, False, hour * HOUR_NS // 2)
        assert not moves.stopped
