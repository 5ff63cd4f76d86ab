"""Two members with database and mirror, joined by a wire and beats in virtual time, for tests."""

from __future__ import annotations

from collections.abc import Callable

from tandem.database import Database
from tandem.engine import Close
from tandem.journal import Journal
from tandem.point import MS, Kind, Say
from tandem.registry import PointInfo, PointTable
from tandem.standby.grant import Grant, Granter, Lease
from tandem.standby.histories import History
from tandem.standby.link import Identity
from tandem.standby.mirror import Mirror
from tandem.standby.told import ImageSwapped

S, J = 500 * MS, 10 * MS
BEAT = 20 * MS
BeatTold = tuple[int, int, bool, int, int, tuple[int, int], bool]
"""Nonce, counter, granting, epoch, released; nonce and time of what it echoes; in sync."""
POINTS = [
    PointInfo(1, "breaker", Kind.DOUBLE),
    PointInfo(2, "current", Kind.ANALOG),
    PointInfo(3, "energy", Kind.COUNTER),
    PointInfo(4, "alarm", Kind.BINARY),
    PointInfo(5, "_sys.local", Kind.BINARY, local=True),
]
MIRRORED = [p.id for p in POINTS if not p.local]


class Member:
    """One member; `boot` forgets what only RAM held and keeps the history, as its flash would."""

    def __init__(
        self, letter: str, rings: int = 64, points: list[PointInfo] | None = None, config: bytes = b"c" * 32,
        small_frames: bool = False,
    ) -> None:  # fmt: skip
        self.letter, self.rings, self.config, self.small_frames = letter, rings, config, small_frames
        self.points = POINTS if points is None else points
        self.boots = 0
        self.history = History()
        self.boot()

    def boot(self, now: int | None = None) -> None:
        self.boots += 1
        self.nonce = ord(self.letter) << 16 | self.boots
        self.database = Database(PointTable(self.points, 8), Journal(self.rings, self.rings))
        self.history = History(self.history.claims)
        self.granter, self.lease = Granter(S, J), Lease(S)
        if now is not None:
            self.granter.booted(now)
        self.swapped_at = 0
        self.refs = 1000
        self.counter = 0
        self.heard: tuple[int, int] = (0, 0)  # nonce of the peer, own counter's time that it echoed
        me = Identity(self.letter, "cedar", self.nonce, self.database.table.digest(), self.config)
        self.mirror = Mirror(
            me, self.database, self.history, self.granter, self.lease, self._next_ref, '{"breaker": 1}'
        )
        if self.small_frames:
            self.mirror.source.rows_a_frame, self.mirror.source.records_a_ring = 1, 2
        self.events: list[object] = []

    def _next_ref(self) -> int:
        self.refs += 1
        return self.refs

    @property
    def head(self) -> int:
        return self.database.journal.head

    def update(self, point_id: int, value: float) -> int:
        return self.database.update(point_id, value, 0, 1_000_000 + self.head, 1)

    def of(self, kind: type) -> list[object]:
        return [event for event in self.events if isinstance(event, kind)]

    def said(self) -> str:
        return "\n".join(event.text for event in self.events if isinstance(event, Say))


class Pair:
    """Both members, the wire between them (`delay` ns each way) and their beats."""

    def __init__(self, a: Member, b: Member) -> None:
        self.a, self.b = a, b
        self.now = 1_000 * MS
        self.joined = False
        self.delay = MS // 2
        self.beats = True
        self._wire: list[tuple[int, Member, bytes]] = []
        self._beats: list[tuple[int, Member, BeatTold]] = []
        self._next_beat = self.now

    def claim(self, member: Member, epoch: int) -> None:
        """`member` becomes active."""
        claim_id = epoch.to_bytes(4, "big") + member.boots.to_bytes(4, "big")
        claim = member.history.next_claim(epoch, claim_id, member.head)
        member.mirror.set_role(True, self.now, claim)

    def standby(self, member: Member) -> None:
        member.mirror.set_role(False, self.now)

    def join(self) -> None:
        """A stream is up."""
        self.joined = True
        for member in (self.a, self.b):
            member.mirror.opened(self.now)
        self._pump()

    def cut(self) -> None:
        """The stream is lost, with all that is on it."""
        self.joined = False
        self._wire.clear()
        for member in (self.a, self.b):
            member.mirror.closed(self.now, "cut")
            self._drain(member)

    def other(self, member: Member) -> Member:
        return self.b if member is self.a else self.a

    def run(self, ms: float) -> None:
        """Let time pass in turns of 1 ms."""
        end = self.now + int(ms * MS)
        self._pump()
        while self.now < end:
            self.now = min(end, self.now + MS)
            self._turn()

    def until(self, condition: Callable[[], bool], ms: int) -> int:
        """Let time pass until `condition` holds, at most `ms`; returns the ns that it took."""
        began = self.now
        while not condition():
            assert self.now - began < ms * MS, f"it did not happen within {ms} ms"
            self.run(1)
        return self.now - began

    def _turn(self) -> None:
        now = self.now
        arrived = [item for item in self._wire if item[0] <= now]
        self._wire = [item for item in self._wire if item[0] > now]
        for _, member, data in arrived:
            member.mirror.receive(data, now)
        for at, member, beat in [beat for beat in self._beats if beat[0] <= now]:
            self._hear(member, beat, at)
        self._beats = [beat for beat in self._beats if beat[0] > now]
        for member in (self.a, self.b):
            due = member.mirror.due()
            if due is not None and due <= now:
                member.mirror.tick(now)
        self._pump()
        if now >= self._next_beat:
            self._next_beat += BEAT
            for member in (self.a, self.b):
                self._beat(member)

    def _pump(self) -> None:
        for member in (self.a, self.b):
            member.mirror.flush(self.now)
            member.granter.published(member.granter.granting, self.now)
            data = member.mirror.outgoing()
            if data and self.joined:
                last = max((at for at, to, _ in self._wire if to is not member), default=0)
                self._wire.append((max(last, self.now + self.delay), self.other(member), data))
        for member in (self.a, self.b):
            self._drain(member)

    def _drain(self, member: Member) -> None:
        for event in member.mirror.events():
            member.events.append(event)
            if isinstance(event, ImageSwapped):
                member.swapped_at = event.head
            if isinstance(event, Close) and self.joined:
                self.cut()

    def _beat(self, member: Member) -> None:
        member.counter += 1
        in_sync = member.lease.in_sync(self.now)
        other, granter, epoch = self.other(member), member.granter, member.history.epoch
        beat = (member.nonce, member.counter, granter.granting, epoch, granter.released_seq, member.heard)
        sent = (self.now + self.delay, other, (*beat, in_sync))
        if self.beats:
            self._beats.append(sent)

    def _hear(self, member: Member, beat: BeatTold, at: int) -> None:
        nonce, counter, granting, epoch, released, (echoed_nonce, echoed_ns), in_sync = beat
        member.heard = nonce, at - self.delay
        if echoed_nonce != member.nonce:  # an answer to a boot that is over, as the ear finds
            return
        member.granter.peer_beat(nonce, echoed_ns, in_sync, False, self.now)
        if not member.mirror.active:
            member.lease.beat(nonce, counter, granting, epoch, released, echoed_ns)


def in_sync_pair() -> Pair:
    """a is active in epoch 2 with ten records, b follows and is in sync."""
    pair = Pair(Member("a"), Member("b"))
    pair.claim(pair.a, 2)
    for number in range(10):
        pair.a.update(1 + number % 4, number)
    pair.join()
    pair.run(100)
    assert pair.b.lease.in_sync(pair.now)
    assert_equal_images(pair)
    return pair


def ring_octets(member: Member, above: int = 0) -> list[bytes]:
    """Both rings' octets above a number."""
    rings = member.database.journal.soe, member.database.journal.analog
    return [ring.slice(ring.after(above), ring.count) for ring in rings]


def assert_equal_images(pair: Pair) -> None:
    """Present records and, as far as both hold them, ring octets are the same."""
    a, b = pair.a, pair.b
    assert a.head == b.head
    assert [a.database.present[i] for i in MIRRORED] == [b.database.present[i] for i in MIRRORED]
    above = max(ring.gone for m in (a, b) for ring in (m.database.journal.soe, m.database.journal.analog))
    assert ring_octets(a, above) == ring_octets(b, above)


def state(member: Member) -> Grant:
    """What the active's beats say."""
    return member.granter.state
