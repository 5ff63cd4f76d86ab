"""Controls through a Modbus master: what is written, and how each ends. Hex in, hex out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tandem.config.model import Device
from tandem.point import Outcome, Report, Stage
from tests.modbus_rig import Rig, point, serial_master, tcp_master

OUTPUTS = (
    point("F1.volt", "analog", "input:0", scan="fast"),
    point("F1.lamp", "binary-output", "coil:5"),
    point("F1.horn", "binary-output", "coil:6", pulse_ms=400),
    point("F1.trip_close", "double-output", "coil:1+0", pulse_ms=500),
    point("F1.valve", "double-output", "coil:11+10"),
    point("F1.gate", "double-output", "coil:20+30"),
    point("F1.mode", "binary-output", "holding:4.3"),
    point("F1.flag", "binary-output", "holding:6"),
    point("F1.setpoint", "analog-output", "holding:0", encoding="int16", scale=0.1, offset=5.0),
    point("F1.level", "analog-output", "holding:2", encoding="float32-cdab"),
    point("F1.tap", "step-output", "coil:40+41", pulse_ms=100),
    point("F1.lit", "binary-output", "coil:7", scan="fast"),
)


def rig(**options: Any) -> Rig:
    """A relay whose only input was read; the line is quiet."""
    table = Rig(serial_master(Device("F1", 1, points=OUTPUTS), options=options)).start()
    polled(table, lambda sent: not sent)
    return table


WRITES = [
    ("F1.lamp", 1, "01 05 00 05 ff 00"),
    ("F1.lamp", 0, "01 05 00 05 00 00"),
    ("F1.mode", 1, "01 16 00 04 ff f7 00 08"),
    ("F1.mode", 0, "01 16 00 04 ff f7 00 00"),
    ("F1.flag", 1, "01 06 00 06 00 01"),
    ("F1.setpoint", 8.2, "01 06 00 00 00 20"),
    ("F1.setpoint", 4.9, "01 06 00 00 ff ff"),
]


@pytest.mark.parametrize(("name", "value", "request_hex"), WRITES)
def test_a_write_that_the_device_repeats_is_done(name: str, value: float, request_hex: str) -> None:
    table = rig()
    table.order(name, value, ref=7)
    assert table.sent == request_hex
    table.hear(request_hex)
    assert table.outcome() == Report(7, Stage.CONFIRM, Outcome.DONE)
    table.wait(150)
    assert table.sent == "", "once"
    assert table.channel.drained


def test_two_registers_go_with_function_16() -> None:
    table = rig()
    table.order("F1.level", 10)
    assert table.sent == "01 10 00 02 00 02 04 00 00 41 20"
    table.hear("01 10 00 02 00 02")
    assert table.outcome().outcome == Outcome.DONE


@pytest.mark.parametrize(
    ("name", "value", "coil", "pulse"),
    [
        ("F1.trip_close", 1, "01", 500),
        ("F1.trip_close", 2, "00", 500),
        ("F1.horn", 1, "06", 400),
        ("F1.tap", -1, "28", 100),
    ],
)
def test_a_pulse_is_confirmed_at_once_and_ends_by_itself(name: str, value: float, coil: str, pulse: int) -> None:
    table = rig()
    table.order(name, value)
    assert table.sent == f"01 05 00 {coil} ff 00"
    table.hear(f"01 05 00 {coil} ff 00")
    assert table.outcome().outcome == Outcome.DONE
    assert not table.channel.drained, "the line is not given away in the middle of a pulse"
    seen, start = [], table.now
    while table.now < start + (pulse + 100) * 1_000_000 and not table.channel.drained:
        if sent := table.sent:
            seen.append((sent, (table.now - start) // 1_000_000))
            table.hear(sent if sent[3:5] == "05" else "01 01 01 00" if sent[3:5] == "01" else "01 04 02 00 00")
        table.wait(1)
    ends = [(sent, ms) for sent, ms in seen if sent[3:5] == "05"]
    assert [sent for sent, _ in ends] == [f"01 05 00 {coil} 00 00"]
    assert pulse <= ends[0][1] <= pulse + 12
    table.events()
    assert table.reports == []


def test_the_command_may_bring_its_own_pulse() -> None:
    table = rig()
    table.order("F1.lamp", 1, pulse_ms=50)
    table.hear(table.sent)
    table.wait(50)
    assert table.sent == "01 05 00 05 00 00"


def test_a_latched_pair_of_neighbours_is_one_request() -> None:
    table = rig()
    table.order("F1.valve", 2)
    assert table.sent == "01 0f 00 0a 00 02 01 01"
    table.hear("01 0f 00 0a 00 02")
    assert table.outcome().outcome == Outcome.DONE


def test_a_latched_pair_apart_lets_go_of_the_other_coil_first() -> None:
    table = rig()
    table.order("F1.gate", 2)
    assert table.sent == "01 05 00 14 00 00"
    table.hear("01 05 00 14 00 00")
    table.events()
    assert table.reports == []
    table.wait(5)
    assert table.sent == "01 05 00 1e ff 00"
    table.hear("01 05 00 1e ff 00")
    assert table.outcome().outcome == Outcome.DONE


REFUSED = [
    ("F1.setpoint", 4000, "F1.setpoint cannot be 4000: raw value 39950 does not fit int16"),
    ("F1.lamp", 2, "takes 0 or 1"),
    ("F1.trip_close", 3, "takes off (1) or on (2)"),
    ("F1.tap", 2, "takes -1 (lower) or +1 (raise)"),
]


@pytest.mark.parametrize(("name", "value", "sentence"), REFUSED)
def test_what_cannot_be_written_is_refused_with_a_sentence(name: str, value: float, sentence: str) -> None:
    table = rig()
    table.order(name, value)
    report = table.outcome()
    assert report.outcome == Outcome.REFUSED and sentence in report.sentence
    assert table.sent == ""


def test_an_exception_is_a_failure_with_its_name() -> None:
    table = rig()
    table.order("F1.trip_close", 2)
    table.sent  # noqa: B018
    table.hear("01 85 04")
    report = table.outcome()
    assert report.outcome == Outcome.FAILED and "device failure (4)" in report.sentence
    table.wait(100)
    assert table.channel.drained


def test_silence_is_unknown_and_never_repeated() -> None:
    table = rig()
    table.order("F1.trip_close", 2)
    assert table.sent == "01 05 00 00 ff 00"
    table.wait(350)
    assert table.outcome().outcome == Outcome.UNKNOWN
    for _ in range(400):
        assert "05" not in table.sent[3:5]
        table.wait(5)


def polled(table: Rig, wanted: Callable[[str], bool]) -> str:
    """Answer polls until what is sent, or silence, is wanted; gives it."""
    while not wanted(sent := table.sent):
        if sent:
            table.hear("01 01 01 00" if sent[3:5] == "01" else "01 04 02 00 00")
        table.wait(5)
    return sent


def test_a_late_answer_does_not_confirm_the_next_equal_control() -> None:
    table = rig()
    table.order("F1.lamp", 1, ref=1)
    request = table.sent
    table.wait(325)
    assert polled(table, lambda sent: not sent and table.now > 380_000_000) == ""
    table.order("F1.lamp", 1, ref=2)
    assert table.channel.outgoing() == b"", "the line is quiet, and the first one's answer may still come"
    table.hear(request)
    table.events()
    assert [(r.ref, r.outcome) for r in table.reports] == [(1, Outcome.UNKNOWN)]
    assert polled(table, lambda sent: sent[3:5] == "05") == request
    assert table.now > 600_000_000
    table.hear(request)
    table.events()
    assert [(r.ref, r.outcome) for r in table.reports] == [(1, Outcome.UNKNOWN), (2, Outcome.DONE)]


def test_a_control_goes_before_every_poll() -> None:
    points = (*OUTPUTS, *(point(f"F1.a{n}", "analog", f"input:{200 * n}", scan="fast") for n in range(1, 20)))
    table = Rig(serial_master(Device("F1", 1, points=points))).start()
    table.sent  # noqa: B018
    table.order("F1.lamp", 1)
    assert table.sent == ""
    table.hear("01 01 01 00")
    table.wait(5)
    assert table.sent == "01 05 00 05 ff 00"


def test_what_was_never_sent_is_said_so() -> None:
    table = rig()
    table.order("F1.lamp", 1)
    table.channel.stop(table.now, "the role relay opened")
    report = table.outcome()
    assert (report.outcome, report.sentence) == (Outcome.NOT_SENT, "the role relay opened")
    assert table.sent == "", "nor may it leave afterwards"


def test_what_was_sent_when_the_right_was_lost_is_unknown() -> None:
    table = rig()
    table.order("F1.lamp", 1)
    assert table.sent
    table.channel.stop(table.now, "the role relay opened")
    assert table.outcome().outcome == Outcome.UNKNOWN


def test_octets_that_nobody_fetched_in_time_never_leave() -> None:
    table = rig()
    table.order("F1.lamp", 1)
    table.wait(400)
    assert table.outcome().outcome == Outcome.NOT_SENT
    while sent := table.sent:
        assert sent[3:5] != "05"
        table.wait(400)


@pytest.mark.parametrize("state", ["never started", "draining", "closed", "lost"])
def test_a_channel_that_cannot_send(state: str) -> None:
    table = Rig(serial_master(Device("F1", 1, points=OUTPUTS))) if state == "never started" else rig()
    if state == "draining":
        table.channel.drain(table.now)
    elif state == "closed":
        table.channel.closed(table.now, "unplugged")
    elif state == "lost":
        for _ in range(10):
            table.sent  # noqa: B018
            table.wait(350)
    table.order("F1.lamp", 1)
    report = table.outcome()
    assert report.outcome == Outcome.NOT_SENT and report.sentence


def test_the_end_of_a_pulse_is_tried_again_and_then_said_loudly() -> None:
    table = rig()
    table.order("F1.horn", 1)
    table.hear(table.sent)
    ends = 0
    for _ in range(1000):
        ends += table.sent == "01 05 00 06 00 00"
        table.wait(5)
    table.events()
    assert ends == 3
    assert any("coil:6 may still be on" in text for text in table.said)
    assert [r.outcome for r in table.reports] == [Outcome.DONE]


def test_written_values_are_read_back_where_configured() -> None:
    for kept, outcome in (("01 01 01 01", Outcome.DONE), ("01 01 01 00", Outcome.FAILED)):
        table = rig(write_verify=True)
        table.order("F1.lamp", 1)
        table.hear(table.sent)
        table.wait(5)
        assert table.sent == "01 01 00 05 00 01"
        table.hear(kept)
        assert table.outcome().outcome == outcome


def test_an_output_with_a_scan_is_also_read() -> None:
    table = rig()
    assert table.value("F1.lit") == 0
    table.wait(200)
    while sent := table.sent:
        table.hear("01 01 01 01" if sent[3:5] == "01" else "01 04 02 00 00")
        table.wait(5)
    assert table.value("F1.lit") == 1


def test_over_tcp_a_control_has_its_own_transaction() -> None:
    table = Rig(
        tcp_master(Device("M1", 1, "10.0.0.1", 502, points=(point("M1.lamp", "binary-output", "coil:5"),)))
    ).start()
    table.order("M1.lamp", 1)
    assert table.sent == "00 01 00 00 00 06 01 05 00 05 ff 00"
    table.hear("00 09 00 00 00 06 01 05 00 05 ff 00")
    table.events()
    assert table.reports == []
    table.hear("00 01 00 00 00 06 01 05 00 05 ff 00")
    assert table.outcome().outcome == Outcome.DONE


def test_the_queue_is_bounded() -> None:
    table = rig()
    for ref in range(80):
        table.order("F1.lamp", 1, ref=ref)
    table.events()
    assert len(table.reports) == 16
    assert {r.outcome for r in table.reports} == {Outcome.NOT_SENT}
