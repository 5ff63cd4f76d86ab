"""Two members make each other's acquaintance over the crossover cable, and two people see that nobody is in between.

    seeking --HELLO--> revealing --REVEAL--> comparing --both say yes--> agreed --group handed over--> done
                                                 +------either says no, or nothing fits------> failed

Each commits to its key before it sees the other's, so whoever sits in the cable has one guess at six digits, in front
of two people who compare them. From the agreed secret come the key of the beats and the MAC of all that follows.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import sha256

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

from tandem.config.model import Member
from tandem.firstboot.frame import Finder, Type, pack
from tandem.point import MS

AGAIN_MS = 300
"""What the peer may have missed is said again so often."""
LINGER_MS = 3000
"""One that is done still answers for so long: its last word may have been lost."""
GROUP_MAX = 4 << 20
_PART = 512
_MAC = 16
_NONCE = 16
_NONE, _WANTS, _HAS = 0, 1, 2

Said = tuple[str, str]
"""(what, text): "found", "code", "sentence", "progress", "done" or "failed"."""


@dataclass(slots=True, frozen=True)
class Paired:
    """What a pairing leaves: the peer's certificate (DER), the key of the beats, the group's pack ("": none came)."""

    certificate: bytes
    beat_key: bytes
    group: str


class Pairing:
    """One member's side. `private` 32 and `nonce` 16 random octets; `group`: a pack to give, None: one is wanted."""

    def __init__(
        self, member: Member, certificate: bytes, private: bytes, nonce: bytes, group: str | None, now: int
    ) -> None:
        self._member = member.encode()
        self._key = X25519PrivateKey.from_private_bytes(private)
        self._mine = self._key.public_key().public_bytes_raw() + nonce + certificate
        self._give = group.encode() if group else b""
        wish = _WANTS if group is None else _HAS if group else _NONE
        self._hello = self._member + bytes([wish]) + sha256(b"tandem pairing" + self._member + self._mine).digest()
        self._peer_hello = b""
        self._peer = b""
        self._secret = b""
        self._yes = self._peer_yes = False
        self._given = 0
        self._taken = bytearray()
        self._total = -1
        self._wants = group is None
        self._finder = Finder()
        self._out: list[bytes] = []
        self._events: list[Said] = []
        self._due = now
        self._until = 0
        self.state = "seeking"

    # --- the five verbs -------------------------------------------------------------------------------------------

    def receive(self, data: bytes, now: int) -> None:
        """Octets came from the line."""
        for kind, payload in self._finder.feed(data):
            if self.state != "failed":
                _HANDLERS[kind](self, payload)
                if self.state == "done" and not self._until:
                    self._until = now + LINGER_MS * MS

    def tick(self, now: int) -> None:
        """Say again what the peer may have missed."""
        if now < self._due or self.state == "failed" or self.over(now):
            return
        self._due = now + AGAIN_MS * MS
        self._out.append(pack(Type.HELLO, self._hello))
        if self._peer_hello:
            self._out.append(pack(Type.REVEAL, self._mine))
        if self._yes:
            self._out.append(pack(Type.AGREED, self._mac(b"agreed", self._member)))
        if self.state == "agreed":
            self._hand_over()

    def due(self) -> int:
        """When `tick` wants to be called."""
        return self._due

    def outgoing(self) -> bytes:
        """Octets for the line."""
        octets = b"".join(self._out)
        self._out.clear()
        return octets

    def events(self) -> list[Said]:
        """What people must know, in order."""
        events, self._events = self._events, []
        return events

    # --- the people's part ------------------------------------------------------------------------------------------

    def agree(self, same: bool, now: int) -> None:
        """Somebody compared the codes."""
        if self.state != "comparing":
            return
        if not same:
            self._out.append(pack(Type.REFUSED, self._mac(b"refused", self._member)))
            self._fail("the codes differ: nothing was exchanged. Look at the cable, and begin again at both members")
            return
        self._yes = True
        self._due = now
        self._settle()

    def over(self, now: int) -> bool:
        """Nothing is left to say to the peer."""
        return self.state == "done" and 0 < self._until <= now

    @property
    def result(self) -> Paired:
        """Of a pairing that is done."""
        group = self._taken.decode() if self._wants else ""
        return Paired(self._peer[32 + _NONCE :], self._derive(b"beats"), group)

    # --- what comes in ------------------------------------------------------------------------------------------------

    def _on_hello(self, payload: bytes) -> None:
        if len(payload) != 34 or (self.state != "seeking" and payload == self._peer_hello):
            return
        if payload[:1] == self._member:
            self._fail(f"the other member says that it is {self._member.decode()} too: one must be the other letter")
        elif self._wants and payload[1] != _HAS:
            self._fail("this member is to take the group from its peer, and the peer has none: give it to one first")
        elif self.state == "seeking":
            self._peer_hello = payload
            self.state = "revealing"
            self._due = 0
            self._events.append(("found", payload[:1].decode("ascii", "replace")))
        else:
            self._fail("the peer has begun anew: begin again here too")
        if self.state == "failed":
            self._out.append(pack(Type.HELLO, self._hello))  # so that the peer sees it too

    def _on_reveal(self, payload: bytes) -> None:
        if self.state != "revealing":
            return
        letter = self._peer_hello[:1]
        if sha256(b"tandem pairing" + letter + payload).digest() != self._peer_hello[2:] or len(payload) <= 32 + _NONCE:
            self._fail("the peer's key is not the one that it had announced: begin again at both members")
            return
        try:
            shared = self._key.exchange(X25519PublicKey.from_public_bytes(payload[:32]))
        except (ValueError, UnsupportedAlgorithm):
            self._fail("the peer's key is no key: begin again at both members")
            return
        self._peer = payload
        sides = sorted(((self._member, self._hello, self._mine), (letter, self._peer_hello, payload)))
        transcript = sha256(b"".join(len(part).to_bytes(2, "big") + part for side in sides for part in side)).digest()
        self._secret = hmac.digest(shared, b"tandem pairing" + transcript, sha256)
        number = int.from_bytes(self._derive(b"code")[:8], "big") % 1_000_000
        self.state = "comparing"
        self._events.append(("code", f"{number // 1000:03d} {number % 1000:03d}"))

    def _on_agreed(self, payload: bytes) -> None:
        if self._secret and hmac.compare_digest(payload, self._mac(b"agreed", self._peer_hello[:1])):
            if not self._peer_yes:
                self._peer_yes = True
                self._events.append(("sentence", "the other member's code was said to be the same"))
            self._settle()

    def _on_refused(self, payload: bytes) -> None:
        if self._secret and hmac.compare_digest(payload, self._mac(b"refused", self._peer_hello[:1])):
            self._fail("the codes were said to differ at the other member: nothing was exchanged; begin again at both")

    def _on_part(self, payload: bytes) -> None:
        body = payload[:-_MAC]
        if not self._wants or not self._yes or len(body) < 8 or payload[-_MAC:] != self._mac(b"part", body):
            return
        at, total = int.from_bytes(body[:4], "big"), int.from_bytes(body[4:8], "big")
        if total > GROUP_MAX:
            self._fail(f"the peer's group has {total} octets, more than {GROUP_MAX}")
            return
        if at == len(self._taken):
            self._taken += body[8:]
            self._total = total
        got = len(self._taken).to_bytes(4, "big")
        self._out.append(pack(Type.GOT, got + self._mac(b"got", got)))
        self._settle()

    def _on_got(self, payload: bytes) -> None:
        got = payload[:4]
        if self._give and self._secret and payload[4:] == self._mac(b"got", got):
            reached = int.from_bytes(got, "big")
            if self._given < reached <= len(self._give):
                self._given = reached
                self._events.append(("progress", f"{self._given} of {len(self._give)} octets of the group handed over"))
                if self.state == "agreed":
                    self._hand_over()
            self._settle()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        if self.state == "comparing" and self._yes and self._peer_yes:
            self.state = "agreed"
            self._due = 0
        if self.state != "agreed":
            return
        wanted = self._peer_hello[1] == _WANTS and bool(self._give)
        if (not self._wants or len(self._taken) == self._total) and (not wanted or self._given == len(self._give)):
            self.state = "done"
            self._due = 0
            self._events.append(("done", ""))

    def _hand_over(self) -> None:
        if self._peer_hello[1] == _WANTS and self._given < len(self._give):
            part = self._give[self._given : self._given + _PART]
            body = self._given.to_bytes(4, "big") + len(self._give).to_bytes(4, "big") + part
            self._out.append(pack(Type.PART, body + self._mac(b"part", body)))

    def _fail(self, sentence: str) -> None:
        self.state = "failed"
        self._events.append(("failed", sentence))

    def _derive(self, purpose: bytes) -> bytes:
        return hmac.digest(self._secret, b"tandem " + purpose, sha256)

    def _mac(self, purpose: bytes, body: bytes) -> bytes:
        return hmac.digest(self._derive(b"mac " + purpose), body, sha256)[:_MAC]


_HANDLERS = {
    Type.HELLO: Pairing._on_hello,
    Type.REVEAL: Pairing._on_reveal,
    Type.AGREED: Pairing._on_agreed,
    Type.REFUSED: Pairing._on_refused,
    Type.PART: Pairing._on_part,
    Type.GOT: Pairing._on_got,
}
