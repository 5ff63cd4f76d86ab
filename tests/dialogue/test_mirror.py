"""The mirror as a story of two members: resume, snapshot, divergence, grants, restarts, controls, foreign octets."""

from __future__ import annotations

import pytest

from tandem.codec import link
from tandem.codec.link_read import Splitter
from tandem.engine import Close
from tandem.point import MS, SECOND, Command, Kind, Outcome, Report, Stage, Step
from tandem.registry import PointInfo
from tandem.standby.grant import Grant
from tandem.standby.told import (
    AdoptRegistry,
    ClaimAgain,
    ForwardedControl,
    Ordered,
    PeerCursor,
    PeerState,
    Salvaged,
    TwoActives,
)
from tests.support.mirror_pair import MIRRORED, POINTS, Member, Pair


def ring_octets(member: Member, above: int = 0) -> list[bytes]:
    rings = member.database.journal.soe, member.database.journal.analog
    return [ring.slice(ring.after(above), ring.count) for ring in rings]


def assert_equal_images(pair: Pair) -> None:
    a, b = pair.a, pair.b
    assert a.head == b.head
    assert [a.database.present[i] for i in MIRRORED] == [b.database.present[i] for i in MIRRORED]
    above = max(ring.gone for m in (a, b) for ring in (m.database.journal.soe, m.database.journal.analog))
    assert ring_octets(a, above) == ring_octets(b, above)


def state(member: Member) -> Grant:
    return member.granter.state


@pytest.fixture
def pair() -> Pair:
    """a is active in epoch 2 with some records, b follows and is in sync."""
    pair = Pair(Member("a"), Member("b"))
    pair.claim(pair.a, 2)
    for number in range(10):
        pair.a.update(1 + number % 4, number)
    pair.join()
    pair.run(100)
    assert pair.b.lease.in_sync(pair.now)
    assert_equal_images(pair)
    return pair


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


def test_cursors_travel_behind_what_they_cover_and_both_ways(pair: Pair) -> None:
    a, b = pair.a, pair.b
    number = a.update(1, 3.0)
    a.mirror.cursor("north", number)
    assert not b.of(PeerCursor)
    pair.run(5)
    assert b.of(PeerCursor) == [PeerCursor("north", 11)]
    b.mirror.cursor("south", 7)
    b.mirror.cursor("north", 9)
    pair.run(5)
    assert a.of(PeerCursor) == [PeerCursor("south", 7)]
    assert a.mirror.cursors.numbers == b.mirror.cursors.numbers == {"north": 11, "south": 7}
    data = a.mirror.outgoing()
    a.mirror.cursor("north", a.update(1, 1.0))
    a.mirror.flush(pair.now)
    data = a.mirror.outgoing()
    assert data[4] == 9 and data.endswith(link.CursorAt("north", 2, 12).encode())


def test_a_cursor_beyond_the_own_head_is_clamped_at_a_claim(pair: Pair) -> None:
    a, b = pair.a, pair.b
    pair.cut()
    pair.run(200)
    a.mirror.cursor("north", a.update(1, 3.0))
    pair.claim(b, 3)
    b.update(1, 1.0)
    b.update(1, 2.0)
    pair.standby(a)
    pair.join()
    pair.run(100)
    assert b.mirror.cursors.numbers == {"north": 10}, "record 11 of epoch 2 is not record 11 of epoch 3"
    b.mirror.cursor("south", 999)
    pair.claim(b, 5)
    assert b.mirror.cursors.numbers == {"north": 10, "south": 12}


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


def test_an_old_active_is_followed_only_after_it_claimed_above(pair: Pair) -> None:
    a, b = pair.a, pair.b
    pair.cut()
    pair.claim(b, 3)
    b.update(1, 3.0)
    pair.standby(b)
    a.update(1, 1.0)
    pair.join()
    pair.run(50)
    assert a.of(ClaimAgain) == [ClaimAgain(3)]
    assert b.database.present[1][2] == 3.0 and not b.lease.in_sync(pair.now)
    pair.claim(a, 4)
    pair.run(200)
    assert_equal_images(pair)
    assert b.lease.in_sync(pair.now)


def test_a_standby_refuses_an_epoch_older_than_one_it_knows(pair: Pair) -> None:
    b = pair.b
    pair.cut()
    pair.claim(b, 3)
    pair.standby(b)
    b.mirror.opened(pair.now)
    table, config = b.database.table.digest(), b"c" * 32
    session = link_session(b)
    stale = link.Hello("a", True, 5, 1, session, table, config, 10, "cedar", pair.a.history.claims)
    b.mirror.receive(stale.encode() + link.Resume(10).encode() + link.Slice(2, 10, 11, b"", b"").encode(), pair.now)
    assert "older than 3" in b.mirror.trouble
    assert b.head == 10 and b.history.epoch == 3 and not b.lease.whole


def link_session(member: Member) -> int:
    """The session number in the hello that waits to be sent."""
    (hello,) = Splitter().feed(member.mirror.outgoing())
    assert isinstance(hello, link.Hello)
    return hello.session


def test_two_actives_mirror_nothing_and_say_so(pair: Pair) -> None:
    pair.claim(pair.b, 3)
    pair.b.update(1, 3.0)
    pair.run(700)
    assert pair.a.of(TwoActives) and pair.b.of(TwoActives)
    assert pair.a.database.present[1][2] != 3.0
    assert state(pair.a) is Grant.ALONE


def test_different_ids_offer_the_registry_and_are_never_in_sync() -> None:
    other = [*POINTS[:3], PointInfo(7, "alarm", Kind.BINARY), POINTS[4]]
    pair = Pair(Member("a"), Member("b", points=other))
    pair.claim(pair.a, 2)
    pair.a.update(1, 1.0)
    pair.join()
    pair.run(200)
    assert pair.b.of(AdoptRegistry) == [AdoptRegistry('{"breaker": 1}')]
    assert "different ids" in pair.b.said() and "different ids" in pair.a.said()
    assert state(pair.a) is Grant.ALONE and not pair.b.lease.in_sync(pair.now) and pair.b.head == 0


def test_different_configurations_are_named() -> None:
    other = [*POINTS, PointInfo(6, "more", Kind.BINARY)]
    pair = Pair(Member("a"), Member("b", points=other, config=b"d" * 32))
    pair.claim(pair.a, 2)
    pair.join()
    pair.run(200)
    assert "different configurations" in pair.a.said()
    assert not pair.b.of(AdoptRegistry) and not pair.b.lease.whole


@pytest.mark.parametrize(("letter", "group", "says"), [("a", "cedar", "both ends"), ("b", "maple", "group 'cedar'")])
def test_a_stranger_gets_a_refusal_and_the_stream_is_closed(pair: Pair, letter: str, group: str, says: str) -> None:
    pair.cut()
    pair.a.mirror.opened(pair.now)
    pair.a.mirror.outgoing()
    pair.a.mirror.receive(link.Hello(letter, False, 1, 1, 0, bytes(32), bytes(32), 0, group).encode(), pair.now)
    refusal = pair.a.mirror.outgoing()
    assert refusal[4] == 2 and says in refusal.decode(errors="ignore")
    assert [e for e in pair.a.mirror.events() if isinstance(e, Close)]


GARBAGE = {"http": b"GET / HTTP/1.1\r\n\r\n", "zeros": bytes(40), "empty rows": bytes.fromhex("0100000006") * 9}


@pytest.mark.parametrize("octets", GARBAGE.values(), ids=GARBAGE)
def test_garbage_closes_the_stream_or_means_nothing(pair: Pair, octets: bytes) -> None:
    before = list(pair.b.database.present)
    pair.b.mirror.receive(octets, pair.now)
    pair.run(300)
    assert pair.b.database.present == before
    if not pair.joined:
        assert "is closed: a link frame of type" in pair.b.said()
        pair.join()
    pair.run(200)
    pair.a.update(1, 44.0)
    pair.run(50)
    assert_equal_images(pair)


FORGED = [
    link.Slice(2, 5, 6, b"", b""),
    link.Slice(9, 10, 11, b"", b""),
    link.Slice(2, 10, 9, b"", b""),
    link.Slice(2, 10, 11, bytes(31) + b"\x01", b""),
    link.End(10),
    link.Resume(3),
    link.Tail(0, 10, b"", b""),
]


@pytest.mark.parametrize("frame", FORGED, ids=[repr(f)[:40] for f in FORGED])
def test_a_frame_that_does_not_follow_begins_the_session_anew(pair: Pair, frame: link.Message) -> None:
    image = list(pair.b.database.present)
    pair.b.mirror.receive(frame.encode(), pair.now)
    assert pair.b.database.present == image and pair.b.head == 10
    assert pair.b.lease.in_sync(pair.now), "what is here is whole, whatever came"
    pair.a.update(1, 0.0)
    pair.run(100)
    assert "begins anew" in pair.b.said()
    assert_equal_images(pair)
    assert state(pair.a) is Grant.GRANTED


def test_faults_without_end_close_the_stream(pair: Pair) -> None:
    for _ in range(10):
        pair.b.mirror.receive(link.End(10).encode(), pair.now)
        pair.run(5)
    assert not pair.joined and "began anew 6 times" in pair.b.said()


def test_acknowledgements_of_what_was_never_sent_close_the_stream(pair: Pair) -> None:
    pair.a.mirror.receive(link.Ack(2, 10, 4_000_000).encode(), pair.now)
    pair.run(1)
    assert not pair.joined and "acknowledges 4000000 frames" in pair.a.said()


def test_one_mebibyte_waits_at_most_and_a_slow_standby_loses_the_grant() -> None:
    pair = Pair(Member("a", rings=65536), Member("b", rings=65536))
    a, b = pair.a, pair.b
    pair.claim(a, 2)
    pair.join()
    pair.run(50)
    assert state(a) is Grant.GRANTED
    pair.delay = 500 * MS
    for _ in range(55):
        for _ in range(1000):
            a.update(2, 1.0)
        pair.run(1)
        assert a.mirror.statistics()["unacknowledged_octets"] <= (1 << 20) + 150_000
    assert state(a) is not Grant.GRANTED
    assert a.granter.limit(a.head) == 0 or state(a) is Grant.ALONE
    assert a.mirror.source.sent < a.head
    pair.delay = MS // 2
    pair.run(1500)
    assert state(a) is Grant.GRANTED
    assert_equal_images(pair)
    assert b.lease.in_sync(pair.now)


def test_a_dead_stream_is_given_up_by_both_ends(pair: Pair) -> None:
    pair.joined = False  # octets vanish, no end is told
    pair.run(3100)
    assert "acknowledged nothing for 3 s" in pair.a.said()
    assert "said nothing for 3 s" in pair.b.said()
    assert pair.b.mirror.silent_since < pair.now - 3 * SECOND


def test_a_peer_that_says_no_hello_is_given_up(pair: Pair) -> None:
    pair.cut()
    pair.a.mirror.opened(pair.now)
    assert pair.a.mirror.due() is not None
    pair.run(3001)
    assert "did not answer the hello" in pair.a.said()


def _command(ref: int, step: Step = Step.DIRECT) -> Command:
    return Command(ref, 4, 1.0, step, "north", 0, 250)


def test_a_control_goes_over_and_its_answers_come_back_once(pair: Pair) -> None:
    a, b = pair.a, pair.b
    b.mirror.forward(_command(7), 42, pair.now)
    pair.run(2)
    (forwarded,) = a.of(ForwardedControl)
    assert isinstance(forwarded, ForwardedControl)
    ref = forwarded.command.ref
    assert ref > 1000 and forwarded.beat == 42
    assert (forwarded.command.point_id, forwarded.command.pulse_ms, forwarded.command.center) == (4, 250, "north")
    assert a.mirror.report(Report(ref, Stage.CONFIRM, Outcome.DONE, "written"))
    pair.run(2)
    assert a.mirror.report(Report(ref, Stage.END, Outcome.FAILED, "no feedback"))
    assert not a.mirror.report(Report(ref, Stage.END, Outcome.FAILED, "again"))
    pair.run(2)
    done = [Report(7, Stage.CONFIRM, Outcome.DONE, "written"), Report(7, Stage.END, Outcome.FAILED, "no feedback")]
    assert b.of(Report) == done
    pair.cut()
    assert b.of(Report) == done
    assert not a.mirror.report(Report(9, Stage.CONFIRM, Outcome.DONE))


def test_a_control_in_flight_when_the_link_ends_is_unknown_and_never_sent_again(pair: Pair) -> None:
    a, b = pair.a, pair.b
    b.mirror.forward(_command(7), 42, pair.now)
    pair.run(0.1)
    b.mirror.outgoing()
    b.mirror.forward(_command(8), 42, pair.now)
    pair.cut()
    reports = {r.ref: (r.stage, r.outcome) for r in b.of(Report) if isinstance(r, Report)}
    assert reports == {7: (Stage.CONFIRM, Outcome.UNKNOWN), 8: (Stage.CONFIRM, Outcome.NOT_SENT)}
    pair.join()
    pair.run(100)
    refs = [e for e in a.of(ForwardedControl) if isinstance(e, ForwardedControl)]
    assert len(refs) <= 1, "8 never left"


def test_a_control_queued_when_the_session_ends_does_not_leave_after_all(pair: Pair) -> None:
    b = pair.b
    b.mirror.forward(_command(8), 42, pair.now)
    b.mirror.receive(link.End(10).encode(), pair.now)
    pair.run(50)
    assert [(r.ref, r.outcome) for r in b.of(Report) if isinstance(r, Report)] == [(8, Outcome.NOT_SENT)]
    assert not pair.a.of(ForwardedControl)


def test_the_end_that_is_still_owed_is_unknown_too(pair: Pair) -> None:
    a, b = pair.a, pair.b
    b.mirror.forward(_command(7, Step.EXECUTE), 42, pair.now)
    pair.run(2)
    a.mirror.report(Report(a.refs, Stage.CONFIRM, Outcome.DONE, ""))
    pair.run(2)
    pair.standby(a)
    pair.run(5)
    ends = [(r.stage, r.outcome) for r in b.of(Report) if isinstance(r, Report)]
    assert ends == [(Stage.CONFIRM, Outcome.DONE), (Stage.END, Outcome.UNKNOWN)]


def test_without_an_active_a_control_is_not_sent(pair: Pair) -> None:
    pair.cut()
    pair.b.mirror.forward(_command(7), 42, pair.now)
    pair.run(1)
    (report,) = pair.b.of(Report)
    assert isinstance(report, Report) and report.outcome is Outcome.NOT_SENT


def test_a_flood_of_controls_is_bounded(pair: Pair) -> None:
    for ref in range(300):
        pair.b.mirror.forward(_command(ref), 42, pair.now)
    pair.run(2)
    assert len(pair.a.of(ForwardedControl)) == 256
    assert {r.outcome for r in pair.b.of(Report) if isinstance(r, Report)} == {Outcome.REFUSED}


def test_orders_and_soft_state(pair: Pair) -> None:
    a, b = pair.a, pair.b
    assert b.mirror.order("b", "web page")
    a.mirror.state("fcb.F1", b"\x01")
    pair.run(2)
    a.mirror.state("fcb.F1", b"\x00")
    pair.run(2)
    assert a.of(Ordered) == [Ordered("b", "web page")]
    assert b.of(PeerState) == [PeerState("fcb.F1", b"\x01"), PeerState("fcb.F1", b"\x00")]
    pair.cut()
    pair.b.boot()
    pair.join()
    pair.run(50)
    assert pair.b.of(PeerState) == [PeerState("fcb.F1", b"\x00")]
    with pytest.raises(ValueError, match="70000 octets"):
        a.mirror.state("large", bytes(70_000))
