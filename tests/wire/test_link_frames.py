"""Frames of the hot-standby link as triples: what it means, its octets, its fields; and any other octets."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec import link
from tandem.codec.link import Claim, CursorAt, FrameError, Message
from tandem.codec.link_read import Splitter
from tandem.codec.link_time import TimeAsked, TimeTold
from tandem.codec.record import pack

RECORD = pack(258, 1, 1.0, 7, 0, 1)
NONCE, TABLE, CONFIG = int.from_bytes(b"nonce-a.", "little"), bytes(range(32)), bytes(32)
CLAIM = Claim(4, b"claim--4", 100, b"claim--3", 99)

TRIPLES: list[tuple[str, str, Message]] = [
    (
        "the active a says hello: one claim, one cursor",
        "9b000000 01 0100 61 01 6e6f6e63652d612e 03000000 02000000" + TABLE.hex() + CONFIG.hex() + "0201000000000000"
        "05 6365646172 01 04000000 636c61696d2d2d34 6400000000000000 636c61696d2d2d33 6300000000000000"
        "01 05 6e6f727468 04000000 0101000000000000",
        link.Hello("a", True, NONCE, 3, 2, TABLE, CONFIG, 258, "cedar", (CLAIM,), (CursorAt("north", 4, 257),)),
    ),
    ("stranger refused", "06000000 02 0300 6e6f21", link.Refuse("no!")),
    ("ids of the active", "08000000 03 7b2261223a317d", link.RegistryText('{"a":1}')),
    ("slices follow after 257", "09000000 04 0101000000000000", link.Resume(257)),
    (
        "a snapshot follows",
        "19000000 05 0100000000000000 0200000000000000 0300000000000000",
        link.Begin(1, 2, 3),
    ),
    ("one present value", "21000000 06" + RECORD.hex(), link.Rows(RECORD)),
    (
        "a tail of one soe record",
        "35000000 07 0101000000000000 0201000000000000 20000000" + RECORD.hex(),
        link.Tail(257, 258, RECORD, b""),
    ),
    ("the image is whole", "09000000 08 0201000000000000", link.End(258)),
    (
        "a slice of one analog record",
        "39000000 09 04000000 0101000000000000 0201000000000000 00000000" + RECORD.hex(),
        link.Slice(4, 257, 258, b"", RECORD),
    ),
    ("applied", "11000000 0a 04000000 0201000000000000 07000000", link.Ack(4, 258, 7)),
    ("north has confirmed", "13000000 0b 04000000 0101000000000000 05 6e6f727468", CursorAt("north", 4, 257)),
    (
        "trip forwarded",
        "2c000000 0c 0900000000000000 07000000 000000000000f03f 03 fa000000 10270000 2a00000000000000 05 6e6f727468",
        link.ControlFrame(9, 7, 1.0, 3, 250, 10_000, 42, "north"),
    ),
    ("it was done", "0f000000 0d 0900000000000000 01 00 0200 6f6b", link.ReportFrame(9, 1, 0, "ok")),
    ("an order", "0b000000 0e 03 6f7574 05 6e6f727468", link.Order("out", "north")),
    ("soft state", "07000000 0f 03 666362 0001", link.State("fcb", b"\x00\x01")),
    ("offered for salvage", "21000000 10" + RECORD.hex(), link.Salvage(RECORD)),
    ("a word about a commit", "03000000 18 7b7d", link.CommitWord("{}")),
    ("a piece of a configuration", "07000000 19 00800000 0001", link.Piece(32768, b"\x00\x01")),
    ("what is your clock", "09000000 11 0100000000000000", TimeAsked(1)),
    ("it was 2 us", "12000000 12 0100000000000000 0200000000000000 01", TimeTold(1, 2, True)),
]


@pytest.mark.parametrize(("octets", "message"), [row[1:] for row in TRIPLES], ids=[row[0] for row in TRIPLES])
def test_triples(octets: str, message: Message) -> None:
    assert message.encode().hex() == octets.replace(" ", "")
    assert Splitter().feed(bytes.fromhex(octets)) == [message]


@given(st.lists(st.sampled_from([row[2] for row in TRIPLES]), max_size=6), st.integers(1, 50))
def test_frames_arrive_however_the_stream_is_cut(messages: list[Message], width: int) -> None:
    stream, splitter, got = b"".join(m.encode() for m in messages), Splitter(), []
    for at in range(0, len(stream), width):
        got += splitter.feed(stream[at : at + width])
    assert got == messages


@given(st.integers(0, 20), st.binary(max_size=300))
def test_any_payload_is_a_message_or_a_frame_error(kind: int, payload: bytes) -> None:
    try:
        messages = Splitter().feed(struct.pack("<IB", len(payload) + 1, kind) + payload)
    except FrameError:
        return
    assert len(messages) == 1


@given(st.sampled_from([bytes.fromhex(row[1]) for row in TRIPLES]), st.integers(5, 200), st.integers(0, 255))
def test_one_wrong_octet_raises_nothing_but_frame_error(octets: bytes, place: int, value: int) -> None:
    wrong = bytearray(octets)
    wrong[min(place, len(wrong) - 1)] = value
    try:
        assert len(Splitter().feed(bytes(wrong))) == 1
    except FrameError as error:
        assert "link frame of type" in str(error)  # noqa: PT017 - what is read is the sentence


@pytest.mark.parametrize(
    "octets",
    ["00000000 0a", "ffffffff 09", "14000000 0a", "05000000 00", "05000000 63", "02008000 03"],
    ids=["empty", "huge", "larger than its type", "type 0", "unknown type", "registry too large"],
)
def test_a_head_that_promises_too_much_ends_the_stream_before_its_payload(octets: str) -> None:
    with pytest.raises(FrameError, match="another protocol"):
        Splitter().feed(bytes.fromhex(octets))


def test_a_hello_of_another_version_names_both() -> None:
    octets = bytearray(TRIPLES[0][2].encode())
    octets[5] = 9
    with pytest.raises(FrameError, match="version 9 of the link, this member 1"):
        Splitter().feed(bytes(octets))
