"""A Modbus TCP device, and units behind one address. Hex in, hex out."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.codec.modbus import rtu
from tandem.config.model import Device
from tandem.master.base import SerialTarget, TcpTarget
from tandem.point import Outcome, Quality
from tests.modbus_rig import Rig, point, serial_master, tcp_master

OK = "_sys.device.M1.ok"
METER = Device(
    "M1",
    1,
    "127.20.1.50",
    5020,
    points=(
        point("M1.active_power", "analog", "holding:0", encoding="float32-abcd", deadband=1.0),
        point("M1.reactive_power", "analog", "holding:2", encoding="float32-cdab", deadband=1.0),
        point("M1.alarm", "binary", "holding:4.3"),
        point("M1.high", "binary", "holding:4.15"),
    ),
)
ASK = "00 00 00 06 01 03 00 00 00 05"


def reply(key: str, active: float = 10.0, reactive: float = -2.0, alarms: int = 8) -> str:
    swapped = struct.pack(">f", reactive)
    data = struct.pack(">f", active) + swapped[2:] + swapped[:2] + alarms.to_bytes(2, "big")
    return f"{key} 00 00 00 0d 01 03 0a {data.hex(' ')}"


def test_one_request_reads_the_meter() -> None:
    rig = Rig(tcp_master(METER)).start()
    assert rig.channel.target == TcpTarget("station", "127.20.1.50", 5020, "group")
    assert rig.channel.name == "meters.M1"
    quick = Rig(tcp_master(METER, options={"connect_timeout_ms": 700})).channel.target
    assert quick == TcpTarget("station", "127.20.1.50", 5020, "group", 700)
    assert rig.sent == f"00 01 {ASK}"
    rig.hear(reply("00 01"))
    assert rig.stored() == [
        ("M1.active_power", 10.0),
        ("M1.reactive_power", -2.0),
        ("M1.alarm", 1.0),
        ("M1.high", 0.0),
        (OK, 1.0),
    ]
    rig.wait(200)
    assert rig.sent == f"00 02 {ASK}"
    rig.hear(reply("00 02"))
    assert rig.stored() == []
    rig.wait(200)
    rig.sent  # noqa: B018
    rig.hear(reply("00 03", active=10.9, alarms=0x8000))
    assert rig.stored() == [("M1.alarm", 0.0), ("M1.high", 1.0)]


def test_segments_as_tcp_likes_them() -> None:
    rig = Rig(tcp_master(METER)).start()
    rig.sent  # noqa: B018
    octets = bytes.fromhex(reply("00 77") + reply("00 01"))
    for start in range(0, len(octets), 5):
        rig.raw(octets[start : start + 5])
    assert rig.value("M1.active_power") == 10
    assert rig.channel.statistics()["M1"]["late_replies"] == 1
    rig.wait(200)
    rig.sent  # noqa: B018
    equal = bytes.fromhex(reply("00 02"))
    rig.raw(equal[:9])
    rig.raw(equal[9:])
    assert rig.channel.statistics()["M1"]["answers"] == 2


def test_octets_inside_a_late_frame_are_not_taken_for_a_reply() -> None:
    rig = Rig(tcp_master(METER)).start()
    rig.sent  # noqa: B018
    rig.hear(reply("00 01"))
    rig.wait(200)
    rig.sent  # noqa: B018
    rig.hear("00 77 00 00 00 17 01 10")
    rig.wait(1)
    rig.hear("00 00")
    rig.hear(reply("00 02"))
    statistics = rig.channel.statistics()["M1"]
    assert (statistics["answers"], statistics["late_replies"]) == (1, 1)
    rig.hear(reply("00 02"))
    assert rig.channel.statistics()["M1"]["answers"] == 2


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_bad_quality(value: float) -> None:
    rig = Rig(tcp_master(METER)).start()
    rig.sent  # noqa: B018
    rig.hear(reply("00 01"))
    rig.wait(200)
    rig.sent  # noqa: B018
    rig.hear(reply("00 02", active=value))
    assert rig.quality("M1.active_power") == Quality.INVALID | Quality.OVER_RANGE
    assert rig.value("M1.active_power") == 10
    rig.wait(200)
    rig.sent  # noqa: B018
    rig.hear(reply("00 03"))
    assert rig.quality("M1.active_power") == Quality.GOOD


@pytest.mark.parametrize(
    "octets",
    ["00 01 00 07 00 0d 01 03", "00 01 00 00 00 00 01 03", "00 01 00 00 ff ff 01 03", "16 03 01 02 00 01 00 01"],
)
def test_a_stream_that_is_no_modbus_is_closed(octets: str) -> None:
    rig = Rig(tcp_master(METER)).start()
    rig.sent  # noqa: B018
    rig.hear(octets)
    rig.events()
    assert len(rig.closes) == 1 and rig.closes[0].reset


def test_a_device_that_answers_only_garbage_is_lost_however_often_it_is_dialed() -> None:
    rig = Rig(tcp_master(METER)).start()
    for _ in range(3):
        rig.sent  # noqa: B018
        rig.hear("00 01 00 07 00 0d 01 03")
        rig.channel.closed(rig.now, "reset")
        rig.wait(50)
        rig.channel.opened(rig.now)
    assert rig.stored() == [(OK, 0.0)]
    rig.hear(reply(rig.sent[:5]))
    rig.hear(reply(rig.sent[:5]))
    assert rig.value(OK) == 1


@pytest.mark.parametrize(
    "octets",
    [
        "00 01 00 00 00 05 02 03 02 00 01",
        "00 01 00 00 00 05 01 04 02 00 01",
        "00 01 00 00 00 05 01 03 02 00 01",
        "00 01 00 00 00 0d 01 03 0c 00 00 00 00 00 00 00 00 00 00",
        "00 01 00 00 00 02 01 83",
    ],
)
def test_a_wrong_answer_is_discarded_and_the_request_repeated(octets: str) -> None:
    rig = Rig(tcp_master(METER)).start()
    rig.sent  # noqa: B018
    rig.hear(octets)
    assert rig.sent == f"00 02 {ASK}"
    assert rig.stored() == []
    rig.events()
    assert len(rig.said) == 1 and "it was discarded" in rig.said[0]
    assert rig.channel.statistics()["M1"]["bad_replies"] == 1


def test_a_peer_that_vanished_is_lost_and_dialed_anew() -> None:
    rig = Rig(tcp_master(METER)).start()
    rig.silence(1200)
    assert rig.stored() == [(OK, 0.0)]
    rig.events()
    assert [close.reset for close in rig.closes] == [True]
    rig.channel.closed(rig.now, "reset")
    rig.wait(100)
    rig.channel.opened(rig.now)
    rig.hear(reply(rig.sent[:5]))
    rig.hear(reply(rig.sent[:5]))
    assert rig.value(OK) == 1, "a new connection is asked at once"


def test_a_gateway_that_does_not_reach_its_unit() -> None:
    rig = Rig(tcp_master(METER)).start()
    for _ in range(3):
        rig.hear(f"{rig.sent[:5]} 00 00 00 03 01 83 0b")
    assert rig.stored() == [(OK, 0.0)]
    rig.events()
    assert any("gateway target did not respond" in text for text in rig.said)


def test_busy_is_asked_again_a_little_later() -> None:
    rig = Rig(tcp_master(METER)).start()
    rig.hear(f"{rig.sent[:5]} 00 00 00 03 01 83 06")
    assert rig.sent == ""
    rig.wait(50)
    rig.hear(reply(rig.sent[:5]))
    assert rig.quality("M1.active_power") == Quality.GOOD


def test_units_behind_one_address_share_a_connection() -> None:
    units = [Device(f"U{n}", n, "10.0.0.1", 502, points=(point(f"U{n}.a", "analog", "input:0"),)) for n in (1, 2, 3)]
    other = Device("X", 1, "10.0.0.2", 0, points=(point("X.a", "analog", "input:0"),))
    rig = Rig(tcp_master(*units, other))
    assert [channel.name for channel in rig.channels] == ["meters.U1", "meters.X"]
    rig.start()
    seen = []
    for _ in range(3):
        sent = rig.sent
        seen.append(sent[18:20])
        rig.hear(f"{sent[:5]} 00 00 00 05 {sent[18:20]} 04 02 00 {sent[18:20]}")
    assert seen == ["01", "02", "03"]
    assert [rig.value(f"U{n}.a") for n in (1, 2, 3)] == [1, 2, 3]


def test_several_requests_outstanding_are_matched_by_transaction() -> None:
    points = tuple(point(f"M1.a{n}", "analog", f"input:{200 * n}") for n in range(6))
    rig = Rig(tcp_master(Device("M1", 1, "10.0.0.1", 502, points=points), options={"outstanding": 4})).start()
    octets = rig.channel.outgoing()
    assert len(octets) == 4 * 12
    for key in (3, 1, 4, 2):
        rig.hear(f"00 0{key} 00 00 00 05 01 04 02 00 0{key}")
    assert [rig.value(f"M1.a{n}") for n in range(4)] == [1, 2, 3, 4]
    assert len(rig.channel.outgoing()) == 2 * 12


def test_a_channel_that_never_comes_up_loses_its_devices() -> None:
    rig = Rig(tcp_master(METER))
    rig.channel.start(0, False)
    rig.wait(999)
    assert rig.stored() == []
    rig.wait(1)
    assert rig.stored() == [(OK, 0.0)]


def test_what_cannot_be_polled_is_refused_by_name() -> None:
    for bad, sentence in [
        (point("D.x", "analog", "discrete:0+1"), "D.x: two numbers in discrete:0\\+1 make a double"),
        (point("D.x", "double", "discrete:0+5000"), "D.x: discrete:0\\+5000 spans 5001"),
        (point("D.x", "analog", "holding:65535", encoding="uint32"), "D.x: .* beyond 65535"),
        (point("D.x", "binary-output", "discrete:1"), "D.x: discrete:1 can only be read"),
        (point("D.x", "analog-output", "coil:1"), "D.x: coil:1 is one bit"),
    ]:
        with pytest.raises(ValueError, match=sentence):
            Rig(tcp_master(Device("D", 1, "10.0.0.1", points=(bad,))))
    with pytest.raises(ValueError, match="has no line"):
        Rig(serial_master(), line=None)
    assert Rig(serial_master(METER)).channel.target == SerialTarget("bus1")


FUZZED = (
    point("M1.a", "analog", "holding:0", encoding="float32-badc"),
    point("M1.d", "double", "discrete:3+9", settle_ms=50),
    point("M1.c", "binary-output", "coil:1", pulse_ms=20, scan="fast"),
    point("M1.s", "analog-output", "holding:5", encoding="int32"),
)
WORDS = st.one_of(
    st.binary(max_size=40),
    st.sampled_from(["reply", "exception", "wait", "control", "close", "open", "drain", "stop", "start", "listen"]),
)


@settings(max_examples=150, deadline=None)
@given(serial=st.booleans(), story=st.lists(WORDS, max_size=40), outstanding=st.integers(1, 4))
def test_no_octets_and_no_order_of_things_raise(serial: bool, story: list[bytes | str], outstanding: int) -> None:
    device = Device("M1", 1, "10.0.0.1", 502, points=FUZZED)
    rig = Rig(serial_master(device) if serial else tcp_master(device, options={"outstanding": outstanding})).start()
    ordered = 0
    for word in story:
        sent = rig.channel.outgoing()
        if isinstance(word, bytes):
            rig.raw(word)
        elif word in ("reply", "exception") and sent:
            rig.raw(_answer(serial, sent, word))
        elif word == "wait":
            rig.wait(170)
        elif word == "control":
            ordered += 1
            rig.order("M1.c" if ordered % 2 else "M1.s", 1, ref=ordered)
        elif word == "close":
            rig.channel.closed(rig.now, "closed")
        elif word == "open":
            rig.channel.opened(rig.now)
        elif word == "drain":
            rig.channel.drain(rig.now)
        elif word == "stop":
            rig.channel.stop(rig.now, "stopped")
        elif word in ("start", "listen"):
            rig.channel.start(rig.now, word == "listen", rig.now + (100_000_000 if word == "listen" else 0))
        rig.wait(1)
    rig.channel.stop(rig.now, "the end")
    rig.events()
    assert sorted(report.ref for report in rig.reports) == list(range(1, ordered + 1)), "each control ends once"
    assert all(isinstance(report.outcome, Outcome) for report in rig.reports)
    assert all(math.isfinite(record[2]) for record in rig.database.present)
    assert rig.channel.due() is None and rig.channel.outgoing() == b""


def _answer(serial: bool, sent: bytes, word: str) -> bytes:
    body = sent[1:-2] if serial else sent[7:12]
    if word == "exception":
        pdu = bytes((body[0] | 0x80, 2))
    elif body[0] in (1, 2):
        pdu = bytes((body[0], (body[4] + 7) // 8)) + b"\x01" * ((body[4] + 7) // 8)
    elif body[0] == 3:
        pdu = bytes((3, 2 * body[4])) + b"\x7f" * 2 * body[4]
    else:
        pdu = body[:5]
    return rtu.frame(sent[0], pdu) if serial else sent[:4] + (len(pdu) + 1).to_bytes(2, "big") + sent[6:7] + pdu
