"""`journal = "durable"` in virtual time: the flash is slow, and both members lose their power at any moment."""

from __future__ import annotations

from pathlib import Path

import pytest

from tandem.codec.record import Record
from tandem.node import Node
from tests.support.sim_group import SimGroup
from tools.sim.world import SECOND

DURABLE = ("gateway.toml", 'journal = "ram"', 'journal = "durable"')


def _records(node: Node, after: int, upto: int) -> list[Record]:
    return node.journal.read(node.journal.cursor(after), upto, 100_000)


def _promised(node: Node) -> int:
    assert node.keeping.durable is not None
    return node.keeping.durable.number


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_both_without_power_at_once_come_back_with_everything_that_left(tmp_path: Path, seed: int) -> None:
    group = SimGroup(tmp_path / "group", DURABLE, seed=seed)
    for _ in range(40):
        group.run(25)
        node = group.active.node
        assert node.sync.granter.released_seq <= _promised(node), "something left before it was on flash"
    node, members = group.active.node, list(group.site.members.values())
    promised, epoch = {m.letter: _promised(m.node) for m in members}, node.epoch
    released = node.sync.granter.released_seq
    before = _records(node, released - 30, released)
    assert len(before) > 10 and before[-1][0] == released
    claims, cursors = node.history.claims, dict(node.mirror.cursors.numbers)
    for member in members:
        member.kill(heart_too=True)
        member.flash.power_lost()
    group.run(50)
    for member in members:
        member.rise()
    for member in members:
        assert member.node.journal.head >= promised[member.letter] > 30
    group.world.run(6 * SECOND)
    group.checks.alive()
    node = group.active.node
    assert node.epoch > epoch and node.history.claims[: len(claims)] == claims
    assert _records(node, released - 30, released) == before
    for center in ("scada.north", "scada.probe"):
        assert node.mirror.cursors.numbers[center] >= cursors[center] - 50, "a second of confirms is repeated at most"
    assert group.standby.node.in_sync
    group.until(lambda: group.standby.node.journal.head == node.sync.granter.acknowledged, 200)
    assert group.standby.node.history.claims == node.history.claims


def test_a_full_flash_is_said_and_service_goes_on(tmp_path: Path) -> None:
    group = SimGroup(tmp_path / "group", DURABLE)
    member = group.active
    member.flash.mood = "full"
    group.run(500)
    assert group.value(member, "_sys.journal.durable") == 0
    assert any("No space left" in sentence for sentence in member.node.reporter.alarms())
    released = member.node.sync.granter.released_seq
    group.run(2000)
    assert member.node.sync.granter.released_seq > released, "openly, from RAM"
    member.flash.mood = "well"
    group.until(lambda: group.value(member, "_sys.journal.durable") == 1, 9000)
    group.checks.alive()
