"""What a gateway counts, as points: once a second, in portions, from the last reset on; and the screen of `status`."""

from __future__ import annotations

import json

import pytest

from tandem.manage.screen import screen
from tandem.point import Cause, Quality
from tandem.standby.peer import PathView, PeerView
from tandem.statistics import PORTION, Figures
from tests.support.node_rig import NodeRig


@pytest.fixture
def rig() -> NodeRig:
    rig = NodeRig()
    rig.after(0)
    return rig


def test_counters_become_points_within_a_second(rig: NodeRig) -> None:
    counts = rig.device("F1").counts
    counts.requests, counts.answers, counts.timeouts, counts.crc_errors = 9, 5, 4, 1
    rig.device("F1").answer_ns = 12_500_000
    rig.after(1050)
    told = {name: rig.value(f"device.F1.{name}") for name in ("requests", "answers", "timeouts", "crc_errors")}
    assert told == {"requests": 9, "answers": 5, "timeouts": 4, "crc_errors": 1}
    assert rig.value("device.F1.last_answer_ms") == 12.5
    assert rig.node.journal.head == 0, "they stand beside the journal"


def test_nothing_is_written_while_nothing_changes(rig: NodeRig) -> None:
    rig.after(3000)
    writes: list[int] = []
    write = rig.node.database.set_local

    def counted(point_id: int, value: float, stamp_us: int, quality: int = 0) -> bool:
        changed = write(point_id, value, stamp_us, quality)
        writes.extend([point_id] * changed)
        return changed

    rig.node.database.set_local = counted  # type: ignore[method-assign]
    rig.after(2000)
    assert writes == []


def test_a_reset_begins_anew_and_leaves_the_master_alone(rig: NodeRig) -> None:
    counts = rig.device("F1").counts
    counts.timeouts, rig.device("M1").counts.timeouts = 7, 2
    assert "device F1 begin anew on member a" in rig.node.reporter.statistics.reset("F1")
    counts.timeouts += 1
    rig.after(1100)
    assert (rig.value("device.F1.timeouts"), rig.value("device.M1.timeouts")) == (1, 2)
    assert counts.timeouts == 8
    devices = rig.node.status(rig.now)["devices"]
    assert isinstance(devices, dict) and devices["F1"]["timeouts"] == 1
    rig.node.reporter.statistics.reset("")
    rig.after(1100)
    assert (rig.value("device.F1.timeouts"), rig.value("device.M1.timeouts")) == (0, 0)


def test_a_reset_of_a_device_that_is_not_there_names_it(rig: NodeRig) -> None:
    with pytest.raises(ValueError, match='no device "F9"'):
        rig.node.reporter.statistics.reset("F9")


def test_the_worst_turn_is_kept_until_it_is_reset(rig: NodeRig) -> None:
    rig.node.figures(Figures(10, 8.0, 35.25, 4.5, 1))
    rig.node.figures(Figures(20, 2.0, 36.0, 5.25, 2, 0.25))
    rig.after(1100)
    assert rig.value("clock_error_ms") == 0.25
    assert rig.value("process.worst_turn_ms") == 8.0 and rig.value("process.turns") == 20
    assert rig.value("process.resident_mib") == 36.0 and rig.value("process.uptime_s") == 2
    rig.node.reporter.statistics.reset("")
    rig.node.figures(Figures(30, 3.0, 36.0, 5.0, 3))
    rig.after(1100)
    assert rig.value("process.worst_turn_ms") == 3.0


def test_many_devices_are_taken_in_portions() -> None:
    rig = NodeRig()
    rig.after(2000)
    looked: list[str] = []
    statistics = rig.node.reporter.statistics
    statistics._channels = [_Channel(f"T{n}", looked) for n in range(3 * PORTION)]  # type: ignore[misc]
    statistics._next, statistics._round_at = iter(()), 0
    most = 0
    for _ in range(40):
        before = len(looked)
        rig.after(25)
        most = max(most, len(looked) - before)
    assert most <= 2 * PORTION and 3 * PORTION <= len(looked) <= 2 * 3 * PORTION


class _Channel:
    def __init__(self, name: str, looked: list[str]) -> None:
        self.name, self.looked = name, looked

    def statistics(self) -> dict[str, dict[str, float]]:
        self.looked.append(self.name)
        return {self.name: {"requests": 1.0}}


# --- states -------------------------------------------------------------------------------------------------------


def test_a_path_is_silent_as_soon_as_it_refuses_or_the_peer_is_not_heard() -> None:
    alive = PathView("lan.station", True, 100, -1, True)
    refused = PathView("lan.control", True, 100, 101, True)
    assert PeerView(heard=True, paths=(alive, refused)).arriving == {"lan.station": True, "lan.control": False}
    assert PeerView(heard=False, paths=(alive,)).arriving == {"lan.station": False}


def test_both_members_tell_of_both(rig: NodeRig) -> None:
    rig.become_active()
    assert rig.value("member.a.role") == 3 == rig.value("role") and rig.value("member.a.lines_held") == 1
    assert rig.value("member.b.role") == -1 == rig.value("peer_role") and rig.value("member.b.health") == -1


def test_the_failover_is_told_part_by_part(rig: NodeRig) -> None:
    rig.become_active()
    assert rig.value("last_failover_cause") == 4 and rig.value("last_failover_role_ms") == 2
    assert rig.present("last_failover_detection_ms")[4] == Quality.INVALID, "nobody served before"
    assert rig.present("last_failover_service_ms")[4] == Quality.INVALID, "no center has come yet"
    assert rig.present("last_failover_lines_ms")[4] == 0
    assert all(rig.present(name)[5] == Cause.SYSTEM for name in ("last_failover_cause", "last_failover_ms"))
    names = [p.name.removeprefix("_sys.") for p in rig.node.table.points if "last_failover" in p.name]
    told = [rig.present(name) for name in names]
    rig.after(3000)
    assert [rig.present(name) for name in names] == told, "and once"


# --- the screen -----------------------------------------------------------------------------------------------------


def shown(rig: NodeRig) -> str:
    """The screen of what the local API answers."""
    return screen(json.loads(json.dumps(rig.node.status(rig.now))))


def test_the_screen_of_an_active_member_alone(rig: NodeRig) -> None:
    rig.become_active()
    text = shown(rig)
    assert "member a is ACTIVE for" in text and "peer          not heard" in text
    assert "in sync       NO: " in text and "lan.station SILENT" in text and "F2: disabled" in text
    assert "F1: LOST" in text and rig.value("master.feeders.lost") == 1


def test_a_device_that_nobody_asked_is_not_lost(rig: NodeRig) -> None:
    rig.after(500)
    assert "F1: not asked yet" in shown(rig) and "0 of 1 devices answer" in shown(rig)
    assert rig.value("master.feeders.lost") == 0 == rig.value("master.feeders.ok")


def test_an_active_member_alone_fits_a_screen(rig: NodeRig) -> None:
    rig.become_active()
    text = shown(rig)
    assert "last failover nobody is active" in text and "None" not in text and len(text.splitlines()) <= 24


def test_lost_devices_come_first_and_the_rest_is_counted(rig: NodeRig) -> None:
    status = json.loads(json.dumps(rig.node.status(rig.now)))
    row = status["devices"]["F1"]
    status["devices"] = {f"D{n}": {**row, "ok": n != 15, "known": True, "answers": 3.0} for n in range(20)}
    text = screen(status)
    devices = [line for line in text.splitlines() if line.startswith("  device")]
    assert "D15: LOST" in devices[0] and len(devices) == 8 and "and 12 more" in text


def test_every_alarm_stands_on_top(rig: NodeRig) -> None:
    status = json.loads(json.dumps(rig.node.status(rig.now)))
    status["alarms"] = ["the disk is full"]
    assert screen(status).splitlines()[1] == "ALARM         the disk is full"
