"""A serial line with relays: first scan, phases, doubles, takeover, hand-over. Hex in, hex out."""

from __future__ import annotations

from tandem.config.model import Device, SerialLine
from tandem.point import Cause, Double, Quality
from tests.modbus_rig import LINE, Rig, answer_all, one_relay, point, relay, serial_master

OK1, OK2 = "_sys.device.F1.ok", "_sys.device.F2.ok"


def test_the_first_scan_reads_everything_and_stores_it() -> None:
    rig = one_relay().start()
    assert rig.sent == "01 02 00 00 00 02"
    rig.hear("01 02 01 02")
    assert rig.sent == ""
    rig.wait(4.9)
    assert rig.sent == "", "turnaround: the line is silent for 5 ms"
    rig.wait(0.1)
    assert rig.sent == "01 04 00 0a 00 02", "the groups of a device take turns"
    rig.hear("01 04 04 00 01 00 00")
    rig.wait(5)
    assert rig.sent == "01 04 00 00 00 01"
    rig.hear("01 04 02 08 fc")
    assert rig.stored() == [("F1.breaker", 2.0), ("F1.energy", 65536.0), ("F1.volt", 230.0), (OK1, 1.0)]
    assert {r[5] for r in rig.database.present if r[0]} == {Cause.INITIAL}
    assert rig.quality("F1.volt") == Quality.GOOD


def test_groups_keep_their_phase() -> None:
    rig = one_relay().start()
    answer_all(rig)
    for _ in range(3):
        rig.wait(200 - rig.now // 1_000_000 % 200 - 0.1)
        assert rig.sent == ""
        rig.wait(0.1)
        assert rig.sent == "01 02 00 00 00 02"
        answered = rig.now
        rig.hear("01 02 01 01")
        rig.wait(17)
        assert rig.sent == "01 04 00 00 00 01" and rig.now > answered
        rig.hear("01 04 02 03 e8")
    assert rig.channel.statistics()["F1"]["late_scans"] == 0


def test_a_late_group_is_not_run_twice() -> None:
    rig = one_relay().start()
    answer_all(rig)
    rig.wait(200)
    assert rig.sent == "01 02 00 00 00 02"
    rig.wait(250)
    rig.hear("01 02 01 01")
    rig.wait(5)
    assert rig.sent == "01 04 00 00 00 01"
    rig.hear("01 04 02 03 e8")
    rig.wait(5)
    assert rig.sent == "01 02 00 00 00 02", "the turn it missed is made up for once"
    rig.hear("01 02 01 01")
    rig.wait(5)
    rig.sent  # noqa: B018
    rig.hear("01 04 02 03 e8")
    rig.wait(5)
    assert rig.sent == ""
    assert rig.channel.statistics()["F1"]["late_scans"] == 1


def test_equal_octets_make_no_records_and_a_deadband_counts_from_what_was_stored() -> None:
    rig = one_relay().start()
    answer_all(rig)
    rig.stored()
    for volt in ("03 e8", "03 ea", "03 ec", "03 ed", "03 e9", "03 e8"):
        rig.wait(200 - rig.now // 1_000_000 % 200)
        answer_all(rig, volt)
    # 100.0 is stored; 100.2 and 100.4 are not; 100.5 is; 100.1 is not; 100.0 is
    assert [(name, round(value, 6)) for name, value in rig.stored()] == [("F1.volt", 100.5), ("F1.volt", 100.0)]


def contacts(rig: Rig, octet: str) -> None:
    rig.wait(200 - rig.now // 1_000_000 % 200)
    while sent := rig.sent:
        rig.hear(
            f"01 02 01 {octet}"
            if sent[3:5] == "02"
            else "01 04 02 03 e8"
            if sent.endswith("01")
            else "01 04 04 00 00 00 07"
        )
        rig.wait(5)


def test_a_travelling_breaker_is_not_stored_until_it_arrives() -> None:
    rig = one_relay().start()
    answer_all(rig)
    rig.stored()
    contacts(rig, "00")
    contacts(rig, "00")
    contacts(rig, "02")
    assert rig.stored() == [("F1.breaker", Double.ON)]


def test_a_breaker_that_gets_stuck_is_stored_once_as_indeterminate() -> None:
    rig = one_relay().start()
    answer_all(rig)
    rig.stored()
    for _ in range(60):
        contacts(rig, "00")
    assert rig.stored() == [("F1.breaker", Double.INDETERMINATE)]
    contacts(rig, "01")
    assert rig.stored() == [("F1.breaker", Double.OFF)]


def test_after_a_takeover_the_line_is_listened_to_first() -> None:
    rig = one_relay()
    rig.start(listen_ms=300)
    rig.wait(200)
    rig.hear("01 02 01 02")
    assert rig.sent == "" and rig.stored() == []
    rig.wait(99)
    assert rig.sent == ""
    rig.wait(1)
    assert rig.sent == "01 02 00 00 00 02"
    rig.hear("01 02 01 01")
    assert rig.value("F1.breaker") == Double.OFF


def test_a_successor_in_sync_compares_with_the_values_of_its_predecessor() -> None:
    rig = one_relay().start()
    answer_all(rig)
    rig.channel.stop(rig.now, "handed over")
    rig.channel.closed(rig.now, "handed over")
    rig.stored()
    rig.wait(1000)
    assert rig.sent == ""
    rig.start()
    answer_all(rig)
    assert rig.stored() == [], "equal values make no events"
    rig.channel.stop(rig.now, "handed over")
    rig.start(integrity=True)
    assert rig.stored() == [(OK1, 0.0)], "old values are not topical until everything is read"
    answer_all(rig)
    assert rig.stored() == [(OK1, 1.0)]


def test_draining_opens_no_request() -> None:
    rig = one_relay().start()
    assert rig.sent == "01 02 00 00 00 02"
    rig.channel.drain(rig.now)
    states = [rig.channel.drained]
    rig.hear("01 02 01 01")
    states.append(rig.channel.drained)
    assert states == [False, True]
    rig.wait(5000)
    assert rig.sent == ""


def test_a_port_that_hears_itself() -> None:
    line = SerialLine("bus1", {"a": "x"}, baud=9600, echo=True)
    rig = Rig(serial_master(relay("F1", 1)), line).start()
    rig.hear(rig.sent)
    rig.hear("01 02 01 01")
    assert rig.value("F1.breaker") == Double.OFF


def test_a_long_answer_on_a_slow_line_has_the_time_it_takes() -> None:
    points = tuple(point(f"F1.v{n}", "analog", f"input:{n}", scan="slow") for n in range(125))
    rig = Rig(serial_master(Device("F1", 1, points=points)), SerialLine("bus1", {}, baud=1200)).start()
    rig.wait(30)
    assert rig.sent == "01 04 00 00 00 7d"
    rig.wait(2300)  # 255 octets of 10 bits at 1200 baud take 2.1 s
    rig.hear("01 04 fa" + " 00 01" * 125)
    assert rig.value("F1.v124") == 1
    assert LINE.octet_ns == 572916
