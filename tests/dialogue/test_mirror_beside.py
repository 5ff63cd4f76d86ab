"""What travels beside the records: cursors, forwarded controls and their answers, orders, soft state."""

from __future__ import annotations

import pytest

from tandem.codec import link
from tandem.point import Command, Outcome, Report, Stage, Step
from tandem.standby.told import (
    ForwardedControl,
    Ordered,
    PeerCursor,
    PeerState,
)
from tests.support.mirror_pair import Pair, in_sync_pair


@pytest.fixture
def pair() -> Pair:
    return in_sync_pair()


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
    assert b.mirror.order("make b active", "web page")
    a.mirror.state("fcb.F1", b"\x01")
    pair.run(2)
    a.mirror.state("fcb.F1", b"\x00")
    pair.run(2)
    assert a.of(Ordered) == [Ordered("make b active", "web page")]
    assert b.of(PeerState) == [PeerState("fcb.F1", b"\x01"), PeerState("fcb.F1", b"\x00")]
    pair.cut()
    pair.b.boot()
    pair.join()
    pair.run(50)
    assert pair.b.of(PeerState) == [PeerState("fcb.F1", b"\x00")]
    with pytest.raises(ValueError, match="70000 octets"):
        a.mirror.state("large", bytes(70_000))
