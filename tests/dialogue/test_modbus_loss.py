"""Devices that die, return, refuse, answer late or wrongly on a serial line. Hex in, hex out."""

from __future__ import annotations

import pytest

from tandem.config.model import Device
from tandem.point import Cause, Quality
from tests.modbus_rig import Rig, answer_all, one_relay, point, relay, serial_master

OK1, OK2 = "_sys.device.F1.ok", "_sys.device.F2.ok"


def test_a_dead_device_is_one_event_and_does_not_starve_its_line() -> None:
    rig = Rig(serial_master(relay("F1", 1), relay("F2", 2))).start()
    asked_dead = answered = 0
    for _ in range(4000):
        sent = rig.sent
        if sent.startswith("02"):
            answered += 1
            answer = {"02": "02 02 01 01", "01": "02 04 02 03 e8", "0a": "02 04 04 00 00 00 07"}
            rig.hear(answer["02" if sent[3:5] == "02" else "0a" if "00 0a" in sent else "01"])
        elif sent:
            asked_dead += 1
        rig.wait(5)
    # 20 s: three requests until it is lost, then one at 10 s; the other device is polled 5 x 2 + 1 times a second
    assert asked_dead in (4, 5)
    assert answered > 20 * 11 - 30
    assert rig.stored().count((OK1, 0.0)) == 1
    assert rig.value(OK2) == 1
    assert rig.database.served_quality(rig.table.id("F1.volt")) & Quality.NOT_TOPICAL
    rig.events()
    assert sum("does not answer" in text for text in rig.said) == 1


def test_a_device_that_returns_makes_two_events_and_equal_values_none_relay() -> None:
    rig = one_relay().start()
    answer_all(rig)
    rig.stored()
    rig.silence(2500)
    assert rig.stored() == [(OK1, 0.0)]
    lost = rig.now
    while not (sent := rig.sent):
        rig.wait(5)
    assert 7_000_000_000 < rig.now - lost <= 10_000_000_000
    assert sent == "01 02 00 00 00 02"
    rig.hear("01 02 01 01")
    assert rig.stored() == [], "it answers, but not everything was read again"
    rig.wait(5)
    answer_all(rig)
    assert rig.stored() == [(OK1, 1.0)]
    assert rig.database.present[rig.table.id(OK1)][5] == Cause.COMMUNICATION
    rig.events()
    assert rig.said[-1] == "F1 (unit 1 at bus1) answers"


def test_lost_points_are_marked_each_where_that_is_configured() -> None:
    rig = Rig(serial_master(relay("F1", 1)), comm_points=True).start()
    answer_all(rig)
    rig.stored()
    rig.silence(2500)
    names = [name for name, _ in rig.stored()]
    assert sorted(names) == ["F1.breaker", "F1.energy", "F1.volt", OK1]
    assert rig.quality("F1.volt") == Quality.NOT_TOPICAL
    while not rig.sent:
        rig.wait(5)
    rig.hear("01 02 01 01")
    rig.wait(5)
    answer_all(rig)
    assert rig.quality("F1.volt") == Quality.GOOD


def test_a_late_answer_is_not_taken_for_the_next_one_relay() -> None:
    points = tuple(point(f"F1.v{n}", "analog", f"input:{n}", scan="fast") for n in (0, 100))
    rig = Rig(serial_master(Device("F1", 1, points=points))).start()
    assert rig.sent == "01 04 00 00 00 01"
    rig.wait(330)
    assert rig.sent == "01 04 00 00 00 01", "the same request again"
    rig.hear("01 04 02 00 01")
    rig.wait(50)
    assert rig.sent == "", "the answer to the first attempt may still come; input 100 would take it for its own"
    rig.hear("01 04 02 00 01")
    rig.wait(260)
    assert rig.sent == "01 04 00 64 00 01"
    rig.hear("01 04 02 00 02")
    assert (rig.value("F1.v0"), rig.value("F1.v100")) == (1, 2)
    assert rig.channel.statistics()["F1"]["late_replies"] == 1


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        ("01 02 02 01 00", "data came"),
        ("02 02 01 01", "unit 2 answered, unit 1 was asked"),
        ("01 03 02 00 01", "function 3 was answered"),
    ],
)
def test_wrong_answers_are_counted_and_said_once(reply: str, why: str) -> None:
    rig = one_relay().start()
    for _ in range(3):
        rig.sent  # noqa: B018
        rig.hear(reply)
        rig.wait(340)
    rig.events()
    assert sum(why in text for text in rig.said) == 2  # once as noise, once as the reason of the loss
    assert rig.channel.statistics()["F1"]["bad_replies"] == 3
    assert rig.stored() == [(OK1, 0.0)]


def test_a_wrong_checksum_is_a_timeout_and_is_asked_again() -> None:
    rig = one_relay().start()
    rig.sent  # noqa: B018
    rig.raw(bytes.fromhex("01 02 01 01 00 00"))
    rig.wait(340)
    assert rig.sent == "01 02 00 00 00 02"
    stats = rig.channel.statistics()["F1"]
    assert (stats["crc_errors"], stats["timeouts"], stats["retries"]) == (1, 1, 1)


def test_an_exception_marks_the_points_it_concerns_and_no_others() -> None:
    points = tuple(point(f"F1.v{n}", "analog", f"input:{n}", scan="fast") for n in (0, 1, 2, 5))
    rig = Rig(serial_master(Device("F1", 1, points=points))).start()
    asked = []
    for _ in range(40):
        if sent := rig.sent:
            first, count = int(sent[6:11].replace(" ", ""), 16), int(sent[12:].replace(" ", ""), 16)
            asked.append((first, count))
            bad = first <= 1 < first + count or first <= 3 < first + count
            rig.hear("01 84 02" if bad else f"01 04 {2 * count:02x}" + " 00 07" * count)
        rig.wait(5)
    assert asked[0] == (0, 6)
    assert asked[1:3] == [(0, 3), (5, 1)], "first without the gap"
    assert asked[-1] != asked[0]
    assert {n for n in (0, 1, 2, 5) if rig.quality(f"F1.v{n}") & Quality.INVALID} == {1}
    rig.events()
    assert len([t for t in rig.said if "refuses to read input registers 1 to 1" in t and "F1.v1 invalid" in t]) == 1
    assert rig.value(OK1) == 1


def test_a_device_that_is_not_enabled_is_not_polled() -> None:
    rig = Rig(serial_master(relay("F1", 1), relay("F2", 2, enabled=False))).start()
    seen = set()
    for _ in range(200):
        if sent := rig.sent:
            seen.add(sent[:2])
            rig.hear("01 02 01 01" if sent[3:5] == "02" else "01 84 04")
        rig.wait(5)
    assert seen == {"01"}
    assert rig.quality("F2.volt") == Quality.NEVER_READ | Quality.INVALID
    assert rig.quality(OK2) & Quality.NEVER_READ
    rig.order("F1.volt", 1)
    rig.events()
    assert rig.reports[0].sentence.endswith("is no output of this master")


def test_a_line_that_vanishes_loses_its_devices_after_a_while() -> None:
    rig = one_relay().start()
    answer_all(rig)
    rig.stored()
    rig.channel.closed(rig.now, "the adapter was pulled out")
    rig.wait(900)
    assert rig.stored() == []
    rig.wait(200)
    assert rig.stored() == [(OK1, 0.0)]
    assert rig.sent == ""
    rig.channel.opened(rig.now)
    rig.wait(5)
    answer_all(rig)
    assert rig.stored() == [(OK1, 1.0)]
