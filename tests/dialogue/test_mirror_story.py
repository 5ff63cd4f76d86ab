"""The mirror under stories: updates, cuts, kills, two actives and healings at random, with checkers outside.

Equal (claim, number) is equal image; a member that believes itself in sync has everything that the active let out;
and when everything is healed, both are equal and in sync again.
"""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tandem.codec import link
from tandem.codec.record import pack
from tandem.point import MS
from tests.support.mirror_pair import MIRRORED, Member, Pair, in_sync_pair

Image = tuple[object, ...]


class MirrorStory(RuleBasedStateMachine):
    """Two members on a wire; the fence that a role machine would keep is kept by the rules."""

    def __init__(self) -> None:
        super().__init__()
        self.pair = Pair(Member("a", 16, small_frames=True), Member("b", 16, small_frames=True))
        self.images: dict[tuple[bytes, int], Image] = {}
        self.let_out = 0  # by the present active
        self.active = self.pair.a
        self._claim(self.pair.a)
        self.pair.join()

    @property
    def standby(self) -> Member:
        return self.pair.other(self.active)

    def _claim(self, member: Member) -> None:
        epoch = max(m.history.epoch for m in (self.pair.a, self.pair.b)) + 1
        self.pair.claim(member, epoch)
        self.active = member
        self.let_out = 0
        self._look(member)

    def _image(self, member: Member) -> Image:
        return tuple(member.database.present[i] for i in MIRRORED)

    def _look(self, member: Member) -> None:
        """What this (claim, number) is must be what it was wherever it was seen first."""
        claims = [c for c in member.history.claims if c.first <= member.head]
        key = claims[-1].claim_id if claims else b"", member.head
        assert self.images.setdefault(key, self._image(member)) == self._image(member)

    def _run(self, ms: int) -> None:
        for _ in range(ms):
            self.pair.run(1)
            self._look(self.active)
            self._let_out()

    def _let_out(self) -> None:
        """Everything that may leave does so at once."""
        self.let_out = max(self.let_out, self.active.granter.limit(self.active.head))
        self.active.granter.released(self.let_out)
        self._believes()

    def _believes(self) -> None:
        standby, active = self.standby, self.active
        if standby.mirror.active or not standby.lease.in_sync(self.pair.now):
            return
        assert standby.head >= self.let_out, "in sync, and something that was released is missing"
        self._look(standby)
        if standby.history.claims != active.history.claims:
            return
        for ring in ("soe", "analog"):
            mine, theirs = getattr(standby.database.journal, ring), getattr(active.database.journal, ring)
            above = max(mine.gone, theirs.gone)
            ours = mine.slice(mine.after(above), mine.count)
            assert theirs.slice(theirs.after(above), theirs.count)[: len(ours)] == ours

    def _update(self, point_id: int, value: float) -> None:
        self.active.update(point_id, value)
        self._look(self.active)
        self._let_out()

    @rule(points=st.lists(st.sampled_from(MIRRORED), max_size=12), value=st.integers(0, 9))
    def burst(self, points: list[int], value: int) -> None:
        for point_id in points:
            self._update(point_id, value)

    @rule(points=st.lists(st.sampled_from(MIRRORED), min_size=5, max_size=20), ms=st.sampled_from([1, 3, 8]))
    def traffic(self, points: list[int], ms: int) -> None:
        for value, point_id in enumerate(points):
            self._update(point_id, value)
            self._run(ms)

    @rule(ms=st.sampled_from([1, 5, 30, 80, 600]))
    def time_passes(self, ms: int) -> None:
        self._run(ms)

    @rule(delay_ms=st.sampled_from([1, 4]), ms=st.sampled_from([10, 60, 150]))
    def heal(self, delay_ms: int, ms: int) -> None:
        self.pair.beats, self.pair.delay = True, delay_ms * MS
        if not self.pair.joined:
            self.pair.join()
        self._run(ms)

    @rule(ms=st.sampled_from([20, 60]), beats=st.booleans(), points=st.lists(st.sampled_from(MIRRORED), max_size=6))
    def short_cut(self, ms: int, beats: bool, points: list[int]) -> None:
        if self.pair.joined:
            self.pair.cut()
        self.pair.beats = beats
        for point_id in points:
            self._update(point_id, 5.0)
        self._run(ms)
        self.pair.join()
        self.pair.beats = True

    @rule()
    def active_away_for_a_moment(self) -> None:
        """It lost its permission and claims again before anybody else did."""
        self.pair.standby(self.active)
        self._run(5)
        self._claim(self.active)
        self._let_out()

    @rule(center=st.sampled_from(["north", "south"]), back=st.integers(0, 5), there=st.booleans())
    def confirm(self, center: str, back: int, there: bool) -> None:
        member = self.active if there else self.standby
        if member.head > back:
            member.mirror.cursor(center, member.head - back)

    @rule()
    def cut(self) -> None:
        if self.pair.joined:
            self.pair.cut()

    @rule(beats=st.booleans(), delay_ms=st.sampled_from([1, 4, 40]))
    def network(self, beats: bool, delay_ms: int) -> None:
        self.pair.beats = beats
        self.pair.delay = delay_ms * MS

    @rule()
    def standby_restarts(self) -> None:
        if self.pair.joined:
            self.pair.cut()
        self.standby.boot(self.pair.now)

    @rule(reboots=st.booleans())
    def active_dies(self, reboots: bool) -> None:
        """The standby is promoted behind a fence; in sync it must have what the dead one had let out."""
        dead = self.active
        if self.pair.joined:
            self.pair.cut()
        self._believes()
        if reboots:
            dead.boot(self.pair.now)
        else:
            self.pair.standby(dead)
        self._claim(self.pair.other(dead))
        self._let_out()

    @rule()
    def active_restarts_and_claims_again(self) -> None:
        if self.pair.joined:
            self.pair.cut()
        self.active.boot(self.pair.now)
        self._claim(self.active)
        self._let_out()

    @rule()
    def planned_change(self) -> None:
        before = self.active
        self.pair.standby(before)
        self._claim(self.pair.other(before))

    @rule(points=st.lists(st.sampled_from(MIRRORED), max_size=4), ms=st.integers(1, 30))
    def two_actives(self, points: list[int], ms: int) -> None:
        """Every path is cut, both serve for a while; the one that claimed last goes on."""
        if self.pair.joined:
            self.pair.cut()
        old = self.active
        self._claim(self.pair.other(old))
        for point_id in points:
            self.active.update(point_id, 77.0)
            self._look(self.active)
            old.update(point_id, 66.0)
            self._look(old)
        self._run(ms)
        self.pair.standby(old)

    @invariant()
    def bounded(self) -> None:
        for member in (self.pair.a, self.pair.b):
            assert member.mirror.statistics()["unacknowledged_octets"] <= 2 << 20

    def teardown(self) -> None:
        pair = self.pair
        pair.beats, pair.delay = True, MS
        if not pair.joined:
            pair.join()
        self._run(1500)
        assert self.standby.lease.in_sync(pair.now), self.standby.lease.reason(pair.now)
        assert self._image(pair.a) == self._image(pair.b) and pair.a.head == pair.b.head
        assert pair.a.history.claims == pair.b.history.claims
        assert pair.a.mirror.cursors.numbers == pair.b.mirror.cursors.numbers
        assert not self.active.granter.unprotected
        assert self.active.granter.limit(self.active.head) == self.active.head


MirrorStory.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestMirrorStory = MirrorStory.TestCase


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32))
def test_no_octets_whatever_raise_or_spoil_the_image(seed: int) -> None:
    """Frames of true form with fields at random, and octets at random, into either end, between true ones."""
    dice, pair = random.Random(seed), in_sync_pair()
    for _ in range(dice.randrange(1, 12)):
        member = dice.choice([pair.a, pair.b])
        octets = _forged(dice, member.database.table.digest()).encode()
        if dice.random() < 0.3:
            spoilt = bytearray(octets)
            spoilt[dice.randrange(len(spoilt))] ^= 1 << dice.randrange(8)
            octets = bytes(spoilt)
        member.mirror.receive(octets, pair.now)
        pair.run(dice.choice([1, 2, 30]))
        if not pair.joined and dice.random() < 0.7:
            pair.join()
        pair.a.update(dice.choice(MIRRORED), dice.random())
    for member in (pair.a, pair.b):
        assert len(member.database.present) == member.database.table.rows
        member.database.snapshot()


def _forged(dice: random.Random, table: bytes) -> link.Message:
    def number() -> int:
        return dice.choice([0, 1, 9, 10, 11, 12, 1 << 40])

    records = b"".join(
        pack(dice.choice([0, 5, 10, 11, 12]), 1, 1.0, dice.choice([1, 2, 5, 7, 99]), 0, 1)
        for _ in range(dice.randrange(3))
    )
    claims = (link.Claim(2, bytes([0, 0, 0, 2, 0, 0, 0, 1]), 1), link.Claim(dice.choice([3, 9]), b"somebody", number()))
    messages: list[link.Message] = [
        link.Hello("b", dice.random() < 0.5, dice.randrange(1, 5), dice.randrange(5), dice.randrange(4),
                   dice.choice([table, bytes(32)]), b"c" * 32, number(), "cedar", claims),
        link.Resume(number()), link.Begin(number(), number(), number()), link.Rows(records), link.End(number()),
        link.Tail(number(), number(), records, b""), link.Slice(2, number(), number(), records, b""),
        link.Ack(2, number(), dice.randrange(20)), link.CursorAt("north", dice.choice([2, 3]), number()),
        link.ControlFrame(number(), 1, 1.0, dice.randrange(7), 0, 0, 1, "north"),
        link.ReportFrame(number(), dice.randrange(4), dice.randrange(9), ""), link.Order("a", ""),
        link.State("key", b""), link.Salvage(records), link.RegistryText(dice.choice(["{", '{"a": 1}', "[]"])),
        link.Refuse("no"),
    ]  # fmt: skip
    return dice.choice(messages)
