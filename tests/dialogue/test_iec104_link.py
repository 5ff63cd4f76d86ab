"""The 104 link of the controlled station: hex in, hex out, time passes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec.iec60870 import apci
from tandem.config.model import Center
from tandem.point import SECOND
from tests.support.iec104_rig import START, START_CON, STOP, STOP_CON, TEST, TEST_CON, Rig

GI = "64 01 06 00 2f 00 00 00 00 14"


def test_start_test_and_stop_are_confirmed() -> None:
    client = Rig(rows=()).connect()
    for ask, answer in ((TEST, TEST_CON), (START, START_CON), (START, START_CON), (STOP, STOP_CON), (STOP, STOP_CON)):
        client.send(ask)
        assert client.frames() == [answer]


def test_octets_may_come_in_any_pieces() -> None:
    client = Rig(rows=()).connect()
    for octet in bytes.fromhex((START + TEST).replace(" ", "")):
        client.send(f"{octet:02x}")
    assert client.frames() == [START_CON, TEST_CON]


@pytest.mark.parametrize(
    ("first", "then", "why"),
    [
        ("", "68 0e 00 00 00 00 " + GI, "STARTDT must be confirmed first"),
        (START, "68 0e 02 00 00 00 " + GI, "N(S) = 1, expected is 0"),
        (START, "68 0e 00 00 02 00 " + GI, "N(R) = 1 is outside"),
        (START, "68 04 01 00 0c 00", "N(R) = 6 is outside"),
        (START, "68 04 00 00 00 00", "without an ASDU"),
        ("", "69", "begins with 0x69"),
        ("", "68 03 07 00 00", "length as 3"),
        ("", "68 fe", "length as 254"),
        ("", "68 04 0b 00 00 00", "only a controlled station"),
        ("", "68 04 47 00 00 00", "not defined"),
        ("", "68 05 07 00 00 00 00", "not defined"),
        (START + STOP, "68 0e 00 00 00 00 " + GI, "STARTDT must be confirmed first"),
    ],
)
def test_what_breaks_the_rules_is_closed_with_a_sentence(first: str, then: str, why: str) -> None:
    client = Rig(rows=()).connect()
    client.send(first)
    client.events()
    client.send(then)
    assert why in client.close_reason()
    client.frames()
    client.send(TEST)
    assert client.frames() == []
    assert client.session.due() is None


def test_t3_tests_an_idle_link_and_t1_gives_up() -> None:
    client = Rig(rows=()).connect()
    client.wait(19_999)
    assert client.frames() == []
    client.wait(1)
    assert client.frames() == [TEST]
    client.send(TEST_CON)
    client.wait(20_000)
    assert client.frames() == [TEST]
    client.wait(14_999)
    client.session.tick(client.rig.now)
    assert client.frames() == []
    assert client.close_reason() == ""
    client.wait(1)
    assert "did not answer TESTFR within t1 = 15 s" in client.close_reason()


def test_t1_gives_up_on_an_unacknowledged_frame() -> None:
    rig = Rig(options={"t1_s": 3})
    client = rig.started()
    rig.update("earth", 1)
    rig.pump()
    client.wait(2_999)
    assert client.close_reason() == ""
    client.wait(1)
    assert "did not acknowledge an I frame within t1 = 3 s" in client.close_reason()


def test_t2_acknowledges_what_got_no_answer() -> None:
    client = Rig().started()
    client.ask("66 01 05 00 2f 00 e9 03 00")  # a read that no pump answers yet
    client.wait(9_999)
    assert client.frames() == []
    client.wait(1)
    assert client.frames() == ["68 04 01 00 02 00"]


def test_w_frames_are_acknowledged_at_once() -> None:
    client = Rig(options={"w": 3}).started()
    for n in range(3):
        client.ask("66 01 05 00 2f 00 e9 03 00")
        assert client.frames() == (["68 04 01 00 06 00"] if n == 2 else [])


def test_an_answer_acknowledges_what_came_before_it() -> None:
    rig = Rig(options={"w": 2})
    client = rig.started()
    for n in range(4):
        client.ask("66 01 05 00 2f 00 e9 03 00")
        rig.pump()
        (frame,) = client.frames()
        assert frame[12:17] == f"{2 * n + 2:02x} 00"
    client.acknowledge()
    client.wait(19_000)
    assert client.frames() == []


def test_k_frames_are_the_most_on_the_way() -> None:
    rig = Rig(options={"k": 4})
    client = rig.started()
    for n in range(600):
        rig.update("earth", n & 1)
    rig.pump()
    assert len(client.asdus()) == 4
    rig.pump()
    assert client.asdus() == []
    client.send(f"68 04 01 00 {(client.vr - 3) * 2:02x} 00")
    assert len(client.asdus()) == 1
    client.acknowledge()
    assert len(client.asdus()) == 4


def test_numbers_go_round_at_32768() -> None:
    rig = Rig()
    client = rig.started()
    for n in range(33_000):
        rig.update("earth", n & 1)
        rig.pump()
        assert len(client.asdus()) == 1
        client.acknowledge()
        if n % 100 == 0:
            client.ask("66 01 05 00 2f 00 e9 03 00")
            rig.pump()
            client.asdus()
            client.acknowledge()
    assert client.close_reason() == ""
    assert client.vr < 1000


def test_stop_is_confirmed_when_everything_is_acknowledged() -> None:
    rig = Rig()
    client = rig.started()
    client.ask("66 01 05 00 2f 00 e9 03 00")
    rig.update("earth", 1)
    rig.pump()
    client.ask("66 01 05 00 2f 00 e9 03 00")
    client.send(STOP)
    assert [frame[:11] for frame in client.frames()][2:] == ["68 04 01 00"]
    rig.update("earth", 0)
    rig.pump()
    assert client.frames() == []
    client.acknowledge()
    assert client.frames() == [STOP_CON]
    client.send(START)
    assert client.frames() == [START_CON]
    assert len(client.drain()) == 2  # the local point, and the event that waited
    assert rig.counts()["repeated"] == 0


def test_started_again_while_stopping() -> None:
    rig = Rig()
    client = rig.started()
    rig.update("earth", 1)
    rig.pump()
    client.asdus()
    client.send(STOP + START)
    assert client.frames() == [START_CON]
    client.acknowledge()
    assert rig.station.cursors() == {"north": 1}


def test_serve_after_seconds_holds_the_confirmation() -> None:
    rig = Rig(rows=(), serve_after="5")
    client = rig.connect()
    rig.pump()
    client.send(START + TEST)
    assert client.frames() == [TEST_CON]
    assert "not started before" in client.said()
    rig.now = 5 * SECOND - 1
    rig.pump()
    assert client.frames() == []
    rig.now = 5 * SECOND
    rig.pump()
    assert client.frames() == [START_CON]


def test_a_wait_ends_with_a_stop_too() -> None:
    rig = Rig(rows=(), serve_after="5")
    client = rig.connect()
    client.send(START + STOP)
    assert client.frames() == [STOP_CON]


def test_strangers_and_too_many_are_refused_with_a_sentence() -> None:
    rig = Rig(options={"max_connections": 2})
    assert "192.0.2.1 is no host" in str(rig.station.accept("192.0.2.1", True, 0))
    assert "is no host" in str(rig.station.accept("nonsense", True, 0))
    assert rig.connect("::ffff:10.9.1.1").session.center == "east"
    assert rig.connect("10.8.1.1").session.center == "north"
    second = rig.connect("10.0.0.1")
    assert "has 2 connections" in str(rig.station.accept("10.0.0.1", True, 0))
    second.drop()
    rig.connect("10.0.0.1")


def test_a_longer_prefix_wins_whatever_the_order() -> None:
    wide, narrow = Center("wide", ("10.0.0.0/8", "2001:db8::/32")), Center("narrow", ("10.0.0.7/32", "2001:db8::7/128"))
    for order in ((wide, narrow), (narrow, wide)):
        rig = Rig(rows=(), centers=order)
        found = [rig.connect(h).session.center for h in ("10.0.0.7", "10.0.0.8", "2001:db8::7", "2001:db8::8%eth0")]
        assert found == ["narrow", "wide", "narrow", "wide"]


@given(st.lists(st.binary(max_size=40), max_size=8), st.booleans())
def test_no_octets_ever_raise(pieces: list[bytes], start: bool) -> None:
    rig = Rig()
    client = rig.connect()
    if start:
        client.send(START)
    for piece in pieces:
        client.session.receive(piece, rig.now)
        rig.pump()
        client.session.tick(rig.now)
        client.session.outgoing()
    assert client.session.due() is not None or client.close_reason()
    client.drop()


@given(st.lists(st.binary(min_size=1, max_size=30), max_size=8))
def test_no_asdu_ever_raises(asdus: list[bytes]) -> None:
    rig = Rig()
    client = rig.started()
    for number, data in enumerate(asdus):
        client.session.receive(apci.i_frame(data, number, client.vr), rig.now)
        rig.pump()
        rig.commands()
    assert client.close_reason() == ""


@given(
    st.lists(
        st.tuples(
            st.sampled_from([45, 46, 47, 48, 49, 50, 51, 58, 59, 61, 63, 64, 100, 101, 102, 103, 104, 105, 107, 30]),
            st.integers(0, 255),
            st.sampled_from([5, 6, 8, 10, 0x86]),
            st.sampled_from([b"\x2f\0", b"\xff\xff", b"\1\0"]),
            st.sampled_from([b"\0\0\0", b"\x89\x13\0", b"\x8a\x13\0", b"\x8b\x13\0", b"\x8c\x13\0", b"\xd1\7\0"]),
            st.binary(max_size=14),
        ),
        max_size=6,
    )
)
def test_no_request_ever_raises(requests: list[tuple[int, int, int, bytes, bytes, bytes]]) -> None:
    rig = Rig(max_command_age_ms=1000)
    client = rig.started()
    for number, (kind, vsq, cot, ca, ioa, rest) in enumerate(requests):
        data = bytes((kind, 1 if vsq < 200 else vsq, cot, 0)) + ca + ioa + rest
        client.session.receive(apci.i_frame(data, number, client.vr), rig.now)
        for command in rig.commands():
            rig.report(command.ref)
        rig.pump()
    assert client.close_reason() == ""
