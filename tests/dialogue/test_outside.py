"""What centers made two members remember: whose word is right, and when a write may be confirmed."""

from __future__ import annotations

from typing import Any, cast

import pytest

from tandem.outside import Outside
from tandem.point import MS, Say
from tandem.service import Service
from tandem.standby.mirror import Mirror
from tandem.standby.told import PeerState
from tests.support.mirror_pair import Pair, in_sync_pair

PAGE = (47, 1)
KEY = "outside.scada.north.47.1"
WAIT_MS = 600


class Side:
    """A member's `Outside` between a service, and where none is given a mirror, that only write down."""

    def __init__(self, letter: str, mirror: Mirror | None = None) -> None:
        self.changed: list[tuple[str, tuple[int, int], bytes]] = []
        self.told: dict[str, bytes] = {}
        self.shared_pages: list[tuple[str, tuple[int, int]]] = []
        self.known: list[bytes] = []
        self.said: list[str] = []
        self.full = self.saves = False
        self.outside = Outside(letter, cast(Service, self), mirror or cast(Mirror, self), self._say, WAIT_MS)

    def _say(self, say: Say) -> None:
        self.said.append(say.text)

    def remembered(self) -> list[tuple[str, tuple[int, int], bytes]]:
        """As the service's."""
        changed, self.changed = self.changed, []
        return changed

    def remember(self, key: str, page: tuple[int, int], octets: bytes) -> None:
        """As the service's."""
        assert (key, page) == ("scada.north", PAGE)
        self.known.append(octets)

    def page_shared(self, key: str, page: tuple[int, int], now: int) -> None:
        """As the service's."""
        self.shared_pages.append((key, page))

    def state(self, key: str, octets: bytes) -> None:
        """As the mirror's."""
        if self.full:
            raise ValueError("there are too many keys")
        self.told[key] = octets

    def write(self, octets: bytes, now: int = 0, shares: bool = True) -> None:
        """The center changes its page; a turn."""
        self.changed.append(("scada.north", PAGE, octets))
        self.outside.tick(shares, self.saves, now)

    def hears(self, other: Side, now: int = 0) -> None:
        """What the other member tells arrives."""
        for key, octets in list(other.told.items()):
            self.outside.heard(key, octets, now)


@pytest.fixture
def sides() -> tuple[Side, Side]:
    return Side("a"), Side("b")


def test_a_write_is_shared_when_the_other_member_tells_it_again(sides: tuple[Side, Side]) -> None:
    one, other = sides
    one.write(b"5")
    assert one.shared_pages == []
    other.hears(one)
    assert other.known == [b"5"] and other.told == one.told
    one.hears(other)
    assert one.shared_pages == [("scada.north", PAGE)] and one.known == []


def test_an_older_word_of_the_other_member_shares_nothing(sides: tuple[Side, Side]) -> None:
    one, other = sides
    one.write(b"5")
    other.hears(one)
    one.write(b"6")
    one.hears(other)
    assert one.shared_pages == []
    other.hears(one)
    one.hears(other)
    assert one.shared_pages == [("scada.north", PAGE)]


@pytest.mark.parametrize("when", ["before", "meanwhile", "full"])
def test_nothing_waits_for_a_member_that_need_not_or_cannot_have_it(sides: tuple[Side, Side], when: str) -> None:
    one, _ = sides
    one.full = when == "full"
    one.write(b"5", shares=when != "before")
    if when == "meanwhile":
        assert one.shared_pages == []
        one.outside.tick(False, False, MS)
    assert one.shared_pages == [("scada.north", PAGE)]
    assert bool(one.said) == one.full


def test_a_member_that_never_says_so_is_waited_for_no_longer_than_for_a_confirm(sides: tuple[Side, Side]) -> None:
    one, _ = sides
    one.write(b"5", now=MS)
    one.write(b"6", now=300 * MS)
    one.outside.tick(True, False, (WAIT_MS + 1) * MS)
    assert one.shared_pages == [] and one.said == []
    one.outside.tick(True, False, (WAIT_MS + 2) * MS)
    assert one.shared_pages == [("scada.north", PAGE)] and "not safe after 600 ms" in one.said[0]


@pytest.mark.parametrize("first", ["flash", "member"])
def test_with_a_durable_journal_it_must_be_on_flash_too(sides: tuple[Side, Side], first: str) -> None:
    one, other = sides
    one.saves = True
    one.write(b"5")
    if first == "member":
        other.hears(one)
        one.hears(other)
    assert one.outside.pages.written(False) == [(KEY, one.told[KEY])]
    one.outside.tick(True, True, MS)
    assert one.shared_pages == [], "it is on its way"
    one.outside.pages.stored(True)
    if first == "flash":
        one.outside.tick(True, True, MS)
        assert one.shared_pages == []
        other.hears(one)
        one.hears(other)
    one.outside.tick(True, True, MS)
    assert one.shared_pages == [("scada.north", PAGE)]


def test_a_flash_that_failed_has_nothing_and_is_waited_for_no_more(sides: tuple[Side, Side]) -> None:
    one, _ = sides
    one.saves = True
    one.write(b"5", shares=False)
    assert one.outside.pages.written(False)
    one.outside.pages.stored(False)
    one.outside.tick(False, True, MS)
    assert one.shared_pages == []
    one.outside.tick(False, False, MS)
    assert one.shared_pages == [("scada.north", PAGE)]
    assert one.outside.pages.written(False) == [(KEY, one.told[KEY])], "it is to be written yet"


def test_of_two_words_of_one_turn_the_later_letter_is_right(sides: tuple[Side, Side]) -> None:
    one, other = sides
    one.write(b"5")
    other.write(b"6")
    first: dict[str, Any] = dict(one.told)
    one.hears(other)
    assert one.known == [b"6"] and one.shared_pages == [("scada.north", PAGE)], "nothing is left to wait for"
    other.outside.heard(KEY, first[KEY], 0)
    assert other.known == [] and other.shared_pages == []
    other.hears(one)
    assert other.shared_pages == [("scada.north", PAGE)]


@pytest.mark.parametrize("key", ["outside.47.1", "outside.scada.north.47.x", "outside.scada.north.x.1"])
def test_a_key_that_names_no_page_is_nothing(sides: tuple[Side, Side], key: str) -> None:
    one, other = sides
    one.write(b"5")
    other.outside.heard(key, one.told[KEY], 0)
    other.outside.heard(KEY, b"\0", 0)
    assert other.known == [] and other.told == {}


class Linked:
    """Two members in sync, a serves the center; what each mirror tells goes to its side."""

    def __init__(self) -> None:
        self.pair: Pair = in_sync_pair()
        self.a, self.b = (Side(m.letter, m.mirror) for m in (self.pair.a, self.pair.b))

    def run(self, ms: int) -> None:
        """Turns of 1 ms."""
        for _ in range(ms):
            self.pair.run(1)
            for side, member in ((self.a, self.pair.a), (self.b, self.pair.b)):
                for event in member.events:
                    if isinstance(event, PeerState):
                        side.outside.heard(event.key, event.octets, self.pair.now)
                member.events.clear()
            self.a.outside.tick(self.pair.a.granter.binding, False, self.pair.now)
            self.b.outside.tick(self.pair.b.mirror.sink.following, False, self.pair.now)


def test_over_the_link_a_write_is_confirmed_in_a_round_trip() -> None:
    linked = Linked()
    linked.a.write(b"5", linked.pair.now)
    linked.run(1)
    assert linked.a.shared_pages == []
    linked.run(3)
    assert (len(linked.a.shared_pages), linked.b.known) == (1, [b"5"])
    linked.b.write(b"6", linked.pair.now)
    assert linked.b.shared_pages == []
    linked.run(4)
    assert (len(linked.b.shared_pages), linked.a.known) == (1, [b"6"]), "and the other way, of a center at the standby"
    assert linked.a.said == linked.b.said == []


def test_a_write_on_its_way_when_the_link_is_lost_is_confirmed_when_it_is_back() -> None:
    linked = Linked()
    linked.a.write(b"5", linked.pair.now)
    linked.pair.cut()
    linked.run(40)
    assert linked.a.shared_pages == []
    linked.pair.join()
    linked.run(20)
    assert (len(linked.a.shared_pages), linked.b.known) == (1, [b"5"])


def test_a_write_that_only_its_way_back_lost_is_confirmed_when_the_link_is_back() -> None:
    linked = Linked()
    linked.a.write(b"5", linked.pair.now)
    for _ in range(5):
        linked.pair.run(1)
        if any(isinstance(event, PeerState) for event in linked.pair.b.events):
            break
    for event in linked.pair.b.events:
        if isinstance(event, PeerState):
            linked.b.outside.heard(event.key, event.octets, linked.pair.now)
    linked.pair.cut()
    linked.run(20)
    assert (linked.a.shared_pages, linked.b.known) == ([], [b"5"])
    linked.pair.join()
    linked.run(20)
    assert len(linked.a.shared_pages) == 1


def test_whoever_goes_on_alone_confirms() -> None:
    linked = Linked()
    linked.pair.cut()
    linked.pair.beats = False
    linked.a.write(b"5", linked.pair.now)
    linked.run(400)
    assert linked.a.shared_pages == []
    linked.run(400)
    assert not linked.pair.a.granter.binding and len(linked.a.shared_pages) == 1
    assert linked.a.said == [], "sooner than it would have waited for"
