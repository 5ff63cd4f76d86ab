"""A commit with `journal = "durable"` while the center is away: what waits is kept, or counted if its point is gone."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.pair import test_pair_commit as rolling
from tests.support.pair_rig import Group, patient_config
from tools.bench.group import relocate
from tools.bench.load.__main__ import end_probe
from tools.bench.members import BOTH
from tools.bench.plan import MEMBERS

RATE = 100


@pytest.fixture
def loaded(tmp_path: Path) -> Iterator[tuple[Group, Path]]:
    """A group under load with a durable journal, and the folder that is to be committed."""
    base = patient_config(tmp_path / "base")
    main = base / "gateway.toml"
    main.write_text(main.read_text("utf-8").replace('journal = "ram"', 'journal = "durable"'), "utf-8")
    group = Group(rolling.station(base, tmp_path / "before", rolling.BEFORE), tmp_path / "run", rate=0, foreign=False)
    for member in group.members.values():
        member._arguments[1:3] = ["tests.support.named_load", str(RATE)]
    target = relocate(rolling.station(base, tmp_path / "after", rolling.after()), tmp_path / "to", group._octet.number)
    with group:
        end_probe(group)
        group.wait_ready(centers=False)
        yield group, target


def test_what_waits_for_the_center_is_kept_or_counted(loaded: tuple[Group, Path]) -> None:
    group, target = loaded
    active, standby = rolling.active_and_standby(group)
    with rolling.center(group) as told:
        group.wait(lambda: len(told.heard) == len(rolling.BEFORE), "every point is heard")
    head = int(group.members[active].status()["head"])
    group.wait(lambda: int(group.members[active].status()["head"]) > head + 2 * RATE, "events wait")
    done = rolling.commit(group, active, "--config", str(target))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "are of points that are gone: they are left out" in done.stdout
    active, standby = rolling.active_and_standby(group)
    left_out = group.value(active, "_sys.commit.left_out")
    assert left_out == group.members[active].status()["commit"]["left_out"] > 0
    for member in (active, standby):
        group.wait(lambda m=member: group.value(m, "_sys.commit.state") == 4, f"{member} tells that it is done")
    with rolling.center(group) as told:
        group.wait(lambda: all(told.heard[rolling.address(n)] > 2 for n in rolling.after()), "old and new are heard")
        assert told.total > RATE, "what waited is told"
        rolling.judge(told, rolling.KEPT)
        assert not any(told.heard[rolling.address(name)] for name in rolling.DELETED)
    for member in MEMBERS:
        group.members[member].signal(signal.SIGKILL, *BOTH)
    for member in MEMBERS:
        group.members[member].start()
    active, _ = rolling.active_and_standby(group)
    assert "the journal was rebuilt from flash up to record" in group.log(active)
    assert rolling.status(group, active)["running"] == rolling.status(group, standby)["running"]
    with rolling.center(group) as told:
        group.wait(lambda: all(told.heard[rolling.address(n)] > 1 for n in rolling.after()), "all of it goes on")
        rolling.judge(told, rolling.KEPT)
