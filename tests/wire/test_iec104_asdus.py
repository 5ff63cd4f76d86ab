"""ASDUs of both companion standards: (meaning, octets, fields), and every type there and back."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tandem.codec.iec60870 import FrameError, asdu
from tandem.codec.iec60870.asdu import IEC104, Profile
from tandem.codec.iec60870.types import BY_NAME, TYPES, WITHOUT_TIME

TAG = "2e16 0403 a201 1a"  # Friday 2026-01-02 03:04:05.678
AT = {"time_us": 1_767_323_045_678_000, "time_invalid": False, "summer": False}
ACT_101 = Profile(cot=1, ca=1, ioa=2)

TRIPLES: list[tuple[str, Profile, str, tuple[str, int, int], list[tuple[int, dict[str, Any]]]]] = [
    (
        "station interrogation, all stations",
        IEC104,
        "64 01 0600 ffff 000000 14",
        ("C_IC_NA_1", 6, 65535),
        [(0, {"qualifier": 20})],
    ),
    (
        "the same in 101",
        ACT_101,
        "64 01 06 01 0000 14",
        ("C_IC_NA_1", 6, 1),
        [(0, {"qualifier": 20})],
    ),
    (
        "three singles in a row",
        IEC104,
        "01 83 1400 2f00 e90300 01 10 c0",
        ("M_SP_NA_1", 20, 47),
        [(1001, {"value": 1, "quality": 0}), (1002, {"value": 0, "quality": 16}), (1003, {"value": 0, "quality": 192})],
    ),
    (
        "two doubles with time",
        IEC104,
        f"1f 02 0300 2f00 e90300 02 {TAG} ea0300 41 {TAG}",
        ("M_DP_TB_1", 3, 47),
        [(1001, {"value": 2, "quality": 0, **AT}), (1002, {"value": 1, "quality": 0x40, **AT})],
    ),
    (
        "a step on its way",
        IEC104,
        f"20 01 0300 2f00 010000 c0 00 {TAG}",
        ("M_ST_TB_1", 3, 47),
        [(1, {"value": -64, "transient": True, "quality": 0, **AT})],
    ),
    (
        "normalised, over range",
        IEC104,
        "09 01 0500 2f00 010000 0080 01",
        ("M_ME_NA_1", 5, 47),
        [(1, {"value": -1.0, "quality": 1})],
    ),
    (
        "scaled with a three-octet time, 101",
        Profile(cot=1, ca=2, ioa=3),
        "0c 01 03 2f00 010000 feff 00 70 17 9e",
        ("M_ME_TB_1", 3, 47),
        [(1, {"value": -2, "quality": 0, "ms_of_hour": 30 * 60_000 + 6000, "time_invalid": True})],
    ),
    (
        "short floating point",
        IEC104,
        "0d 01 0100 2f00 010000 0000c03f 00",
        ("M_ME_NC_1", 1, 47),
        [(1, {"value": 1.5, "quality": 0})],
    ),
    (
        "counter reading, carry, third period",
        IEC104,
        "0f 01 2500 2f00 010000 ffffffff 23",
        ("M_IT_NA_1", 37, 47),
        [(1, {"value": -1, "sequence": 3, "quality": 0x20})],
    ),
    (
        "protection event",
        IEC104,
        f"26 01 0300 2f00 010000 0a 0500 {TAG}",
        ("M_EP_TD_1", 3, 47),
        [(1, {"value": 2, "quality": 8, "elapsed_ms": 5, **AT})],
    ),
    (
        "packed singles with change detection",
        IEC104,
        "14 01 0300 2f00 010000 0180 ff00 10",
        ("M_PS_NA_1", 3, 47),
        [(1, {"status": 0x8001, "changed": 0xFF, "quality": 0x10})],
    ),
    (
        "end of initialisation after new parameters",
        IEC104,
        "46 01 0400 2f00 000000 81",
        ("M_EI_NA_1", 4, 47),
        [(0, {"reason": 1, "parameters_changed": True})],
    ),
    (
        "select of a double command, long pulse",
        IEC104,
        "2e 01 0600 2f00 891300 8a",
        ("C_DC_NA_1", 6, 47),
        [(5001, {"value": 2, "qualifier": 2, "select": True})],
    ),
    (
        "set point, scaled, with time",
        IEC104,
        f"3e 01 0600 2f00 8a1300 64ff 80 {TAG}",
        ("C_SE_TB_1", 6, 47),
        [(5002, {"value": -156, "qualifier": 0, "select": True, **AT})],
    ),
    (
        "freeze and reset group 2",
        IEC104,
        "65 01 0600 2f00 000000 82",
        ("C_CI_NA_1", 6, 47),
        [(0, {"request": 2, "freeze": 2})],
    ),
    (
        "threshold of a normalised value",
        IEC104,
        "6e 01 0600 2f00 d30700 0040 01",
        ("P_ME_NA_1", 6, 47),
        [(2003, {"value": 0.5, "kind": 1, "parameters_changed": False, "out_of_operation": False})],
    ),
    (
        "low limit of a scaled value, told to an interrogation, out of operation",
        IEC104,
        "6f 01 1400 2f00 d20700 d4fe 83",
        ("P_ME_NB_1", 20, 47),
        [(2002, {"value": -300, "kind": 3, "parameters_changed": False, "out_of_operation": True})],
    ),
    (
        "high limit of a float, changed locally",
        IEC104,
        "70 01 0700 2f00 d10700 0000a040 44",
        ("P_ME_NC_1", 7, 47),
        [(2001, {"value": 5.0, "kind": 4, "parameters_changed": True, "out_of_operation": False})],
    ),
    (
        "the addressed parameter is taken out of force",
        IEC104,
        "71 01 0800 2f00 d10700 02",
        ("P_AC_NA_1", 8, 47),
        [(2001, {"qualifier": 2})],
    ),
    ("read", IEC104, "66 01 0500 2f00 e90300", ("C_RD_NA_1", 5, 47), [(1001, {})]),
    ("a file's segment", IEC104, "7d 01 0d00 2f00 010000 0100 01 02 abcd", ("F_SG_NA_1", 13, 47), [
        (1, {"file": 1, "section": 1, "segment": 2, "data": "abcd"})]),
]  # fmt: skip


@pytest.mark.parametrize(("meaning", "profile", "octets", "head", "objects"), TRIPLES, ids=[t[0] for t in TRIPLES])
def test_triples(
    meaning: str, profile: Profile, octets: str, head: tuple[str, int, int], objects: list[tuple[int, dict[str, Any]]]
) -> None:
    data = bytes.fromhex(octets)
    read = asdu.decode(data, profile)
    assert (read.name, read.cause, read.ca) == head
    assert read.objects == objects
    made = asdu.encode(read.type, read.cause, read.ca, objects, sequence=read.sequence, profile=profile)
    assert made == data


def test_the_flags_of_a_cause_are_apart() -> None:
    read = asdu.decode(bytes.fromhex("2d01c7052f008b130001"))
    assert (read.cause, read.negative, read.test, read.originator, read.amount) == (7, True, True, 5, 1)


def test_a_mirror_changes_the_cause_alone() -> None:
    request = bytes.fromhex("2d0186052f008b130001")
    assert asdu.mirror(request, 7, negative=True).hex() == "2d01c7052f008b130001"


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        ("", "shorter than its header"),
        ("6401060047", "shorter than its header"),
        ("64010600ffff00000014ff", "needs 4 octets, 5 are there"),
        ("64010600ffff000000", "needs 4 octets, 3 are there"),
        ("64020600ffff00000014", "with 2 objects needs 8 octets"),
        ("64000600ffff", "no object at all"),
        ("01831400 2f00 e90300 0110", "needs 6 octets, 5 are there"),
        ("7d020d002f00 010000 01000102 0100", "it has always one"),
    ],
)
def test_what_does_not_fit_is_a_sentence(octets: str, why: str) -> None:
    with pytest.raises(FrameError, match=why):
        asdu.decode(bytes.fromhex(octets))


def test_what_cannot_be_encoded_is_a_sentence() -> None:
    for number, values in (
        (9, {"value": 1.0, "quality": 0}),
        (9, {"value": math.nan, "quality": 0}),
        (11, {"value": 40000, "quality": 0}),
        (13, {"value": 1e39, "quality": 0}),
        (5, {"value": 64, "quality": 0}),
        (15, {"value": 2**31, "sequence": 0}),
        (46, {"value": 4}),
        (103, {"time_us": None}),
        (2, {"value": 0, "quality": 0, "ms_of_hour": 3_600_000}),
        (120, {"file": 1, "length": 2**24, "qualifier": 0}),
    ):
        with pytest.raises(FrameError):
            asdu.encode(number, 3, 1, [(1, values)])
    good = {"value": 0, "quality": 0}
    with pytest.raises(FrameError, match="follow each other"):
        asdu.encode(1, 3, 1, [(1, good), (3, good)], sequence=True)
    with pytest.raises(FrameError, match="does not fit 2 octets"):
        asdu.encode(1, 3, 1, [(65536, good)], profile=Profile(ioa=2))
    with pytest.raises(FrameError, match="1 to 127"):
        asdu.encode(1, 3, 1, [])


def test_the_table_has_every_type_of_both_standards() -> None:
    monitor = {*range(1, 22), *range(30, 41), 70}
    control = {*range(45, 52), *range(58, 65), *range(100, 108), *range(110, 114), *range(120, 128)}
    assert set(TYPES) == monitor | control
    assert {n for n, kind in TYPES.items() if kind.control} == control
    assert all(BY_NAME[kind.name] is kind for kind in TYPES.values())
    assert WITHOUT_TIME[36] == 13 and WITHOUT_TIME[37] == 15 and WITHOUT_TIME[3] == 3


PROFILES = st.builds(Profile, st.sampled_from([1, 2]), st.sampled_from([1, 2]), st.sampled_from([1, 2, 3]))


@given(
    PROFILES, st.sampled_from(sorted(TYPES)), st.booleans(), st.integers(1, 5), st.binary(min_size=120, max_size=120)
)
def test_every_type_there_and_back(profile: Profile, number: int, sequence: bool, count: int, noise: bytes) -> None:
    """Octets -> values -> octets -> values: the values are the same, whatever reserved bits the octets had."""
    kind = TYPES[number]
    if kind.open or not kind.size:
        count, sequence = 1, False
    body = profile.ioa * (1 if sequence else count) + kind.size * count
    head = asdu.header(number, count | (asdu.SQ if sequence else 0), 3, 7, 1, profile)
    first = asdu.decode(head + noise[:body], profile)
    assert first.objects is not None and len(first.objects) == count
    if any("time_us" in v and (v["time_us"] is None or v["summer"]) for _, v in first.objects):
        return  # octets that name no date cannot be made again, nor is summer time ever written
    if any(v.get("ms_of_hour", 0) is None or v.get("value") != v.get("value") for _, v in first.objects):
        return
    if number == 127 or first.objects[-1][0] >> 8 * profile.ioa:
        return
    again = asdu.encode(number, 3, 1, first.objects, originator=7, sequence=sequence, profile=profile)
    assert asdu.decode(again, profile) == first


@given(st.binary(max_size=260), PROFILES)
@example(bytes.fromhex("7d010d002f0001000001"), IEC104)
def test_octets_raise_nothing_but_frame_errors(octets: bytes, profile: Profile) -> None:
    try:
        read = asdu.decode(octets, profile)
    except FrameError:
        return
    assert read.objects is None or len(read.objects) == read.amount
