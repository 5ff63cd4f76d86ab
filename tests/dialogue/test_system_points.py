"""The gateway's own points as an IEC 104 center gets them, in octets."""

from __future__ import annotations

import pytest

from tandem.codec.heart import PinsRead
from tests.support.iec104_rig import STAMP, START, START_CON, UTC_US
from tests.support.node_rig import NodeRig

ROWS = """\
_sys.unprotected,M_SP_TB_1,9002,,,,,,
_sys.role,M_ME_NC_1,9003,,,,,,
_sys.relay.own,M_SP_NA_1,9004,,,,,,
_sys.device.F1.timeouts,M_IT_NA_1,9005,,,,,,
_sys.clock_offset_ms,M_ME_NC_1,9006,,,,,,
_sys.last_failover_cause,M_ME_NC_1,9007,,,,,,"""


@pytest.fixture
def rig() -> NodeRig:
    rig = NodeRig(
        ("scada.csv", "_sys.unprotected,M_SP_TB_1,9002,,,,,,", ROWS),
        ("gateway.toml", 'serve_after = "valid"', 'serve_after = "at-once"'),
    )
    rig.after(0)
    rig.connect()
    rig.send(START)
    return rig


def test_a_connection_is_told_each_own_point_once_it_started(rig: NodeRig) -> None:
    rig.after(0)
    assert rig.frames() == [
        START_CON,
        "68 0e 00 00 00 00 46 01 04 00 2f 00 00 00 00 00",
        f"68 20 02 00 00 00 1e 02 03 00 2f 00 29 23 00 00 {STAMP} 2a 23 00 00 {STAMP}",
        "68 1a 04 00 00 00 0d 02 03 00 2f 00 2b 23 00 00 00 00 00 00 2e 23 00 00 00 00 00 80",
        "68 0e 06 00 00 00 01 01 03 00 2f 00 2c 23 00 c0",
        "68 12 08 00 00 00 0f 01 03 00 2f 00 2d 23 00 00 00 00 00 00",
    ], "no contact was read and no clock compared; a mirrored point waits for its event"


def test_a_relay_contact_that_closes_is_told_at_once_and_once(rig: NodeRig) -> None:
    rig.after(0)
    rig.frames()
    rig.node.heart_says(PinsRead(1, 1, 0, 1, 1, 3), rig.now)
    rig.after(25)
    assert rig.frames() == ["68 0e 0a 00 00 00 01 01 03 00 2f 00 2c 23 00 01"]
    rig.after(500)
    assert rig.frames() == []


def test_an_interrogation_answers_them_too(rig: NodeRig) -> None:
    rig.after(0)
    rig.frames()
    rig.send("68 0e 00 00 0a 00 64 01 06 00 2f 00 00 00 00 14")
    rig.after(0)
    answers = rig.frames()
    assert any("29 23 00 00 2a 23 00 00 2c 23 00 c0" in frame for frame in answers), answers
    assert any("2b 23 00 00 00 00 00 00 2e 23 00 00 00 00 00 80 2f 23 00 00 00 00 00 c0" in frame for frame in answers)


def test_a_failover_is_an_event_with_its_cause(rig: NodeRig) -> None:
    rig.become_active()
    rig.send("68 04 01 00 0c 00")
    rig.after(0)
    told = rig.frames()
    assert any("0d 01 03 00 2f 00 2f 23 00 00 00 80 40 00" in frame for frame in told), told
    assert rig.value("last_failover_cause") == 4 and rig.value("failovers") == 1
    assert rig.present("last_failover_cause")[0] > 0, "a record with a number: the other member has it too"


def test_statistics_of_a_device_are_told_once_a_second(rig: NodeRig) -> None:
    rig.after(1500)
    rig.frames()
    told = []
    for count in range(1, 61):
        rig.device("F1").counts.timeouts = count
        rig.after(50)
        told += [frame for frame in rig.frames() if "0f 01 03 00 2f 00 2d 23 00" in frame]
    assert 2 <= len(told) <= 3, told


@pytest.mark.parametrize("journal", ["ram", "durable"])
def test_a_flash_that_fails_shows_in_points_status_health_and_the_led(journal: str) -> None:
    rig = NodeRig(("gateway.toml", 'journal = "ram"', f'journal = "{journal}"'))
    rig.become_active()
    assert (rig.value("health"), rig.value("archive.ok")) == (255, 1)
    rig.flash_fault = "the card is read-only"
    rig.node.database.update(rig.node.table.id("F1.breaker"), 2, 0, UTC_US, 3)
    rig.after(8000)
    assert rig.value("archive.ok") == 0 == rig.value("journal.durable")
    assert rig.value("health") == 255, "it may be written again yet"
    alarms = rig.node.status(rig.now)["alarms"]
    assert alarms and all("read-only" in str(alarm) for alarm in alarms)  # type: ignore[attr-defined]
    assert rig.node.reporter.cabinet.words()["fault"] == "red"
    rig.after(12_000)
    assert rig.value("health") == 195
    assert rig.node.status(rig.now)["health"] == {"value": 195, "losses": ["flash.failed"]}
    rig.flash_fault = ""
    rig.after(8000)
    assert (rig.value("health"), rig.value("archive.ok")) == (255, 1)
    assert rig.value("journal.durable") == (journal == "durable")
    assert rig.node.reporter.cabinet.words()["fault"] != "red"
