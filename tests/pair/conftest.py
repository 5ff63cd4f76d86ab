"""One running group for all tests of the pair; each test finds it whole and in sync, and judges I1 when it ends."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pair_rig import Group, judge_one_driver, patient_config
from tools.bench.faults import Fault

pytestmark = pytest.mark.pair


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies in this folder starts whole gateways."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.pair)


@pytest.fixture(scope="session")
def running_group(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Group]:
    """A group on addresses of its own; every process of it ends with this one."""
    folder = tmp_path_factory.mktemp("pair")
    with Group(patient_config(folder / "source"), folder / "run", rate=20, foreign=False) as group:
        yield group


@pytest.fixture
def group(running_group: Group) -> Iterator[Group]:
    """The group, whole: what an earlier test left hurt is mended first."""
    whole(running_group)
    running_group.field({"do": "rate", "value": 20})
    yield running_group
    judge_one_driver(running_group)


def whole(group: Group) -> None:
    """Start what does not run, thaw what is frozen, restore every cut, and wait until the pair is in sync."""
    state = group.bench.state()
    if not state["crossover"]:
        group.bench.restore("crossover")
    for name, member in group.members.items():
        if not state["members"][name]["power"]:
            group.bench.restore("power", name)
        for lan, up in state["members"][name]["cables"].items():
            if not up:
                group.bench.restore(lan, name)
        if not member.alive or member.frozen:
            group.recover(Fault("kill", name, 0))
    group.wait_ready()
