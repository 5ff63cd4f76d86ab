"""Inputs as every master uses them: what is stored, when, under which quality and cause."""

from __future__ import annotations

from typing import Any

import pytest

from tandem.clock import Clock
from tandem.config.model import Point
from tandem.database import Database
from tandem.journal import Journal
from tandem.master.inputs import DeviceState, Input, Inputs
from tandem.point import DEVICE_TIME, MS, Cause, Double, Kind, Quality
from tandem.registry import PointInfo, PointTable


class Bench:
    """One point, its input, and every record that it leaves."""

    def __init__(self, kind: Kind, **settings: Any) -> None:
        self.journal = Journal(64, 64)
        self.database = Database(
            PointTable([PointInfo(1, "P", kind), PointInfo(2, "ok", Kind.BINARY)], 2), self.journal
        )
        self.clock = Clock()
        self.inputs = Inputs(self.database, self.clock)
        self.input: Input = self.inputs.add(Point("P", kind, "", **settings))
        self.cursor = self.journal.cursor(0)

    def put(self, raw: float, quality: int = 0, now: int = 0, cause: int = Cause.SCAN) -> bool:
        return self.input.put(raw, quality, now // 1000, now, cause)

    def stored(self) -> list[tuple[float, int, int]]:
        """(value, quality, cause) of each record since the last call."""
        return [(r[2], r[4], r[5]) for r in self.journal.read(self.cursor, self.journal.head)]


def test_first_value_is_initial_even_when_it_is_zero() -> None:
    bench = Bench(Kind.ANALOG)
    assert bench.put(0)
    assert not bench.put(0)
    assert bench.stored() == [(0.0, 0, Cause.INITIAL)]


def test_a_stamp_of_the_device_stays_marked() -> None:
    bench = Bench(Kind.BINARY)
    bench.put(1, cause=Cause.SPONTANEOUS | DEVICE_TIME)
    bench.put(0, cause=Cause.SPONTANEOUS | DEVICE_TIME)
    assert [cause for _, _, cause in bench.stored()] == [Cause.INITIAL | DEVICE_TIME, Cause.SPONTANEOUS | DEVICE_TIME]


@pytest.mark.parametrize(("raw", "kept"), [(1001, False), (1004, False), (1005, True), (995, True), (996, False)])
def test_deadband_is_in_engineering_units(raw: int, kept: bool) -> None:
    bench = Bench(Kind.ANALOG, scale=0.1, offset=-3.0, deadband=0.5)
    bench.put(1000)
    assert bench.put(raw) is kept


def test_a_slow_drift_is_stored_in_steps_of_the_deadband() -> None:
    bench = Bench(Kind.ANALOG, deadband=1.0)
    for step in range(101):
        bench.put(step / 10)
    assert [round(value, 6) for value, _, _ in bench.stored()] == [float(n) for n in range(11)]


def test_quality_is_a_change_and_trust_in_the_clock_is_not() -> None:
    bench = Bench(Kind.ANALOG, deadband=5.0)
    bench.put(1)
    assert bench.put(1, Quality.BLOCKED)
    assert not bench.put(1, Quality.BLOCKED | Quality.TIME_INVALID)
    assert bench.put(1)


@pytest.mark.parametrize("raw", [float("nan"), float("inf"), 1e308])
def test_no_number_keeps_the_last_value_under_bad_quality(raw: float) -> None:
    bench = Bench(Kind.ANALOG, scale=100.0)
    bench.put(2)
    assert bench.put(raw)
    assert not bench.put(raw)
    assert bench.stored()[1:] == [(200.0, Quality.INVALID | Quality.OVER_RANGE, Cause.SCAN)]


def test_intermediate_is_stored_at_once_without_a_settling_time() -> None:
    bench = Bench(Kind.DOUBLE)
    for state in (Double.OFF, Double.INTERMEDIATE, Double.ON):
        bench.put(state)
    assert [value for value, _, _ in bench.stored()] == [1.0, 0.0, 2.0]


def test_intermediate_settles_as_indeterminate_with_the_time_of_the_decision() -> None:
    bench = Bench(Kind.DOUBLE, settle_ms=100)
    bench.put(Double.ON, now=0)
    bench.put(Double.INTERMEDIATE, now=10 * MS)
    bench.put(Double.INTERMEDIATE, now=60 * MS)
    assert bench.inputs.due() == 110 * MS
    bench.inputs.tick(110 * MS - 1)
    assert len(bench.stored()) == 1
    bench.inputs.tick(110 * MS)
    assert bench.stored() == [(Double.INDETERMINATE, Quality.TIME_INVALID, Cause.SCAN)]
    assert bench.database.present[1][1] == 110_000
    bench.put(Double.INTERMEDIATE, now=120 * MS)
    assert bench.inputs.due() is None


def test_both_contacts_closed_is_a_fault_that_does_not_wait() -> None:
    bench = Bench(Kind.DOUBLE, settle_ms=100)
    bench.put(Double.INTERMEDIATE)
    bench.put(Double.INDETERMINATE)
    assert [value for value, _, _ in bench.stored()] == [3.0]
    assert bench.inputs.due() is None


def test_device_state_is_an_event_only_when_it_changes() -> None:
    bench = Bench(Kind.BINARY)
    state = DeviceState(bench.database, bench.clock, 2)
    assert [state.put(answers, 0) for answers in (True, True, False, False, True)] == [True, False, True, False, True]
    causes = [cause for _, _, cause in bench.stored()]
    assert causes == [Cause.INITIAL, Cause.COMMUNICATION, Cause.COMMUNICATION]
    assert not DeviceState(bench.database, bench.clock, 0).put(True, 0)
