"""The mirror and what it must not follow: other tables, strangers, two actives, garbage, forgeries, dead streams."""

from __future__ import annotations

import pytest

from tandem.codec import link
from tandem.codec.link_read import Splitter
from tandem.engine import Close
from tandem.point import MS, SECOND, Kind
from tandem.registry import PointInfo
from tandem.standby.grant import Grant
from tandem.standby.told import (
    AdoptRegistry,
    ClaimAgain,
    TwoActives,
)
from tests.support.mirror_pair import POINTS, Member, Pair, assert_equal_images, in_sync_pair, state


@pytest.fixture
def pair() -> Pair:
    return in_sync_pair()


def test_an_old_active_is_followed_only_after_it_claimed_above(pair: Pair) -> None:
    a, b = pair.a, pair.b
    pair.cut()
    pair.claim(b, 3)
    b.update(1, 3.0)
    pair.standby(b)
    a.update(1, 1.0)
    pair.join()
    pair.run(50)
    assert a.of(ClaimAgain) == [ClaimAgain(3)]
    assert b.database.present[1][2] == 3.0 and not b.lease.in_sync(pair.now)
    pair.claim(a, 4)
    pair.run(200)
    assert_equal_images(pair)
    assert b.lease.in_sync(pair.now)


def test_a_standby_refuses_an_epoch_older_than_one_it_knows(pair: Pair) -> None:
    b = pair.b
    pair.cut()
    pair.claim(b, 3)
    pair.standby(b)
    b.mirror.opened(pair.now)
    table, config = b.database.table.digest(), b"c" * 32
    session = link_session(b)
    stale = link.Hello("a", True, 5, 1, session, table, config, 10, "cedar", pair.a.history.claims)
    b.mirror.receive(stale.encode() + link.Resume(10).encode() + link.Slice(2, 10, 11, b"", b"").encode(), pair.now)
    assert "older than 3" in b.mirror.trouble
    assert b.head == 10 and b.history.epoch == 3 and not b.lease.whole


def link_session(member: Member) -> int:
    """The session number in the hello that waits to be sent."""
    (hello,) = Splitter().feed(member.mirror.outgoing())
    assert isinstance(hello, link.Hello)
    return hello.session


def test_two_actives_mirror_nothing_and_say_so(pair: Pair) -> None:
    pair.claim(pair.b, 3)
    pair.b.update(1, 3.0)
    pair.run(700)
    assert pair.a.of(TwoActives) and pair.b.of(TwoActives)
    assert pair.a.database.present[1][2] != 3.0
    assert state(pair.a) is Grant.ALONE


def test_different_ids_offer_the_registry_and_are_never_in_sync() -> None:
    other = [*POINTS[:3], PointInfo(7, "alarm", Kind.BINARY), POINTS[4]]
    pair = Pair(Member("a"), Member("b", points=other))
    pair.claim(pair.a, 2)
    pair.a.update(1, 1.0)
    pair.join()
    pair.run(200)
    assert pair.b.of(AdoptRegistry) == [AdoptRegistry('{"breaker": 1}')]
    assert "different ids" in pair.b.said() and "different ids" in pair.a.said()
    assert state(pair.a) is Grant.ALONE and not pair.b.lease.in_sync(pair.now) and pair.b.head == 0


def test_different_configurations_are_named() -> None:
    other = [*POINTS, PointInfo(6, "more", Kind.BINARY)]
    pair = Pair(Member("a"), Member("b", points=other, config=b"d" * 32))
    pair.claim(pair.a, 2)
    pair.join()
    pair.run(200)
    assert "different configurations" in pair.a.said()
    assert not pair.b.of(AdoptRegistry) and not pair.b.lease.whole


@pytest.mark.parametrize(("letter", "group", "says"), [("a", "cedar", "both ends"), ("b", "maple", "group 'cedar'")])
def test_a_stranger_gets_a_refusal_and_the_stream_is_closed(pair: Pair, letter: str, group: str, says: str) -> None:
    pair.cut()
    pair.a.mirror.opened(pair.now)
    pair.a.mirror.outgoing()
    pair.a.mirror.receive(link.Hello(letter, False, 1, 1, 0, bytes(32), bytes(32), 0, group).encode(), pair.now)
    refusal = pair.a.mirror.outgoing()
    assert refusal[4] == 2 and says in refusal.decode(errors="ignore")
    assert [e for e in pair.a.mirror.events() if isinstance(e, Close)]


GARBAGE = {"http": b"GET / HTTP/1.1\r\n\r\n", "zeros": bytes(40), "empty rows": bytes.fromhex("0100000006") * 9}


@pytest.mark.parametrize("octets", GARBAGE.values(), ids=GARBAGE)
def test_garbage_closes_the_stream_or_means_nothing(pair: Pair, octets: bytes) -> None:
    before = list(pair.b.database.present)
    pair.b.mirror.receive(octets, pair.now)
    pair.run(300)
    assert pair.b.database.present == before
    if not pair.joined:
        assert "is closed: a link frame of type" in pair.b.said()
        pair.join()
    pair.run(200)
    pair.a.update(1, 44.0)
    pair.run(50)
    assert_equal_images(pair)


FORGED = [
    link.Slice(2, 5, 6, b"", b""),
    link.Slice(9, 10, 11, b"", b""),
    link.Slice(2, 10, 9, b"", b""),
    link.Slice(2, 10, 11, bytes(31) + b"\x01", b""),
    link.End(10),
    link.Resume(3),
    link.Tail(0, 10, b"", b""),
]


@pytest.mark.parametrize("frame", FORGED, ids=[repr(f)[:40] for f in FORGED])
def test_a_frame_that_does_not_follow_begins_the_session_anew(pair: Pair, frame: link.Message) -> None:
    image = list(pair.b.database.present)
    pair.b.mirror.receive(frame.encode(), pair.now)
    assert pair.b.database.present == image and pair.b.head == 10
    assert pair.b.lease.in_sync(pair.now), "what is here is whole, whatever came"
    pair.a.update(1, 0.0)
    pair.run(100)
    assert "begins anew" in pair.b.said()
    assert_equal_images(pair)
    assert state(pair.a) is Grant.GRANTED


def test_faults_without_end_close_the_stream(pair: Pair) -> None:
    for _ in range(10):
        pair.b.mirror.receive(link.End(10).encode(), pair.now)
        pair.run(5)
    assert not pair.joined and "began anew 6 times" in pair.b.said()


def test_acknowledgements_of_what_was_never_sent_close_the_stream(pair: Pair) -> None:
    pair.a.mirror.receive(link.Ack(2, 10, 4_000_000).encode(), pair.now)
    pair.run(1)
    assert not pair.joined and "acknowledges 4000000 frames" in pair.a.said()


def test_one_mebibyte_waits_at_most_and_a_slow_standby_loses_the_grant() -> None:
    pair = Pair(Member("a", rings=65536), Member("b", rings=65536))
    a, b = pair.a, pair.b
    pair.claim(a, 2)
    pair.join()
    pair.run(50)
    assert state(a) is Grant.GRANTED
    pair.delay = 500 * MS
    for _ in range(55):
        for _ in range(1000):
            a.update(2, 1.0)
        pair.run(1)
        assert a.mirror.statistics()["unacknowledged_octets"] <= (1 << 20) + 150_000
    assert state(a) is not Grant.GRANTED
    assert a.granter.limit(a.head) == 0 or state(a) is Grant.ALONE
    assert a.mirror.source.sent < a.head
    pair.delay = MS // 2
    pair.run(1500)
    assert state(a) is Grant.GRANTED
    assert_equal_images(pair)
    assert b.lease.in_sync(pair.now)


def test_a_dead_stream_is_given_up_by_both_ends(pair: Pair) -> None:
    pair.joined = False  # octets vanish, no end is told
    pair.run(3300)  # a probe and its answer's time
    assert "acknowledged nothing for 3 s" in pair.a.said()
    assert "said nothing for 3 s" in pair.b.said()
    assert pair.b.mirror.silent_since < pair.now - 3 * SECOND


def test_a_peer_that_says_no_hello_is_given_up(pair: Pair) -> None:
    pair.cut()
    pair.a.mirror.opened(pair.now)
    assert pair.a.mirror.due() is not None
    pair.run(3001)
    assert "did not answer the hello" in pair.a.said()
