"""`on_standby = "connected"` at two nodes in virtual time: a takeover starts what stands, and loses no event."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.sim_group import SimGroup
from tools.sim.group import LIST, MASTER, SERVED
from tools.sim.unit import DOOR


@pytest.fixture
def group(tmp_path: Path) -> SimGroup:
    folder = tmp_path / "group"
    folder.mkdir()
    (folder / "unit.csv").write_text(LIST, encoding="utf-8")
    master = MASTER.replace('source = "group"', 'source = "own"\non_standby = "connected"\nt3_s = 2')
    slave, rows = '[[slave]]\nname = "scada"', "_sys.role_active,M_SP_TB_1"
    return SimGroup(folder, ("gateway.toml", slave, f"{master}\n{slave}"), ("scada.csv", rows, SERVED + rows))


def test_a_takeover_starts_the_connection_that_stands(group: SimGroup) -> None:
    unit, old, new = group.site.unit, group.active, group.standby
    group.until(lambda: group.value(new, "_sys.master.units.connected") == 1)
    assert group.value(new, "_sys.master.units.driven") == 0
    started, sessions = unit.started, unit.sessions
    assert sessions == 2 and started is not None
    group.run(5000)
    assert (unit.sessions, unit.started) == (2, started), "it lives on its test frames"
    dialed = unit.dialed
    old.kill(heart_too=True)
    unit.change(DOOR, 1)
    group.until(lambda: group.value(new, "U1.door") == 1)
    assert unit.dialed == dialed, "nothing was connected"
    group.until(lambda: not unit.waiting)
    old.boot()
    group.until(lambda: old.node.in_sync and unit.sessions == 2, 10_000)
    assert group.value(new, "_sys.master.units.driven") == 1
