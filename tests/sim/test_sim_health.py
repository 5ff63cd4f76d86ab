"""Health moves the role only to a member that is better off: a fault that both share moves nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tandem.config.model import Condition, Config
from tools.sim import site as sites
from tools.sim.story import Story
from tools.sim.world import MS, SECOND

_SHARE = Condition("master.meters.down_share > 0.5", 300)


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Story:
    whole = sites.read_config

    def with_condition(folder: str, board: str) -> Config:
        config = whole(folder, board)
        return replace(config, standby=replace(config.standby, conditions=(_SHARE,)))

    monkeypatch.setattr(sites, "read_config", with_condition)
    told = Story(5, board="software", probing=getattr(request, "param", True))
    told.warm_up()
    told.world.run(11 * SECOND)  # after a takeover nothing is moved for health's sake for a while
    return told


def active(story: Story) -> str:
    return "".join(letter for letter, member in story.site.members.items() if member.node.is_active)


def test_a_device_that_nobody_reaches_moves_nothing(story: Story) -> None:
    before = active(story)
    standby = next(m for m in story.site.members.values() if not m.node.is_active)
    story.site.tcp.silent = True
    story.world.run(25 * SECOND)
    assert active(story) == before and story.checks.role_changes == 1
    assert all(member.node.health.losses == [_SHARE.when] for member in story.site.members.values())
    assert any("a takeover would not find M1" in alarm for alarm in standby.node.reporter.alarms())
    story.site.tcp.silent = False
    story.world.run(72 * SECOND)
    assert active(story) == before and story.checks.role_changes == 1
    losses = {letter: (m.node.health.losses, m.node.reach.lost()) for letter, m in story.site.members.items()}
    assert not any(any(lost) for lost in losses.values()), (losses, story.world.trace[-15:])


@pytest.mark.parametrize("story", [False], indirect=True)
def test_a_standby_that_cannot_ask_is_tried_once(story: Story) -> None:
    before = active(story)
    story.site.tcp.silent = True
    story.world.run(40 * SECOND)
    assert active(story) != before and story.checks.role_changes == 2, "it found the same, and that is remembered"


def test_a_member_that_lost_its_lan_to_the_devices_gives_the_role_away(story: Story) -> None:
    before = active(story)
    story.site.bench.cut("station", before, False)
    story.world.run(3 * SECOND)
    assert active(story) not in ("", before)
    moved = story.checks.role_changes
    story.world.run(20 * SECOND)
    assert story.checks.role_changes == moved
    standby = story.site.members[before]
    assert "lan.station.down" in standby.node.health.losses
    story.world.run(500 * MS)
