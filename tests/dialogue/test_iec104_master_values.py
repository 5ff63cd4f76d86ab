"""What a 104 device tells, in octets, and what of it is stored."""

from __future__ import annotations

import pytest

from tandem.point import DEVICE_TIME, Cause, Quality
from tests.support.iec104_master_rig import GI, GI_CON, GI_TERM, STAMP, STAMP_US, Rig, device, point
from tests.support.iec104_rig import START, START_CON, UTC_US

SPONTANEOUS = int(Cause.SPONTANEOUS | DEVICE_TIME)
RETURN = int(Cause.RETURN | DEVICE_TIME)


def test_start_interrogation_and_the_device_answers() -> None:
    rig = Rig()
    wire = rig.up()
    assert wire.asdus() == [GI]
    assert not rig.ok()
    wire.hear(GI_CON, "03 01 14 00 2f 00 e9 03 00 02", "0b 01 14 00 2f 00 d1 07 00 e8 03 00")
    assert not rig.ok(), "not before everything is read"
    wire.hear(GI_TERM)
    assert rig.ok()
    assert rig.stored() == [("R1.breaker", 2.0), ("R1.volt", 100.0), ("_sys.device.R1.ok", 1.0)]
    assert wire.asdus() == []


@pytest.mark.parametrize(
    ("octets", "name", "value", "quality"),
    [
        ("01 01 14 00 2f 00 ea 03 00 01", "earth", 1, 0),
        ("01 01 14 00 2f 00 ea 03 00 81", "earth", 1, Quality.INVALID),
        ("03 01 14 00 2f 00 e9 03 00 43", "breaker", 3, Quality.NOT_TOPICAL),
        ("05 01 14 00 2f 00 eb 03 00 7e 00", "tap", -2, 0),
        ("05 01 14 00 2f 00 eb 03 00 85 10", "tap", 5, Quality.BLOCKED),
        ("07 01 14 00 2f 00 ec 03 00 0d 00 00 80 00", "bits", 0x8000000D, 0),
        ("14 01 14 00 2f 00 ec 03 00 05 00 ff ff 00", "bits", 5, 0),
        ("09 01 14 00 2f 00 d2 07 00 00 40 20", "amp", 0.5, Quality.SUBSTITUTED_REMOTE),
        ("15 01 14 00 2f 00 d2 07 00 00 c0", "amp", -0.5, 0),
        ("0b 01 14 00 2f 00 d1 07 00 18 fc 01", "volt", -100, Quality.OVER_RANGE),
        ("0d 01 14 00 2f 00 d2 07 00 00 00 20 41 00", "amp", 10, 0),
        ("0d 01 14 00 2f 00 d2 07 00 00 00 c0 7f 00", "amp", 0, Quality.INVALID | Quality.OVER_RANGE),
        ("0f 01 25 00 2f 00 b9 0b 00 2a 00 00 00 03", "energy", 42, 0),
        ("0f 01 25 00 2f 00 b9 0b 00 ff ff ff ff 80", "energy", -1, Quality.INVALID),
    ],
)
def test_values_without_time(octets: str, name: str, value: float, quality: int) -> None:
    rig = Rig()
    rig.up().hear(octets)
    ((got, number, stamp, flags, cause),) = rig.records()
    assert (got, number, flags, cause) == (f"R1.{name}", value, quality, Cause.INITIAL)
    assert stamp == UTC_US + rig.now // 1000


@pytest.mark.parametrize(
    ("octets", "name", "value"),
    [
        ("1e 01 03 00 2f 00 ea 03 00 01", "earth", 1),
        ("1f 01 03 00 2f 00 e9 03 00 01", "breaker", 1),
        ("20 01 03 00 2f 00 eb 03 00 03 00", "tap", 3),
        ("21 01 03 00 2f 00 ec 03 00 01 00 00 00 00", "bits", 1),
        ("22 01 03 00 2f 00 d1 07 00 00 40 00", "volt", 0.05),
        ("23 01 03 00 2f 00 d1 07 00 64 00 00", "volt", 10),
        ("24 01 03 00 2f 00 d1 07 00 00 00 20 41 00", "volt", 1),
        ("25 01 03 00 2f 00 b9 0b 00 07 00 00 00 00", "energy", 7),
        ("26 01 03 00 2f 00 e9 03 00 02 05 00", "breaker", 2),
        ("27 01 03 00 2f 00 ec 03 00 09 00 05 00", "bits", 9),
        ("28 01 03 00 2f 00 ec 03 00 0f 00 05 00", "bits", 15),
    ],
)
def test_events_have_the_devices_own_time(octets: str, name: str, value: float) -> None:
    rig = Rig()
    wire = rig.read()
    wire.hear(f"{octets} {STAMP}")
    (_, _, *first), = [r for r in rig.records() if r[0] == f"R1.{name}" and r[1] == pytest.approx(value)]
    assert first == [STAMP_US, 0, Cause.INITIAL | DEVICE_TIME]
    wire.hear(f"{octets} {STAMP.replace('10 27 00', '11 27 80')}")
    ((_, _, *second),) = rig.records()
    assert second == [STAMP_US + 1000, Quality.TIME_INVALID, SPONTANEOUS], "equal, and still an event of the device"


def test_short_time_tags_and_causes() -> None:
    rig = Rig()
    wire = rig.read()
    rig.wait(30_000)
    wire.hear("02 01 03 00 2f 00 ea 03 00 00 10 27 00", "02 01 0b 00 2f 00 ea 03 00 01 11 27 00")
    first, second = rig.records()
    hour = (UTC_US + rig.now // 1000) // 3_600_000_000 * 3_600_000_000
    assert abs(first[2] - (UTC_US + rig.now // 1000)) <= 1_800_000_000
    assert (first[2] - hour) % 3_600_000_000 == 10_000_000
    assert second[4] == RETURN
    wire.hear("1e 01 03 00 2f 00 ea 03 00 00 00 00 00 00 00 00 00")  # no date at all
    ((_, _, stamp, quality, cause),) = rig.records()
    assert (stamp, quality, cause) == (UTC_US + rig.now // 1000, Quality.TIME_INVALID, Cause.SPONTANEOUS)


def test_equal_values_and_small_changes_are_no_events_without_time() -> None:
    rig = Rig()
    wire = rig.read()
    wire.hear("0d 01 03 00 2f 00 d2 07 00 00 00 20 41 00", "0d 01 03 00 2f 00 d2 07 00 00 00 30 41 00")
    assert rig.stored() == [("R1.amp", 10.0)]
    wire.hear(f"24 01 03 00 2f 00 d2 07 00 00 00 30 41 00 {STAMP}")
    assert rig.stored() == [], "a deadband holds back what has a time, too"


def test_several_objects_in_both_forms() -> None:
    rig = Rig()
    wire = rig.read()
    wire.hear("01 82 14 00 2f 00 e9 03 00 01 01", "0b 02 14 00 2f 00 d1 07 00 0a 00 00 d2 07 00 0b 00 00")
    assert rig.stored() == [("R1.earth", 1.0), ("R1.volt", 1.0), ("R1.amp", 11.0)]
    assert rig.count("unknown_objects") == 1, "object 1001 is a double"
    assert any("which is no double" in text for text in rig.said)


def test_what_is_not_for_the_process_changes_nothing() -> None:
    rig = Rig()
    wire = rig.read()
    wire.hear(
        "01 01 83 00 2f 00 ea 03 00 01",  # a test
        "01 01 03 00 30 00 ea 03 00 01",  # another station
        "01 01 03 00 2f 00 ff 03 00 01",  # an object of no list
        "01 02 03 00 2f 00 ea 03 00 01",  # fewer objects than it says
        "01 00 03 00 2f 00",
        "fa 01 03 00 2f 00 ea 03 00 01",
        "01 01",
    )
    assert rig.stored() == []
    assert (rig.count("test_asdus"), rig.count("bad_replies"), rig.count("unknown_objects")) == (1, 3, 2)
    assert not rig.closes
    wire.hear("01 01 03 00 2f 00 ea 03 00 01")
    assert rig.stored() == [("R1.earth", 1.0)]


def test_a_restarted_device_is_interrogated() -> None:
    rig = Rig(options={"clock_sync_s": 3600, "counter_interrogation_s": 900, "counter_freeze": True})
    wire = rig.up()
    clock, = wire.asdus()
    assert clock.startswith("67 01 06 00 2f 00 00 00 00")
    wire.hear(clock.replace("67 01 06", "67 01 07"))
    assert wire.asdus() == [GI]
    wire.hear(GI_CON, GI_TERM)
    assert wire.asdus() == ["65 01 06 00 2f 00 00 00 00 45"]
    wire.hear("65 01 07 00 2f 00 00 00 00 45")
    assert wire.asdus() == ["65 01 06 00 2f 00 00 00 00 05"]
    wire.hear("65 01 0a 00 2f 00 00 00 00 45")  # the freeze has ended: nothing is to be asked again
    wire.hear("65 01 07 00 2f 00 00 00 00 05")
    wire.hear("0f 01 25 00 2f 00 b9 0b 00 2a 00 00 00 03", "65 01 0a 00 2f 00 00 00 00 05")
    assert wire.asdus() == []
    wire.hear("46 01 04 00 2f 00 00 00 00 00")
    assert [text[:2] for text in wire.asdus()] == ["67"]
    assert rig.count("restarts") == 1


def test_periods() -> None:
    rig = Rig(options={"interrogation_s": 60, "counter_interrogation_s": 100, "t3_s": 3600})
    wire = rig.up()
    wire.hear(GI_CON, GI_TERM)
    wire.hear("65 01 07 00 2f 00 00 00 00 05", "65 01 0a 00 2f 00 00 00 00 05")
    wire.sent()
    rig.wait(59_999)
    assert wire.asdus() == []
    rig.wait(1)
    assert wire.asdus() == [GI]
    wire.hear(GI_CON, GI_TERM)
    rig.wait(40_000)
    assert wire.asdus() == ["65 01 06 00 2f 00 00 00 00 05"]


def test_an_interrogation_without_an_answer_is_repeated_and_then_the_device_is_lost() -> None:
    rig = Rig()
    wire = rig.up()
    assert wire.asdus() == [GI]
    wire.raw("68 04 01 00 02 00")
    rig.wait(999)
    assert wire.asdus() == []
    rig.wait(1)
    assert wire.asdus() == [GI]
    wire.raw("68 04 01 00 04 00")
    rig.wait(1000)
    assert rig.stored() == [("_sys.device.R1.ok", 0.0)]
    assert rig.count("losses") == 1
    assert wire.asdus() == []
    rig.wait(10_000)
    assert wire.asdus() == [GI]
    wire.hear(GI_CON, GI_TERM)
    assert rig.stored() == [("_sys.device.R1.ok", 1.0)]


def test_an_unknown_common_address_is_told_with_its_cure() -> None:
    rig = Rig()
    wire = rig.up()
    wire.hear("64 01 6e 00 2f 00 00 00 00 14")
    assert not rig.ok()
    assert any("correct the device's address" in text for text in rig.said)


def test_a_station_that_refuses_the_interrogation_answers_all_the_same() -> None:
    rig = Rig()
    rig.up().hear("64 01 6c 00 2f 00 00 00 00 14")
    assert rig.ok()
    assert rig.count("exceptions") == 1


def test_two_devices_behind_one_address_have_one_connection() -> None:
    other = device(points=(point("R2.earth", "binary", "1002"),))
    rig = Rig(device(), type(other)("R2", 48, host=other.host, tcp_port=other.tcp_port, points=other.points))
    assert len(rig.channels) == 1
    wire = rig.up()
    assert wire.asdus() == [GI, GI.replace("2f", "30")]
    wire.hear(GI_CON.replace("2f", "30"), "01 01 14 00 30 00 ea 03 00 01", GI_TERM.replace("2f", "30"))
    assert rig.stored() == [("R2.earth", 1.0), ("_sys.device.R2.ok", 1.0)]


def test_points_of_another_common_address_are_interrogated_too() -> None:
    rig = Rig(device(points=(point("R1.earth", "binary", "1002"), point("R1.far", "binary", "50:7"))))
    wire = rig.up()
    assert wire.asdus() == [GI]
    wire.hear(GI_CON, GI_TERM)
    assert wire.asdus() == [GI.replace("2f", "32")]
    wire.hear(GI_CON.replace("2f", "32"), "01 01 14 00 32 00 07 00 00 01", GI_TERM.replace("2f", "32"))
    assert rig.stored() == [("R1.far", 1.0), ("_sys.device.R1.ok", 1.0)]


def test_loss_and_return_are_one_event_each() -> None:
    rig = Rig()
    wire = rig.read()
    wire.hear("01 01 14 00 2f 00 ea 03 00 01")
    rig.stored()
    wire.cut()
    rig.wait(1_999)
    assert rig.stored() == []
    rig.wait(1)
    assert rig.stored() == [("_sys.device.R1.ok", 0.0)]
    wire.open()
    wire.raw(START_CON)
    wire.hear(GI_CON, "01 01 14 00 2f 00 ea 03 00 01", GI_TERM)
    assert rig.stored() == [("_sys.device.R1.ok", 1.0)], "equal values make no events"


def test_a_short_break_is_no_loss() -> None:
    rig = Rig()
    wire = rig.read()
    wire.cut()
    rig.wait(500)
    wire.open()
    assert wire.sent() == [START]
    wire.raw(START_CON)
    assert wire.asdus() == [GI]
    wire.hear(GI_CON, GI_TERM)
    assert rig.stored() == []


def test_comm_points_marks_every_point() -> None:
    rig = Rig(comm_points=True)
    wire = rig.read()
    wire.hear("01 01 14 00 2f 00 ea 03 00 01")
    rig.stored()
    wire.cut()
    rig.wait(2_000)
    assert [(n, q) for n, _, _, q, _ in rig.records()] == [("R1.earth", Quality.NOT_TOPICAL), ("_sys.device.R1.ok", 0)]


def test_a_successor_in_sync_reads_nothing_anew_unless_it_is_told_to() -> None:
    rig = Rig(device(points=(point("R1.earth", "binary", "1002"),)))
    wire = rig.up()
    wire.hear(GI_CON, "01 01 14 00 2f 00 ea 03 00 01", GI_TERM)
    rig.stored()
    rig.make()
    wire = rig.up()
    assert wire.asdus() == []
    assert rig.ok()
    assert rig.stored() == []
    rig.make()
    wire = rig.up(integrity=True)
    assert wire.asdus() == [GI]
    assert rig.stored() == [("_sys.device.R1.ok", 0.0)]
