"""The controlling side of the 104 link: start and stop, timers, windows, two connections."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.iec104_master_rig import GI, GI_CON, GI_TERM, Rig, device
from tests.support.iec104_rig import START, START_CON, STOP, STOP_CON, TEST, TEST_CON

EARTH = "01 01 03 00 2f 00 ea 03 00 01"
S_FRAME = "68 04 01 00 {:02x} 00"


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("68 0e 02 00 02 00 " + GI_CON, "N(S) = 1, expected is 0"),
        ("68 0e 00 00 04 00 " + GI_CON, "N(R) = 2 is outside"),
        ("68 04 01 00 0c 00", "N(R) = 6 is outside"),
        ("68 04 00 00 02 00", "without an ASDU"),
        ("69", "begins with 0x69"),
        ("68 fe", "length as 254"),
        (START, "only a controlling station"),
        (STOP, "only a controlling station"),
        ("68 04 47 00 00 00", "not defined"),
    ],
)
def test_what_breaks_the_rules_is_closed_with_a_sentence(octets: str, why: str) -> None:
    rig = Rig()
    wire = rig.up()
    wire.sent()
    wire.raw(octets)
    (close,) = rig.closes
    assert why in close.reason
    assert any(why in text for text in rig.said)
    wire.raw(EARTH)
    assert wire.sent() == []


def test_data_before_the_start_is_a_fault() -> None:
    rig = Rig().start()
    rig.first.open()
    rig.first.raw("68 0e 00 00 00 00 " + EARTH)
    assert "must confirm STARTDT first" in rig.closes[0].reason


def test_start_that_is_not_confirmed() -> None:
    rig = Rig().start()
    rig.first.open()
    rig.wait(14_999)
    assert not rig.closes
    rig.wait(1)
    assert "did not confirm STARTDT within t1 = 15 s" in rig.closes[0].reason


def test_t3_tests_and_t1_gives_up() -> None:
    rig = Rig()
    wire = rig.read()
    wire.sent()
    rig.wait(20_000)
    assert wire.sent()[-1] == TEST
    wire.raw(TEST_CON)
    wire.raw(TEST)
    assert wire.sent() == [TEST_CON]
    rig.wait(35_000)
    assert "did not answer TESTFR within t1 = 15 s" in rig.closes[0].reason


def test_a_request_that_is_not_acknowledged() -> None:
    rig = Rig(timeout_ms=60_000)
    rig.up().sent()
    rig.wait(15_000)
    assert "did not acknowledge an I frame within t1 = 15 s" in rig.closes[0].reason


def test_w_frames_are_acknowledged_at_once_and_others_after_t2() -> None:
    rig = Rig(options={"w": 3})
    wire = rig.read()
    wire.sent()
    wire.hear(EARTH)  # the third one: two belong to the interrogation
    assert wire.sent() == [S_FRAME.format(6)]
    wire.hear(EARTH, EARTH)
    assert wire.sent() == []
    rig.wait(9_999)
    assert wire.sent() == []
    rig.wait(1)
    assert wire.sent() == [S_FRAME.format(10)]


def test_k_requests_are_the_most_on_the_way() -> None:
    rig = Rig(options={"k": 2, "w": 1})
    wire = rig.read()
    wire.sent()
    for ref, (name, value) in enumerate((("R1.trip", 2), ("R1.horn", 1), ("R1.level", 5))):
        rig.order(name, value, ref)
    assert [text[:2] for text in wire.asdus()] == ["2e", "2d"]
    wire.raw(f"68 04 01 00 {wire.nr * 2 - 2:02x} 00")
    assert [text[:2] for text in wire.asdus()] == ["31"]


def test_a_drain_acknowledges_and_stops_the_device() -> None:
    rig = Rig()
    wire = rig.read()
    wire.hear(EARTH)
    wire.sent()
    channel = rig.channels[0]
    channel.drain(rig.now)
    assert wire.sent() == [S_FRAME.format(6), STOP]
    assert not channel.drained
    wire.hear("01 01 03 00 2f 00 ea 03 00 00")  # on its way already
    assert wire.sent() == [S_FRAME.format(8)]
    wire.raw(STOP_CON)
    assert channel.drained
    rig.start()  # it came to nothing
    assert wire.sent() == [START]
    wire.raw(START_CON)
    wire.hear(EARTH)
    assert rig.value("R1.earth") == 1


def test_the_second_connection_takes_over() -> None:
    rig = Rig(device(options={"second_host": "10.0.0.6"}))
    assert [channel.target.host for channel in rig.channels] == ["10.0.0.5", "10.0.0.6"]  # type: ignore[union-attr]
    wire = rig.up()
    assert wire.asdus() == [GI]
    wire.hear(GI_CON, GI_TERM)
    second = rig.wires[1]
    second.open()
    assert second.sent() == [], "connected, and not started"
    rig.wait(20_000)
    assert second.sent() == [TEST]
    second.raw(TEST_CON)
    wire.cut()
    assert second.sent() == [START]
    second.raw(START_CON)
    assert second.asdus() == [GI]
    second.hear(GI_CON, EARTH, GI_TERM)
    assert rig.value("R1.earth") == 1
    assert rig.ok()
    wire.open()
    assert wire.sent() == [], "it stays where it is"
    assert rig.count("connected") == 2
    rig.order("R1.trip", 2)
    assert [text[:2] for text in second.asdus()] == ["2e"]
    assert rig.count("losses") == 0


@settings(deadline=None)
@given(st.lists(st.binary(max_size=40), max_size=8))
def test_no_octets_ever_raise(pieces: list[bytes]) -> None:
    rig = Rig()
    wire = rig.up()
    for piece in pieces:
        wire.channel.receive(piece, rig.now)
        rig.turn()
    assert rig.channels[0].statistics()


@settings(deadline=None)
@given(st.lists(st.binary(min_size=1, max_size=60), max_size=8), st.integers(0, 127))
def test_no_asdu_ever_raises(asdus: list[bytes], number: int) -> None:
    rig = Rig()
    wire = rig.read()
    rig.order("R1.trip", 2)
    for octets in asdus:
        wire.hear((bytes([number, *octets])).hex(), octets.hex())
    assert not rig.closes


def test_starts_and_a_full_window_are_counted() -> None:
    rig = Rig(options={"k": 2})
    wire = rig.read()
    assert (rig.count("starts"), rig.count("window_full")) == (1, 0)
    for ref in range(3):
        rig.order("R1.level", ref, ref)
    assert len(wire.asdus()) == 2 and rig.count("window_full") == 1
