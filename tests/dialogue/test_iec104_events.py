"""Events from the journal to a control center: hex out, acknowledgements in, one row and one value at a time."""

from __future__ import annotations

import pytest

from tandem.codec.iec60870 import asdu
from tandem.config.model import Row
from tandem.point import DEVICE_TIME, MS, Cause, Double, Quality
from tests.support.iec104_rig import ROWS, STAMP, Rig, octets


@pytest.mark.parametrize(
    ("name", "value", "quality", "cause", "expected"),
    [
        ("breaker", Double.ON, 0, 1, f"1f 01 03 00 2f 00 e9 03 00 02 {STAMP}"),
        ("breaker", Double.INDETERMINATE, Quality.NOT_TOPICAL, 5, f"1f 01 03 00 2f 00 e9 03 00 43 {STAMP}"),
        ("earth", 1, Quality.BLOCKED, 1, f"1e 01 03 00 2f 00 ea 03 00 11 {STAMP}"),
        ("earth", 0, Quality.INVALID, 1, f"1e 01 03 00 2f 00 ea 03 00 80 {STAMP}"),
        ("earth", 1, Quality.TEST, 1, f"1e 01 83 00 2f 00 ea 03 00 01 {STAMP}"),
        ("earth", 1, 0, Cause.RETURN, f"1e 01 0b 00 2f 00 ea 03 00 01 {STAMP}"),
        ("earth", 1, 0, Cause.SCAN | DEVICE_TIME, f"1e 01 03 00 2f 00 ea 03 00 01 {STAMP}"),
        ("earth", 1, Quality.TIME_INVALID, 1, "1e 01 03 00 2f 00 ea 03 00 01 2e 16 84 03 a2 01 1a"),
        ("volt", 1.5, 0, 1, f"24 01 03 00 2f 00 d1 07 00 00 00 c0 3f 00 {STAMP}"),
        ("amp", 3.21, 0, 1, f"23 01 03 00 2f 00 d2 07 00 41 01 00 {STAMP}"),
        ("amp", 400, 0, 1, f"23 01 03 00 2f 00 d2 07 00 ff 7f 01 {STAMP}"),
        ("amp", -400, Quality.SUBSTITUTED_LOCAL, 1, f"23 01 03 00 2f 00 d2 07 00 00 80 21 {STAMP}"),
        ("norm", 500, 0, 1, f"22 01 03 00 2f 00 d3 07 00 00 40 00 {STAMP}"),
        ("norm", 1000, 0, 1, f"22 01 03 00 2f 00 d3 07 00 ff 7f 01 {STAMP}"),
        ("energy", 258, 0, 1, f"25 01 03 00 2f 00 b9 0b 00 02 01 00 00 00 {STAMP}"),
        ("energy", 2**31, 0, 1, f"25 01 03 00 2f 00 b9 0b 00 00 00 00 80 00 {STAMP}"),
    ],
)
def test_one_event(name: str, value: float, quality: int, cause: int, expected: str) -> None:
    rig = Rig()
    client = rig.started()
    rig.update(name, value, quality, cause)
    rig.pump()
    assert client.asdus() == [expected]


@pytest.mark.parametrize(
    ("row", "value", "expected"),
    [
        (Row("earth", "M_DP_TB_1", "1"), 1, f"1f 01 03 00 2f 00 01 00 00 02 {STAMP}"),
        (Row("earth", "M_DP_TB_1", "1", invert=True), 1, f"1f 01 03 00 2f 00 01 00 00 01 {STAMP}"),
        (Row("earth", "M_SP_TB_1", "7:1", invert=True), 1, f"1e 01 03 00 07 00 01 00 00 00 {STAMP}"),
        (Row("breaker", "M_DP_TB_1", "1", invert=True), 2, f"1f 01 03 00 2f 00 01 00 00 01 {STAMP}"),
        (Row("breaker", "M_DP_TB_1", "1", invert=True), 3, f"1f 01 03 00 2f 00 01 00 00 03 {STAMP}"),
        (Row("breaker", "M_SP_TB_1", "1"), 2, f"1e 01 03 00 2f 00 01 00 00 01 {STAMP}"),
        (Row("breaker", "M_SP_TB_1", "1"), 0, f"1e 01 03 00 2f 00 01 00 00 80 {STAMP}"),
        (Row("tap", "M_ST_TB_1", "1"), -3, f"20 01 03 00 2f 00 01 00 00 7d 00 {STAMP}"),
        (Row("tap", "M_ST_TB_1", "1"), 64, f"20 01 03 00 2f 00 01 00 00 3f 01 {STAMP}"),
        (Row("bits", "M_BO_TB_1", "1"), 0xFFFF0001, f"21 01 03 00 2f 00 01 00 00 01 00 ff ff 00 {STAMP}"),
        (Row("earth", "M_SP_NA_1", "1"), 1, "01 01 03 00 2f 00 01 00 00 01"),
        (Row("volt", "M_ME_ND_1", "1"), 0.5, "15 01 03 00 2f 00 01 00 00 00 40"),
        (Row("volt", "M_ME_TF_1", "1"), float("nan"), f"24 01 03 00 2f 00 01 00 00 00 00 00 00 80 {STAMP}"),
        (Row("volt", "M_ME_TF_1", "1"), float("-inf"), f"24 01 03 00 2f 00 01 00 00 ff ff 7f ff 01 {STAMP}"),
        (Row("volt", "M_ME_TE_1", "1"), float("nan"), f"23 01 03 00 2f 00 01 00 00 00 00 80 {STAMP}"),
        (Row("volt", "M_ME_TE_1", "1"), 32767.4, f"23 01 03 00 2f 00 01 00 00 ff 7f 00 {STAMP}"),
        (Row("energy", "M_IT_TB_1", "1"), float("inf"), f"25 01 03 00 2f 00 01 00 00 00 00 00 00 80 {STAMP}"),
    ],
)
def test_one_row(row: Row, value: float, expected: str) -> None:
    rig = Rig((row,))
    client = rig.started()
    rig.update(row.point, value)
    rig.pump()
    assert client.asdus() == [expected]


def test_a_clock_that_is_not_synchronised_marks_its_stamps() -> None:
    rig = Rig(synced=False)
    client = rig.started()
    rig.update("earth", 1)
    rig.pump()
    assert client.asdus() == ["1e 01 03 00 2f 00 ea 03 00 01 2e 16 84 03 a2 01 1a"]


def test_events_of_a_type_share_an_asdu_and_keep_their_order() -> None:
    rig = Rig()
    client = rig.started()
    for n in range(50):
        rig.update("earth", n % 2)
        rig.update("earth2", n % 2)
        rig.update("amp", n)
        rig.now += 7 * MS
    found = client.drain()
    assert all(len(octets(text)) <= 249 for text in found)
    assert [asdu.decode(octets(text)).amount for text in found] == [22, 18, 22, 22, 18, 22, 14, 12]
    told = client.values(found)
    assert [v for ioa, v in told if ioa == 1002] == [n % 2 for n in range(50)]
    assert [v for ioa, v in told if ioa == 2002] == [n * 100 for n in range(50)]
    assert rig.station.cursors() == {"north": 150}


def test_another_cause_never_overtakes() -> None:
    rig = Rig()
    client = rig.started()
    for value, cause in ((1, 1), (0, Cause.RETURN), (1, 1)):
        rig.update("earth", value, 0, cause)
    assert [(text[6:8], client.values([text])) for text in client.drain()] == [
        ("03", [(1002, 1)]),
        ("0b", [(1002, 0)]),
        ("03", [(1002, 1)]),
    ]


def test_without_return_information_a_command_changes_spontaneously() -> None:
    rig = Rig(options={"return_information": False})
    client = rig.started()
    rig.update("earth", 1, 0, Cause.RETURN)
    assert [text[6:8] for text in client.drain()] == ["03"]


def test_a_point_may_stand_in_several_rows() -> None:
    rig = Rig((*ROWS, Row("earth", "M_DP_TB_1", "7"), Row("volt", "M_ME_TE_1", "8", deadband=10)))
    client = rig.started()
    rig.update("earth", 1)
    rig.update("volt", 1)
    rig.update("volt", 9)
    assert sorted(client.values(client.drain())) == [(7, 2), (8, 1), (1002, 1), (2001, 1.0), (2001, 9.0)]


def test_deadband_counts_from_the_last_told_value_and_quality_always_tells() -> None:
    rig = Rig()
    client = rig.started()
    for value in (10.0, 10.4, 10.5, 10.9, 10.1, 9.9):
        rig.update("volt", value)
    rig.update("volt", 9.9, Quality.NOT_TOPICAL)
    assert [round(v, 1) for _, v in client.values(client.drain())] == [10.0, 10.5, 9.9, 9.9]
    assert rig.counts()["deadband"] == 3
    assert rig.station.cursors() == {"north": 7}


def test_an_interrogated_value_counts_as_told() -> None:
    rig = Rig()
    client = rig.started()
    rig.update("volt", 10.0)
    client.drain()
    rig.update("volt", 10.4)
    client.drain()
    client.ask("64 01 06 00 2f 00 00 00 00 16")
    client.drain()
    rig.update("volt", 10.6)
    assert client.drain() == []
    rig.update("volt", 9.8)
    assert len(client.drain()) == 1


def test_counters_wrap_and_carry_once() -> None:
    rig = Rig()
    client = rig.started()
    for value in (2.0**31 - 1, 2.0**31, 2.0**31 + 1, 5.0):
        rig.update("energy", value)
    (text,) = client.drain()
    found = [v for _, v in asdu.decode(octets(text)).objects or ()]
    assert [(v["value"], v["quality"]) for v in found] == [(2**31 - 1, 0), (-(2**31), 0x20), (1 - 2**31, 0), (5, 0)]


def test_a_carry_that_was_not_confirmed_is_told_again() -> None:
    rig = Rig()
    client = rig.started()
    rig.update("energy", 1)
    client.drain()
    rig.update("energy", 2.0**31)
    first = client.drain(acknowledge=False)
    client.drop()
    assert rig.started_asdus() == first
