"""APCI and the stream of APDUs: (meaning, octets, fields)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec.iec60870 import apci

TRIPLES = [
    ("STARTDT act", "680407000000", ("U", 0x07, 0)),
    ("STARTDT con", "68040b000000", ("U", 0x0B, 0)),
    ("STOPDT act", "680413000000", ("U", 0x13, 0)),
    ("STOPDT con", "680423000000", ("U", 0x23, 0)),
    ("TESTFR act", "680443000000", ("U", 0x43, 0)),
    ("TESTFR con", "680483000000", ("U", 0x83, 0)),
    ("S, everything below 7", "680401000e00", ("S", 0, 7)),
    ("S, the highest number", "68040100feff", ("S", 0, 32767)),
    ("I 1, received 2", "680e0200040064010600ffff00000014", ("I", 1, 2)),
    ("I, the highest numbers", "680efefffeff64010600ffff00000014", ("I", 32767, 32767)),
    ("two U functions at once", "680447000000", ("?", 0, 0)),
    ("a U frame with something behind it", "68050700000000", ("?", 0, 0)),
]


@pytest.mark.parametrize(("meaning", "octets", "fields"), TRIPLES)
def test_control_octets(meaning: str, octets: str, fields: tuple[str, int, int]) -> None:
    frame = bytes.fromhex(octets)
    assert apci.control_of(frame) == fields, meaning
    form, number, nr = fields
    if form == "U":
        assert apci.u_frame(number) == frame
    elif form == "S":
        assert apci.s_frame(nr) == frame
    elif form == "I":
        assert apci.i_frame(frame[6:], number, nr) == frame


@given(st.integers(0, 32767), st.integers(0, 32767), st.binary(min_size=1, max_size=apci.ASDU_MAX))
def test_numbers_and_asdu_come_back(ns: int, nr: int, asdu: bytes) -> None:
    (frame,) = apci.Splitter().feed(apci.i_frame(asdu, ns, nr))
    assert apci.control_of(frame) == ("I", ns, nr)
    assert frame[6:] == asdu


FRAMES = [bytes.fromhex(octets) for _, octets, _ in TRIPLES]


@given(st.lists(st.sampled_from(FRAMES), max_size=8), st.lists(st.integers(1, 40), max_size=30))
def test_a_stream_is_cut_the_same_in_any_pieces(frames: list[bytes], sizes: list[int]) -> None:
    stream, splitter = b"".join(frames), apci.Splitter()
    found: list[bytes] = []
    for size in [*sizes, len(stream)]:
        found += splitter.feed(stream[:size])
        stream = stream[size:]
        assert splitter.waiting < 255
    assert found == frames
    assert splitter.fault == ""


@pytest.mark.parametrize(
    ("stream", "whole", "fault"),
    [
        ("68040700000069", 1, "begins with 0x69"),
        ("6803", 0, "length as 3"),
        ("68fe", 0, "length as 254"),
        ("00", 0, "begins with 0x00"),
    ],
)
def test_a_broken_stream_says_so_for_good(stream: str, whole: int, fault: str) -> None:
    splitter = apci.Splitter()
    assert len(splitter.feed(bytes.fromhex(stream))) == whole
    assert fault in splitter.fault
    assert splitter.feed(FRAMES[0]) == []


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_no_octets_raise_or_pile_up(pieces: list[bytes]) -> None:
    splitter = apci.Splitter()
    for piece in pieces:
        splitter.feed(piece)
        assert splitter.waiting < 255
