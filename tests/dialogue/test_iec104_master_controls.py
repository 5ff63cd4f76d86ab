"""Controls of the 104 master: octets, answers, and what is told when there are none."""

from __future__ import annotations

import pytest

from tandem.point import Outcome, Stage
from tests.support.iec104_master_rig import Rig

TRIP = "2e 01 06 00 2f 00 89 13 00 02"


@pytest.mark.parametrize(
    ("name", "value", "pulse_ms", "octets"),
    [
        ("R1.trip", 2, 0, TRIP),
        ("R1.trip", 1, 100, "2e 01 06 00 2f 00 89 13 00 05"),
        ("R1.trip", 1, 101, "2e 01 06 00 2f 00 89 13 00 09"),
        ("R1.horn", 1, 0, "2d 01 06 00 2f 00 8a 13 00 05"),
        ("R1.level", -5, 0, "31 01 06 00 2f 00 8b 13 00 fb ff 00"),
    ],
)
def test_direct(name: str, value: float, pulse_ms: int, octets: str) -> None:
    rig = Rig()
    wire = rig.read()
    rig.order(name, value, 7, pulse_ms)
    assert wire.asdus() == [octets]
    assert not rig.reports
    wire.hear(octets.replace(" 06 00 2f", " 07 00 2f", 1))
    report = rig.outcome()
    assert (report.ref, report.stage, report.outcome) == (7, Stage.CONFIRM, Outcome.DONE)
    wire.hear(octets.replace(" 06 00 2f", " 0a 00 2f", 1))
    assert not rig.reports


def test_selected_first() -> None:
    rig = Rig()
    wire = rig.read()
    rig.order("R1.changer", 1)
    assert wire.asdus() == ["2f 01 06 00 2f 00 8c 13 00 82"]
    wire.hear("2f 01 07 00 2f 00 8c 13 00 82")
    assert not rig.reports
    assert wire.asdus() == ["2f 01 06 00 2f 00 8c 13 00 02"]
    wire.hear("2f 01 07 00 2f 00 8c 13 00 82")  # once more the answer to the selection: not this one's
    assert not rig.reports
    wire.hear("2f 01 07 00 2f 00 8c 13 00 02")
    assert rig.outcome().outcome is Outcome.DONE


def test_with_time_originator_and_selection_of_all() -> None:
    rig = Rig(options={"command_time_tag": True, "originator": 9, "select": True})
    wire = rig.read()
    rig.order("R1.trip", 2)
    (sent,) = wire.asdus()
    assert sent.startswith("3b 01 06 09 2f 00 89 13 00 82")
    assert len(bytes.fromhex(sent)) == 17
    wire.hear(sent.replace("3b 01 06", "3b 01 07"))
    (sent,) = wire.asdus()
    assert sent.startswith("3b 01 06 09 2f 00 89 13 00 02")
    wire.hear(sent.replace("3b 01 06", "3b 01 07"))
    assert rig.outcome().outcome is Outcome.DONE


def test_the_device_says_no() -> None:
    rig = Rig()
    wire = rig.read()
    rig.order("R1.trip", 2)
    wire.hear(TRIP.replace("01 06", "01 47"))
    report = rig.outcome()
    assert report.outcome is Outcome.FAILED
    assert "says no (activation confirmation)" in report.sentence
    rig.order("R1.trip", 2)
    wire.hear(TRIP.replace("01 06", "01 6f"))
    assert "unknown information object address" in rig.outcome().sentence
    rig.order("R1.changer", 1)
    wire.hear("2f 01 47 00 2f 00 8c 13 00 82")
    report = rig.outcome()
    assert report.outcome is Outcome.FAILED
    assert "nothing was executed" in report.sentence
    wire.sent()
    rig.wait(9_000)
    assert [text for text in wire.asdus() if text.startswith("2f")] == []


def test_a_negative_end_is_told() -> None:
    rig = Rig()
    wire = rig.read()
    rig.order("R1.trip", 2)
    wire.hear(TRIP.replace("01 06", "01 07"))
    assert rig.outcome().outcome is Outcome.DONE
    wire.hear(TRIP.replace("01 06", "01 4a"))
    report = rig.outcome()
    assert (report.stage, report.outcome) == (Stage.END, Outcome.FAILED)


def test_an_execution_without_an_answer_is_unknown_and_never_sent_again() -> None:
    rig = Rig(options={"command_timeout_ms": 2000})
    wire = rig.read()
    rig.order("R1.trip", 2, 1)
    assert wire.asdus() == [TRIP]
    wire.raw(f"68 04 01 00 {wire.nr * 2:02x} 00")
    rig.wait(2000)
    assert rig.outcome().outcome is Outcome.UNKNOWN
    rig.order("R1.trip", 2, 2)
    report = rig.outcome()
    assert report.outcome is Outcome.NOT_SENT
    assert "may still come" in report.sentence
    wire.hear(TRIP.replace("01 06", "01 07"))  # here it is: for nobody
    assert not rig.reports
    rig.wait(2000)
    assert wire.asdus() == []
    rig.order("R1.trip", 2, 3)
    assert wire.asdus() == [TRIP]


def test_a_selection_without_an_answer_is_cancelled() -> None:
    rig = Rig(options={"command_timeout_ms": 2000})
    wire = rig.read()
    rig.order("R1.changer", -1)
    assert wire.asdus() == ["2f 01 06 00 2f 00 8c 13 00 81"]
    wire.raw(f"68 04 01 00 {wire.nr * 2:02x} 00")
    rig.wait(2000)
    report = rig.outcome()
    assert report.outcome is Outcome.FAILED
    assert "nothing was executed" in report.sentence
    assert wire.asdus() == ["2f 01 08 00 2f 00 8c 13 00 81"]
    wire.hear("2f 01 07 00 2f 00 8c 13 00 81")  # too late: nothing is executed
    assert wire.asdus() == []
    wire.hear("2f 01 09 00 2f 00 8c 13 00 81")
    rig.order("R1.changer", -1)
    assert wire.asdus() == ["2f 01 06 00 2f 00 8c 13 00 81"]


def test_what_did_not_leave_was_not_sent() -> None:
    rig = Rig()
    rig.order("R1.trip", 2, 1)
    assert rig.outcome().outcome is Outcome.NOT_SENT
    wire = rig.read()
    rig.order("R1.trip", 2, 2)  # in the queue of octets, and not drained yet
    wire.cut()
    assert rig.outcome().outcome is Outcome.NOT_SENT
    wire.open()
    wire.raw("68 04 0b 00 00 00")
    wire.sent()
    rig.order("R1.trip", 2, 3)
    wire.sent()
    rig.order("R1.changer", 1, 4)
    wire.sent()
    wire.cut()
    assert [(r.ref, r.outcome) for r in rig.reports] == [(3, Outcome.UNKNOWN), (4, Outcome.NOT_SENT)]


def test_a_lost_right_ends_controls_truthfully() -> None:
    rig = Rig()
    wire = rig.read()
    rig.order("R1.trip", 2, 1)
    wire.sent()
    rig.order("R1.horn", 1, 2)
    rig.channels[0].stop(rig.now, "the role was lost")
    rig.events()
    assert [(r.ref, r.outcome) for r in rig.reports] == [(1, Outcome.UNKNOWN), (2, Outcome.NOT_SENT)]
    rig.reports.clear()
    rig.order("R1.trip", 2, 3)
    assert rig.outcome().outcome is Outcome.NOT_SENT


def test_refused_before_anything_is_sent() -> None:
    rig = Rig()
    wire = rig.read()
    rig.order("R1.level", 40_000)
    report = rig.outcome()
    assert report.outcome is Outcome.REFUSED
    assert "does not fit" in report.sentence
    wire.cut()
    rig.wait(2_000)
    wire.open()
    wire.raw("68 04 0b 00 00 00")
    wire.sent()
    rig.order("R1.trip", 2)
    assert "does not answer" in rig.outcome().sentence, "lost until its interrogation is over"
