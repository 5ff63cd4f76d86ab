"""How old a forwarded control is, without wall clocks: it quotes the newest beat of the active that its sender had
heard, and the active knows when it sent that beat."""

from __future__ import annotations

from collections import deque

from tandem.codec.heart import Heard

_KEPT = 256
_U32 = 0xFFFF_FFFF
_HALF = 1 << 31


class Quoted:
    """`newest` is the counter to quote on the standby; `is_young` judges a quotation on the active."""

    def __init__(self, expiry_ns: int) -> None:
        self.newest = 0
        self._expiry_ns = expiry_ns
        self._nonce = 0
        self._echoes: deque[tuple[int, int]] = deque(maxlen=_KEPT)  # (own counter, when it was sent)

    def heard(self, word: Heard) -> None:
        """A frame of the peer: its counter, and which of ours it echoes, sent when."""
        beat = word.beat
        if beat.nonce != self._nonce or (beat.counter - self.newest) & _U32 < _HALF:
            self._nonce, self.newest = beat.nonce, beat.counter
        if word.echo_age_ns >= 0:
            self._echoes.append((beat.echo_counter, word.at_ns - word.echo_age_ns))

    def is_young(self, counter: int, now: int) -> bool:
        """True when the beat of that counter left less than the expiry ago, as far as the echoes tell."""
        sent = [at for own, at in self._echoes if (counter - own) & _U32 < _HALF]
        return bool(sent) and now - max(sent) < self._expiry_ns
