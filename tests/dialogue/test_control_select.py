"""Select before operate as dialogues: one owner, one value, one time."""

from __future__ import annotations

import pytest

from tandem.point import MS, Outcome, Step
from tests.support.control_rig import OFF, ON, TRIP, Bench


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_select_then_execute(bench: Bench) -> None:
    bench.say(Step.SELECT, TRIP, ON)
    assert bench.heard() == ["1 confirm done"]
    assert bench.sent() == []
    bench.say(Step.EXECUTE, TRIP, ON)
    assert bench.sent() == [2]
    bench.device(2, Outcome.FAILED, "exception 4")
    assert bench.heard() == ["2 confirm failed"]
    bench.say(Step.EXECUTE, TRIP, ON)
    assert bench.heard() == ["3 confirm refused"]


@pytest.mark.parametrize(
    ("wait_ms", "center", "value", "pulse_ms", "said"),
    [
        (10_000, "north", ON, 0, "not selected"),
        (9_999, "south", ON, 0, "north has selected it for another 1 ms"),
        (0, "north", OFF, 0, "another value"),
        (0, "north", ON, 7, "another value"),
    ],
)
def test_execute_without_its_select_is_refused(
    bench: Bench, wait_ms: int, center: str, value: float, pulse_ms: int, said: str
) -> None:
    bench.say(Step.SELECT, TRIP, ON)
    bench.advance(wait_ms)
    bench.control.reports()
    bench.say(Step.EXECUTE, TRIP, value, center, pulse_ms=pulse_ms)
    (report,) = bench.control.reports()
    assert report.outcome is Outcome.REFUSED
    assert said in report.sentence
    assert bench.sent() == []


def test_a_select_has_one_owner(bench: Bench) -> None:
    bench.say(Step.SELECT, TRIP, ON)
    bench.say(Step.SELECT, TRIP, ON, "south")
    bench.say(Step.DIRECT, TRIP, ON, "south")
    bench.say(Step.CANCEL, TRIP, ON, "south")
    bench.say(Step.CANCEL, TRIP, ON)
    bench.say(Step.CANCEL, TRIP, ON)
    bench.say(Step.SELECT, TRIP, ON, "south")
    words = ["done", "refused", "refused", "refused", "done", "refused", "done"]
    assert bench.heard() == [f"{n} confirm {word}" for n, word in enumerate(words, 1)]


def test_an_expired_select_wakes_the_clock_and_frees_the_output(bench: Bench) -> None:
    bench.say(Step.SELECT, TRIP, ON, select_timeout_ms=50)
    assert bench.control.due() == bench.now + 50 * MS
    bench.advance(50)
    assert bench.control.due() is None
    bench.say(Step.SELECT, TRIP, ON, "south")
    assert bench.heard() == ["1 confirm done", "2 confirm done"]
