"""Between the beats and the sync lease: which beats carried a grant, which carried its withdrawal, which are fresh.

The heart sends; the node only knows when a heart's turn began. A turn that began after a page without the grant was
published sends no granting beat any more, so the time of such a turn serves as the number of the first withdrawn beat,
and the time at which an echoed beat was sent says whether the peer has heard it.
"""

from __future__ import annotations

from tandem.codec.beat import ALONE, GRANTING, IN_SYNC, WITHDRAWN, Role
from tandem.codec.heart import Heard
from tandem.point import MS
from tandem.standby.grant import Grant, Granter, Lease
from tandem.standby.guard_words import Rules

_LOOK_NS = 10 * MS
"""So often it is looked whether the heart has turned: a withdrawal counts from the last turn that is known."""


class Sync:
    """Both sides of the sync lease of one member, fed by what its heart tells."""

    def __init__(self, rules: Rules, sync_lease_ms: int) -> None:
        self.granter = Granter(sync_lease_ms * MS)
        self.lease = Lease(sync_lease_ms * MS)
        self._rules = rules
        self._granting_page = False
        self._withdrawn_page_ns: int | None = None
        self._looked_ns = 0

    def heard(self, word: Heard, now: int) -> None:
        """A verified frame of the peer; one that echoes nothing of ours, or something old, says nothing."""
        path, at_ns, age_ns, beat = word
        if not 0 <= age_ns < self._rules.dead_ns + 2 * self._rules.paths[path].delivery_ns:
            return
        sent_ns = at_ns - age_ns
        gone = beat.role in (Role.OUT_OF_SERVICE, Role.DEAD)
        self.granter.peer_beat(beat.nonce, sent_ns, bool(beat.flags & IN_SYNC), gone, now)
        if beat.role == Role.ACTIVE:
            granting = bool(beat.flags & GRANTING)
            self.lease.beat(beat.nonce, beat.counter, granting, beat.epoch, beat.released, sent_ns)

    def heart_turned(self, at_ns: int, now: int) -> None:
        """The heart began a turn at `at_ns`: what it sends from then on is of the page published before."""
        if self._withdrawn_page_ns is not None and at_ns > self._withdrawn_page_ns:
            self._withdrawn_page_ns = None
            self.granter.published(False, at_ns)

    def flags(self, now: int) -> int:
        """The flags of the next page; to be published at once."""
        granting = self.granter.granting
        self._looked_ns = now
        if self._granting_page and not granting:
            self._withdrawn_page_ns = now
        self._granting_page = granting
        if granting:
            self._withdrawn_page_ns = None
            self.granter.published(True, now)
            return GRANTING
        if not self.granter.active:
            return IN_SYNC if self.lease.in_sync(now) else 0
        return WITHDRAWN if self.granter.state is Grant.WITHDRAWING else WITHDRAWN | ALONE

    def due(self) -> int | None:
        """When to hear whether a beat has told the withdrawal; None where nothing waits for that."""
        return None if self._withdrawn_page_ns is None else self._looked_ns + _LOOK_NS
