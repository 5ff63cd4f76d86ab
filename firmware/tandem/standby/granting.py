"""The rules of a granting witness: one group's right to serve alone, given to one member at a time by compare-and-set.

A TAKE names member, epoch and time to live. It is granted when nobody else's time runs and no later epoch was ever
granted. What changes holder or epoch must be on flash before the answer leaves. A witness that begins anew waits: until
then only the holder that it remembers is granted what it had.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from typing import NamedTuple

from tandem.codec.witness import TTL_MOST_MS, Frame, Holder, Kind, WitnessSeal

ECHO_NS = 5_000_000_000
"""An answer that is echoed later than this proves nothing any more."""
_ANSWERS_KEPT = 256
_NONCES_KEPT = 8
_MS = 1_000_000


class Held(NamedTuple):
    """What is remembered over a power cut."""

    holder: int = Holder.NOBODY
    epoch: int = 0
    ttl_ms: int = TTL_MOST_MS

    def to_json(self) -> str:
        """The persisted form."""
        return json.dumps(self._asdict())

    @classmethod
    def of(cls, text: str) -> Held:
        """From the persisted form; "" is a witness that never granted. Raises ValueError with a sentence."""
        if not text:
            return cls()
        try:
            row = json.loads(text)
            held = cls(*(int(row[name]) for name in cls._fields))
        except (ValueError, TypeError, KeyError) as error:
            raise ValueError(f"what was granted cannot be read ({error!r})") from None
        if held.holder not in (Holder.NOBODY, Holder.A, Holder.B) or not 0 < held.ttl_ms <= TTL_MOST_MS:
            raise ValueError(f"what was granted cannot be so: {text}")
        return held


class Answer(NamedTuple):
    """`keep` ("": nothing) must be on flash before `octets` leave; where that fails they must not leave at all."""

    octets: bytes
    keep: str
    said: str


class Granting:
    """One group. `nonce` is drawn at each start and never 0; `past` is what the flash holds; `now` monotonic ns."""

    def __init__(self, seal: WitnessSeal, nonce: int, past: Held, now: int) -> None:
        self.held = past
        self.strangers = 0
        """Datagrams that the key did not sign."""
        self._seal = seal
        self._nonce = nonce
        self._until = self._waits_until = now + past.ttl_ms * _MS
        self._holder_nonce = 0
        self._on_flash = past
        self._counter = 0
        self._sent = [0] * _ANSWERS_KEPT
        self._heard: OrderedDict[tuple[int, int], int] = OrderedDict()  # (member, nonce) -> highest counter

    def receive(self, octets: bytes, now: int) -> Answer | None:
        """A datagram; None where it is not worth an answer."""
        frame = self._seal.verify(octets)
        if frame is None or frame.kind > Kind.RELEASE or not frame.nonce:
            self.strangers += 1
            return None
        if frame.kind != Kind.ASK and self._fresh(frame, now):
            if not self._newest(frame):
                return None
            if frame.kind == Kind.TAKE:
                return self._take(frame, now)
            return self._answer(Kind.HERE, frame, now, said=self._release(frame, now))
        return self._answer(Kind.HERE, frame, now)

    def kept(self) -> None:
        """What the last answer wanted kept is on flash."""
        self._on_flash = self.held

    def holder(self, now: int) -> int:
        """Whose time runs."""
        if now < self._waits_until:
            return Holder.NOT_KNOWN
        return self.held.holder if now < self._until else Holder.NOBODY

    def _fresh(self, frame: Frame, now: int) -> bool:
        behind = self._counter - frame.echo_counter
        if frame.echo_nonce != self._nonce or not 0 <= behind < min(_ANSWERS_KEPT, self._counter):
            return False
        return now - self._sent[frame.echo_counter % _ANSWERS_KEPT] <= ECHO_NS

    def _newest(self, frame: Frame) -> bool:
        """A frame that somebody recorded and sends again is older than one that was heard."""
        key = frame.member, frame.nonce
        if frame.counter <= self._heard.get(key, 0):
            return False
        self._heard[key] = frame.counter
        while len(self._heard) > _NONCES_KEPT:
            self._heard.popitem(last=False)
        return True

    def _take(self, frame: Frame, now: int) -> Answer:
        me = frame.member + 1
        mine = self.held.holder == me
        remembered = mine and frame.epoch == self.held.epoch
        if now < self._waits_until and not remembered:
            return self._answer(Kind.REFUSED, frame, now)
        if frame.epoch < self.held.epoch or (self.holder(now) != Holder.NOBODY and not mine):
            return self._answer(Kind.REFUSED, frame, now)
        ttl_ms = max(1, min(frame.ttl_ms, TTL_MOST_MS))
        news = not mine or not self._runs(now)
        self.held = Held(me, frame.epoch, ttl_ms)
        self._holder_nonce = frame.nonce
        self._until, self._waits_until = now + ttl_ms * _MS, 0
        keep = self.held.to_json() if self.held != self._on_flash else ""
        said = f"granted to {'ab'[frame.member]} in epoch {frame.epoch} for {ttl_ms} ms" if news else ""
        return self._answer(Kind.GRANTED, frame, now, keep, said)

    def _runs(self, now: int) -> bool:
        return now < self._until

    def _release(self, frame: Frame, now: int) -> str:
        """Only who took it gives it back; what the flash says may stay: it costs a wait after a restart."""
        if self.held.holder != frame.member + 1 or frame.nonce != self._holder_nonce or not self._runs(now):
            return ""
        self._until = now
        return f"given back by {'ab'[frame.member]}"

    def _answer(self, kind: Kind, frame: Frame, now: int, keep: str = "", said: str = "") -> Answer:
        self._counter += 1
        self._sent[self._counter % _ANSWERS_KEPT] = now
        left_ms = max(0, max(self._until, self._waits_until) - now) // _MS
        octets = self._seal.pack(
            Frame(
                kind, frame.member, self.holder(now), left_ms, self._nonce, self._counter, frame.nonce, frame.counter,
                self.held.epoch,
            )
        )  # fmt: skip
        return Answer(octets, keep, said)
