"""Who a center is started at, as the members tell each other: the newest start is right, whatever was forgotten."""

from __future__ import annotations

from typing import Any, cast

from tandem.centers import KEY, Centers
from tandem.point import MS

NORTH = KEY + "scada.north"


class Side:
    """One member's centers over a service and a mirror that only note what they are asked."""

    def __init__(self, member: str) -> None:
        self.changes: list[tuple[str, bool, bool, int]] = []
        self.words: dict[str, bytes] = {}
        self.heard: list[tuple[str, bool, int]] = []
        self.centers = Centers(member, cast(Any, self), cast(Any, self))

    def shared(self) -> list[str]:
        return ["scada.north"]

    def flights(self) -> list[tuple[str, bool, bool, int]]:
        changes, self.changes = self.changes, []
        return changes

    def elsewhere(self, center: str, started: bool, unconfirmed: int, now: int) -> None:
        self.heard.append((center, started, unconfirmed))

    def state(self, key: str, octets: bytes) -> None:
        self.words[key] = octets

    def begins(self, unconfirmed: int = 0, now: int = 0) -> None:
        self.changes = [("scada.north", True, True, unconfirmed)]
        self.centers.tick(now)

    def counts(self, unconfirmed: int, now: int, started: bool = True) -> None:
        self.changes = [("scada.north", False, started, unconfirmed)]
        self.centers.tick(now)

    def tells(self, other: Side) -> list[tuple[str, bool, int]]:
        """What the other member makes of this one's word."""
        other.heard.clear()
        other.centers.heard(NORTH, self.words[NORTH], 0)
        return other.heard


def test_the_newest_start_is_right() -> None:
    a, b = Side("a"), Side("b")
    assert a.tells(b) == [], "nothing was started yet"
    a.begins()
    assert a.tells(b) == [("scada.north", True, 0)]
    b.begins(unconfirmed=4)
    assert b.tells(a) == [("scada.north", True, 4)]
    assert a.tells(b) == [], "an older word, told again with a new link"
    assert b.tells(a) == [("scada.north", False, 4)], "known: its count, and nobody stops"


def test_of_two_starts_in_the_same_moment_one_stays() -> None:
    a, b = Side("a"), Side("b")
    a.begins()
    b.begins()
    assert (a.tells(b), b.tells(a)) == ([], [("scada.north", True, 0)])


def test_a_member_that_forgot_the_turns_and_is_started_keeps_its_start() -> None:
    a, b = Side("a"), Side("b")
    for _ in range(5):
        a.begins()
    a.tells(b)
    b.begins(unconfirmed=3)
    b.counts(3, 100 * MS, started=False)
    reborn = Side("a")
    reborn.begins()
    assert b.tells(reborn) == [], "b's session is over"
    assert reborn.tells(b) == [("scada.north", True, 0)]


def test_counts_are_told_in_time_and_the_last_confirmation_at_once() -> None:
    a = Side("a")
    a.begins(now=0)
    told = a.words[NORTH]
    a.counts(5, 1 * MS)
    assert a.words[NORTH] == told
    a.counts(7, 11 * MS)
    assert a.words[NORTH][-4:] == bytes((7, 0, 0, 0))
    a.counts(2, 12 * MS)
    a.counts(0, 13 * MS)
    assert a.words[NORTH][-4:] == bytes(4)
    a.counts(9, 14 * MS)
    a.centers.tick(40 * MS)
    assert a.words[NORTH][-4:] == bytes((9, 0, 0, 0))


def test_words_that_make_no_sense_are_nothing() -> None:
    a, b = Side("a"), Side("b")
    b.begins()
    word = b.words[NORTH]
    for key, octets in ((NORTH, word[:-1]), (NORTH, b""), (KEY + "scada.solo", word), (NORTH, word + b"\0")):
        a.centers.heard(key, octets, 0)
    a.centers.heard(NORTH, word[:4] + b"a" + word[5:], 0)
    assert a.heard == []
