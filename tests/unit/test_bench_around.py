"""What is counted around kills: repetitions by their first ASDU, and whether answers are what the device did."""

from __future__ import annotations

from typing import Any

import pytest

from tools.bench.around import NOT_SENT, Repeats, answers, repeats

KILLS = [10_000, 20_000]


def event(value: float, t: int, asdu: int, cause: int = 3) -> dict[str, Any]:
    return {"point": "R1.a", "value": value, "utc_us": 5, "time_us": 5, "t": t, "asdu": asdu, "cause": cause}


def test_repetitions_are_counted_by_kill_and_by_the_asdu_in_which_they_came_first() -> None:
    given = [event(n, 1, 0) for n in range(6)]
    told = [event(n, 9_000, 1 + n // 2) for n in range(6)]
    again = [event(1, 11_000, 7), event(2, 11_001, 7), event(3, 11_002, 8), event(0, 12_000, 9, cause=20)]
    later = [event(5, 21_000, 12), event(5, 21_500, 13)]
    assert repeats(given, told, KILLS) == [Repeats(0, 0)] * 3
    assert repeats(given, told + again + later, KILLS) == [Repeats(0, 0), Repeats(3, 2), Repeats(2, 2)]


def test_equal_events_of_one_millisecond_are_no_repetition() -> None:
    given = [event(1, 1, 0), event(1, 2, 0)]
    told = [event(1, 9_000, 1), event(1, 9_001, 1), event(1, 11_000, 2)]
    assert repeats(given, told[:2], KILLS) == [Repeats(0, 0)] * 3
    assert repeats(given, told, KILLS)[1] == Repeats(1, 1)


@pytest.mark.parametrize(
    ("answer", "executed", "outcome", "true"),
    [
        ({"cause": 7, "negative": False}, 1, "executed", True),
        ({"cause": 7, "negative": False}, 0, "executed", False),
        ({"cause": 7, "negative": False}, 2, "executed", False),
        ({"cause": 7, "negative": True}, 0, "not_sent", True),
        ({"cause": 7, "negative": True}, 1, "not_sent", False),
        ({"cause": 7, "negative": True}, 1, "", False),
        ({"cause": 7, "negative": True}, 1, "unknown", True),
        ({"cause": 7, "negative": True}, 2, "unknown", False),
        ({"error": "no confirmation came"}, 1, "", True),
        ({"error": "no confirmation came"}, 2, "", False),
    ],
)
def test_an_answer_is_what_the_device_did(answer: dict[str, Any], executed: int, outcome: str, true: bool) -> None:
    asked = [{"t": 10_500, "value": 7.0, **answer}]
    done = [{"value": 7.0}] * executed
    found = answers(asked, done, [{"value": "7 A", "outcome": outcome}] if outcome else [], KILLS)
    assert found.sent == 1 and (not found.untrue) is true


def test_what_never_left_the_center_or_is_far_from_a_kill_is_not_counted() -> None:
    asked = [{"t": 10_500, "value": 1.0, "error": NOT_SENT}, {"t": 10**11, "value": 2.0, "cause": 7, "negative": True}]
    assert answers(asked, [], [], KILLS).sent == 0
