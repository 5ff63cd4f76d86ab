"""Words that must arrive: what was given back is said three times at once, in three rounds a beat apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from tandem.codec.beat import DRAINED, BeatBody, Kind

TIMES = 3


class _Round(NamedTuple):
    kind: Kind
    epoch: int
    flags: int
    left: int
    at: int


class Releases:
    """What a heart gave back and still says; `now` is monotonic ns."""

    def __init__(self, heartbeat_ns: int) -> None:
        self._heartbeat_ns = heartbeat_ns
        self._rounds: list[_Round] = []

    def __bool__(self) -> bool:
        return bool(self._rounds)

    def clear(self) -> None:
        """Claimed or lost again: nothing more is said of it."""
        self._rounds.clear()

    def add(self, kind: Kind, epoch: int, flags: int, now: int) -> None:
        """`kind` is said of this epoch from now on; `flags`: DRAINED or 0."""
        self._rounds.append(_Round(kind, epoch, flags, TIMES, now))

    def due(self, now: int, body: BeatBody, send: Callable[[Kind, BeatBody, int], None]) -> None:
        """Say what is due, with the words of `body`."""
        self._rounds = list(self._rest(now, body, send))

    def _rest(self, now: int, body: BeatBody, send: Callable[[Kind, BeatBody, int], None]) -> Iterator[_Round]:
        for one in self._rounds:
            if now < one.at:
                yield one
                continue
            words = body._replace(epoch=one.epoch, flags=body.flags & ~DRAINED | one.flags)
            for _ in range(TIMES if one.left == TIMES else 1):
                send(one.kind, words, now)
            if one.left > 1:
                yield one._replace(left=one.left - 1, at=now + self._heartbeat_ns)
