"""Monitored objects as tuples: the same numbers as the words of `types`, and a sentence for whatever is broken."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.codec.iec60870 import FrameError, asdu
from tandem.codec.iec60870 import time as tags
from tandem.codec.iec60870.monitor import KINDS, objects
from tandem.codec.iec60870.types import TYPES, WITHOUT_TIME
from tandem.point import Quality

NOW_US = int(datetime(2026, 6, 1, 12, 59, 50, tzinfo=UTC).timestamp()) * 1_000_000
_VALUE_OF = {"start": range(18, 40), "output": range(19, 41), "status": (20,)}


def test_every_monitored_type_is_read() -> None:
    assert set(WITHOUT_TIME) | {17, 18, 19, 20, 38, 39, 40} == set(KINDS)


@settings(deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.integers(1, 8), st.booleans(), st.data())
def test_the_same_as_in_words(number: int, count: int, one_address: bool, data: st.DataObject) -> None:
    size = TYPES[number].size
    octets = bytes((number, count | (asdu.SQ if one_address else 0), 3, 0, 47, 0))
    for index in range(count):
        if index == 0 or not one_address:
            octets += data.draw(st.integers(1, 0xFFFF)).to_bytes(3, "little")
        octets += data.draw(st.binary(min_size=size, max_size=size))
    said = asdu.decode(octets).objects
    assert said is not None
    found = objects(octets, NOW_US)
    assert [ioa for ioa, *_ in found] == [ioa for ioa, _ in said]
    for (_, value, quality, stamp), (_, words) in zip(found, said, strict=True):
        wanted = next(words[name] for name in ("start", "output", "status", "value") if name in words)
        assert value == wanted or value != value
        invalid = bool(words.get("quality", 0) & 0x80)
        assert bool(quality & Quality.INVALID) == invalid
        if TYPES[number].time == "cp56":
            assert stamp == words["time_us"]
            assert bool(quality & Quality.TIME_INVALID) == (words["time_invalid"] or stamp is None)
        elif not TYPES[number].time:
            assert (stamp, quality & Quality.TIME_INVALID) == (None, 0)


@pytest.mark.parametrize(
    ("ms_of_hour", "hour"),
    [(59 * 60_000 + 49_000, 12), (10_000, 13), (31 * 60_000, 12), (29 * 60_000, 13)],
)
def test_a_short_tag_means_the_nearest_hour(ms_of_hour: int, hour: int) -> None:
    octets = bytes.fromhex("02 01 03 00 2f 00 01 00 00 01") + tags.encode_cp24(ms_of_hour)
    ((_, _, _, stamp),) = objects(octets, NOW_US)
    assert stamp is not None
    assert datetime.fromtimestamp(stamp / 1e6, UTC).hour == hour
    assert stamp % 3_600_000_000 == ms_of_hour * 1000


@settings(deadline=None)
@given(st.sampled_from(sorted(KINDS)), st.binary(max_size=60))
def test_only_frame_errors(number: int, rest: bytes) -> None:
    octets = bytes((number, *rest)).ljust(6, b"\0")
    try:
        found = objects(octets, NOW_US)
    except FrameError:
        return
    assert len(found) == octets[1] & 0x7F
