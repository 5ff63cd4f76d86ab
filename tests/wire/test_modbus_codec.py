"""Modbus frames as triples of meaning, octets and fields; lengths, checksums, streams; whatever octets come."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec.modbus import pdu, rtu, tcp
from tandem.codec.modbus.describe import describe

REQUESTS = [
    (pdu.read(1, 19, 37), "01 00 13 00 25", pdu.Request(1, 19, 37)),
    (pdu.read(2, 196, 22), "02 00 c4 00 16", pdu.Request(2, 196, 22)),
    (pdu.read(3, 107, 3), "03 00 6b 00 03", pdu.Request(3, 107, 3)),
    (pdu.read(4, 8, 1), "04 00 08 00 01", pdu.Request(4, 8, 1)),
    (pdu.write_coil(172, True), "05 00 ac ff 00", pdu.Request(5, 172, data=b"\xff\x00")),
    (pdu.write_coil(172, False), "05 00 ac 00 00", pdu.Request(5, 172, data=b"\x00\x00")),
    (pdu.write_register(1, 3), "06 00 01 00 03", pdu.Request(6, 1, data=b"\x00\x03")),
    (
        pdu.write_coils(19, [True, False, True, True, False, False, True, True, True, False]),
        "0f 00 13 00 0a 02 cd 01",
        pdu.Request(15, 19, 10, b"\xcd\x01"),
    ),
    (
        pdu.write_registers(1, b"\x00\x0a\x01\x02"),
        "10 00 01 00 02 04 00 0a 01 02",
        pdu.Request(16, 1, 2, b"\x00\x0a\x01\x02"),
    ),
    (pdu.mask_write(4, 0xF2, 0x25), "16 00 04 00 f2 00 25", pdu.Request(22, 4, and_mask=0xF2, or_mask=0x25)),
    (
        pdu.read_write(3, 6, 14, b"\x00\xff" * 3),
        "17 00 03 00 06 00 0e 00 03 06 00 ff 00 ff 00 ff",
        pdu.Request(23, 3, 6, b"\x00\xff" * 3, 14),
    ),
]


@pytest.mark.parametrize(("built", "octets", "fields"), REQUESTS, ids=lambda v: v if isinstance(v, str) else "")
def test_request(built: bytes, octets: str, fields: pdu.Request) -> None:
    assert built == bytes.fromhex(octets)
    assert pdu.parse_request(built) == fields
    assert pdu.request_length(built) == len(built)


REPLIES = [
    ("01 00 13 00 25", "01 05 cd 6b b2 0e 1b", ""),
    ("03 00 6b 00 03", "03 06 02 2b 00 00 00 64", ""),
    ("03 00 6b 00 03", "83 02", ""),
    ("03 00 6b 00 03", "03 04 02 2b 00 00", "announces 4 octets"),
    ("03 00 6b 00 03", "03 06 02 2b 00 00", "brings 4"),
    ("03 00 6b 00 03", "04 06 02 2b 00 00 00 64", "function 4 was answered"),
    ("03 00 6b 00 03", "84 02", "function 132 was answered"),
    ("03 00 6b 00 03", "83", "exception of 1 octets"),
    ("05 00 ac ff 00", "05 00 ac ff 00", ""),
    ("05 00 ac ff 00", "05 00 ac 00 00", "does not repeat"),
    ("10 00 01 00 02 04 00 0a 01 02", "10 00 01 00 02", ""),
    ("16 00 04 00 f2 00 25", "16 00 04 00 f2 00 25", ""),
    ("17 00 03 00 02 00 0e 00 01 02 00 ff", "17 04 00 fe 0a cd", ""),
    ("03 00 6b 00 03", "", "empty"),
]


@pytest.mark.parametrize(("request_hex", "reply_hex", "fault"), REPLIES)
def test_reply_is_judged_by_its_request(request_hex: str, reply_hex: str, fault: str) -> None:
    found = pdu.reply_fault(bytes.fromhex(request_hex), bytes.fromhex(reply_hex))
    assert (found == "") if not fault else fault in found


@pytest.mark.parametrize("count", [0, 126, 70000])
def test_a_count_out_of_range_is_refused(count: int) -> None:
    with pytest.raises(ValueError, match="1 to 125"):
        pdu.read(3, 0, count)


@pytest.mark.parametrize("octets", ["", "07", "05 00 01 12 34", "10 00 01 00 02 03 00 0a 01", "03 00 01"])
def test_no_request(octets: str) -> None:
    with pytest.raises(pdu.FrameError):
        pdu.parse_request(bytes.fromhex(octets))


def test_checksum() -> None:
    assert rtu.crc(b"123456789") == 0x4B37
    assert rtu.frame(17, bytes.fromhex("03 00 6b 00 03")).hex(" ") == "11 03 00 6b 00 03 76 87"


REPLY = rtu.frame(17, bytes.fromhex("03 06 02 2b 00 00 00 64"))
ASKED = bytes.fromhex("03 00 6b 00 03")


@pytest.mark.parametrize("size", [1, 2, 3, 5, 11])
def test_rtu_reply_in_pieces(size: int) -> None:
    ear = rtu.RtuReplies()
    ear.expect(17, ASKED)
    found = [ear.feed(REPLY[i : i + size]) for i in range(0, len(REPLY), size)]
    assert found[-1] == REPLY and not any(found[:-1])


def test_rtu_frame_inside_a_reply_is_data() -> None:
    inside = rtu.frame(17, b"\x83\x02")
    long_reply = rtu.frame(17, bytes((3, 20)) + inside + bytes(15))
    ear = rtu.RtuReplies()
    ear.expect(17, pdu.read(3, 0, 10))
    assert ear.feed(long_reply[:12]) is None
    assert ear.feed(long_reply[12:]) == long_reply


@given(noise=st.binary(max_size=60))
def test_rtu_reply_after_noise(noise: bytes) -> None:
    ear = rtu.RtuReplies()
    ear.expect(17, ASKED)
    assert (ear.feed(noise + REPLY) or ear.last_look()) == REPLY


@given(octets=st.binary(max_size=700), cut=st.integers(1, 40))
def test_rtu_never_takes_what_fails_its_checksum(octets: bytes, cut: int) -> None:
    ear = rtu.RtuReplies()
    ear.expect(17, ASKED)
    for start in range(0, len(octets), cut):
        found = ear.feed(octets[start : start + cut])
        assert found is None or rtu.crc(found[:-2]) == int.from_bytes(found[-2:], "little")
    ear.last_look()
    assert ear.explain()
    assert ear.explain() == "nothing came"


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (rtu.frame(18, REPLY[1:-2]), "unit 18 answered, unit 17 was asked"),
        (rtu.frame(17, bytes.fromhex("04 02 00 01")), "function 4 was answered"),
        (rtu.frame(17, bytes.fromhex("03 02 00 01")), "a reply with 2 octets of data"),
        (REPLY[:-1] + b"\x00", "checksum is wrong"),
        (b"hello", "5 octets came that are no frame"),
    ],
)
def test_rtu_says_what_came_instead(octets: bytes, why: str) -> None:
    ear = rtu.RtuReplies()
    ear.expect(17, ASKED)
    assert ear.feed(octets) is None and ear.last_look() is None
    assert why in ear.explain()


def test_own_echo_is_dropped_once() -> None:
    request = pdu.write_coil(1, True)
    frame = rtu.frame(17, request)
    ear = rtu.RtuReplies()
    ear.expect(17, request, frame)
    assert ear.feed(frame[:3]) is None
    assert ear.feed(frame[3:]) is None
    assert ear.feed(frame) == frame


def test_mbap_triples() -> None:
    frame = tcp.frame(0x1501, 255, bytes.fromhex("04 02 00 0a"))
    assert frame.hex(" ") == "15 01 00 00 00 05 ff 04 02 00 0a"
    assert tcp.TcpFrames().feed(frame) == [(0x1501, 255, bytes.fromhex("04 02 00 0a"))]
    assert frame[2:] == tcp.tail(255, bytes.fromhex("04 02 00 0a"))


@given(
    pdus=st.lists(st.binary(min_size=1, max_size=253), max_size=8),
    cuts=st.lists(st.integers(1, 300), min_size=1, max_size=20),
)
def test_tcp_frames_however_cut(pdus: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(tcp.frame(i, 7, body) for i, body in enumerate(pdus))
    frames, found, place = tcp.TcpFrames(), [], 0
    while stream[place:]:
        cut = cuts[place % len(cuts)]
        found += frames.feed(stream[place : place + cut])
        place += cut
    assert found == [(i, 7, body) for i, body in enumerate(pdus)]
    assert frames.empty


@pytest.mark.parametrize(
    "octets", ["0001 0001 0005 ff 04", "0001 0000 0001 ff 04", "0001 0000 00ff ff 04", "GET / HTTP"]
)
def test_a_stream_that_is_no_modbus(octets: str) -> None:
    data = octets.encode() if octets.startswith("GET") else bytes.fromhex(octets)
    with pytest.raises(pdu.FrameError):
        tcp.TcpFrames().feed(data)


MEANINGS = [
    ("01 03 00 00 00 02", "request", {"name": "read holding registers", "first": 0, "count": 2}),
    ("01 03 04 3f 80 00 00", "reply", {"values": [16256, 0]}),
    ("01 83 02", "reply", {"exception": 2, "exception_name": "illegal data address"}),
    ("01 0f 00 13 00 0a 02 cd 01", "request", {"bits": [1, 0, 1, 1, 0, 0, 1, 1, 1, 0]}),
    ("01 17 00 03 00 06 00 0e 00 01 02 00 ff", "request", {"written": 14, "values": [255]}),
    ("01 05 00 01 12 34", "request", {"error": "function 5 with value 0x1234; only 0x0000 and 0xFF00 exist"}),
    ("01 03 ff ff 00 02", "request", {"error": "it goes to 65536; the last number is 65535"}),
]


@pytest.mark.parametrize(("body", "direction", "meaning"), MEANINGS)
def test_describe(body: str, direction: str, meaning: dict[str, object]) -> None:
    octets = bytes.fromhex(body)
    frame = rtu.frame(octets[0], octets[1:])
    over_tcp = tcp.frame(7, octets[0], octets[1:])
    for found in (
        describe(frame, direction, tcp=False),  # type: ignore[arg-type]
        describe(over_tcp, direction, tcp=True),  # type: ignore[arg-type]
    ):
        assert len(found) == 1
        assert found[0].items() >= (meaning | {"unit": 1, "direction": direction}).items()


def test_describe_finds_frames_between_noise() -> None:
    found = describe(b"\x00\xff" + rtu.frame(17, ASKED) + REPLY + b"\x01", tcp=False)
    assert [m.get("direction", "noise") for m in found] == ["noise", "request", "reply", "noise"]
    assert "".join(str(m["octets"]) for m in found) == (b"\x00\xff" + rtu.frame(17, ASKED) + REPLY + b"\x01").hex()


def test_describe_says_what_is_wrong() -> None:
    assert "checksum would be 76 87" in str(describe(bytes.fromhex("11 03 00 6b 00 03 00 00"), tcp=False)[0]["error"])
    assert "2 octets are missing" in str(describe(tcp.frame(1, 1, ASKED)[:-2], tcp=True)[0]["error"])
    assert "protocol id 257" in str(describe(bytes.fromhex("0001 0101 0006 01 03 0000 0001"), tcp=True)[0]["error"])


@given(octets=st.binary(max_size=400), direction=st.sampled_from([None, "request", "reply"]), over=st.booleans())
def test_describe_never_raises_and_loses_no_octet(octets: bytes, direction: str | None, over: bool) -> None:
    found = describe(octets, direction, tcp=over)  # type: ignore[arg-type]
    json.dumps(found)
    assert "".join(str(meaning["octets"]) for meaning in found) == octets.hex()


@given(body=st.binary(min_size=1, max_size=253), unit=st.integers(0, 255))
def test_describe_takes_any_pdu(body: bytes, unit: int) -> None:
    found = describe(tcp.frame(1, unit, body), tcp=True)
    assert len(found) == 1 and found[0]["unit"] == unit
