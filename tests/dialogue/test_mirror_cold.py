"""Points without hot standby stay out of the mirror: their numbers pass, their records do not."""

from __future__ import annotations

from dataclasses import replace

from tandem.codec.record import unpack
from tandem.point import Quality
from tests.support.mirror_pair import POINTS, Member, Pair, ring_octets

COLD = (2, 4)  # an analog and a binary: one of each ring
TABLE = [replace(point, hot=point.id not in COLD) for point in POINTS]


def cold_pair() -> Pair:
    pair = Pair(Member("a", points=TABLE), Member("b", points=TABLE))
    pair.claim(pair.a, 2)
    for number in range(12):
        pair.a.update(1 + number % 4, number)
    pair.join()
    pair.run(100)
    assert pair.b.lease.in_sync(pair.now)
    return pair


def ids(member: Member) -> set[int]:
    return {record[3] for octets in ring_octets(member) for record in unpack(octets)}


def test_neither_an_image_nor_a_slice_has_them_and_the_head_is_the_same() -> None:
    pair = cold_pair()
    assert ids(pair.a) == {1, 2, 3, 4} and ids(pair.b) == {1, 3}
    for number in range(12):
        pair.a.update(1 + number % 4, 50 + number)
    pair.run(5)
    assert ids(pair.b) == {1, 3} and pair.b.head == pair.a.head == pair.a.granter.acknowledged
    assert [pair.b.database.present[i][2] for i in (1, 3)] == [58, 60]
    assert all(pair.b.database.served_quality(i) & Quality.NEVER_READ for i in COLD)
    assert pair.b.lease.in_sync(pair.now)


def test_a_turn_of_nothing_else_is_acknowledged_too() -> None:
    pair = cold_pair()
    pair.a.update(2, 9.0)
    pair.run(5)
    assert pair.a.granter.limit(pair.a.head) == pair.a.head == pair.b.head
    assert ids(pair.b) == {1, 3}


def test_what_a_member_read_itself_survives_the_image_that_it_takes_later() -> None:
    pair = cold_pair()
    pair.standby(pair.a)
    pair.claim(pair.b, 3)
    for point in COLD:
        pair.b.update(point, 77)
    pair.run(100)
    pair.cut()
    for number in range(200):
        pair.b.update(1, number % 3)
    pair.run(600)
    pair.join()
    pair.run(200)
    assert pair.b.mirror.source.snapshots == 1, "it was lapped"
    assert [pair.a.database.present[i][2] for i in COLD] == [9, 11], "its own old values"
    assert pair.a.lease.in_sync(pair.now)


def test_members_of_different_opinion_about_it_do_not_mirror() -> None:
    a, b = Member("a", points=TABLE), Member("b")
    assert a.database.table.digest() != b.database.table.digest()
