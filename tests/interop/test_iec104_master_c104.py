"""Our 104 master against c104's server (lib60870) over a real socket, and tshark over what they said."""

from __future__ import annotations

import dataclasses
import importlib.util
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.config.load import load
from tandem.config.model import Device
from tandem.point import DEVICE_TIME, Cause, Double, Outcome
from tests.support.iec104_master_pump import MasterPump, RemoteProcess
from tests.support.iec104_master_rig import Rig
from tests.support.pair_rig import EXAMPLE
from tools.bench.group import free_octet, relocate
from tools.bench.remote_group import write_group

LIST = """name,kind,address,scale,deadband,pulse_ms,feedback,type,select
breaker,double,1001,,,,,,
earth,binary,1002,,,,,,
tap,step,1003,,,,,,
bits,bitstring,1004,,,,,,
volt,analog,2001,0.5,,,,,
energy,counter,3001,,,,,,
trip,double-output,5001,,,,breaker within 2000,,yes
horn,binary-output,5002,,,50,,,
level,analog-output,5003,,,,,C_SE_NB_1,
changer,step-output,5004,,,,,,
"""
SPONTANEOUS = int(Cause.SPONTANEOUS | DEVICE_TIME)
OPTIONS: dict[str, object] = {"clock_sync_s": 600, "counter_interrogation_s": 600, "w": 4, "t2_s": 1, "t1_s": 15}


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A configuration with one remote unit at an address that nobody else has."""
    if importlib.util.find_spec("c104") is None:
        pytest.skip("peer missing: c104 (pip install c104)")
    octet = free_octet()
    write_group(relocate(EXAMPLE, tmp_path / "example", octet.number), tmp_path / "group", 3)
    made = tmp_path / "group"
    (made / "remote.csv").write_text(LIST)
    (made / "served.csv").write_text("point,type,address\nR1.breaker,M_DP_TB_1,1001\n")
    yield made
    octet.close()


@pytest.fixture
def remote(folder: Path) -> Iterator[RemoteProcess]:
    """c104's server."""
    made = RemoteProcess(folder)
    yield made
    made.close()


def the_device(folder: Path) -> Device:
    """R1 as configured, its options those of OPTIONS."""
    return dataclasses.replace(load(str(folder)).masters[0].devices[0])


@pytest.fixture
def pump(folder: Path, remote: RemoteProcess) -> Iterator[MasterPump]:
    """Our master, connected, its interrogations over."""
    rig = Rig(the_device(folder), options=OPTIONS, timeout_ms=5000)
    rig.start()
    made = MasterPump(rig)
    made.dial()
    made.until(lambda: rig.ok() and not rig.database.present[rig.table.id("R1.energy")][4])
    yield made
    made.close()


def test_interrogation_counters_and_clock(pump: MasterPump) -> None:
    stored = dict(pump.rig.stored())
    assert {name: stored[f"R1.{name}"] for name in ("breaker", "earth", "tap", "bits", "volt")} == {
        "breaker": Double.OFF,
        "earth": 0,
        "tap": 0,
        "bits": 0,
        "volt": 0,
    }
    assert "R1.energy" in stored
    assert pump.rig.count("answers") >= 3
    assert (pump.rig.count("exceptions"), pump.rig.count("timeouts"), pump.rig.count("bad_replies")) == (0, 0, 0)


def test_every_kind_of_event_with_its_time(pump: MasterPump, remote: RemoteProcess) -> None:
    pump.rig.stored()
    made = [("breaker", 2.0), ("earth", 1.0), ("tap", -5.0), ("bits", 201.0), ("volt", 12.5), ("earth", 0.0)]
    for name, value in made:
        remote.ask(do="set", point=f"R1.{name}", value=value)
    found: list[tuple[str, float, int, int, int]] = []
    pump.until(lambda: found.extend(pump.rig.records()) or len(found) >= len(made))  # type: ignore[func-returns-value]
    assert [(name, value) for name, value, *_ in found] == [(f"R1.{name}", value) for name, value in made]
    assert {cause for *_, cause in found} == {SPONTANEOUS}
    stamps = [stamp for _, _, stamp, _, _ in found]
    assert stamps == sorted(stamps)
    assert {quality for _, _, _, quality, _ in found} == {0}


def test_controls(pump: MasterPump) -> None:
    for ref, (name, value) in enumerate((("trip", 2), ("horn", 1), ("level", 12), ("changer", -1))):
        pump.rig.order(f"R1.{name}", value, ref)
        pump.until(lambda: bool(pump.rig.reports))
        report = pump.rig.reports.pop(0)
        assert (report.ref, report.outcome) == (ref, Outcome.DONE), report
    pump.until(lambda: pump.rig.value("R1.breaker") == Double.ON)
    assert pump.rig.count("controls") == 4


def test_what_was_not_acknowledged_comes_again_and_is_taken_once(pump: MasterPump, remote: RemoteProcess) -> None:
    pump.rig.stored()
    pump.rig.hold = True  # the standby is silent: nothing may be acknowledged
    for n in range(6):
        remote.ask(do="set", point="R1.earth", value=n % 2)
    found: list[tuple[str, float]] = []

    def stored(count: int) -> bool:
        found.extend((name, value) for name, value, _, _, cause in pump.rig.records() if cause == SPONTANEOUS)
        return len(found) >= count

    pump.until(lambda: stored(6))
    assert remote.ask(do="state")["unconfirmed"] == 6
    pump.cut("the wire broke")
    pump.rig.hold = False
    remote.ask(do="set", point="R1.tap", value=3)
    pump.until(lambda: stored(7) and pump.rig.count("offered_again") == 6)
    assert found == [*(("R1.earth", float(n % 2)) for n in range(6)), ("R1.tap", 3.0)]
    pump.until(lambda: remote.ask(do="state")["unconfirmed"] == 0)


def test_a_hundred_events_in_order(pump: MasterPump, remote: RemoteProcess) -> None:
    pump.rig.stored()
    for n in range(100):
        remote.ask(do="set", point="R1.volt", value=n / 2)
    found: list[tuple[str, float]] = []
    pump.until(lambda: found.extend(pump.rig.stored()) or len(found) >= 100)  # type: ignore[func-returns-value]
    assert found == [("R1.volt", n / 2) for n in range(100)]
    pump.until(lambda: remote.ask(do="state")["unconfirmed"] == 0)


def test_tshark_finds_nothing_malformed(pump: MasterPump, remote: RemoteProcess, tmp_path: Path) -> None:
    if not shutil.which("tshark"):
        pytest.skip("peer missing: tshark (apt-get install tshark)")
    remote.ask(do="set", point="R1.earth", value=1)
    for ref, (name, value) in enumerate((("trip", 2), ("horn", 1), ("level", -12), ("changer", 1))):
        pump.rig.order(f"R1.{name}", value, ref)
    pump.until(lambda: len(pump.rig.reports) == 4)
    pump.rig.channels[0].drain(pump.rig.now)
    pump.until(lambda: pump.rig.channels[0].drained)
    file = tmp_path / "master.pcap"
    pump.capture.write(file)
    command = ["tshark", "-n", "-r", str(file), "-d", "tcp.port==2404,iec60870_104", "-T", "fields"]
    for name in ("iec60870_asdu.typeid", "_ws.malformed", "_ws.expert.severity"):
        command += ["-e", name]
    said = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
    rows = [line.split("\t") for line in said.splitlines()]
    seen = {int(number) for row in rows for number in row[0].split(",") if number}
    assert {45, 46, 47, 49, 100, 101, 103} <= seen
    assert not [row for row in rows if row[1]]
    warning = 0x00600000
    assert not [row for row in rows if any(int(s) >= warning for s in row[2].split(",") if s)]
