"""Mirroring between the two point tables of a commit: by id, which is by name; never between others."""

from __future__ import annotations

import pytest

from tandem.point import MS, Kind, Quality
from tandem.registry import PointInfo, PointTable
from tandem.standby.grant import Grant
from tests.support.mirror_pair import POINTS, Member, Pair, state

INSERTED = PointInfo(6, "inserted", Kind.BINARY)
RENAMED = PointInfo(7, "alarm_b", Kind.BINARY)
CHANGED = [INSERTED, *(point for point in POINTS if point.name != "alarm"), RENAMED]
"""The points after a commit: `alarm` became `alarm_b`, `inserted` stands before all others."""
OLD, NEW = PointTable(POINTS, 8).digest(), PointTable(CHANGED, 8).digest()


def commit_pair(proven: bool = True) -> Pair:
    """a is active with the old table, b follows with the new one."""
    pair = Pair(Member("a", rings=256), Member("b", rings=256, points=CHANGED, config=b"d" * 32))
    if proven:
        pair.a.mirror.alike(frozenset((NEW,)))
        pair.b.mirror.alike(frozenset((OLD,)))
    pair.claim(pair.a, 2)
    for number in range(12):
        pair.a.update(1 + number % 4, number)
    pair.join()
    pair.run(100)
    return pair


def ids(member: Member) -> list[int]:
    """The point ids of every record in the rings."""
    journal = member.database.journal
    return [record[3] for record in journal.read(journal.cursor(0), journal.head, 1000)]


def test_the_new_table_follows_the_old_one_by_name() -> None:
    pair = commit_pair()
    a, b = pair.a, pair.b
    assert b.lease.in_sync(pair.now) and state(a) is Grant.GRANTED
    assert b.head == a.head
    assert set(ids(b)) == {1, 2, 3}, "events of a point that is gone are left out, no other takes their place"
    assert [b.database.present[i] for i in (1, 2, 3)] == [a.database.present[i] for i in (1, 2, 3)]
    for new in (INSERTED, RENAMED):
        assert b.database.present[new.id][4] & Quality.NEVER_READ, "invalid until it is read"
    a.update(4, 1.0)
    a.update(1, 2.0)
    pair.run(5)
    assert b.head == a.head and b.database.present[1][2] == 2.0


def test_after_the_switchover_the_old_table_follows_the_new_one() -> None:
    pair = commit_pair()
    a, b = pair.a, pair.b
    pair.standby(a)
    pair.claim(b, 3)
    pair.run(50)
    head = a.head
    for point in (6, 7, 1, 2, 6):
        b.update(point, 1.0)
    pair.run(200)
    assert a.head == b.head == head + 5
    assert a.lease.in_sync(pair.now)
    assert not {6, 7} & set(ids(a)) and a.database.present[2][2] == 1.0


def test_a_restarted_member_with_the_new_table_gets_the_whole_image() -> None:
    pair = commit_pair()
    a, b = pair.a, pair.b
    pair.standby(a)
    pair.claim(b, 3)
    b.update(6, 1.0)
    pair.run(50)
    pair.cut()
    a.points, a.config = CHANGED, b.config
    a.boot(pair.now)
    pair.join()
    pair.run(200)
    assert a.database.present == b.database.present
    assert a.lease.in_sync(pair.now)


def test_what_only_the_dead_active_released_keeps_its_name_through_a_commit() -> None:
    """b alone has records that a's history lacks; a, of the old table, journals those whose points it has."""
    pair = commit_pair()
    a, b = pair.a, pair.b
    pair.cut()
    pair.standby(a)
    pair.claim(b, 3)
    for point in (6, 1, 7):
        b.granter.released(b.update(point, 2.0))
    pair.standby(b)
    pair.claim(a, 4)
    pair.join()
    pair.run(200)
    assert pair.joined, a.said()
    assert not {6, 7} & set(ids(a))


@pytest.mark.parametrize("side", ["a", "b"])
def test_tables_that_only_one_side_knows_never_mirror(side: str) -> None:
    pair = commit_pair(proven=False)
    {"a": pair.a, "b": pair.b}[side].mirror.alike(frozenset((OLD, NEW)))
    pair.b.mirror.closed(pair.now, "anew")
    pair.a.mirror.closed(pair.now, "anew")
    pair.join()
    pair.run(300)
    assert pair.b.head == 0 and not pair.b.lease.in_sync(pair.now + 1 * MS)


def test_the_same_names_under_other_ids_are_another_table() -> None:
    swapped = [*POINTS[:3], PointInfo(9, "alarm", Kind.BINARY)]
    assert PointTable(swapped, 9).digest() not in (OLD, NEW)
