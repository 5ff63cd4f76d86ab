"""Two members pair over a line: bad lines, bad peers, people who say no; in virtual time."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from tandem.firstboot.frame import PAYLOAD_MAX, Finder, Type, pack
from tandem.firstboot.pairing import AGAIN_MS, LINGER_MS, Pairing, Said
from tandem.point import MS

CERTIFICATES = {"a": b"certificate of a" * 30, "b": b"certificate of b" * 30}
Line = Callable[[bytes], bytes]


class Side:
    def __init__(self, member: str, group: str | None = "", seed: str = "", certificate: bytes = b"") -> None:
        drawn = random.Random(member + seed)
        self.pairing = Pairing(
            "a" if member == "a" else "b", certificate or CERTIFICATES[member],
            drawn.randbytes(32), drawn.randbytes(16), group, 0,
        )  # fmt: skip
        self.said: list[Said] = []

    def step(self, now: int) -> bytes:
        self.pairing.tick(now)
        self.said += self.pairing.events()
        return self.pairing.outgoing()

    def text(self, what: str) -> str:
        return next((text for kind, text in self.said if kind == what), "")


def same(octets: bytes) -> bytes:
    return octets


def play(a: Side, b: Side, ms: int, to_b: Line = same, to_a: Line = same, since: int = 0) -> int:
    """Both sides and their line for so long; every person who sees a code waits. Returns the time, ms."""
    for now_ms in range(since, since + ms, 20):
        now = now_ms * MS
        b.pairing.receive(to_b(a.step(now)), now)
        a.pairing.receive(to_a(b.step(now)), now)
    a.step(since * MS), b.step(since * MS)
    return since + ms


def test_both_see_one_code_and_have_each_others_certificate_and_one_key() -> None:
    a, b = Side("a"), Side("b")
    now = play(a, b, 1000)
    assert a.text("found") == "b" and b.text("found") == "a"
    assert a.text("code") == b.text("code") and len(a.text("code")) == 7
    assert a.pairing.state == b.pairing.state == "comparing"
    a.pairing.agree(True, now * MS)
    now = play(a, b, 1000, since=now)
    assert a.pairing.state == "comparing", "one yes is not enough"
    b.pairing.agree(True, now * MS)
    now = play(a, b, 1000, since=now)
    assert a.pairing.state == b.pairing.state == "done" and a.text("done") == b.text("done") == ""
    assert a.pairing.result.certificate == CERTIFICATES["b"] and b.pairing.result.certificate == CERTIFICATES["a"]
    assert a.pairing.result.beat_key == b.pairing.result.beat_key and len(a.pairing.result.beat_key) == 32
    play(a, b, LINGER_MS + 500, since=now)
    assert a.pairing.over((now + LINGER_MS + 500) * MS)


@pytest.mark.parametrize("seed", range(6))
def test_a_line_that_loses_and_damages_octets_only_takes_longer(seed: int) -> None:
    drawn = random.Random(seed)

    def bad(octets: bytes) -> bytes:
        if drawn.random() < 0.4:
            return drawn.randbytes(drawn.randrange(40))
        if octets and drawn.random() < 0.3:
            at = drawn.randrange(len(octets))
            return octets[:at] + bytes([octets[at] ^ 1 << drawn.randrange(8)]) + octets[at + 1 :]
        return octets

    group = "group of cedar creek, " * 200
    a, b = Side("a", group), Side("b", None)
    now = play(a, b, 60 * AGAIN_MS, bad, bad)
    assert a.text("code") == b.text("code") != ""
    a.pairing.agree(True, now * MS)
    b.pairing.agree(True, now * MS)
    play(a, b, 400 * AGAIN_MS, bad, bad, since=now)
    assert b.pairing.state == "done" and b.pairing.result.group == group
    assert a.pairing.state == "done", "its lingering is longer than this line is bad"


def test_somebody_in_the_cable_is_seen_in_the_code() -> None:
    """He pairs with both sides; what he shows to each is not the same."""
    a, b = Side("a"), Side("b")
    to_a, to_b = Side("b", seed="m"), Side("a", seed="m")
    play(a, to_a, 1000)
    play(to_b, b, 1000)
    assert a.text("code") and b.text("code") and a.text("code") != b.text("code")


def test_a_key_other_than_announced_is_refused() -> None:
    a = Side("a")
    b, other = Side("b"), Side("b", seed="other")
    hello = b.step(0)
    a.pairing.receive(hello, 0)
    other.pairing.receive(a.step(AGAIN_MS * MS), 0)
    reveal = [frame for frame in Finder().feed(other.step(AGAIN_MS * MS)) if frame[0] is Type.REVEAL]
    a.pairing.receive(pack(*reveal[0]), 0)
    a.step(0)
    assert a.pairing.state == "failed" and "not the one that it had announced" in a.text("failed")


def test_nothing_is_revealed_before_the_peer_is_bound() -> None:
    a = Side("a")
    sent = b"".join(a.step(now * MS) for now in range(0, 3000, 20))
    assert {kind for kind, _ in Finder().feed(sent)} == {Type.HELLO}
    assert CERTIFICATES["a"] not in sent


def test_two_of_one_letter_two_without_a_group_and_a_no_are_told_in_words() -> None:
    a, b = Side("a"), Side("a", seed="second")
    play(a, b, 1000)
    assert "says that it is a too" in a.text("failed") and "says that it is a too" in b.text("failed")
    a, b = Side("a", None), Side("b", None)
    play(a, b, 1000)
    assert "the peer has none" in a.text("failed")
    a, b = Side("a"), Side("b")
    now = play(a, b, 1000)
    a.pairing.agree(False, now * MS)
    play(a, b, 1000, since=now)
    assert "codes differ" in a.text("failed") and "said to differ at the other member" in b.text("failed")


def test_no_octets_end_it() -> None:
    drawn = random.Random(7)
    a = Side("a")
    for _ in range(300):
        kind = drawn.choice(list(Type))
        a.pairing.receive(drawn.choice([drawn.randbytes(90), pack(kind, drawn.randbytes(drawn.randrange(90)))]), 0)
        a.step(0)
    assert len(pack(Type.PART, bytes(PAYLOAD_MAX))) == PAYLOAD_MAX + 9
    assert a.pairing.state in ("seeking", "revealing", "failed")


def test_a_peer_that_begins_anew_is_not_taken_for_the_former() -> None:
    a, b = Side("a"), Side("b")
    now = play(a, b, 1000)
    play(a, Side("b", seed="again"), 1000, since=now)
    assert "begun anew" in a.text("failed")
