"""One session of the hot-standby link: frames in and out, and the hellos that begin it.

A stream carries one session after the other: whenever a member's role or journal was replaced it says hello again,
under a new session number. A hello echoes the newest session heard from the other side, and a session stands when
the peer's hello echoes ours; whatever arrives in between was written for the session before and is dropped.

    a: HELLO 1 echo 0 ->          <- b: HELLO 1 echo 0
    a: HELLO 1 echo 1 ->          <- b: HELLO 1 echo 1        both stand
    a becomes active: HELLO 2 echo 1 ->
                                  <- b: HELLO 1 echo 2        both stand anew
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tandem.codec.link import FrameError, Hello, Message, Refuse
from tandem.codec.link_read import Splitter
from tandem.point import SECOND

HELLO_WAIT_NS = 3 * SECOND
_MOST_UNREAD = 16 << 20  # octets that may wait for the port; the windows above keep far below


@dataclass(slots=True, frozen=True)
class Identity:
    """Who this member is; `nonce` is that of its beats, `table` and `config` are digests of 32 octets."""

    member: str
    group: str
    nonce: int
    table: bytes
    config: bytes


class Link:
    """Frames and hellos over one stream at a time. `compose(session, echo)` makes the hello of the moment."""

    def __init__(self, me: Identity, compose: Callable[[int, int], Hello]) -> None:
        self.me = me
        self.alike: frozenset[bytes] = frozenset()
        """Digests of other point tables whose ids mean the same names as ours: the two sides of a commit."""
        self.peer: Hello | None = None
        """The hello of the session that stands; None: none does."""
        self.fault = ""
        """Why the stream is to be closed; nothing is read or written any more."""
        self.is_open = False
        self._compose = compose
        self._session = 0
        self._heard = 0
        self._echoed = 0
        self._splitter = Splitter()
        self._out: list[bytes] = []
        self._waiting = 0
        self._hello_ns = 0

    def opened(self, now: int) -> None:
        """A new stream: say hello."""
        self._splitter = Splitter()
        self.is_open, self.fault, self._heard = True, "", 0
        self.restart(now)

    def closed(self) -> None:
        """The stream is gone."""
        self.is_open, self.peer = False, None
        self._drop()

    def restart(self, now: int) -> None:
        """End the session and ask for a new one; what was queued in the old one and not drained never leaves."""
        self.peer = None
        self._drop()
        self._session += 1
        self._hello_ns = now
        self._hello()

    def send(self, *messages: Message) -> int:
        """Queue frames; returns their octets."""
        if not self.is_open or self.fault:
            return 0
        octets = b"".join(message.encode() for message in messages)
        self._out.append(octets)
        self._waiting += len(octets)
        if self._waiting > _MOST_UNREAD:
            self.fail(f"{self._waiting} octets wait to be sent and nobody takes them")
        return len(octets)

    def outgoing(self) -> bytes:
        """Drain the octets to send."""
        octets = b"".join(self._out)
        self._drop()
        return octets

    def split(self, data: bytes) -> list[Message]:
        """The messages in the octets; a stream that is none ends here."""
        if not self.is_open or self.fault:
            return []
        try:
            return self._splitter.feed(data)
        except FrameError as error:
            self.fail(str(error))
            return []

    def hello(self, hello: Hello) -> bool:
        """The peer's hello: True when a session stands that did not stand before."""
        refusal = self._refusal(hello)
        if refusal:
            self.fail(refusal)
            self._out.append(Refuse(refusal).encode())
            return False
        before = self._heard, self.peer is not None
        self._heard = hello.session
        self.peer = hello if hello.echo == self._session else None
        if self._echoed != self._heard:
            self._hello()
        return self.peer is not None and before != (self._heard, True)

    def tables(self, hello: Hello) -> str:
        """Which tables differ, as a sentence; empty when members with these hellos may mirror."""
        if hello.table == self.me.table or hello.table in self.alike:
            return ""
        if hello.config != self.me.config:
            return "the members have different configurations: commit one of them on both"
        return "the members gave their points different ids: the standby adopts the active's"

    def fail(self, reason: str) -> None:
        """The stream cannot go on; the first reason counts. What was queued never leaves."""
        self.fault = self.fault or reason
        self.peer = None
        self._drop()

    def tick(self, now: int) -> None:
        """A peer that never says hello is given up."""
        if self.is_open and self.peer is None and now - self._hello_ns >= HELLO_WAIT_NS:
            self.fail("the peer did not answer the hello in 3 s")

    def due(self) -> int | None:
        """When `tick` must be called next."""
        return self._hello_ns + HELLO_WAIT_NS if self.is_open and self.peer is None and not self.fault else None

    def _drop(self) -> None:
        self._out.clear()
        self._waiting = 0

    def _hello(self) -> None:
        self._echoed = self._heard
        self.send(self._compose(self._session, self._heard))

    def _refusal(self, hello: Hello) -> str:
        if hello.group != self.me.group:
            return f"this is group {self.me.group!r}, not {hello.group!r}: correct the address or pair anew"
        if hello.member == self.me.member:
            return f"both ends say that they are member {hello.member}: correct the letter of one of them"
        return ""
