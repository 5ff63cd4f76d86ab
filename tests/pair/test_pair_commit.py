"""A rolling commit under a flow of events: rows inserted, renamed and deleted, and no event under a wrong name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.named_center import NamedCenter
from tests.support.named_load import code
from tests.support.pair_rig import Group, noisy, patient_config
from tools.bench.group import relocate
from tools.bench.load.__main__ import end_probe
from tools.bench.load.station import write_station
from tools.bench.processes import ROOT

RATE = float(os.environ.get("COMMIT_RATE", "200"))
"""Events a second; 2000 on a machine of its own."""
BEFORE = [f"p{n}" for n in range(60)]
RENAMED = {f"p{n}": f"r{n}" for n in range(5, 60, 10)}
DELETED = {f"p{n}" for n in range(7, 60, 10)}
_SECONDS = 60.0


def after() -> list[str]:
    """The new list: rows before and between the old ones, some with another name, some gone."""
    rows = []
    for n, name in enumerate(BEFORE):
        rows += [f"q{n}"] if n % 6 == 0 else []
        rows += [] if name in DELETED else [RENAMED.get(name, name)]
    return rows


KEPT = [name for name in BEFORE if name in after()]


def station(base: Path, target: Path, names: list[str]) -> Path:
    """The load's station with these points; a name's object address never changes."""
    write_station(base, target, 1, 12, 8, ("M_ME_TF_1",))
    points = [f"{name},analog,holding:{n}" for n, name in enumerate(names)]
    rows = [f"L.{name},M_ME_TF_1,{address(name)}" for name in names]
    (target / "load.csv").write_text("\n".join(["name,kind,address", *points, ""]))
    (target / "served.csv").write_text("\n".join(["point,type,address", *rows, ""]))
    return target


def address(name: str) -> int:
    return 10_000 + code(name)


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Group, Path]]:
    """A group under load, and the folder that is to be committed."""
    folder = tmp_path_factory.mktemp("commit")
    base = patient_config(folder / "base")
    group = Group(station(base, folder / "before", BEFORE), folder / "run", rate=0, foreign=False)
    for member in group.members.values():
        member._arguments[1:3] = ["tests.support.named_load", str(RATE)]
    target = relocate(station(base, folder / "after", after()), folder / "committed", group._octet.number)
    with group:
        end_probe(group)
        group.wait_ready(centers=False)
        yield group, target


def commit(group: Group, member: str, *what: str) -> subprocess.CompletedProcess[str]:
    """`python -m tandem commit` as a user types it."""
    command = [sys.executable, "-m", "tandem", "commit", "--state", str(group.members[member].state), *what]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "firmware")}
    while True:
        mark = group.mark()
        done = subprocess.run(command, capture_output=True, text=True, timeout=150, env=env, check=False)
        if not done.returncode or not noisy("".join(group.log(m, mark) for m in group.members)):
            return done
        active_and_standby(group)  # this machine stalled: the commit was rightly refused or taken back, and is repeated


def active_and_standby(group: Group) -> tuple[str, str]:
    group.wait_ready(centers=False)
    active = str(group.wait(lambda: group.active, "one active member"))
    return active, "b" if active == "a" else "a"


def center(group: Group) -> NamedCenter:
    host = group.config.lan("control").group[0].ip
    source = ".".join([*host.split(".")[:2], "2", "31"])
    every = {*BEFORE, *after()}
    return NamedCenter(source, (host, 2404), {address(name): code(name) for name in every})


def status(group: Group, member: str) -> dict[str, object]:

    def answer() -> dict[str, object]:
        try:
            return dict(group.members[member].ask("commit")["commit"])
        except (OSError, ValueError):  # it restarts
            return {}

    return dict(group.wait(answer, f"member {member} answers"))


def judge(told: NamedCenter, names: list[str]) -> None:
    """No event has a wrong name; of the points that were there all the time none is missing."""
    assert told.wrong == []
    missing = {name: told.lost[address(name)] for name in names if told.lost[address(name)]}
    assert not missing
    assert all(told.heard[address(name)] for name in names)


def test_a_rolling_commit_and_its_rollback_under_a_flow_of_events(loaded: tuple[Group, Path]) -> None:
    group, target = loaded
    active, standby = active_and_standby(group)
    before = status(group, active)["running"]
    with center(group) as told:
        group.wait(lambda: len(told.heard) == len(BEFORE), "every point is heard")
        done = commit(group, standby, "--config", str(target))
        assert done.returncode == 0, done.stdout + done.stderr
        steps = ("verified", "staged on both", "activates", "switchover", "both members run")
        places = [done.stdout.find(word) for word in steps]
        assert -1 not in places and places == sorted(places), done.stdout
        active_and_standby(group)
        group.wait(lambda: all(told.heard[address(n)] > 2 for n in after()), "the new points are heard")
        gone = {name: told.heard[address(name)] for name in (*DELETED, *RENAMED)}
        mark = told.total
        assert {m: status(group, m)["running"] for m in "ab"} == dict.fromkeys("ab", status(group, "a")["running"])
        assert status(group, "a")["previous"] == before != status(group, "a")["running"]
        group.wait(lambda: told.total > mark + len(after()), "one of every point")
        assert gone == {name: told.heard[address(name)] for name in gone}, "what is gone is told no more"
        done = commit(group, active, "--rollback")
        assert done.returncode == 0, done.stdout + done.stderr
        group.wait(lambda: all(told.heard[address(n)] > gone.get(n, 0) for n in BEFORE), "the old points are heard")
        assert status(group, active)["running"] == before
    judge(told, KEPT)


def test_an_active_killed_in_the_middle_is_no_half_commit(loaded: tuple[Group, Path]) -> None:
    """The old active dies as the standby has the new configuration: that one serves, and the commit goes on."""
    group, target = loaded
    active, standby = active_and_standby(group)
    command = [sys.executable, "-m", "tandem", "commit", "--config", str(target)]
    command += ["--state", str(group.members[standby].state)]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "firmware")}
    mark = group.mark()
    with center(group) as told, subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as order:
        group.says(active, mark, "switchover: releasing", seconds=_SECONDS)
        group.members[active].signal(signal.SIGKILL, "supervisor")
        group.says(standby, mark, "active in epoch", seconds=_SECONDS)
        group.members[active].start()
        printed, _ = order.communicate(timeout=_SECONDS)
        assert order.returncode == 0 and "both members run" in printed, printed
        assert status(group, active)["running"] == status(group, standby)["running"]
        assert told.wrong == []


def test_refusals_say_why(loaded: tuple[Group, Path], tmp_path: Path) -> None:
    group, target = loaded
    active, standby = active_and_standby(group)
    old = status(group, active)["running"] == group.config.digest
    runs, other = (group.config_folder, target) if old else (target, group.config_folder)
    same = commit(group, active, "--config", str(runs))
    assert same.returncode == 1 and "run this configuration already" in same.stdout + same.stderr
    wrong = tmp_path / "wrong"
    wrong.mkdir()
    for file in other.iterdir():
        text = file.read_text(encoding="utf-8")
        (wrong / file.name).write_text(text.replace("dead_after_ms = 400", "dead_after_ms = 420"), encoding="utf-8")
    timing = commit(group, standby, "--config", str(wrong))
    assert timing.returncode == 1 and "dead_after_ms is 400 and becomes 420" in timing.stdout, timing.stdout
    assert "stop both members" in timing.stdout
    (wrong / "load.csv").write_text("name,kind\n")
    faults = commit(group, active, "--config", str(wrong))
    assert faults.returncode == 1 and "does not start with this configuration" in faults.stdout
    group.members[standby].end()
    alone = commit(group, active, "--config", str(other))
    assert alone.returncode == 1 and "a commit needs both members" in alone.stderr
    group.members[standby].start()
    assert active_and_standby(group) == (active, standby)
