"""A pair of real processes on a board with a peer-trip: the active stands still, and its coil is held."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pair_rig import Group, judge_one_driver, patient_config
from tools.bench.plan import other
from tools.bench.stage import Stage

TRIP_MS = 900


class TripStage(Stage):
    """The bench's board with a peer-trip."""

    def prepare(self, config: str | Path, run: Path, octet: int) -> tuple[Path, Path]:
        folder, board = super().prepare(config, run, octet)
        file = board / "board.toml"
        text = file.read_text(encoding="utf-8")
        file.write_text(re.sub(r"(?m)^\[relay\].*\n", f"[relay]\ntrip_ms = {TRIP_MS}\n", text, count=1))
        return folder, board


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    with Group(patient_config(tmp_path / "source"), tmp_path / "run", foreign=False, stage=TripStage()) as made:
        yield made
        judge_one_driver(made)


def test_a_standing_active_whose_coil_is_held_is_tripped(group: Group) -> None:
    active, standby = group.roles()
    group.bench.hold(active)
    fault = group.fault("freeze", active)
    group.operator.calm()
    group.wait(lambda: group.value(standby, "_sys.lines_held") == 1, "the lines follow")
    assert group.value(standby, "_sys.relay.trips") == 1
    assert any("tripped 1 times within the hour" in alarm for alarm in group.members[standby].status()["alarms"])
    pulses = [
        t for t, what, member, on in group.bench.history(fault.t_ns) if (what, member, on) == ("trip", standby, 1)
    ]
    opened = [
        t for t, what, member, on in group.bench.history(fault.t_ns) if (what, member, on) == ("contact", active, 0)
    ]
    claimed = [
        t for t, what, member, on in group.bench.history(fault.t_ns) if (what, member, on) == ("claim", standby, 1)
    ]
    assert len(pulses) == 1 and pulses[0] < opened[0] < claimed[0], "nothing is taken before its contact was open"
    group.bench.hold(active, on=False)
    group.recover(fault)
    assert group.roles() == (standby, other(standby))
