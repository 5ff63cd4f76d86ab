"""A member's side of the granting witness: asks it, renews what it was granted, gives it back.

A grant ends by the own clock before the witness' time runs out: it is counted from when the question was sent, less a
twentieth. An answer counts only where it echoes a question of ours that is younger than the grant it gives.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from tandem.action import Action, AskWitness
from tandem.codec.witness import Frame, Holder, Kind, WitnessSeal
from tandem.point import MS

IDLE_NS = 1_000 * MS
"""How often it is asked while nothing is wanted: so its loss is known before it is needed."""
HURRY_NS = 20 * MS
"""A question that is wanted answered is sent again after so long, at first."""
SLOWER_NS = 200 * MS
UNANSWERED_NS = 300 * MS
"""A witness that leaves a wanted question open for so long does not answer."""
IDLE_UNANSWERED_NS = 3_500 * MS
_SENT_KEPT = 256


class WitnessView(NamedTuple):
    """What is known of the witness. `holder`: as it said last; `granted`: to us, and its time is not over here."""

    answers: bool = False
    granted: bool = False
    holder: int = Holder.NOT_KNOWN
    peer_holds: bool = False  # so it said, refusing us
    outdated: bool = False  # a later epoch was granted than the one that we asked with
    free: bool = False  # nobody else's time runs, said in the last moment
    highest_epoch: int = 0  # that was ever granted, our own question left out


class Witness:
    """The client. `draw`: n random octets; it begins anew with every start. `seal` of None: there is no witness."""

    def __init__(
        self, member: str, seal: WitnessSeal | None, ttl_ms: int, draw: Callable[[int], bytes], now: int
    ) -> None:
        self.view = WitnessView()
        self._me = int(member == "b")
        self._seal, self._ttl_ms = seal, ttl_ms
        self._nonce = int.from_bytes(draw(4), "little") | 1 if seal else 0
        self._echo = (0, 0)
        self._counter = self._released = 0
        self._sent = [0] * _SENT_KEPT
        self._until = 0  # of the grant
        self._asked_since = 0  # the oldest question without an answer behind it; 0: none
        self._answered_ns = 0
        self._ask_at = now
        self._last = Frame(Kind.HERE, 0, Holder.NOT_KNOWN, 0, 0, 0, 0, 0, 0)
        self._refused = False
        self._wants, self._epoch, self._highest = False, 0, 0

    def receive(self, octets: bytes, now: int) -> bool:
        """A datagram from there. True when a decision may depend on it."""
        answer = self._seal.verify(octets) if self._seal else None
        if answer is None or answer.kind < Kind.HERE or answer.member != self._me or answer.echo_nonce != self._nonce:
            return False
        behind = self._counter - answer.echo_counter
        if not 0 <= behind < min(_SENT_KEPT, self._counter):
            return False
        if answer.nonce == self._last.nonce and answer.counter <= self._last.counter:
            return False
        again = answer.nonce != self._echo[0]
        self._echo, self._last = (answer.nonce, answer.counter), answer
        self._answered_ns, self._asked_since = now, 0
        if answer.epoch != self._epoch:
            self._highest = max(self._highest, answer.epoch)
        self._refused = answer.kind == Kind.REFUSED
        if answer.kind == Kind.GRANTED and answer.echo_counter > self._released:
            sent_ns, ttl_ns = self._sent[answer.echo_counter % _SENT_KEPT], min(answer.ttl_ms, self._ttl_ms) * MS
            self._until = max(self._until, sent_ns + ttl_ns - ttl_ns // 20)
        if again and (self._wants or self._until):
            self._ask_at = now  # it knows us now: a TAKE counts
        elif self._wants:
            self._ask_at = now + (SLOWER_NS if self._refused else self._ttl_ms * MS // 4)
        before = self.view
        return before != self.look(now) and self._wants

    def tick(self, now: int, wants: bool, epoch: int) -> list[Action]:
        """`wants`: the right to serve alone, in this epoch. Returns what is to be sent."""
        if self._seal is None:
            return []
        if wants and (not self._wants or epoch != self._epoch):
            self._ask_at, self._refused = now, False
            if now - self._asked_since < IDLE_UNANSWERED_NS:
                self._asked_since = 0  # one datagram that was lost is no silence yet
        elif not wants and self._holds(now):
            self._ask_at = min(self._ask_at, now + SLOWER_NS)
        if self._wants and not wants:
            self._until, self._refused, self._ask_at = 0, False, now
        self._wants, self._epoch = wants, epoch
        asks: list[Action] = [self._ask(now)] if now >= self._ask_at else []
        self.look(now)
        return asks

    def due(self) -> int | None:
        """When `tick` must come next."""
        if self._seal is None:
            return None
        return min(self._ask_at, self._until) if self._until and self._wants else self._ask_at

    def _holds(self, now: int) -> bool:
        """It still says that the right is ours, and we do not want it."""
        return self._last.holder == self._me + 1 and now - self._answered_ns < self._ttl_ms * MS

    def _ask(self, now: int) -> AskWitness:
        assert self._seal is not None
        kind = Kind.TAKE if self._wants and self._epoch else Kind.RELEASE if self._holds(now) else Kind.ASK
        self._counter += 1
        self._sent[self._counter % _SENT_KEPT] = now
        if kind == Kind.RELEASE:
            self._released = self._counter
        if not self._asked_since:
            self._asked_since = now
        asked_ns = now - self._asked_since
        self._ask_at = now + ((HURRY_NS if asked_ns < UNANSWERED_NS else SLOWER_NS) if self._wants else IDLE_NS)
        frame = Frame(
            kind, self._me, Holder.NOBODY, self._ttl_ms, self._nonce, self._counter, *self._echo, self._epoch
        )
        return AskWitness(self._seal.pack(frame))

    def look(self, now: int) -> WitnessView:
        """What is known of it now."""
        most_ns = UNANSWERED_NS if self._wants else IDLE_UNANSWERED_NS
        open_ns = now - self._asked_since if self._asked_since else 0
        answers = bool(self._answered_ns) and open_ns < most_ns
        granted = self._wants and now < self._until
        if now >= self._until:
            self._until = 0
        refused = answers and self._refused
        holder = self._last.holder if answers else Holder.NOT_KNOWN
        self.view = WitnessView(
            answers, granted, holder, refused and holder == 2 - self._me,
            refused and self._last.epoch > self._epoch,
            holder in (Holder.NOBODY, self._me + 1) and open_ns < UNANSWERED_NS, self._highest,
        )  # fmt: skip
        return self.view
