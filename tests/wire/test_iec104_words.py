"""Time tags, quality, and octets in words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec.iec60870 import quality, time
from tandem.codec.iec60870.asdu import Profile
from tandem.codec.iec60870.describe import describe, describe_asdu
from tandem.codec.iec60870.types import TYPES
from tandem.point import Quality


@pytest.mark.parametrize(
    ("octets", "us", "invalid", "summer"),
    [
        ("2e160403a2011a", 1_767_323_045_678_000, False, False),
        ("2e168403a2011a", 1_767_323_045_678_000, True, False),
        ("2e160484a2011a", 1_767_323_045_678_000, False, True),
        ("2e16040302011a", 1_767_323_045_678_000, False, False),
        ("5fea3b17dd0218", 1_709_251_199_999_000, False, False),
        ("00000000010146", 0, False, False),
        ("60ea3b17dd0218", None, False, False),
        ("0000001801011a", None, False, False),
        ("0000003c01011a", None, False, False),
        ("00003c0001011a", None, False, False),
        ("000000001d0219", None, False, False),
        ("0000000000011a", None, False, False),
        ("00000000010d1a", None, False, False),
        ("00000000010164", None, False, False),
    ],
)
def test_cp56time2a(octets: str, us: int | None, invalid: bool, summer: bool) -> None:
    assert time.decode_cp56(bytes.fromhex(octets)) == (us, invalid, summer)


@given(st.integers(0, 3_155_759_999_999), st.booleans())
def test_a_stamp_comes_back(ms: int, invalid: bool) -> None:
    assert time.decode_cp56(time.encode_cp56(ms * 1000 + 999, invalid)) == (ms * 1000, invalid, False)


@given(st.integers(-(2**62), 2**62))
def test_no_stamp_raises(us: int) -> None:
    assert len(time.encode_cp56(us)) == 7


@given(st.binary(min_size=7, max_size=7))
def test_no_tag_raises(octets: bytes) -> None:
    time.decode_cp56(octets)
    time.decode_cp24(octets)


def test_quality_has_one_table_there_and_back() -> None:
    assert quality.TO_QDS[Quality.GOOD] == 0
    assert quality.TO_QDS[Quality.NEVER_READ | Quality.INVALID] == 0xC0
    assert quality.TO_QDS[Quality.NOT_TOPICAL | Quality.OVER_RANGE] == 0x41
    assert quality.TO_SIQ[Quality.OVER_RANGE] == 0
    assert quality.TO_BCR[Quality.NOT_TOPICAL] == 0x80
    assert all(quality.TO_QDS[quality.FROM_QDS[octet]] == octet & 0xF1 for octet in range(256))
    assert all(quality.TO_SIQ[quality.FROM_SIQ[octet]] == octet & 0xF0 for octet in range(256))
    assert all(flag & quality.MASK == flag for flag in Quality)
    told = {flag for flag, _ in quality.TABLE}
    assert set(Quality) - told - {Quality.GOOD} == {Quality.TEST, Quality.TIME_INVALID}


def test_a_stream_in_words() -> None:
    stream = "680407000000 68040100feff 6815 0200 0400 1f01 0300 2f00 e90300 42 2e168403a2011a 68"
    start, ack, event, rest = describe(bytes.fromhex(stream))
    assert (start["format"], start["function"]) == ("U", "STARTDT act")
    assert (ack["format"], ack["nr"]) == ("S", 32767)
    assert (event["ns"], event["nr"], event["name"], event["ca"]) == (1, 2, "M_DP_TB_1", 47)
    assert (event["cause"], event["cause_name"]) == (3, "spontaneous")
    assert event["objects"] == [
        {
            "ioa": 1001,
            "value": 2,
            "quality": ["NT"],
            "time": "2026-01-02T03:04:05.678Z",
            "time_invalid": True,
            "summer": False,
            "state": "on",
        }
    ]
    assert "cut off after 1 octets" in rest["error"]


@pytest.mark.parametrize(
    ("stream", "error"),
    [
        ("680e0000000064010600ffff000000", "cut off"),
        ("680d0000000064010600ffff000000", "needs 4 octets, 3 are there"),
        ("680400000000", "without an ASDU"),
        ("680447000000", "not defined"),
        ("680a00000000c80106002f00", "type 200 is not known here"),
        ("6808000000006401", "cut off"),
        ("68060000 0000 6401", "shorter than its header"),
        ("0068", "begins with 0x00"),
    ],
)
def test_what_is_broken_gets_a_sentence(stream: str, error: str) -> None:
    assert error in describe(bytes.fromhex(stream))[-1]["error"]


def test_counters_and_floats_in_words() -> None:
    counter = describe_asdu(bytes.fromhex("0f0125002f00010000 0500000063"))
    assert counter["objects"][0] == {"ioa": 1, "value": 5, "sequence": 3, "quality": ["CA", "CY"]}
    infinite = describe_asdu(bytes.fromhex("0d0103002f00010000 0000807f00"))
    assert infinite["objects"][0]["value"] == "inf"
    step = describe_asdu(bytes.fromhex("2f0106002f0001000001"))
    assert step["objects"][0]["state"] == "lower"


@given(st.binary(max_size=300))
def test_words_for_any_octets(octets: bytes) -> None:
    told = describe(octets)
    assert "".join(apdu["octets"] for apdu in told) == octets.hex()
    assert json.loads(json.dumps(told, allow_nan=False)) == told


@given(
    st.sampled_from(sorted(TYPES)),
    st.integers(0, 255),
    st.binary(max_size=240),
    st.sampled_from([Profile(), Profile(1, 1, 2)]),
)
def test_words_for_any_object(number: int, vsq: int, rest: bytes, profile: Profile) -> None:
    told = describe_asdu(bytes((number, vsq)) + rest, profile)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert ("objects" in told) is not ("error" in told)
