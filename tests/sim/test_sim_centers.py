"""Control centers of both session kinds at two nodes in virtual time: what each hears, once, whoever is active."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tandem.journal import Journal
from tandem.point import Quality
from tests.support.front import Front
from tests.support.sim_group import SimGroup
from tools.sim.member import Member

EAST, WEST = "127.20.2.40", "127.20.2.41"
_FIRST = "[[slave.center]]               # one control center"
CENTERS = (
    "gateway.toml",
    _FIRST,
    f'[[slave.center]]\nname = "east"\nhosts = ["{EAST}/32"]\nsession = "each-member"\n'
    f'[[slave.center]]\nname = "west"\nhosts = ["{WEST}/32"]\nsession = "group"\n' + _FIRST,
)
NEVER_READ, NOT_TOPICAL = Quality.NEVER_READ, Quality.NOT_TOPICAL
NT = 0x40
VOLTAGE = 2001  # a float with time tag: no two changes are alike


@pytest.fixture
def group(tmp_path: Path) -> SimGroup:
    return SimGroup(tmp_path / "group", CENTERS)


def heard(front: Front) -> list[tuple[float, int]]:
    """The changes of the voltage, in the order in which they came."""
    return front.events(VOLTAGE)


def cursor(member: Member, name: str) -> float:
    return member.node.service.statistics()[f"scada.{name}"]["cursor"]


def counted(member: Member, name: str, word: str) -> float:
    return member.node.service.statistics()[f"scada.{name}"][word]


def happened(journal: Journal, group: SimGroup, after: int) -> int:
    """How often the voltage changed."""
    records = journal.read(journal.cursor(after), journal.head, 100_000)
    point = group.active.node.table.id("F1.voltage_l1")
    return sum(record[3] == point for record in records)


def test_each_member_has_a_cursor_of_its_own_and_confirming_at_one_never_moves_the_other(group: SimGroup) -> None:
    active, standby = group.active, group.standby
    at_active, at_standby = Front(group, EAST, active), Front(group, EAST, standby)
    after, told = active.node.journal.head, [len(heard(at_active)), len(heard(at_standby))]
    at_active.confirms = False
    stood = cursor(active, "east")
    group.run(1100)
    changes = heard(at_active)[told[0] :]
    assert len(changes) == happened(active.node.journal, group, after) > 0
    assert changes == heard(at_standby)[told[1] :]
    assert cursor(active, "east") == stood < cursor(standby, "east")
    known = active.node.mirror.cursors.numbers
    assert known[f"{active.letter}@scada.east"] == stood < known[f"{standby.letter}@scada.east"]
    at_active.confirm()
    group.run(50)
    assert stood < cursor(active, "east") <= active.node.journal.head


def test_a_center_at_both_own_addresses_misses_nothing_through_a_failover_and_a_return(group: SimGroup) -> None:
    old, new = group.active, group.standby
    at_old, at_new = Front(group, EAST, old), Front(group, EAST, new)
    after, told = new.node.journal.head, len(heard(at_new))
    group.run(1500)
    old.kill(heart_too=True)
    group.until(lambda: new.node.is_active)
    group.run(3000)
    assert at_new.started == 1, "its session outlived the change of role"
    old.boot()
    group.until(lambda: old.node.in_sync and at_old.started == 2, 10_000)
    group.run(1500)
    changes = heard(at_new)[told:]
    assert len(changes) == happened(new.node.journal, group, after) > 5
    assert max(Counter(changes).values()) == 1, "nothing twice where no connection was lost"
    assert set(heard(at_old)) >= set(changes), "what happened while the member was away came when it was back"
    assert counted(old, "east", "overflowed") == 0


def test_of_a_redundancy_group_over_both_members_one_connection_is_started(group: SimGroup) -> None:
    active, standby = group.active, group.standby
    one = Front(group, WEST, active)
    two, three = Front(group, WEST, standby, starts=False), Front(group, WEST, active, starts=False)
    group.run(1500)
    assert heard(one) and not heard(two) and not heard(three)
    for ends, begins in ((one, two), (two, three), (three, two)):
        quiet, gone = len(heard(ends)), len(heard(begins))
        begins.start()
        group.run(1500)
        assert len(heard(ends)) == quiet and ends.connected, "the one that was started stops and stays"
        assert len(heard(begins)) > gone
    changes = heard(one) + heard(two) + heard(three)
    assert max(Counter(changes).values()) == 1, "confirmed on one is not sent on the other"
    assert cursor(active, "west") == cursor(standby, "west")
    two.hang_up()
    group.run(100)
    assert [m.node.centers._states["scada.west"][0] for m in (active, standby)] == [False, False]


def test_what_a_dead_member_had_unconfirmed_is_sent_again_and_counted(group: SimGroup) -> None:
    old, new = group.active, group.standby
    one, two = Front(group, WEST, old), Front(group, WEST, new, starts=False)
    group.run(1500)
    one.confirms = False
    confirmed = len(heard(one))
    group.run(2000)
    unconfirmed = counted(old, "west", "sent") - counted(old, "west", "confirmed")
    assert unconfirmed > 4
    old.kill(heart_too=True)
    group.run(100)
    two.start()
    group.run(3000)
    changes = heard(one) + heard(two)
    assert set(heard(one)[confirmed:]) <= set(heard(two))
    assert counted(new, "west", "repeated") == unconfirmed
    again = [change for change, times in Counter(changes).items() if times > 1]
    assert 0 < len(again) <= unconfirmed
    assert new.node.service.statistics()["scada.west"]["overflowed"] == 0


def test_a_center_at_the_group_address_goes_on_behind_its_last_confirmation(group: SimGroup) -> None:
    old, new, center = group.active, group.standby, Front(group, WEST, None)
    group.run(1000)
    center.confirms = False
    group.run(1000)
    unconfirmed = counted(old, "west", "sent") - counted(old, "west", "confirmed")
    after, before = int(cursor(old, "west")), len(heard(center))
    old.kill(heart_too=True)
    center.confirms = True
    group.until(lambda: center.started == 2)
    group.run(2000)
    assert unconfirmed > 2
    assert counted(new, "west", "repeated") == unconfirmed
    assert happened(new.node.journal, group, after) == len(set(heard(center)) - set(heard(center)[:before])) + sum(
        times - 1 for times in Counter(heard(center)).values()
    ), "all above the cursor, and nothing else"


def test_a_restarted_standby_knows_where_a_silent_center_stands(group: SimGroup) -> None:
    active, standby, center = group.active, group.standby, Front(group, WEST, None)
    center.confirms = False
    group.run(1000)
    stands = cursor(active, "west")
    standby.kill(heart_too=True)
    group.run(500)
    standby.boot()
    group.until(lambda: standby.node.in_sync, 8000)
    group.run(200)
    assert cursor(standby, "west") == stands == cursor(active, "west")
    before = len(heard(center))
    active.kill(heart_too=True)
    center.confirms = True
    group.until(lambda: standby.node.is_active and center.started == 2)
    group.run(1000)
    told = heard(center)[before:]
    assert len(told) == len(set(told)) == happened(standby.node.journal, group, int(stands))


def test_points_of_a_master_without_hot_standby_are_read_by_the_successor(tmp_path: Path) -> None:
    edit = ("gateway.toml", "hot_standby = true\nscan = { normal", "hot_standby = false\nscan = { normal")
    group = SimGroup(tmp_path / "cold", edit)
    old, new = group.active, group.standby
    table, power = old.node.table, old.node.table.id("M1.active_power")
    assert not table.by_id[power].hot and table.by_id[table.id("F1.voltage_l1")].hot
    assert new.node.in_sync
    assert old.node.database.present[power][0] > 0, "the active reads it"
    unknown = NEVER_READ | NOT_TOPICAL
    assert new.node.database.served_quality(power) & unknown == unknown
    front = Front(group, EAST.replace("40", "31"), new)
    assert not front.events(2101), "the standby has nothing to tell of it"
    old.kill(heart_too=True)
    group.until(lambda: new.node.is_active and not new.node.database.served_quality(power))
    group.run(300)
    assert front.started == 1 and front.events(2101)
    assert group.value(new, "M1.active_power") == pytest.approx(group.site.truth()[2101], abs=20)
    old.boot()
    group.until(lambda: new.node.in_sync, 8000)
    group.run(500)
    group.checks.alive()


def test_a_standby_whose_mirror_hangs_says_so_to_its_centers_and_takes_it_back(group: SimGroup) -> None:
    standby, front = group.standby, Front(group, EAST, group.standby)
    link = group.site.wires.link
    assert link is not None
    group.site.moving = False
    group.run(1500)
    front.asdus.clear()
    link.up = lambda to: False
    group.run(1700)  # the last probe, one each 200 ms, came before the cut
    assert not topical(front), "not before stale_after_ms"
    group.until(lambda: topical(front), 600)
    group.run(20)
    newest = dict(topical(front))
    assert not newest[1002] | newest[2001] | newest[2101]
    group.until(lambda: not standby.node.database.mirror_silent, 6000)
    group.run(200)
    newest = dict(topical(front))
    assert newest[1002] and newest[2001] and newest[2101], "the link came anew"
    assert front.started == 1 and group.active.letter != standby.letter


def topical(front: Front) -> list[tuple[int, bool]]:
    """(address, is topical) of what came with a time."""
    objects = [o for asdu in front.asdus if asdu.type in (30, 36) for o in asdu.objects or () if o[0] < 9000]
    return [(ioa, not values["quality"] & NT) for ioa, values in objects]


def test_a_member_that_is_active_again_trusts_no_old_value_of_a_master_without_hot_standby(tmp_path: Path) -> None:
    edit = ("gateway.toml", "hot_standby = true\nscan = { normal", "hot_standby = false\nscan = { normal")
    group = SimGroup(tmp_path / "cold", edit)
    first, second = group.active, group.standby
    power, answers = (first.node.table.id(name) for name in ("M1.active_power", "_sys.device.M1.ok"))
    for to in (second, first):
        group.active.order(to.letter)
        group.until(lambda member=to: member.node.is_active)  # type: ignore[misc]
        if to is second:
            group.until(lambda: group.value(second, "_sys.device.M1.ok"))
            group.run(1000)
            assert first.node.database.served_quality(power) & NOT_TOPICAL, "a standby's old value"
    records = first.node.journal.read(first.node.journal.cursor(0), first.node.journal.head, 100_000)
    states = [record[2] for record in records if record[3] == answers]
    group.until(lambda: group.value(first, "_sys.device.M1.ok"))
    assert states[-1] == 0 or states[-2:] == [0, 1], "lost until it was read anew"
    assert not first.node.database.served_quality(power)
