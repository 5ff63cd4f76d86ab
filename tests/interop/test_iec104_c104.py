"""c104's client (lib60870) against the station over a real socket, and tshark over what they said."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tandem.config.model import Center
from tandem.point import Double, Quality
from tests.dialogue.test_iec104_memory import AMP_300, NORM_HALF, VOLT_5, con
from tests.support.iec104_pump import PeerProcess, Pump
from tests.support.iec104_rig import UTC_US, Rig

PEER = Path(__file__).with_name("iec104_peer.py")
VALUES = {"breaker": 2, "earth": 1, "earth2": 0, "volt": 1.5, "amp": 2, "norm": 250, "energy": 77, "ok": 1}


@pytest.fixture
def pump() -> Iterator[Pump]:
    """A station whose points all have values, behind a socket."""
    if importlib.util.find_spec("c104") is None:
        pytest.skip("peer missing: c104 (pip install c104)")
    rig = Rig(centers=(Center("north", ("127.0.0.1/32",)),))
    for name, value in VALUES.items():
        rig.update(name, value)
    rig.local("role", 1)
    rig.station.restore_cursors({"north": rig.journal.head}, rig.journal.head)
    made = Pump(rig)
    yield made
    made.close()


def _connected(pump: Pump, way: str) -> Iterator[PeerProcess]:
    made = PeerProcess(pump, PEER, way)
    assert made.ask("connect") is True
    yield made
    made.close()


@pytest.fixture
def written(pump: Pump) -> None:
    """Another front end of c104's center wrote parameters, which c104's client cannot."""
    front = pump.rig.started("127.0.0.1")
    for request in (VOLT_5, AMP_300, NORM_HALF):
        front.ask(request)
        assert front.drain() == [con(request)]
    front.drop()


@pytest.fixture
def peer(pump: Pump) -> Iterator[PeerProcess]:
    """c104's client, connected and started, that hears events with their times."""
    yield from _connected(pump, "timed")


@pytest.fixture
def asker(pump: Pump) -> Iterator[PeerProcess]:
    """c104's client, connected and started, that hears what interrogation and read tell."""
    yield from _connected(pump, "still")


def heard(pump: Pump, peer: PeerProcess, least: int) -> list[list[Any]]:
    """What c104 heard, at least so many."""
    found: list[list[Any]] = []
    pump.until(lambda: found.extend(peer.ask("heard")) or len(found) >= least)  # type: ignore[func-returns-value]
    return found


@pytest.mark.parametrize("ca", [47, 65535])
def test_general_interrogation(pump: Pump, asker: PeerProcess, ca: int) -> None:
    assert asker.ask("interrogation", ca) is True
    found = {ioa: (value, good, cause) for ioa, _, value, good, cause, _ in heard(pump, asker, 7)}
    cause = "INTERROGATED_BY_STATION"
    assert found == {
        1001: (Double.ON, True, cause),
        1002: (True, True, cause),
        1003: (False, True, cause),
        2001: (1.5, True, cause),
        2002: (200.0, True, cause),
        2003: (0.25, True, cause),
        9001: (True, True, cause),
    }


def test_counters_read_clock_and_test(pump: Pump, asker: PeerProcess) -> None:
    assert asker.ask("counters", 47) is True
    assert heard(pump, asker, 1)[0][:3] == [3001, "M_IT_NA_1", 77.0]
    assert asker.ask("clock", 47) is True
    assert asker.ask("test", 47) is True
    assert asker.ask("read", 2001) is True
    assert [(h[0], h[2], h[4]) for h in heard(pump, asker, 1)] == [(2001, 1.5, "REQUEST")]
    assert asker.ask("counters", 48) is False


def test_counters_are_frozen_and_set_back(pump: Pump, asker: PeerProcess) -> None:
    def totals() -> list[float]:
        assert asker.ask("counters", 47) is True
        return [h[2] for h in heard(pump, asker, 1)]

    assert asker.ask("counters", 47, "FREEZE_WITHOUT_RESET") is True
    pump.rig.update("energy", 80)
    assert totals() == [77.0]
    assert asker.ask("counters", 47, "FREEZE_WITH_RESET") is True
    assert totals() == [80.0]
    pump.rig.update("energy", 85)
    assert asker.ask("counters", 47, "FREEZE_WITHOUT_RESET") is True
    assert totals() == [5.0]
    assert asker.ask("counters", 47, "COUNTER_RESET") is True
    assert totals() == [5.0]


def test_spontaneous_events_in_order_with_their_times(pump: Pump, peer: PeerProcess) -> None:
    heard(pump, peer, 1)
    stamps = []
    for n in range(300):
        pump.rig.update("breaker", 1 + n % 2)
        pump.rig.update("amp", n)
        stamps.append(pump.rig.clock.stamp(pump.rig.now)[0] // 1000)
        if n % 10 == 0:
            pump.turn()
    pump.rig.update("volt", 7, Quality.NOT_TOPICAL)
    found = heard(pump, peer, 601)
    assert [h[2] for h in found if h[0] == 1001] == [1 + n % 2 for n in range(300)]
    assert [h[2] for h in found if h[0] == 2002] == [min(n * 100.0, 32767) for n in range(300)]
    assert [h[5] for h in found if h[0] == 1001] == stamps
    assert stamps[0] >= UTC_US // 1000
    assert [(h[2], h[3], h[4]) for h in found if h[0] == 2001] == [(7.0, False, "SPONTANEOUS")]
    assert pump.rig.counts()["confirmed"] > 0
    assert pump.rig.counts()["repeated"] == 0


def test_commands(pump: Pump, peer: PeerProcess) -> None:
    heard(pump, peer, 1)
    assert peer.ask("command", 5001, False, "select") is True
    assert peer.ask("command", 5002, 123, "direct") is True
    assert peer.ask("command", 5003, True, "direct") is True
    assert pump.carried_out == [("trip", Double.OFF), ("level", 12.3), ("coil", 1.0)]
    returned = {h[0]: (h[2], h[4]) for h in heard(pump, peer, 3)}
    assert returned[1001] == (Double.OFF, "RETURN_INFO_REMOTE")
    assert returned[1003] == (True, "RETURN_INFO_REMOTE")
    assert peer.ask("command", 5001, True, "direct") is False  # must be selected
    assert peer.ask("command", 5002, 5, "select") is False  # must not
    pump.refused.add("coil")
    assert peer.ask("command", 5003, True, "direct") is False
    assert len(pump.carried_out) == 3


@pytest.mark.usefixtures("written")
def test_parameters_of_its_center_hold_for_c104_and_do_not_trouble_its_interrogation(
    pump: Pump, peer: PeerProcess
) -> None:
    heard(pump, peer, 1)
    for value in (2, 3, 6.5, 7.5, 8):
        pump.rig.update("volt", value)
    assert [h[2] for h in heard(pump, peer, 2) if h[0] == 2001] == [2.0, 7.5]
    assert peer.ask("interrogation", 47) is True
    assert peer.ask("counters", 47) is True
    assert pump.rig.counts()["connections"] == 2, "its own, and the front end's that wrote"


def test_what_was_not_acknowledged_comes_again_after_a_reconnect(pump: Pump, peer: PeerProcess) -> None:
    heard(pump, peer, 1)
    for n in range(20):
        pump.rig.update("earth", n % 2)
    first = [h[2] for h in heard(pump, peer, 20)]  # c104 acknowledges ten seconds later
    pump.cut("the wire broke")
    for n in range(5):
        pump.rig.update("earth", n % 2)
    assert peer.ask("connect") is True
    again = [h[2] for h in heard(pump, peer, 26) if h[0] == 1002]
    assert first == [bool(n % 2) for n in range(20)]
    assert again == [*first, *[bool(n % 2) for n in range(5)]]
    counts = pump.rig.counts()
    assert (counts["repeated"], counts["connections"]) == (20, 2)


def test_after_a_farewell_nothing_is_repeated(pump: Pump, peer: PeerProcess) -> None:
    heard(pump, peer, 1)
    pump.rig.update("earth", 0)
    heard(pump, peer, 1)
    assert peer.ask("disconnect") is True  # with an acknowledgement and STOPDT
    pump.until(lambda: pump.rig.counts()["connected"] == 0)
    pump.rig.update("earth", 1)
    assert peer.ask("connect") is True
    assert [h[2] for h in heard(pump, peer, 2) if h[0] == 1002] == [True]
    assert pump.rig.counts()["repeated"] == 0


@pytest.mark.usefixtures("written")
def test_tshark_finds_nothing_malformed(pump: Pump, peer: PeerProcess, tmp_path: Path) -> None:
    if not shutil.which("tshark"):
        pytest.skip("peer missing: tshark (apt-get install tshark)")
    heard(pump, peer, 1)
    for n in range(200):
        pump.rig.update("breaker", n % 4)
        for name in ("earth", "volt", "amp", "norm", "energy"):
            pump.rig.update(name, n, n % 64)
    heard(pump, peer, 1000)
    for question in (["interrogation", 47], ["counters", 47], ["clock", 47], ["test", 47], ["read", 1001]):
        assert peer.ask(*question) is True
    assert peer.ask("command", 5001, True, "select") is True
    assert peer.ask("command", 5002, 7, "select") is False
    peer.ask("disconnect")
    pump.until(lambda: pump.rig.counts()["connected"] == 0)
    file = tmp_path / "slave.pcap"
    pump.capture.write(file)
    command = ["tshark", "-n", "-r", str(file), "-d", "tcp.port==2404,iec60870_104", "-T", "fields"]
    command += [
        "-e",
        "iec60870_asdu.typeid",
        "-e",
        "_ws.malformed",
        "-e",
        "_ws.expert.message",
        "-e",
        "_ws.expert.severity",
    ]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    rows = [line.split("\t") for line in said.splitlines()]
    seen = {int(number) for row in rows for number in row[0].split(",") if number}
    assert {1, 3, 9, 11, 13, 15, 30, 31, 34, 35, 36, 37, 46, 49, 100, 101, 102, 103, 107, 110, 111, 112} <= seen
    assert not [row for row in rows if row[1]]
    warning = 0x00600000
    assert not [row for row in rows if any(int(s) >= warning for s in row[3].split(",") if s)]
