"""The judge of events and controls: what it calls lost, repeated and doubled."""

from __future__ import annotations

from typing import Any

from tools.bench.judge import judge_controls, judge_events, judge_stamped

NEAR = {"M1.power": 0.02, "M1.alarm": 0.02}
SECOND = 1_000_000


def sent(point: str, value: float, second: float) -> dict[str, Any]:
    return {"t": int(second * 1e9), "utc_us": int(second * SECOND), "point": point, "value": value}


def heard(point: str, value: float, stamp: float, cause: int = 3, quality: int = 0) -> dict[str, Any]:
    line = sent(point, value, stamp)
    return line | {"time_us": line["utc_us"], "cause": cause, "quality": quality}


def test_each_heard_once_is_well() -> None:
    events = [sent("M1.power", 10, 1), sent("M1.alarm", 1, 1), sent("M1.alarm", 0, 2)]
    told = [heard("M1.power", 10.001, 1.01), heard("M1.alarm", 1, 1.01), heard("M1.alarm", 0, 2.01)]
    verdict = judge_events(events, told, NEAR)
    assert (verdict.sent, verdict.lost, verdict.repeated) == (3, 0, 0)


def test_a_lost_pair_of_toggles_is_not_hidden_by_its_neighbours() -> None:
    events = [sent("M1.alarm", n % 2, n) for n in range(1, 7)]
    told = [heard("M1.alarm", n % 2, n + 0.01) for n in (1, 2, 5, 6)]
    verdict = judge_events(events, told, NEAR)
    assert (verdict.lost, verdict.repeated) == (2, 0)
    assert [at for _, _, at in verdict.missing] == [3e9, 4e9]


def test_the_same_event_again_is_a_repetition_and_an_interrogation_is_none() -> None:
    events = [sent("M1.power", 10, 1)]
    told = [heard("M1.power", 10, 1.01), heard("M1.power", 10, 1.01), heard("M1.power", 10, 1.01, cause=20)]
    verdict = judge_events(events, told, NEAR)
    assert (verdict.lost, verdict.repeated) == (0, 1)


def test_a_value_read_by_the_successor_counts_and_an_invalid_one_does_not() -> None:
    events = [sent("M1.power", 10, 1)]
    assert judge_events(events, [heard("M1.power", 10, 1.5)], NEAR).lost == 0
    assert judge_events(events, [heard("M1.power", 10, 1.01, quality=0x80)], NEAR).lost == 1
    assert judge_events(events, [heard("M1.power", 10, 0.5)], NEAR).lost == 1, "stamped before the device gave it"


def test_a_setpoint_written_twice_is_doubled_and_the_end_of_a_pulse_is_no_control() -> None:
    done = [{"point": "F1.tap", "value": float(n)} for n in (1, 2, 2, 3)]
    done += [{"point": "F1.trip", "value": 2.0}, {"point": "F1.trip", "value": None}]
    assert judge_controls(done, "F1.tap") == (5, 1)


def test_stamped_events_are_counted_one_by_one() -> None:
    given = [sent("R1.a", 1, 5), sent("R1.a", 1, 5), sent("R1.a", 0, 5), sent("R1.b", 1, 6)]
    verdict = judge_stamped(given, [heard("R1.a", 1, 5), heard("R1.a", 1, 5), heard("R1.a", 0, 5), heard("R1.a", 0, 5)])
    assert (verdict.sent, verdict.lost, verdict.repeated) == (4, 1, 1)
    assert verdict.missing == [("R1.b", 1, 6_000_000_000)]
    assert verdict.again == [("R1.a", 0, 5_000_000_000)]
    interrogated = [heard(line["point"], line["value"], line["utc_us"] / SECOND, cause=20) for line in given]
    assert judge_stamped(given, interrogated).lost == 4
