"""Capture files in every wrapping, and the order of TCP segments put right."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec.pcap import Fault, Packet, packets
from tandem.codec.tcp_stream import HELD_MAX, Direction, Segment, segment
from tests.support.captures import SYN, Tcp, link, packet, pcap, pcapng

A, B = ("10.0.0.1", 40000), ("10.0.0.2", 2404)
A6, B6 = ("fd00::1", 40000), ("fd00::2", 2404)
FRAMES = [link(packet(Tcp(A, B, 100 + 2 * n, bytes([n, n]))), 1) for n in range(4)]


def whole(octets: bytes) -> list[Packet]:
    found = list(packets(octets))
    assert not [f for f in found if isinstance(f, Fault)]
    return [f for f in found if isinstance(f, Packet)]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nano", [False, True])
def test_classic_captures_of_both_byte_orders(order: str, nano: bool) -> None:
    found = whole(pcap(FRAMES, 1, order, nano))
    assert [p.octets for p in found] == FRAMES
    assert [p.time_us for p in found] == [1_000_001_000, 1_000_002_000, 1_000_003_000, 1_000_004_000]


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("resolution", [None, 9, 0x8A])
def test_pcapng_of_both_byte_orders(order: str, resolution: int | None) -> None:
    found = whole(pcapng(FRAMES, 1, order, resolution))
    assert [p.octets for p in found] == FRAMES
    assert [p.number for p in found] == [1, 2, 3, 4]
    assert found[0].time_us == pytest.approx(1_000_001_000, abs=1000)
    assert found[2].time_us == 0  # a simple block has no time


@pytest.mark.parametrize(("kind", "vlan"), [(1, False), (1, True), *((n, False) for n in (113, 276, 0, 101))])
@pytest.mark.parametrize(("source", "target"), [(A, B), (A6, B6)])
def test_every_link_type_gives_the_segment(
    kind: int, vlan: bool, source: tuple[str, int], target: tuple[str, int]
) -> None:
    octets = link(packet(Tcp(source, target, 7, b"hello")), kind, vlan)
    part = segment(Packet(1, 5, kind, octets + bytes(3)))  # Ethernet pads short frames
    assert part == Segment(1, 5, source, target, 7, 24, b"hello")


def test_what_is_no_tcp_is_no_segment_and_what_is_damaged_says_so() -> None:
    octets = packet(Tcp(A, B, 7, b"hello"))
    udp = octets[:9] + b"\x11" + octets[10:]
    fragment = octets[:6] + b"\x20\x00" + octets[8:]
    assert segment(Packet(1, 0, 101, udp)) is None
    assert segment(Packet(1, 0, 1, bytes(12) + b"\x08\x06" + bytes(28))) is None  # ARP
    for link_type, damaged in ((101, fragment), (101, octets[:19]), (101, octets[:30]), (77, octets)):
        assert isinstance(segment(Packet(1, 0, link_type, damaged)), str)


def test_a_packet_that_was_captured_in_part_tells_how_much_is_missing() -> None:
    (first,) = whole(pcap([FRAMES[0]], kept=55))
    part = segment(first)
    assert isinstance(part, Segment)
    assert (part.payload, part.cut) == (b"\0", 1)
    lost = Direction().feed(part)
    assert [(p.octets, p.lost) for p in lost] == [(b"\0", 0), (b"", 1)]


@pytest.mark.parametrize("whole_file", [pcap(FRAMES), pcapng(FRAMES)], ids=["pcap", "pcapng"])
def test_a_file_cut_anywhere_gives_whole_packets_then_one_fault(whole_file: bytes) -> None:
    for size in range(len(whole_file)):
        found = list(packets(whole_file[:size]))
        assert all(isinstance(f, Packet) for f in found[:-1])
        assert [f.octets for f in found if isinstance(f, Packet)] == FRAMES[: sum(isinstance(f, Packet) for f in found)]


@given(st.binary(max_size=200), st.sampled_from([b"", pcap([])[:24], pcap([], 1, ">"), pcapng([]), pcapng([], 1, ">")]))
def test_no_octets_raise(octets: bytes, begin: bytes) -> None:
    found = list(packets(begin + octets))
    assert sum(isinstance(f, Fault) for f in found) <= 1
    for kind in (1, 113, 276, 101, 0, 9):
        part = segment(Packet(1, 0, kind, octets))
        assert part is None or isinstance(part, str | Segment)


def stream(*parts: tuple[int, bytes]) -> list[tuple[bytes, int]]:
    """(octets, lost) of one direction from (number, payload) pairs; the SYN has number 99."""
    direction = Direction()
    pieces = direction.feed(Segment(1, 0, A, B, 99, SYN, b""))
    for number, payload in parts:
        pieces += direction.feed(Segment(2, 0, A, B, number & 0xFFFFFFFF, 24, payload))
    return [(p.octets, p.lost) for p in pieces + direction.finish()]


def test_segments_come_out_in_order_once() -> None:
    assert stream((100, b"ab"), (104, b"ef"), (102, b"cd")) == [(b"ab", 0), (b"cd", 0), (b"ef", 0)]
    assert stream((100, b"abcd"), (100, b"ab"), (102, b"cdef")) == [(b"abcd", 0), (b"ef", 0)]
    assert stream((99, b"x"), (100, b"a"), (100, b"a")) == [(b"a", 0)]  # a keep-alive, a retransmission


def test_a_gap_is_said() -> None:
    assert stream((100, b"ab"), (105, b"fg")) == [(b"ab", 0), (b"", 3), (b"fg", 0)]
    many = [(200 + n, b"x") for n in range(HELD_MAX + 1)]
    assert stream(*many)[0] == (b"", 100)


def test_numbers_wrap() -> None:
    direction = Direction()
    pieces = direction.feed(Segment(1, 0, A, B, 0xFFFFFFFE, 24, b"abcd"))
    pieces += direction.feed(Segment(2, 0, A, B, 2, 24, b"ef"))
    assert b"".join(p.octets for p in pieces) == b"abcdef"


@given(st.permutations(range(12)), st.lists(st.integers(0, 11), max_size=6))
def test_any_order_with_repeats_gives_the_stream(order: list[int], again: list[int]) -> None:
    parts = [(100 + 3 * n, bytes([n] * 3)) for n in (*order, *again)]
    assert b"".join(octets for octets, _ in stream(*parts)) == b"".join(bytes([n] * 3) for n in range(12))
