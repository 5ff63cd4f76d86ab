"""`journal = "durable"`: both members are killed at once with events on their way; ledgers outside count."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.pair.test_pair_remote import MOST_IN_FRAME, K, flow, settled
from tests.support.pair_rig import Group, patient_config
from tools.bench.members import BOTH
from tools.bench.plan import MEMBERS
from tools.bench.processes import ROOT
from tools.bench.remote_group import write_group


@pytest.fixture
def durable(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """A group with a durable journal, whose only device is c104's server."""
    if importlib.util.find_spec("c104") is None:
        pytest.skip("peer missing: c104 (pip install c104)")
    folder = tmp_path_factory.mktemp("durable")
    write_group(patient_config(folder / "patient"), folder / "source", 30, K, 8)
    main = folder / "source" / "gateway.toml"
    text = main.read_text(encoding="utf-8")
    assert 'journal = "ram"' in text
    main.write_text(text.replace('journal = "ram"', 'journal = "durable"'), encoding="utf-8")
    with Group(folder / "source", folder / "run", rate=0, foreign=False) as group:
        group.wait_ready()
        group.began_ns = time.monotonic_ns()
        yield group


def test_both_killed_at_once_lose_no_acknowledged_event(durable: Group) -> None:
    flow(durable)
    heads = [int(durable.members[m].status()["journal"]["number"]) for m in MEMBERS]
    for member in MEMBERS:
        durable.members[member].signal(signal.SIGKILL, *BOTH)
    for member in MEMBERS:
        durable.members[member].start()
    durable.wait_ready()
    for member, head in zip(MEMBERS, heads, strict=True):
        assert "the journal was rebuilt from flash up to record" in durable.log(member)
        assert int(durable.members[member].status()["journal"]["number"]) >= head > 50
    flow(durable)
    verdict = settled(durable)
    assert verdict.sent > 150
    assert not verdict.missing, verdict.missing[:5]
    assert verdict.repeated <= 2 * K * MOST_IN_FRAME
    archives = [_archived(durable, member) for member in MEMBERS]
    assert "gap" not in archives[0] + archives[1]


def _archived(group: Group, member: str) -> str:
    """What the verb prints once the member has ended and written its last events."""
    group.members[member].end()
    command = [sys.executable, "-m", "tandem", "archive", "--state", str(group.members[member].state), "--csv"]
    return subprocess.run(command, cwd=ROOT / "firmware", capture_output=True, text=True, check=True).stdout
