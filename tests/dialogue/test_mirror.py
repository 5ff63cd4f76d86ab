"""The mirror as a story of two members: grants, cuts, resume, snapshot, divergence, restarts, changed roles."""

from __future__ import annotations

import pytest

from tandem.engine import Close
from tandem.point import MS, Kind
from tandem.registry import PointInfo
from tandem.standby.grant import Grant
from tandem.standby.told import (
    Salvaged,
)
from tests.support.mirror_pair import Member, Pair, assert_equal_images, in_sync_pair, ring_octets, state


@pytest.fixture
def pair() -> Pair:
    return in_sync_pair()


def test_the_first_grant_comes_within_a_beat_and_a_few_round_trips() -> None:
    pair = Pair(Member("a"), Member("b"))
    pair.claim(pair.a, 2)
    pair.a.update(1, 2.0)
    assert pair.a.granter.unprotected
    pair.run(100)
    pair.join()
    pair.until(lambda: pair.b.lease.in_sync(pair.now), 50)
    assert state(pair.a) is Grant.GRANTED and not pair.a.granter.unprotected


def test_records_reach_the_standby_in_the_turn_they_were_written(pair: Pair) -> None:
    pair.a.update(1, 1.0)
    number = pair.a.update(2, 99.5)
    assert pair.a.granter.limit(pair.a.head) == number - 2
    pair.run(2)
    assert_equal_images(pair)
    assert pair.a.granter.limit(pair.a.head) == number
    assert pair.a.mirror.statistics()["lag_last_ms"] <= 2


def test_a_short_cut_resumes_where_it_broke(pair: Pair) -> None:
    pair.cut()
    for _ in range(20):
        pair.a.update(2, 5.0)
    pair.run(200)
    pair.join()
    pair.run(100)
    assert "resumes after record 10" in pair.a.said()
    assert pair.a.mirror.source.snapshots == 0
    assert_equal_images(pair)
    assert pair.b.lease.in_sync(pair.now)


def test_a_cut_shorter_than_50_ms_keeps_the_grant(pair: Pair) -> None:
    pair.cut()
    pair.a.update(2, 5.0)
    pair.run(20)
    assert state(pair.a) is Grant.GRANTED and pair.a.granter.limit(pair.a.head) == 10
    pair.join()
    pair.run(20)
    assert state(pair.a) is Grant.GRANTED and pair.a.granter.limit(pair.a.head) == 11


def test_a_lost_link_with_living_beats_costs_50_ms_and_a_round_of_beats(pair: Pair) -> None:
    pair.cut()
    number = pair.a.update(1, 1.0)

    def alone() -> bool:
        assert state(pair.a) is Grant.ALONE or pair.a.granter.limit(pair.a.head) < number
        return state(pair.a) is Grant.ALONE

    assert pair.until(alone, 110) > 50 * MS
    assert not pair.b.lease.in_sync(pair.now), "it heard the withdrawal before the active went on alone"
    assert pair.a.granter.unprotected and pair.a.granter.limit(pair.a.head) == number


def test_with_every_path_cut_alone_comes_after_the_standby_ceased_to_believe(pair: Pair) -> None:
    pair.cut()
    pair.beats = False
    pair.a.update(1, 1.0)

    def ceased() -> bool:
        assert state(pair.a) is not Grant.ALONE
        return not pair.b.lease.in_sync(pair.now)

    pair.until(ceased, 600)
    assert pair.until(lambda: state(pair.a) is Grant.ALONE, 100) > 0


def test_a_lapsed_ring_is_followed_by_the_whole_image(pair: Pair) -> None:
    pair.cut()
    for value in range(100):
        pair.a.update(1, value)
    pair.a.update(2, 7.0)
    pair.run(100)
    pair.join()
    pair.run(100)
    assert pair.a.mirror.source.snapshots == 1
    assert "too far behind" in pair.a.said()
    assert_equal_images(pair)
    assert pair.b.swapped_at == 111
    assert pair.b.lease.in_sync(pair.now)


def test_the_tail_of_a_snapshot_begins_at_the_slowest_center(pair: Pair) -> None:
    pair.a.mirror.cursor("north", 9)
    pair.a.mirror.cursor("south", 3)
    pair.b.boot()
    pair.a.database.journal.soe.clear(2)  # as if it had wrapped: no resume from 0
    pair.cut()
    pair.a.update(1, 4.0)
    pair.join()
    pair.run(100)
    assert pair.b.swapped_at
    assert [ring.gone for ring in (pair.b.database.journal.soe, pair.b.database.journal.analog)] == [3, 3]
    assert pair.b.mirror.cursors.numbers == {"north": 9, "south": 3}


def test_nothing_of_a_snapshot_shows_until_it_is_whole(pair: Pair) -> None:
    many = [PointInfo(i, f"p{i}", Kind.ANALOG) for i in range(1, 8)]
    a, b = Member("a", points=many), Member("b", points=many)
    pair = Pair(a, b)
    pair.claim(a, 2)
    for value in range(100):
        a.update(1 + value % 7, value)
    pair.join()
    a.mirror.source.rows_a_frame, a.mirror.source.records_a_ring = 1, 5
    seen = set()
    for turn in range(50):
        pair.run(1)
        a.update(1 + turn % 7, pair.now)
        seen.add((b.head > 0, tuple(b.database.present[i][0] > 0 for i in range(1, 8)), b.lease.whole))
        assert b.lease.whole or state(a) is Grant.ALONE
    assert seen == {(False, (False,) * 7, False), (True, (True,) * 7, True)}
    pair.run(5)
    assert a.mirror.source.snapshots == 1
    assert a.head == b.head and a.database.present == b.database.present


def test_a_standby_that_is_being_filled_again_is_not_in_sync_whatever_it_was(pair: Pair) -> None:
    a, b = pair.a, pair.b
    a.mirror.source.rows_a_frame, a.mirror.source.records_a_ring = 1, 1
    a.mirror.cursor("north", 9)
    pair.cut()
    for value in range(100):
        a.update(1, value)
    pair.join()
    pair.until(lambda: b.mirror.sink.common > 0, 10)
    assert "not whole" in b.lease.reason(pair.now) and state(a) is not Grant.GRANTED
    assert b.database.present[1][0] == 9 and b.head == 10, "and what it serves is the old image, whole"
    pair.run(100)
    assert_equal_images(pair)


def test_nothing_counts_as_acknowledged_before_it_was_applied() -> None:
    pair = Pair(Member("a", small_frames=True), Member("b"))
    pair.claim(pair.a, 2)
    pair.a.update(1, 0.0)
    pair.a.database.journal.soe.clear()
    pair.delay = 8 * MS
    pair.join()
    for turn in range(100):
        pair.a.update(1 + turn % 4, turn)
        pair.run(1)
        assert state(pair.a) is Grant.ALONE or pair.a.granter.limit(pair.a.head) <= pair.b.head
    assert state(pair.a) is Grant.GRANTED and pair.a.mirror.source.snapshots == 1


def test_a_standby_that_returns_with_less_than_it_acknowledged_has_no_grant(pair: Pair) -> None:
    a, b = pair.a, pair.b
    pair.cut()
    b.boots -= 1
    b.boot()  # the same boot by its nonce
    pair.delay = 5 * MS
    pair.join()
    pair.until(lambda: a.mirror.mirroring, 30)
    assert state(a) is not Grant.GRANTED
    pair.run(100)
    assert state(a) is Grant.GRANTED
    assert_equal_images(pair)


def test_a_snapshot_that_is_lapped_on_its_way_begins_again_with_a_shorter_tail(pair: Pair) -> None:
    a, b = pair.a, pair.b
    a.mirror.cursor("north", 2)
    a.mirror.source.rows_a_frame, a.mirror.source.records_a_ring = 1, 1
    pair.cut()
    b.boot()
    a.database.journal.soe.clear(2)
    pair.delay = 5 * MS
    pair.join()
    pair.run(12)
    for value in range(70):
        a.update(1, value)
    pair.run(100)
    assert a.mirror.source.snapshots == 2
    assert_equal_images(pair)
    assert b.lease.in_sync(pair.now)


def test_both_wrote_while_apart_the_tail_is_kept_offered_and_replaced(pair: Pair) -> None:
    a, b = pair.a, pair.b
    pair.cut()
    pair.run(200)  # a goes on alone
    for value in (1.0, 2.0, 3.0):
        a.update(4, value)
    a.update(2, 70.0)
    a.granter.released(12)
    pair.claim(b, 3)
    for value in (9.0, 8.0):
        b.update(4, value)
    a_tail = ring_octets(a, 10)
    pair.standby(a)
    pair.join()
    pair.run(200)
    (salvaged,) = a.of(Salvaged)
    assert isinstance(salvaged, Salvaged)
    assert (salvaged.fork, [salvaged.soe, salvaged.analog]) == (10, a_tail)
    assert a.lease.in_sync(pair.now)
    assert_equal_images(pair)
    assert b.database.present[4][2] == 8.0 and b.database.present[2][2] != 70.0
    events = b.database.journal.read(b.database.journal.cursor(12), b.head)
    assert [(record[2], record[5]) for record in events] == [(1.0, 8), (2.0, 8)], "11 and 12 were released, 13 was not"
    assert a.history.claims == b.history.claims


def test_a_standby_that_restarts_is_filled_again_and_costs_no_wait(pair: Pair) -> None:
    pair.cut()
    pair.b.boot()
    pair.a.update(1, 0.0)
    pair.join()
    pair.run(5)
    assert pair.a.granter.limit(11) == 11, "a hello of another boot: nobody believes the old grant"
    pair.run(95)
    assert_equal_images(pair)
    assert pair.b.lease.in_sync(pair.now)


def test_an_active_that_lost_its_journal_does_not_pass_for_itself(pair: Pair) -> None:
    a, b = pair.a, pair.b
    pair.cut()
    a.boot()
    pair.claim(a, 4)
    for value in range(10):
        a.update(4, value)
    pair.join()
    pair.run(100)
    assert b.of(Salvaged), "ten records of the same numbers, and not the same records"
    assert_equal_images(pair)
    assert b.lease.in_sync(pair.now)


def test_a_planned_change_of_roles_over_the_same_stream(pair: Pair) -> None:
    a, b = pair.a, pair.b
    a.update(1, 1.0)
    pair.run(3)
    assert b.lease.in_sync(pair.now)
    pair.standby(a)
    pair.claim(b, 3)
    b.update(1, 2.0)
    pair.run(100)
    assert a.lease.in_sync(pair.now) and state(b) is Grant.GRANTED
    assert b.mirror.source.snapshots == 0
    assert_equal_images(pair)
    assert not [e for m in (a, b) for e in m.events if isinstance(e, Close)]
