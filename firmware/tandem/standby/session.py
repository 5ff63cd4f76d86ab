"""Sessions of the mirror: how one begins, what its messages mean, how it ends. The base of `mirror.Mirror`."""

from __future__ import annotations

from collections.abc import Callable

from tandem.clock import Clock
from tandem.codec.link import (
    Ack,
    Begin,
    ControlFrame,
    CursorAt,
    Hello,
    Message,
    Order,
    RegistryText,
    ReportFrame,
    Salvage,
    State,
)
from tandem.codec.link_commit import CommitWord, Piece
from tandem.codec.link_time import TimeAsked, TimeTold
from tandem.codec.record import Record, unpack
from tandem.database import Database
from tandem.engine import Close
from tandem.point import DEVICE_TIME, Say
from tandem.registry import Registry
from tandem.standby.apart import Apart
from tandem.standby.cursors import Cursors
from tandem.standby.forward import Answerer, Forwarder
from tandem.standby.grant import Granter, Lease
from tandem.standby.histories import History
from tandem.standby.link import Identity, Link
from tandem.standby.salvaging import Salvaging
from tandem.standby.sink import Sink
from tandem.standby.soft import Soft
from tandem.standby.source import Source
from tandem.standby.told import AdoptRegistry, ClaimAgain, Ordered, PeerCursor, PeerState, ServedApart, TwoActives

TWO_ACTIVES = "both members say that they are active"
RESYNCS_MAX = 5
"""Sessions begun anew without a record applied in between; then the stream is closed."""


BOTH_WAYS = ("tag.", "center.", "outside.")
"""States that a standby may change too begin so."""


class Sessions:
    """What a mirror is made of, and the sessions over its link."""

    def __init__(
        self, me: Identity, database: Database, history: History, granter: Granter, lease: Lease,
        next_ref: Callable[[], int], registry_json: str = "{}", clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self.history = history
        self.granter = granter
        self.lease = lease
        self.cursors = Cursors()
        self.apart = Apart(clock or Clock())
        self.active = False
        self.trouble = "no link to the other member"
        """Why nothing is mirrored now, as a sentence; empty when it is."""
        self._database = database
        self.registry_json = registry_json
        self._link = Link(me, self._compose)
        self.source = Source(self._link, database, history, granter, lambda: self.cursors.lowest(database.journal.head))
        self.sink = Sink(database, history, lease)
        self._forwarder = Forwarder()
        self._answerer = Answerer(next_ref)
        self._soft = Soft()
        self._events: list[object] = []
        self._told_fault = False
        self._resyncs = 0
        self._heard_ns = 0
        self._apart_claim = b""
        self._salvaging = Salvaging()
        self.confirms: Callable[[int], str] = lambda point_id: ""
        """Point id -> the cursor of what its device was confirmed, "" where that wants no confirm."""
        self._confirmed: dict[str, int] = {}

    def _compose(self, session: int, echo: int) -> Hello:
        me, head = self._link.me, self._database.journal.head
        who = (me.member, self.active, me.nonce, session, echo, me.table, me.config, head, me.group)
        return Hello(*who, self.history.claims, self.cursors.every(self.history))

    def _hello(self, hello: Hello, now: int) -> None:
        stands = self._link.hello(hello)
        if self._link.peer is None or stands:
            self._end_session("a new session began on the hot-standby link", now)
        if stands:
            self._begin_session(hello, now)

    def _begin_session(self, peer: Hello, now: int) -> None:
        head = self._database.journal.head
        self.granter.peer_hello(peer.nonce)
        self.trouble = self._link.tables(peer)
        if self.trouble:
            self._tables_differ(peer)
            return
        for cursor in peer.cursors:
            self._peer_cursor(cursor, head)
        self.cursors.tell_again()
        self._soft.tell_again()
        if self.active and peer.active:
            self.trouble = TWO_ACTIVES
            self._events.append(TwoActives(peer))
        elif self.active:
            self._served_apart(peer)
            epoch = max((claim.epoch for claim in peer.claims), default=0)
            if epoch > self.history.epoch:
                self.trouble = f"the standby knows epoch {epoch}, this active is of epoch {self.history.epoch}"
                self.granter.unsynced(self.trouble)
                self._events.append(ClaimAgain(epoch))
            else:
                self._events.append(Say(self.source.begin(peer, now)))
        elif peer.active:
            self.trouble = self.sink.begin(peer, peer.table != self._link.me.table)
        else:
            self.trouble = "neither member is active"
            return
        if self.trouble:
            self._events.append(Say(f"Nothing is mirrored: {self.trouble}", "warning"))

    def _served_apart(self, peer: Hello) -> None:
        newest = peer.claims[-1].claim_id if peer.claims else b""
        mine = self.history.claims
        if newest and newest != self._apart_claim and mine and newest not in [claim.claim_id for claim in mine]:
            self._apart_claim = newest
            self._events.append(ServedApart())

    def _tables_differ(self, peer: Hello) -> None:
        self._events.append(Say(f"Nothing is mirrored: {self.trouble}", "error"))
        self.granter.unsynced(self.trouble)
        self.lease.whole = False
        if self.active and peer.config == self._link.me.config:
            self._link.send(RegistryText(self.registry_json))

    def _end_session(self, why: str, now: int) -> None:
        """Acknowledgements are owed from now on; forwarded controls end."""
        self.trouble = why
        if self.source.flowing:
            self.granter.owed(now)
        self.source.end()
        self.sink.end()
        self._salvaging.end()
        self._answerer.end()
        self.apart.forget()
        self._events += self._forwarder.end(why)

    def _check(self, now: int) -> None:
        """Move the sink's events out; a fault of the link becomes one sentence and one `Close`."""
        self._events += self.sink.events()
        if self._link.fault and not self._told_fault:
            self._told_fault = True
            self._end_session(f"the hot-standby link is closed: {self._link.fault}", now)
            self._events.append(Say(f"The hot-standby link is closed: {self._link.fault}", "warning"))
            self._events.append(Close(self._link.fault))

    def _message(self, message: Message, now: int) -> None:
        match message:
            case Ack():
                self.source.acknowledge(message, now)
            case CursorAt():
                self._peer_cursor(message, self._database.journal.head)
            case ControlFrame() if self.active:
                answer = self._answerer.received(message, now)
                if isinstance(answer, ReportFrame):
                    self._link.send(answer)
                else:
                    self._events.append(answer)
            case ReportFrame():
                report = self._forwarder.answered(message)
                self._events += [report] if report else []
            case TimeAsked():
                self._link.send(self.apart.answer(message, now))
            case TimeTold():
                self.apart.told(message, now)
            case Order(word, origin):
                self._events.append(Ordered(word, origin))
            case State(key, octets) if key.startswith(BOTH_WAYS):
                self._events.append(PeerState(key, octets))  # whose is newer the owner decides, and says with `state`
            case State(key, octets) if not self.active:
                self._soft.hear(key, octets)
                self._events.append(PeerState(key, octets))
            case Salvage(octets) if self.active:
                self._salvage(octets)
            case CommitWord() | Piece():
                self._events.append(message)
            case RegistryText(text) if not self.active:
                self._registry(text)
            case _:
                self._take(message, now)

    def _take(self, message: Message, now: int) -> None:
        """A frame of the record stream on the standby."""
        following, head = self.sink.following, self._database.journal.head
        fault = self.sink.take(message, now)
        if fault:
            self._resync(fault, now)
        elif isinstance(message, Begin):
            self._confirmed = self._confirmed or dict(self.cursors.numbers)
            self.cursors.clamp(self.sink.common)  # numbers above the fork will name other records
        elif self.sink.following:
            if self._database.journal.head > head:
                self._resyncs = 0
            if not following:
                self._followed()

    def _followed(self) -> None:
        """The image is whole: cursors fit it now, and the active may have what was released and only this member has.

        That is what it released as the active, or what an active released to it that came back with an empty journal.
        """
        self.cursors.clamp(self._database.journal.head)
        for octets in self.sink.salvage(max(self.granter.released_seq, self.lease.named_seq), self._device_keeps):
            self._link.send(Salvage(octets))
        self._confirmed = {}

    def _device_keeps(self, record: Record) -> bool:
        """No confirm of the event was sent while this member was active."""
        cursor = self.confirms(record[3]) if record[5] & DEVICE_TIME else ""
        return bool(cursor) and record[0] > self._confirmed.get(cursor, 0)

    def _resync(self, fault: str, now: int) -> None:
        self._resyncs += 1
        self._end_session(fault, now)
        self._events.append(Say(f"The mirror begins anew: {fault}", "warning"))
        if self._resyncs > RESYNCS_MAX:
            self._link.fail(f"the mirror began anew {self._resyncs} times and never got on; the last time: {fault}")
        else:
            self._link.restart(now)

    def _registry(self, text: str) -> None:
        try:
            Registry.from_json(text)
        except ValueError as error:
            self._events.append(Say(f"The active's point ids cannot be adopted: {error}", "error"))
        else:
            self._events.append(AdoptRegistry(text))

    def _peer_cursor(self, cursor: CursorAt, head: int) -> None:
        number = self.cursors.told(cursor, self.history, head)
        if number is not None:
            self._events.append(PeerCursor(cursor.center, number))

    def _covered(self) -> int | None:
        """Up to which number the peer has, or will have before what is sent now, the records; None: say nothing."""
        if self.source.flowing:
            return self.source.sent
        return self._database.journal.head if self.sink.following else None

    def _salvage(self, octets: bytes) -> None:
        """Events that only the former active had released: journaled with their times, never present values."""
        try:
            count = 0
            for record in list(unpack(self._database.mirrored_of(octets))):
                if self._salvaging.lacks(record, self._database.journal, self.source.fork):
                    self._database.append_salvaged(record)
                    count += 1
        except ValueError as error:
            self._link.fail(f"salvaged events cannot be taken: {error}")
        else:
            self._events.append(Say(f"{count} events of the former active were salvaged"))
