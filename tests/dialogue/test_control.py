"""Controls as dialogues: a center says a line, a device answers, time passes, and the reports are read as words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tandem.config.model import Feedback, Point
from tandem.control import PENDING_MAX, Control
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import MS, Cause, Command, Double, Kind, Outcome, Quality, Report, Stage, Step
from tandem.registry import PointInfo, PointTable

OK, BREAKER, EARTH, TRIP, SETPOINT, TAP, TAP_POS, COIL, LEVEL, SPARE = range(1, 11)
OFF, ON = float(Double.OFF), float(Double.ON)

INFOS = [
    PointInfo(OK, "_sys.device.F1.ok", Kind.BINARY),
    PointInfo(BREAKER, "F1.breaker", Kind.DOUBLE, device_ok=OK),
    PointInfo(EARTH, "F1.earth_switch", Kind.BINARY, device_ok=OK),
    PointInfo(TRIP, "F1.trip_close", Kind.DOUBLE_OUTPUT, device_ok=OK, states=("open", "closed")),
    PointInfo(SETPOINT, "F1.setpoint", Kind.ANALOG_OUTPUT, device_ok=OK, unit="kV"),
    PointInfo(TAP, "F1.tap", Kind.STEP_OUTPUT, device_ok=OK),
    PointInfo(TAP_POS, "F1.tap_position", Kind.STEP, device_ok=OK),
    PointInfo(COIL, "F1.coil", Kind.BINARY_OUTPUT, device_ok=OK),
    PointInfo(LEVEL, "F1.level", Kind.ANALOG, device_ok=OK),
    PointInfo(SPARE, "F2.spare", Kind.BINARY_OUTPUT),
]
POINTS = {
    BREAKER: Point("F1.breaker", Kind.DOUBLE, "discrete:0+1"),
    TRIP: Point(
        "F1.trip_close",
        Kind.DOUBLE_OUTPUT,
        "coil:1+0",
        pulse_ms=500,
        feedback=Feedback("F1.breaker", 3000),
        interlock="on: not F1.earth_switch",
    ),
    SETPOINT: Point("F1.setpoint", Kind.ANALOG_OUTPUT, "holding:0", feedback=Feedback("F1.level", 100)),
    LEVEL: Point("F1.level", Kind.ANALOG, "input:0", deadband=0.5),
    TAP: Point("F1.tap", Kind.STEP_OUTPUT, "coil:4+3", feedback=Feedback("F1.tap_position", 1000)),
    COIL: Point("F1.coil", Kind.BINARY_OUTPUT, "coil:9"),
}
OWNER = dict.fromkeys((TRIP, SETPOINT, TAP, COIL), "feeders")


class Bench:
    """A control with a clock, a field whose points are set by name of id, and refs counted up."""

    def __init__(self) -> None:
        table = PointTable(INFOS, SPARE)
        self.database = Database(table, Journal(64, 64))
        self.control = Control(table, self.database, POINTS, OWNER, {"feeders": 1000})
        self.now = 10_000 * MS
        self.ref = 0
        for point_id, value in ((OK, 1), (BREAKER, OFF), (EARTH, 0), (TAP_POS, 5), (LEVEL, 10)):
            self.set(point_id, value)

    def set(self, point_id: int, value: float, quality: int = 0) -> None:
        self.database.update(point_id, value, quality, 0, Cause.SPONTANEOUS)

    def say(self, step: Step, point_id: int, value: float, center: str = "north", **more: int) -> int:
        self.ref += 1
        more.setdefault("received_ns", self.now)
        self.control.submit(Command(self.ref, point_id, value, step, center, **more), self.now)
        return self.ref

    def device(self, ref: int, outcome: Outcome = Outcome.DONE, sentence: str = "") -> None:
        self.control.device_report(Report(ref, Stage.CONFIRM, outcome, sentence), self.now)

    def sent(self) -> list[int]:
        return [command.ref for _, command in self.control.to_masters()]

    def heard(self) -> list[str]:
        return [f"{r.ref} {r.stage.name} {r.outcome.name}".lower() for r in self.control.reports()]

    def advance(self, ms: int) -> None:
        self.now += ms * MS
        self.control.tick(self.now)


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
