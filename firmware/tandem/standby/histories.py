"""Histories: which records two members have in common, and where their ways parted.

A record is named (epoch, number), never by its number alone. Whoever becomes active writes a claim; the claims
in their order are the history of a journal. Two histories share everything up to the fork: the last claim they
have in common, as far as both followed it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from tandem.codec.link import CLAIMS_MAX, Claim

__all__ = ["Claim", "Fork", "History", "descent", "fork"]


class Fork(NamedTuple):
    """The last claim in common (None: there is none) and the last record number in common."""

    claim: Claim | None
    number: int


class History:
    """The claims of one journal, oldest first; the newest `CLAIMS_MAX` of them are kept."""

    def __init__(self, claims: Sequence[Claim] = ()) -> None:
        self._claims = list(claims)[-CLAIMS_MAX:]

    @property
    def claims(self) -> tuple[Claim, ...]:
        """The claims kept, oldest first."""
        return tuple(self._claims)

    @property
    def epoch(self) -> int:
        """The epoch that records written now belong to; 0 before the first claim."""
        return self._claims[-1].epoch if self._claims else 0

    def next_claim(self, epoch: int, claim_id: bytes, head: int) -> Claim:
        """The claim with which a member whose journal reaches `head` would become active; not yet added."""
        parent = self._claims[-1].claim_id if self._claims else bytes(8)
        return Claim(epoch, claim_id, head + 1, parent, head)

    def add(self, claim: Claim) -> None:
        """Follow with a claim. Raises ValueError unless it descends from the newest and has a higher epoch."""
        newest = self._claims[-1].claim_id if self._claims else bytes(8)
        if claim.parent != newest or claim.epoch <= self.epoch or claim.first != claim.parent_last + 1:
            raise ValueError(f"claim of epoch {claim.epoch} from {claim.first} does not follow epoch {self.epoch}")
        self._claims = [*self._claims, claim][-CLAIMS_MAX:]

    def adopt(self, claims: Sequence[Claim]) -> bool:
        """The journal is from now on the active's: so is its history. True when that is a change."""
        if self.claims == tuple(claims):
            return False
        self._claims = list(claims)[-CLAIMS_MAX:]
        return True

    def epoch_at(self, number: int) -> int:
        """The epoch that a record of this number belongs to here; 0 where that is older than what is kept."""
        return next((claim.epoch for claim in reversed(self._claims) if claim.first <= number), 0)

    def clamp(self, epoch: int, number: int, head: int) -> int | None:
        """What (epoch, number), said by a peer, means in this journal: never above its head; None: nothing.

        A number that the peer reached in an epoch which was left here at a lower number counts up to there only.
        """
        if not number:
            return 0
        for at, claim in enumerate(self._claims):
            if claim.epoch == epoch:
                return min(number, _end(self._claims, at, head))
        return None

    def to_json(self) -> str:
        """The persisted form."""
        rows = [[c.epoch, c.claim_id.hex(), c.first, c.parent.hex(), c.parent_last] for c in self._claims]
        return json.dumps({"claims": rows})

    @classmethod
    def from_json(cls, text: str) -> History:
        """Read the persisted form. Raises ValueError with a sentence when it is damaged."""
        try:
            rows = json.loads(text)["claims"]
            claims = [Claim(int(e), bytes.fromhex(i), int(f), bytes.fromhex(p), int(n)) for e, i, f, p, n in rows]
            if any(not _is_sane(claim) for claim in claims):
                raise ValueError("a claim is out of range")
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise ValueError(f"the history of claims is damaged: {error}; remove the file to start anew") from None
        return cls(claims)


def _is_sane(claim: Claim) -> bool:
    ids = len(claim.claim_id) == len(claim.parent) == 8
    return ids and 0 < claim.epoch < 1 << 32 and 0 < claim.first < 1 << 64 and 0 <= claim.parent_last < 1 << 64


def fork(mine: Sequence[Claim], my_head: int, theirs: Sequence[Claim], their_head: int) -> Fork:
    """Where two histories part. A member whose head is at or below `Fork.number` resumes there; else it diverged."""
    places = {claim.claim_id: at for at, claim in enumerate(theirs)}
    for at in range(len(mine) - 1, -1, -1):
        there = places.get(mine[at].claim_id)
        if there is not None and mine[at] == theirs[there]:
            return Fork(mine[at], min(_end(mine, at, my_head), _end(theirs, there, their_head)))
    return Fork(None, 0)


def descent(mine: Sequence[Claim], theirs: Sequence[Claim]) -> int:
    """1: the newest own claim descends from their newest; -1: theirs from the own; 0: neither."""
    if not mine or not theirs or mine[-1] == theirs[-1]:
        return 0
    return (theirs[-1] in mine) - (mine[-1] in theirs)


def _end(claims: Sequence[Claim], at: int, head: int) -> int:
    """The last number that a history still has of its claim at place `at`, or of those before it.

    Every later claim may have cut it shorter: a member that lost its journal claims again from a lower number.
    """
    return min([head, *(claim.parent_last for claim in claims[at + 1 :])])
