"""How far the members' clocks are apart: asked over the link, believed where the round trip was shortest."""

from __future__ import annotations

from tandem.clock import Clock
from tandem.codec.link_time import TimeAsked, TimeTold
from tandem.point import MS, SECOND
from tandem.standby.apart import EACH_NS, FIRST_NS, Apart


def pair(ahead_us: int) -> tuple[Apart, Apart]:
    """Two members; the second one's clock is ahead by so much."""
    mine, theirs = Clock(1_000_000, synced=True), Clock(1_000_000 + ahead_us)
    return Apart(mine), Apart(theirs)


def measure(mine: Apart, theirs: Apart, now: int, there_ns: int, back_ns: int) -> None:
    asked = mine.ask(now)
    mine.told(theirs.answer(asked, now + there_ns), now + there_ns + back_ns)


def test_nothing_is_known_before_the_first_answer() -> None:
    mine, _ = pair(0)
    assert (mine.known, mine.offset_us, mine.round_trip_ns) == (False, 0, 0)


def test_the_shortest_round_trip_is_believed() -> None:
    mine, theirs = pair(ahead_us=2500)
    measure(mine, theirs, 0, 40 * MS, 0)
    assert mine.offset_us == 2500 + 20_000, "wrong by half of its round trip, and no more"
    measure(mine, theirs, SECOND, MS, MS)
    measure(mine, theirs, 2 * SECOND, 0, 30 * MS)
    assert (mine.offset_us, mine.round_trip_ns, mine.peer_synced) == (2500, 2 * MS, False)


def test_old_samples_give_way_to_a_clock_that_was_set() -> None:
    mine, theirs = pair(ahead_us=0)
    measure(mine, theirs, 0, MS, MS)
    theirs._clock.offset_us += 7_000_000
    for n in range(1, 9):
        measure(mine, theirs, n * SECOND, 2 * MS, 2 * MS)
    assert mine.offset_us == 7_000_000


def test_questions_come_often_first_and_then_seldom() -> None:
    mine, theirs = pair(0)
    asked = []
    for now in range(0, 60 * SECOND, 100 * MS):
        if now >= mine.ask_at:
            asked.append(now)
            measure(mine, theirs, now, MS, MS)
    assert asked[1] - asked[0] == FIRST_NS and asked[-1] - asked[-2] == EACH_NS and len(asked) < 25


def test_an_answer_that_cannot_be_to_a_question_of_ours_says_nothing() -> None:
    mine, _ = pair(0)
    mine.told(TimeTold(asked_ns=5 * SECOND, utc_us=0, synced=True), 4 * SECOND)
    mine.told(TimeTold(asked_ns=0, utc_us=0, synced=True), 60 * SECOND)
    assert not mine.known


def test_a_session_that_ended_takes_its_measurement_along() -> None:
    mine, theirs = pair(100)
    measure(mine, theirs, 0, MS, MS)
    mine.forget()
    assert not mine.known and mine.ask_at == 0
    assert mine.ask(SECOND) == TimeAsked(SECOND)
