"""The mirror: the hot-standby link of one member as an engine.

    octets -> Link -> session -> Source (active)   slices, snapshot, cursors, state ->  <- acknowledgements
                             \\-> Sink   (standby)  controls, cursors, salvage       ->  <- reports

One object lives as long as the process, over many streams, one at a time. The owner calls `flush` at the end of every
turn, on both members. Events: `Say`, `Close`, `Report`, and those of `told`.
"""

from __future__ import annotations

from dataclasses import replace

from tandem.codec.link import Ack, CursorAt, Hello, Order, Refuse, Slice, State
from tandem.codec.link_commit import CommitWord, Piece
from tandem.engine import earliest
from tandem.point import Command, Outcome, Report, Stage
from tandem.standby.histories import Claim
from tandem.standby.session import TWO_ACTIVES, Sessions
from tandem.standby.source import SILENCE_NS

_EVERYDAY = frozenset({Ack, CursorAt, Slice, State})


class Mirror(Sessions):
    """One member's end. `registry_json` is sent where only ids differ; `next_ref` gives refs to forwarded controls."""

    # --- roles ----------------------------------------------------------------------------------------------------

    def set_role(self, active: bool, now: int, claim: Claim | None = None) -> None:
        """Become active under `claim` (`history.next_claim`, already on flash), or be it no more; begins a new session.

        Raises ValueError for a claim that does not follow this member's history.
        """
        if claim is not None:
            self.history.add(claim)
        head = self._database.journal.head
        self._end_session("the role changed", now)
        self.active = active
        if active:
            self.cursors.clamp(head)
            self.lease.clear()
            self.granter.start(head, now)
        else:
            self.granter.stop()
        self.sink.fresh_ns = now
        if self._link.is_open and not self._link.fault:
            self._link.restart(now)

    def set_nonce(self, nonce: int) -> None:
        """The heart is up: its nonce stands in beats and, from the next one on, in hellos."""
        self._link.me = replace(self._link.me, nonce=nonce)

    @property
    def mirroring(self) -> bool:
        """True while a session sends or follows."""
        return not self.trouble

    @property
    def two_actives(self) -> bool:
        """The last session began with two members that say they are active; nothing was mirrored since."""
        return self.trouble == TWO_ACTIVES

    @property
    def silent_since(self) -> int:
        """On a standby: when its image was last known to be the active's (ns)."""
        return self.sink.fresh_ns

    # --- the five verbs -------------------------------------------------------------------------------------------

    def opened(self, now: int) -> None:
        """A stream to the peer is up; it takes the place of a former one."""
        self.closed(now, "another stream took its place")
        self._told_fault = False
        self._resyncs = 0
        self._heard_ns = now
        self._link.opened(now)

    def closed(self, now: int, reason: str) -> None:
        """The stream is gone: acknowledgements are owed from now on, forwarded controls end."""
        if not self._link.is_open:
            return
        self._link.closed()
        self._end_session(f"the hot-standby link was lost ({reason})", now)

    def receive(self, data: bytes, now: int) -> bool:
        """Octets came. True when a decision may depend on it: records and their acknowledgements are everyday."""
        news, granting = False, self.granter.granting
        for message in self._link.split(data):
            self._heard_ns = now
            news = news or type(message) not in _EVERYDAY
            if isinstance(message, Hello):
                self._hello(message, now)
            elif isinstance(message, Refuse):
                self._link.fail(f"the other member refuses: {message.sentence}")
            elif self._link.peer is not None:
                self._message(message, now)
            if self._link.fault:
                break
        self._check(now)
        return news or bool(self._link.fault) or granting is not self.granter.granting

    def tick(self, now: int) -> None:
        """Probe, give up, withdraw, grant: what is due."""
        self._link.tick(now)
        self.source.tick(now)
        self.granter.tick(now)
        if now >= self.apart.ask_at and self._link.peer is not None and not self._link.fault:
            self._link.send(self.apart.ask(now))
        if self.sink.following and now - self._heard_ns >= SILENCE_NS:
            self._link.fail("the active said nothing for 3 s")
        self._check(now)

    def due(self) -> int | None:
        """When `tick` must be called next."""
        silence = self._heard_ns + SILENCE_NS if self.sink.following else None
        if self._link.fault:
            return self.granter.due()
        return earliest(self._link.due(), self.source.due(), self.granter.due(), silence)

    def flush(self, now: int) -> None:
        """The end of a turn: what is new goes out behind what it needs; a standby acknowledges what it applied."""
        if self._link.peer is None or self._link.fault:
            return
        self.source.flush(now)
        ack = self.sink.ack()
        if ack is not None:
            self._link.send(ack)
        if (self.cursors.unsent or self._soft.unsent) and (covered := self._covered()) is not None:
            self._link.send(*self.cursors.covered(self.history, covered), *self._soft.drain())
        self._check(now)

    def outgoing(self) -> bytes:
        """Drain the octets to send."""
        octets = self._link.outgoing()
        if octets:
            self._forwarder.written()
        return octets

    def events(self) -> list[object]:
        """Drain what the owner must know."""
        events, self._events = self._events, []
        return events

    # --- what travels beside the records --------------------------------------------------------------------------

    def cursor(self, center: str, number: int) -> None:
        """A session of `center` here has confirmed everything up to `number`."""
        self.cursors.moved(center, number)

    def state(self, key: str, octets: bytes) -> None:
        """Soft state of the active, kept by key and told to every standby. Raises ValueError above its limits."""
        self._soft.put(key, octets)

    def forward(self, command: Command, beat: int, now: int) -> None:
        """Send a control to the active; `beat` is the newest of its beat counters heard. Answers come as `Report`."""
        if not self.sink.following:
            says = f"the control cannot be forwarded: {self.trouble or 'the mirror is not whole yet'}"
            self._events.append(Report(command.ref, Stage.CONFIRM, Outcome.NOT_SENT, says))
            return
        answer = self._forwarder.forward(command, beat)
        if isinstance(answer, Report):
            self._events.append(answer)
        else:
            self._link.send(answer)

    def report(self, report: Report) -> bool:
        """Send the answer to a forwarded control back; False when it did not come over this session."""
        frame = self._answerer.report(report)
        if frame is not None:
            self._link.send(frame)
        return frame is not None

    @property
    def linked(self) -> bool:
        """The peer is there and was understood."""
        return self._link.peer is not None and not self._link.fault

    def order(self, word: str, origin: str) -> bool:
        """Give the peer an order in the words of `orders`; False without a session."""
        return self._link.peer is not None and bool(self._link.send(Order(word, origin)))

    # --- a commit ----------------------------------------------------------------------------------------------------

    def alike(self, tables: frozenset[bytes]) -> None:
        """Members with these point tables may mirror with this one: their ids were proven to mean the same names."""
        self._link.alike = tables

    @property
    def peer(self) -> Hello | None:
        """The other member's hello while a session stands, whether anything is mirrored in it or not."""
        return self._link.peer

    def tell(self, message: CommitWord | Piece) -> bool:
        """A word about a commit for the other member, or a piece; False without a session."""
        return self._link.peer is not None and bool(self._link.send(message))

    def statistics(self) -> dict[str, float]:
        """Of the sending half, in ms and octets."""
        return self.source.statistics()
