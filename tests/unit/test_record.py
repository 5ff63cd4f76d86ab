"""The record on the wire: meaning, octets, and that nothing else is read as one."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec.record import SIZE, pack, point_ids, unpack
from tandem.point import DEVICE_TIME, Cause, Quality


def test_a_double_point_that_closed_with_the_devices_time() -> None:
    octets = pack(258, 1_700_000_000_123_456, 2.0, 70_000, Quality.CHATTER, Cause.SPONTANEOUS | DEVICE_TIME)
    assert octets.hex(" ", 4) == "02010000 00000000 40222018 240a0600 00000000 00000040 70110100 80008101"
    assert list(unpack(octets)) == [(258, 1_700_000_000_123_456, 2.0, 70_000, 0x80, 0x81, 1)]


@given(
    st.integers(0, 2**64 - 1),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.integers(0, 2**32 - 1),
    st.integers(0, 0xFFFF),
    st.integers(0, 255),
)
def test_round_trip(number: int, stamp: int, value: float, point: int, quality: int, cause: int) -> None:
    octets = pack(number, stamp, value, point, quality, cause)
    assert len(octets) == SIZE
    assert list(unpack(octets)) == [(number, stamp, value, point, quality, cause, 1)]


@given(st.binary(max_size=200).filter(len))
def test_other_octets_are_whole_records_or_refused_with_a_sentence(octets: bytes) -> None:
    if len(octets) % SIZE == 0 and octets[SIZE - 1] == 1:
        assert len(list(unpack(octets))) * SIZE == len(octets)
    else:
        with pytest.raises(ValueError, match="record"):
            unpack(octets)


def test_an_empty_slice_has_no_record() -> None:
    assert list(unpack(b"")) == []


def test_a_version_of_tomorrow_is_named() -> None:
    with pytest.raises(ValueError, match="version 9"):
        unpack(pack(1, 0, 0.0, 1, 0, 1)[:-1] + b"\x09")


@pytest.mark.parametrize("order", ["little", "big"])
def test_the_point_ids_of_a_slice_are_read_without_the_rest(order: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if order != sys.byteorder:  # the way of the other kind of machine does not depend on this one's
        monkeypatch.setattr(sys, "byteorder", "big")
    octets = b"".join(pack(n, -1, 0.5, 2**32 - n, 0xFFFF, 255) for n in range(1, 4))
    assert point_ids(octets) == [2**32 - 1, 2**32 - 2, 2**32 - 3] and point_ids(b"") == []
