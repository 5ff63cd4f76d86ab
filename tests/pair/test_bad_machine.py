"""What a machine, its cables and its devices do wrong: a sentence, a system point, and the pair goes on."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.pair_rig import Group, patient_config
from tests.support.pulled_line import PulledLine
from tools.bench.plan import raised
from tools.bench.processes import ROOT


def refused_start(config: Path, state: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A gateway that is expected to end by itself."""
    command = [sys.executable, "-m", "tandem", "gateway", "--config", str(config), "--member", "a"]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "firmware"), "TANDEM_BENCH": str(state), **environment}
    return subprocess.run(
        [*command, "--state", str(state)], capture_output=True, text=True, timeout=30, env=env, check=False
    )


# --- what a start refuses ---------------------------------------------------------------------------------------------


def test_a_wrong_configuration_is_refused_with_its_place(tmp_path: Path) -> None:
    folder = patient_config(tmp_path / "config")
    file = folder / "gateway.toml"
    file.write_text(file.read_text().replace('protocol = "iec104"', 'protocol = "iec105"'))
    done = refused_start(folder, tmp_path / "state")
    assert done.returncode == 2
    assert "gateway.toml:" in done.stderr and "iec105" in done.stderr and "iec104" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("text", ["", "format = ", "\xff\xfe", "format = 99\n"])
def test_a_file_that_is_no_configuration(tmp_path: Path, text: str) -> None:
    folder = patient_config(tmp_path / "config")
    (folder / "gateway.toml").write_bytes(text.encode("latin-1"))
    done = refused_start(folder, tmp_path / "state")
    assert done.returncode == 2 and "gateway.toml" in done.stderr and "Traceback" not in done.stderr


def test_missing_and_damaged_keys(tmp_path: Path) -> None:
    folder = patient_config(tmp_path / "config")
    done = refused_start(folder, tmp_path / "state")
    assert done.returncode == 2 and "tandem pair" in done.stderr and "Traceback" not in done.stderr
    keys = tmp_path / "state" / "keys"
    keys.mkdir(parents=True)
    for name in ("own.key", "own.crt", "peer.crt", "beat.key"):
        (keys / name).write_text("rubbish")
    done = refused_start(folder, tmp_path / "state")
    assert done.returncode == 2 and "tandem pair" in done.stderr and "Traceback" not in done.stderr


def test_no_bench_in_the_environment(tmp_path: Path) -> None:
    done = refused_start(patient_config(tmp_path / "config"), tmp_path / "state", TANDEM_BENCH="")
    assert done.returncode == 2 and "TANDEM_BENCH" in done.stderr and "Traceback" not in done.stderr


# --- ports and lines --------------------------------------------------------------------------------------------------


def test_a_port_in_use_is_said_and_served_later(group: Group) -> None:
    _, standby = group.roles()
    own = raised(group.config.lan("control").members[standby].addresses[0].ip, {"a": 100, "b": 200}[standby])
    member = group.members[standby]
    member.end()
    mark = group.mark()
    with socket.create_server((own, group.served.port)):
        member.start()
        group.says(standby, mark, "cannot listen", "in use", "tried again")
        group.roles()
        group.wait(lambda: group.value(standby, "_sys.slave.scada.ok") == 0, "the system point says so")
        assert "cannot listen" in group.members[standby].status()["alarms"][0]
        assert group.members[standby].status()["leds"]["fault"] == "red"
    group.says(standby, mark, "scada listens again")
    group.wait(lambda: group.value(standby, "_sys.slave.scada.ok") == 1, "and that all is well")
    assert group.members[standby].status()["alarms"] == []


def _answers(group: Group, member: str) -> float:
    return float(group.members[member].status().get("devices", {}).get("F1", {}).get("answers", 0))


def test_a_serial_line_that_vanishes_and_returns(group: Group) -> None:
    """The adapter of the line is pulled out of the active and plugged in again."""
    active, standby = group.roles()
    with PulledLine(group.run, f"bus1-{standby}") as line:
        assert group.cli("switchover", active).returncode == 0
        group.wait(lambda: group.active == standby, "the other one drives the line now")
        group.roles()
        active, standby = standby, active
        group.wait(lambda: _answers(group, active) > 3, "the relay answers over the adapter")
        mark = group.mark()
        with group.no_role_change():
            line.pull()
            group.says(active, mark, "bus1")
            group.wait(lambda: group.value(active, "_sys.device.F1.ok") == 0, "the relay is lost")
            group.wait(lambda: group.value(standby, "_sys.device.F1.ok") == 0, "on the standby too")
            assert group.value(active, "_sys.device.M1.ok") == 1
            line.plug()
            group.wait(lambda: group.value(active, "_sys.device.F1.ok") == 1, "the relay answers again", 30)
    group.cli("switchover", active)
    group.wait(lambda: group.active == standby, "back on the bench's own line")


def test_a_device_that_answers_garbage(group: Group) -> None:
    active, standby = group.roles()
    mark = group.mark()
    with group.no_role_change():
        group.field({"do": "garbled", "device": "F1"})
        try:
            group.says(active, mark, "F1", "does not answer")
            group.wait(lambda: group.value(active, "_sys.device.F1.ok") == 0, "lost, by its point")
            group.wait(lambda: group.value(active, "_sys.master.feeders.ok") == 0, "and its master's")
            group.wait(lambda: group.value(standby, "_sys.master.feeders.ok") == 0, "on the standby too")
            assert "not topical" in group.points(active, "F1.breaker")["F1.breaker"]["quality"]
            counts = group.members[active].status()["devices"]["F1"]
            assert counts["crc_errors"] + counts["bad_replies"] + counts["timeouts"] > 0
        finally:
            group.field({"do": "well", "device": "F1"})
        group.wait(lambda: group.value(active, "_sys.device.F1.ok") == 1, "it answers again", 30)
        group.wait(lambda: group.value(standby, "_sys.master.feeders.ok") == 1, "everywhere")


# --- the state folder -------------------------------------------------------------------------------------------------


def test_a_state_folder_that_takes_no_writes(group: Group) -> None:
    """Something stands where the new file would be written; root's rights do not help, as on a full disk."""
    active, standby = group.roles()
    mark = group.mark()
    obstacle = group.members[standby].state / ".standing.json.new"
    (obstacle / "x").mkdir(parents=True)
    try:
        assert group.cli("switchover", active).returncode == 0  # the claim wants to remember its epoch
        group.wait(lambda: group.active == standby, "the epoch of this claim was on flash before")
        group.says(standby, mark, "the state folder cannot be written", "standing.json", "tried again")
        group.wait(lambda: group.value(standby, "_sys.disk_ok") == 0, "the system point says so")
        group.roles()
        assert "standing.json" in group.members[standby].status()["alarms"][0]
    finally:
        (obstacle / "x").rmdir()
        obstacle.rmdir()
    group.says(standby, mark, "the state folder takes writes again")
    group.wait(lambda: group.value(standby, "_sys.disk_ok") == 1, "all well")
    saved = json.loads((group.members[standby].state / "standing.json").read_text())
    assert saved["epoch"] == group.members[standby].status()["epoch"], "nothing is forgotten"
    assert group.roles() == (standby, active)


@pytest.mark.parametrize("rubbish", [b"", b"{", b"\xff\xfe\x00", b'{"epoch": "x"}', b"[1, 2]", b"[" * 100_000])
def test_damaged_files_of_the_standby(group: Group, rubbish: bytes) -> None:
    _, standby = group.roles()
    member = group.members[standby]
    before = max(int(m.status()["epoch"]) for m in group.members.values())
    member.end()
    for name in ("registry.json", "standing.json"):
        (member.state / name).write_bytes(rubbish)
    mark = group.mark()
    member.start()
    assert group.roles()[1] == standby
    if rubbish:
        group.says(standby, mark, "registry.json")
        group.says(standby, mark, "standing.json")
    time.sleep(0.2)
    group.wait(lambda: _standing(group, standby)["reserved"] > before, "its next claim is above every epoch that was")


def _standing(group: Group, member: str) -> dict[str, int]:
    try:
        return dict(json.loads((group.members[member].state / "standing.json").read_text()))
    except (OSError, ValueError):
        return {"reserved": 0}


def test_other_point_ids_are_adopted_from_the_active(group: Group) -> None:
    """A registry of another life gives other ids: they never mirror; the active's are taken over a restart."""
    _, standby = group.roles()
    member = group.members[standby]
    member.end()
    (member.state / "registry.json").write_text(json.dumps({"M1.alarm": 5000, "gone": 5001}))
    mark = group.mark()
    member.start()
    group.says(standby, mark, "ids", "adopted")
    assert group.roles()[1] == standby
    ids = [{n: row["id"] for n, row in group.points(m).items()} for m in group.members]
    assert ids[0] == ids[1]
