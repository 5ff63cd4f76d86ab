"""Controls as dialogues: a center says a line, a device answers, time passes, and the reports are read as words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tandem.control import PENDING_MAX, Control
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import MS, Command, Double, Kind, Outcome, Quality, Stage, Step
from tandem.registry import PointInfo, PointTable
from tests.support.control_rig import (
    BREAKER,
    COIL,
    EARTH,
    LEVEL,
    OFF,
    OK,
    ON,
    SETPOINT,
    SPARE,
    TAP,
    TAP_POS,
    TRIP,
    Bench,
)


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_direct_with_pulse_and_feedback_ends_when_the_breaker_has_followed(bench: Bench) -> None:
    ref = bench.say(Step.DIRECT, TRIP, ON)
    assert bench.heard() == []
    assert [channel for channel, _ in bench.control.to_masters()] == ["feeders"]
    bench.device(ref)
    assert bench.heard() == ["1 confirm done"]
    bench.advance(500)
    assert bench.heard() == []
    bench.set(BREAKER, ON)
    bench.control.changed(bench.now)
    assert bench.heard() == ["1 end done"]
    assert bench.control.due() is None
    assert bench.control.statistics()["executed"] == 1


def test_feedback_before_the_end_of_the_pulse_ends_with_the_pulse(bench: Bench) -> None:
    ref = bench.say(Step.DIRECT, TRIP, ON)
    bench.sent()
    bench.set(BREAKER, ON)
    bench.device(ref)
    assert bench.heard() == ["1 confirm done"]
    assert bench.control.due() == bench.now + 500 * MS
    bench.advance(500)
    assert bench.heard() == ["1 end done"]


def test_a_breaker_that_does_not_follow_ends_failed_in_time(bench: Bench) -> None:
    ref = bench.say(Step.DIRECT, TRIP, ON)
    bench.sent()
    bench.device(ref)
    bench.heard()
    bench.set(BREAKER, float(Double.INDETERMINATE))
    bench.advance(2999)
    assert bench.heard() == []
    bench.advance(1)
    (report,) = bench.control.reports()
    assert (report.stage, report.outcome) == (Stage.END, Outcome.FAILED)
    assert "F1.breaker did not follow within 3000 ms" in report.sentence


def test_feedback_that_is_not_good_is_none(bench: Bench) -> None:
    bench.set(BREAKER, ON, Quality.INVALID)
    bench.say(Step.DIRECT, TRIP, ON)
    bench.sent()
    bench.device(1)
    bench.advance(3000)
    assert bench.heard() == ["1 confirm done", "1 end failed"]


def test_one_execution_at_a_time(bench: Bench) -> None:
    bench.say(Step.DIRECT, TRIP, OFF)
    for step in Step:
        bench.say(step, TRIP, OFF, "south")
    assert bench.heard() == [f"{n} confirm refused" for n in (2, 3, 4, 5)]
    bench.sent()
    bench.device(1)
    bench.advance(500)
    bench.say(Step.DIRECT, TRIP, ON)
    assert bench.heard() == ["1 confirm done", "1 end done"]


def test_the_interlock_guards_its_side(bench: Bench) -> None:
    bench.set(EARTH, 1)
    bench.say(Step.DIRECT, TRIP, ON)
    (report,) = bench.control.reports()
    assert report.sentence == (
        'F1.trip_close closed, direct by north: refused: its interlock "on: not F1.earth_switch" is not fulfilled'
    )
    bench.say(Step.SELECT, TRIP, ON)
    assert bench.heard() == ["2 confirm refused"]
    bench.say(Step.DIRECT, TRIP, OFF)
    assert bench.sent() == [3]


def test_an_interlock_that_cannot_be_judged_refuses(bench: Bench) -> None:
    bench.set(EARTH, 0, Quality.INVALID)
    bench.say(Step.DIRECT, TRIP, ON)
    (report,) = bench.control.reports()
    assert "cannot be judged: F1.earth_switch is not good" in report.sentence


def test_the_interlock_is_asked_again_at_execute(bench: Bench) -> None:
    bench.say(Step.SELECT, TRIP, ON)
    bench.set(EARTH, 1)
    bench.say(Step.EXECUTE, TRIP, ON)
    assert bench.heard() == ["1 confirm done", "2 confirm refused"]


def test_a_lost_device_is_not_asked(bench: Bench) -> None:
    bench.set(OK, 0)
    bench.say(Step.DIRECT, COIL, 1)
    (report,) = bench.control.reports()
    assert "its device does not answer" in report.sentence
    assert bench.sent() == []


def test_an_analog_feedback_within_its_deadband_and_a_step_that_moved(bench: Bench) -> None:
    bench.say(Step.DIRECT, SETPOINT, 12.0)
    bench.say(Step.DIRECT, TAP, -1)
    bench.sent()
    bench.device(1)
    bench.device(2)
    bench.set(LEVEL, 11.4)
    bench.set(TAP_POS, 6)
    bench.control.changed(bench.now)
    assert bench.heard() == ["1 confirm done", "2 confirm done"]
    bench.set(LEVEL, 11.5)
    bench.set(TAP_POS, 4)
    bench.control.changed(bench.now)
    assert bench.heard() == ["1 end done", "2 end done"]


@pytest.mark.parametrize(
    ("point_id", "value"),
    [
        *((TRIP, 0.0), (TRIP, 3.0), (COIL, 2.0), (TAP, 0.0), (SETPOINT, float("nan")), (SETPOINT, float("inf"))),
        *((BREAKER, ON), (99, 1.0), (SPARE, 1.0), (-1, 1.0)),
    ],
)
def test_what_cannot_be_commanded_is_refused(bench: Bench, point_id: int, value: float) -> None:
    for step in (Step.SELECT, Step.DIRECT):
        bench.say(step, point_id, value)
    assert bench.heard() == ["1 confirm refused", "2 confirm refused"]
    assert bench.sent() == []


def test_a_command_that_waited_is_not_run(bench: Bench) -> None:
    bench.say(Step.DIRECT, COIL, 1, received_ns=bench.now - 501 * MS)
    bench.say(Step.DIRECT, COIL, 1, received_ns=bench.now - 500 * MS)
    assert bench.heard() == ["1 confirm refused"]
    assert bench.sent() == [2]


def test_silence_of_a_master_ends_unknown_and_its_late_answer_changes_nothing(bench: Bench) -> None:
    bench.say(Step.DIRECT, COIL, 1)
    bench.sent()
    assert bench.control.due() == bench.now + 1000 * MS
    bench.advance(999)
    assert bench.heard() == []
    bench.advance(1)
    assert bench.heard() == ["1 confirm unknown"]
    assert bench.control.unknown_count == 1
    bench.device(1)
    assert bench.heard() == []
    assert bench.control.statistics()["stray"] == 1


def test_the_loss_of_the_right_ends_everything_truthfully(bench: Bench) -> None:
    bench.say(Step.SELECT, SETPOINT, 1)
    bench.say(Step.DIRECT, COIL, 1)
    bench.say(Step.DIRECT, TRIP, ON)
    bench.sent()
    bench.device(3)
    bench.say(Step.DIRECT, TAP, 1)
    bench.heard()
    bench.control.abort()
    assert bench.heard() == ["2 confirm unknown", "3 end unknown", "4 confirm not_sent"]
    assert bench.sent() == []
    bench.control.refuse_reason = "this member does not drive the lines"
    bench.say(Step.EXECUTE, SETPOINT, 1)
    (report,) = bench.control.reports()
    assert "does not drive the lines" in report.sentence
    bench.control.refuse_reason = ""
    bench.say(Step.EXECUTE, SETPOINT, 1)
    assert bench.heard() == ["6 confirm refused"]
    assert bench.control.statistics()["unknown"] == 2


def test_a_ref_is_carried_out_once(bench: Bench) -> None:
    bench.say(Step.DIRECT, COIL, 1)
    again = Command(1, COIL, 1, Step.DIRECT, "north", bench.now)
    bench.control.submit(again, bench.now)
    assert bench.sent() == [1]
    bench.device(1)
    assert bench.heard() == ["1 confirm done", "1 end done"]
    bench.control.submit(again, bench.now)
    assert bench.sent() == []
    assert bench.heard() == []


def test_what_is_under_way_is_bounded() -> None:
    infos = [PointInfo(i, f"D.o{i}", Kind.BINARY_OUTPUT) for i in range(1, PENDING_MAX + 2)]
    table = PointTable(infos, PENDING_MAX + 1)
    control = Control(table, Database(table, Journal(8, 8)), {}, {i.id: "line" for i in infos})
    first = Command(1, 1, 1.0, Step.DIRECT, "north", 0)
    for info in infos:
        control.submit(replace(first, ref=info.id, point_id=info.id), 0)
    (report,) = control.reports()
    assert report.outcome is Outcome.REFUSED
    assert len(control.to_masters()) == PENDING_MAX
