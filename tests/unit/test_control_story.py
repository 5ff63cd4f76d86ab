"""Any story of commands, answers, time and lost rights: each command one confirm, at most one end, one order."""

from __future__ import annotations

from collections import Counter

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tandem.config.model import Feedback, Point
from tandem.control import Control
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import MS, Cause, Command, Double, Kind, Outcome, Quality, Report, Stage, Step
from tandem.registry import PointInfo, PointTable

INFOS = [
    PointInfo(1, "_sys.device.F1.ok", Kind.BINARY),
    PointInfo(2, "F1.breaker", Kind.DOUBLE, device_ok=1),
    PointInfo(3, "F1.lock", Kind.BINARY, device_ok=1),
    PointInfo(4, "F1.trip_close", Kind.DOUBLE_OUTPUT, device_ok=1),
    PointInfo(5, "F1.coil", Kind.BINARY_OUTPUT, device_ok=1),
    PointInfo(6, "F1.level", Kind.ANALOG_OUTPUT, device_ok=1),
    PointInfo(7, "F1.tap", Kind.STEP_OUTPUT, device_ok=1),
]
POINTS = {
    4: Point("F1.trip_close", Kind.DOUBLE_OUTPUT, "coil:0", pulse_ms=50, feedback=Feedback("F1.breaker", 300)),
    5: Point("F1.coil", Kind.BINARY_OUTPUT, "coil:1", interlock="off: F1.lock or F1.breaker"),
    6: Point("F1.level", Kind.ANALOG_OUTPUT, "holding:1", feedback=Feedback("F1.missing", 20)),
    7: Point("F1.tap", Kind.STEP_OUTPUT, "coil:2", interlock="not (F1.lock", feedback=Feedback("F1.lock", 70)),
}
VALUES = st.sampled_from([0.0, 1.0, 2.0, -1.0, 3.0, float("nan"), float("inf"), 1e300])
ANSWERED = (Step.EXECUTE, Step.DIRECT)


class ControlStory(RuleBasedStateMachine):
    """Whatever comes, in whatever order: the promises hold after every step, and all of them when time has passed."""

    def __init__(self) -> None:
        super().__init__()
        table = PointTable(INFOS, 7)
        self.database = Database(table, Journal(64, 64))
        self.database.update(1, 1, 0, 0, Cause.INITIAL)
        self.control = Control(table, self.database, POINTS, {4: "l", 5: "l", 6: "m", 7: "m"}, {"l": 100})
        self.now = 1_000 * MS
        self.commands: dict[int, Command] = {}
        self.orders: Counter[int] = Counter()
        self.answers: dict[int, list[Report]] = {}

    @rule(
        point_id=st.integers(-1, 8),
        value=VALUES,
        step=st.sampled_from(Step),
        center=st.sampled_from(["north", "south"]),
        age_ms=st.sampled_from([-5, 0, 499, 501]),
        timeout_ms=st.sampled_from([-1, 0, 20, 10_000]),
    )
    def a_command(self, point_id: int, value: float, step: Step, center: str, age_ms: int, timeout_ms: int) -> None:
        ref = len(self.commands) + 1
        received = self.now - age_ms * MS
        self.commands[ref] = Command(ref, point_id, value, step, center, received, 0, timeout_ms)
        self.control.submit(self.commands[ref], self.now)

    @rule(value=st.sampled_from([1.0, 2.0]), center=st.sampled_from(["north", "south"]), direct=st.booleans())
    def a_plain_trip(self, value: float, center: str, direct: bool) -> None:
        for step in (Step.DIRECT,) if direct else (Step.SELECT, Step.EXECUTE):
            self.a_command(4, value, step, center, 0, 100)

    @rule(back=st.integers(0, 9))
    def a_command_again(self, back: int) -> None:
        known = list(self.commands.values())
        if known:
            self.control.submit(known[-1 - back % len(known)], self.now)

    @rule()
    def masters_fetch(self) -> None:
        for _channel, command in self.control.to_masters():
            self.orders[command.ref] += 1

    @rule(back=st.integers(0, 9), stage=st.sampled_from(Stage), outcome=st.sampled_from(Outcome))
    def a_device_answers(self, back: int, stage: Stage, outcome: Outcome) -> None:
        ref = list(self.orders)[-1 - back % len(self.orders)] if self.orders else back
        self.control.device_report(Report(ref, stage, outcome, "said the device"), self.now)

    @rule(
        point_id=st.integers(1, 3),
        value=st.sampled_from([0.0, float(Double.OFF), float(Double.ON), 3.0, float("nan")]),
        quality=st.sampled_from([Quality.GOOD, Quality.INVALID, Quality.TEST]),
    )
    def a_point_changes(self, point_id: int, value: float, quality: Quality) -> None:
        self.database.update(point_id, value, quality, 0, Cause.SPONTANEOUS)
        self.control.changed(self.now)

    @rule(ms=st.sampled_from([0, 1, 49, 50, 99, 100, 300, 20_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms * MS
        self.control.tick(self.now)
        due = self.control.due()
        assert due is None or due > self.now, "nothing that is due may be left after a tick"

    @rule(refuse=st.booleans())
    def the_right_is_lost(self, refuse: bool) -> None:
        self.control.abort()
        assert self.control.statistics()["pending"] == 0
        self.control.refuse_reason = "not here" if refuse else ""

    @invariant()
    def promises_hold(self) -> None:
        for report in self.control.reports():
            self.answers.setdefault(report.ref, []).append(report)
        assert all(count == 1 for count in self.orders.values())
        for ref, reports in self.answers.items():
            step = self.commands[ref].step
            assert [r.stage for r in reports] in ([Stage.CONFIRM], [Stage.CONFIRM, Stage.END])
            if len(reports) == 2:
                assert step in ANSWERED and reports[0].outcome is Outcome.DONE
            if reports[-1].outcome in (Outcome.FAILED, Outcome.UNKNOWN):
                assert self.orders[ref] == 1
        open_now = Counter(self.commands[ref].point_id for ref in self.orders if not self.is_over(ref))
        assert all(count == 1 for count in open_now.values()), "one execution a point at a time"
        assert self.control.unknown_count == sum(r[-1].outcome is Outcome.UNKNOWN for r in self.answers.values())

    def is_over(self, ref: int) -> bool:
        reports = self.answers.get(ref, [])
        return len(reports) == 2 or (len(reports) == 1 and reports[0].outcome is not Outcome.DONE)

    def teardown(self) -> None:
        for _ in range(3):
            self.time_passes(20_000)
            self.promises_hold()
        assert set(self.answers) == set(self.commands)
        for ref, command in self.commands.items():
            assert self.is_over(ref) or command.step not in ANSWERED
        assert self.control.due() is None


TestControlStory = ControlStory.TestCase
TestControlStory.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
