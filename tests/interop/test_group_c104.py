"""c104's client (lib60870) with a connection to each member's own address: one started, through a failover."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.interop.test_pair_c104 import Client
from tests.support.pair_rig import Group, patient_config
from tests.support.tap import Tap

PEER = Path(__file__).with_name("iec104_group_peer.py")

pytestmark = [pytest.mark.pair, pytest.mark.slow]


@pytest.fixture
def group(tmp_path: Path) -> Iterator[Group]:
    if importlib.util.find_spec("c104") is None:
        pytest.skip("peer missing: c104 (pip install c104)")
    with Group(patient_config(tmp_path / "source"), tmp_path / "run", rate=20, foreign=False) as running:
        running.wait_ready()
        yield running


def test_a_redundancy_group_of_c104_over_both_members(group: Group) -> None:
    active, standby = group.roles()
    with ExitStack() as stack:
        taps = [stack.enter_context(Tap((group.own(m), group.served.port))) for m in (active, standby)]
        client = Client([sys.executable, str(PEER), *(str(tap.port) for tap in taps)])
        stack.callback(client.close)

        def heard(index: int) -> int:
            return sum(line[0] == index for line in client.heard)

        assert client.ask("start", 0) is True
        client.until(lambda lines: heard(0) > 5, "events at the active's own address")
        assert heard(1) == 0, "connected, and not started"
        assert client.ask("start", 1) is True
        client.until(lambda lines: heard(1) > 5, "events at the standby's own address")
        count = heard(0)
        client.until(lambda lines: heard(1) > 15, "more of them")
        assert heard(0) == count, "the other connection stopped"
        fault = group.fault("kill", active)
        group.operator.calm()
        group.wait(lambda: group.value(standby, "_sys.lines_held") == 1, "the lines follow")
        count = heard(1)
        client.until(lambda lines: heard(1) > count + 10, "events of the new active on the same connection")
        assert client.ask("states")[1] == "OPEN" and taps[1].connections == 1
        group.recover(fault)
        group.roles()
        assert client.ask("start", 0) is True, "c104 is back at the restarted member"
        count = heard(0)
        client.until(lambda lines: heard(0) > count + 5, "events there")
