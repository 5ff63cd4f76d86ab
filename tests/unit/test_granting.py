"""The granting witness alone: compare-and-set, what a restart may grant, and what a stranger can do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec.witness import SIZE, TTL_MOST_MS, Frame, Holder, Kind, WitnessSeal, derive, group_of
from tandem.point import MS, SECOND
from tandem.standby.granting import Granting, Held
from tandem.standby.witness import HURRY_NS, UNANSWERED_NS, Witness

KEY = derive(bytes(range(32)))
SEAL = WitnessSeal(KEY)
TTL_MS = 2_000
NOTHING = Held()


class Rig:
    """A witness that forgot nothing long ago, and both members' clients, 1 ms away."""

    def __init__(self, past: Held = NOTHING, waited: bool = True) -> None:
        self.now = 100 * SECOND
        self.flash = past
        self.flash_takes = True
        self.restart(waited)
        self.clients = {m: Witness(m, SEAL, TTL_MS, lambda n, m=m: m.encode() * n, self.now) for m in "ab"}  # type: ignore[misc]
        self.wants = dict.fromkeys("ab", (False, 0))
        self.cut: set[str] = set()
        self.sent: list[bytes] = []

    def restart(self, waited: bool = False) -> None:
        self.granting = Granting(SEAL, self.now // MS | 1, self.flash, self.now - (20 * SECOND if waited else 0))

    def run(self, ms: int) -> None:
        for _ in range(ms):
            self.now += MS
            for member, client in self.clients.items():
                for ask in client.tick(self.now, *self.wants[member]):
                    if member not in self.cut:
                        self.hear(ask.octets, member)

    def hear(self, octets: bytes, member: str) -> None:
        self.sent.append(octets)
        answer = self.granting.receive(octets, self.now)
        if answer and answer.keep:
            if not self.flash_takes:
                return
            self.flash = Held.of(answer.keep)
            self.granting.kept()
        if answer:
            self.clients[member].receive(answer.octets, self.now + MS)

    def granted(self) -> str:
        return "".join(m for m, client in self.clients.items() if client.look(self.now).granted)


def test_the_octets_are_as_documented() -> None:
    frame = Frame(Kind.TAKE, 1, Holder.NOBODY, 2000, 0x11223344, 7, 0x55667788, 9, 13)
    octets = SEAL.pack(frame)
    assert octets[:8].hex() == "b757" "01" "01" "01" "00" "d007" and len(octets) == SIZE == 48
    assert octets[12:32].hex() == "44332211" "07000000" "88776655" "09000000" "0d000000"
    assert SEAL.verify(octets) == frame and group_of(octets) == SEAL.group
    for bit in range(SIZE * 8):
        damaged = bytearray(octets)
        damaged[bit // 8] ^= 1 << bit % 8
        assert SEAL.verify(bytes(damaged)) is None
    assert WitnessSeal(derive(bytes(32))).verify(octets) is None


@given(st.binary(max_size=60))
def test_octets_never_raise(octets: bytes) -> None:
    assert SEAL.verify(octets) is None and group_of(octets) >= -1
    assert Granting(SEAL, 1, Held(), 0).receive(octets, 1) is None


def test_one_member_at_a_time() -> None:
    rig = Rig()
    rig.run(100)
    rig.wants = {"a": (True, 2), "b": (True, 3)}
    rig.run(100)
    assert rig.granted() == "a"
    assert rig.clients["b"].view.peer_holds and not rig.clients["b"].view.outdated
    rig.run(3 * TTL_MS)
    assert rig.granted() == "a"  # renewed
    rig.wants["a"] = (False, 2)
    rig.run(300)
    assert rig.granted() == "b" and rig.clients["b"].view.highest_epoch == 2


def test_who_does_not_renew_loses_it_before_another_gets_it() -> None:
    rig = Rig()
    rig.run(100)
    rig.wants["a"] = (True, 2)
    rig.run(100)
    rig.cut.add("a")
    rig.wants["b"] = (True, 3)
    lost_ms = 0
    while rig.granted() != "b":
        rig.run(1)
        lost_ms += not rig.granted()
        assert rig.granted() in ("a", "b", "")
    assert lost_ms >= TTL_MS // 20, "the own clock is the earlier one"
    rig.cut.clear()
    rig.run(300)
    assert rig.granted() == "b" and rig.clients["a"].view.outdated


def test_a_restarted_witness_waits_and_knows_its_holder() -> None:
    rig = Rig()
    rig.run(100)
    rig.wants = {"a": (True, 2), "b": (True, 3)}
    rig.run(100)
    rig.restart()
    rig.run(3 * TTL_MS)
    assert rig.granted() == "a", "the holder goes on over the restart"
    rig.restart()
    rig.cut.add("a")
    rig.run(TTL_MS - 100)
    assert rig.granted() == "" and rig.clients["b"].view.holder == Holder.NOT_KNOWN
    rig.run(400)
    assert rig.granted() == "b"


def test_a_witness_that_forgot_everything_waits_for_the_longest_grant() -> None:
    rig = Rig(waited=False)
    rig.wants["b"] = (True, 3)
    rig.run(TTL_MOST_MS - 10)
    assert rig.granted() == ""
    rig.run(300)
    assert rig.granted() == "b"


def test_what_is_not_on_flash_is_not_told() -> None:
    rig = Rig()
    rig.run(100)
    rig.flash_takes = False
    rig.wants["a"] = (True, 2)
    rig.run(1000)
    assert rig.granted() == "" and not rig.clients["a"].view.answers
    rig.flash_takes = True
    rig.run(300)
    assert rig.granted() == "a" and rig.flash == Held(Holder.A, 2, TTL_MS)


def test_an_epoch_that_was_passed_is_granted_no_more() -> None:
    rig = Rig(Held(Holder.B, 9, TTL_MS))
    rig.run(100)
    rig.wants["a"] = (True, 8)
    rig.run(100)
    assert rig.granted() == "" and rig.clients["a"].view.outdated and rig.clients["a"].view.highest_epoch == 9
    rig.wants["a"] = (True, 10)
    rig.run(300)
    assert rig.granted() == "a"


def test_recorded_frames_take_nothing_and_give_nothing_back() -> None:
    rig = Rig()
    rig.run(100)
    for _ in range(3):
        rig.wants["a"] = (True, 2)
        rig.run(100)
        rig.wants["a"] = (False, 2)
        rig.run(300)
    rig.wants["a"] = (True, 2)
    rig.run(100)
    until = rig.granting._until
    for octets in list(rig.sent):
        rig.granting.receive(octets, rig.now)
    assert rig.granting.holder(rig.now) == Holder.A and rig.granting._until == until
    rig.restart(waited=True)
    for octets in list(rig.sent):
        rig.granting.receive(octets, rig.now)
    assert rig.granting.holder(rig.now) == Holder.NOBODY


def test_an_answer_of_before_the_release_gives_nothing() -> None:
    rig = Rig()
    rig.run(100)
    rig.wants["a"] = (True, 2)
    rig.run(100)
    client, later = rig.clients["a"], rig.now + TTL_MS * MS // 4
    renewal = client.tick(later, True, 2)[0].octets
    answer = rig.granting.receive(renewal, later)
    assert rig.granted() == "a" and answer is not None
    assert SEAL.verify(client.tick(later + MS, False, 2)[0].octets).kind == Kind.RELEASE  # type: ignore[union-attr]
    client.receive(answer.octets, later + 2 * MS)
    client.tick(later + 3 * MS, True, 2)
    assert not client.view.granted


def test_a_lost_datagram_is_no_silence() -> None:
    rig = Rig()
    rig.run(100)
    rig.cut.add("a")
    rig.run(1500)
    assert rig.clients["a"].view.answers
    rig.wants["a"] = (True, 2)
    rig.run(UNANSWERED_NS // MS - 10)
    assert rig.clients["a"].view.answers, "asked since, not before"
    rig.run(40)
    assert not rig.clients["a"].view.answers
    rig.cut.clear()
    rig.run(HURRY_NS // MS + 200)
    assert rig.granted() == "a"


@pytest.mark.parametrize(
    "text", ["x", "{}", '{"holder": 3, "epoch": 1, "ttl_ms": 5}', '{"holder": 1, "epoch": 1, "ttl_ms": 0}']
)
def test_a_damaged_memory_is_said(text: str) -> None:
    with pytest.raises(ValueError, match="what was granted"):
        Held.of(text)


def test_nothing_granted_is_remembered_as_such() -> None:
    assert Held.of("") == Held() and Held.of(Held(2, 5, 600).to_json()) == Held(2, 5, 600)
