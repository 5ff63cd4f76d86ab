"""The beat on the wire: its octets, its seal, and a splitter that noise does not upset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec import heart as say
from tandem.codec.beat import BODY, GRANTING, LINES_HELD, SIZE, Beat, Kind, Role, Seal, Splitter, pack_body, unpack_body

MAC = "1094a049909ab8f0be8adc3509f5f562"
"""Of ACTIVE_BEAT under KEY, by openssl."""
KEY = bytes(range(32))
SEAL = Seal(KEY)
ACTIVE_BEAT = Beat(
    kind=Kind.BEAT, member=0, role=Role.ACTIVE, health=250, flags=GRANTING | LINES_HELD, nonce=0x11223344, counter=7,
    echo_nonce=0x55667788, echo_counter=9, epoch=12, suspect_q_ms=40, head=0x0102030405, released=0x01FF,
)  # fmt: skip


def test_the_octets_are_as_documented() -> None:
    body = pack_body(ACTIVE_BEAT)
    assert body.hex() == (
        "b754" "01" "00" "00" "03" "fa" "05"  # magic, version, kind, member, role, health, flags
        "44332211" "07000000" "88776655" "09000000" "0c000000"  # nonce, counter, their echo, epoch
        "2800" "050403020100" "ff0100000000"  # q, head, released
    )  # fmt: skip
    assert len(body) == BODY.size == 42 and len(SEAL.pack(ACTIVE_BEAT)) == SIZE <= 64


def test_the_mac_is_hmac_sha256_cut_to_16() -> None:
    assert SEAL.pack(ACTIVE_BEAT)[42:].hex() == MAC
    assert SEAL.verify(SEAL.pack(ACTIVE_BEAT)) == ACTIVE_BEAT
    assert Seal(bytes(32)).verify(SEAL.pack(ACTIVE_BEAT)) is None


def test_every_flipped_bit_is_noticed() -> None:
    frame = SEAL.pack(ACTIVE_BEAT)
    for bit in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        assert SEAL.verify(bytes(damaged)) is None


def test_a_short_key_is_refused() -> None:
    with pytest.raises(ValueError, match="pair the members again"):
        Seal(b"short")


u8, u32, u48 = st.integers(0, 255), st.integers(0, 2**32 - 1), st.integers(0, 2**48 - 1)
BEATS = st.builds(
    Beat, st.sampled_from(list(Kind)), st.integers(0, 1), st.sampled_from(list(Role)), u8, u8, u32, u32, u32, u32, u32,
    st.integers(0, 65535), u48, u48,
)  # fmt: skip


@given(BEATS)
def test_there_and_back(beat: Beat) -> None:
    assert unpack_body(pack_body(beat)) == beat


@given(st.binary(max_size=200))
def test_no_octets_raise(octets: bytes) -> None:
    assert SEAL.verify(octets) is None
    assert Splitter(SEAL).feed(octets) == []
    assert isinstance(say.unpack(octets), list)


NOISE = st.binary(max_size=70).filter(lambda octets: b"\xb7" not in octets)


@given(st.lists(st.one_of(BEATS, NOISE), max_size=6), st.integers(1, 90))
def test_a_stream_in_pieces_gives_its_beats(parts: list[Beat | bytes], size: int) -> None:
    stream = b"".join(SEAL.pack(p) if isinstance(p, Beat) else p for p in parts)
    splitter = Splitter(SEAL)
    found = [beat for at in range(0, len(stream), size) for beat in splitter.feed(stream[at : at + size])]
    assert found == [p for p in parts if isinstance(p, Beat)]


def test_a_lost_octet_costs_one_beat_and_not_the_next() -> None:
    frames = [SEAL.pack(ACTIVE_BEAT._replace(counter=c)) for c in range(4)]
    splitter = Splitter(SEAL)
    heard = splitter.feed(frames[0] + frames[1][:20] + frames[1][21:] + frames[2] + b"\xb7\x54" + frames[3])
    assert [beat.counter for beat in heard] == [0, 2, 3]
    assert splitter.garbage == SIZE - 1 + 2


def test_values_that_grew_too_large_are_cut_and_never_raise() -> None:
    beat = unpack_body(pack_body(ACTIVE_BEAT._replace(counter=2**32 + 5, head=2**48 + 1, suspect_q_ms=10**6)))
    assert beat is not None and (beat.counter, beat.head, beat.suspect_q_ms) == (5, 1, 65535)


WORDS: list[object] = [
    say.ServiceOn(12, 3), say.ServiceOff(True), say.LinesOn(12, 3), say.LinesOff(True, False), say.BeatNow(),
    say.Probe(), say.Suspect(40), say.End(), say.Ready(5, 1, "no locked memory"), say.Heard(2, 10**15, -1, ACTIVE_BEAT),
    say.Refused(1, 5), say.PinsRead(9, 1, 0, 1, 1, 3, 5), say.Leds(bytes(range(10))),
    say.Lost(9, 4, 3, "the lease lapsed"), say.Late(9, 70),
    say.Carried(9, say.SERVICE_ON, 12), say.Proof(True, ""), say.Said("é"),
    say.Claimed(1, bytes(range(6)), bytes(16)), say.Fence(True, ""), say.Unanswered(9, 70),
]  # fmt: skip


def test_every_message_of_the_heart_there_and_back() -> None:
    words = say.unpack(say.pack(WORDS))  # type: ignore[arg-type]
    assert words == WORDS and [type(word) for word in words] == [type(word) for word in WORDS]
    cut = say.pack(WORDS)[:-1]  # type: ignore[arg-type]
    assert say.unpack(cut) == WORDS[:-1]
