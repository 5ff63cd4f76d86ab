"""In sync is a lease: what the active may release, and what the standby may believe. Two engines with injected time.

The promise: a standby that believes itself in sync has every record that a device or a control center was answered
for. `Granter` keeps it on the active by three states:

    alone        nothing is promised; everything may leave up to the head
    granted      beats say so; nothing leaves above what the standby acknowledged
    withdrawing  beats say `withdrawn`; still nothing leaves above it, until the standby cannot believe any more

    alone -> granted         image whole, tables equal, the head once acknowledged, no acknowledgement owed too long
    granted -> withdrawing   an acknowledgement is owed for longer than `ACK_AGE_MAX_NS`, or the image is whole no more
    withdrawing -> granted   as from alone: the standby caught up before it was given up
    withdrawing -> alone     the standby heard `withdrawn` (it echoes such a beat and believes no more), or rebooted,
                             or is out of service, or S + J passed since the last granting beat was sent

An acknowledgement is owed from the moment a frame was handed to the link (a probe goes out when nothing else does),
or from the moment the link was lost. So a link that drops while beats live costs the 50 ms and one round of beats;
a standby that is slow costs the same, and gets its grant again when it has caught up. The end of a stream alone is
never enough: a standby that lost only the stream still believes its last beat.
"""

from __future__ import annotations

import enum
from collections import deque

from tandem.point import MS

ACK_AGE_MAX_NS = 50 * MS
_FORMER_KEPT = 8
_U32, _HALF = 0xFFFF_FFFF, 1 << 31  # beat counters wrap


class Grant(enum.Enum):
    """What the active's beats say, and what its limit is."""

    ALONE = "alone"
    GRANTED = "granted"
    WITHDRAWING = "withdrawing"


class Granter:
    """The active's side. Lives as long as the process: a promise outlives the role it was given in."""

    def __init__(self, sync_lease_ns: int, tick_ns: int = 10 * MS) -> None:
        """`sync_lease_ns` is S, `tick_ns` is J."""
        self._patience_ns = sync_lease_ns + tick_ns
        self.state = Grant.ALONE
        self.active = False
        self.released_seq = 0
        """The highest number that any device or center was answered for; travels in every beat."""
        self.acknowledged = 0
        self.durable: int | None = None
        """With a durable journal: up to where it is on flash, and nothing above it leaves either."""
        self.reason = "no standby was seen yet"
        """Why the state is what it is, as a sentence."""
        self._unprotected = True
        self._synced = False
        self._goal: int | None = None  # the head of some moment since the image became whole; to be acknowledged once
        self._reached = False
        self._barred = False
        self._owed_since: int | None = None
        self._peer_nonce = 0
        self._former: deque[int] = deque(maxlen=_FORMER_KEPT)  # boots of the peer that are over
        self._believed = False  # a beat may have promised something that somebody still believes
        self._believer = 0  # who: the peer's nonce then; 0: not known
        self._withdrawn_ns: int | None = None  # since then every beat says so

    @property
    def granting(self) -> bool:
        """What the next beat says: True while the standby may believe."""
        return self.active and self.state is Grant.GRANTED

    @property
    def binding(self) -> bool:
        """A standby may believe itself in sync: nothing leaves that it does not have."""
        return self.state is not Grant.ALONE

    @property
    def unprotected(self) -> bool:
        """Sticky from going on alone until a new grant. False on a member that is not active."""
        return self.active and self._unprotected

    def limit(self, head: int) -> int:
        """The highest number that may leave."""
        most = min(head, self.acknowledged) if self.binding else head
        return most if self.durable is None else min(most, self.durable)

    def released(self, number: int) -> None:
        """Something up to `number` left towards a device or a center."""
        if number > self.released_seq:
            self.released_seq = number

    def booted(self, now: int) -> None:
        """This process has just started: until S + J the promise of the one before it may still be believed.

        A member that waits longer than that before it becomes active notices nothing of it.
        """
        self._believed, self._believer, self._withdrawn_ns = True, 0, now

    def start(self, head: int, now: int) -> None:
        """This member becomes active with a journal up to `head`. One that nobody believes is alone at once."""
        self.tick(now)
        self.active, self._unprotected = True, True
        self.released_seq = head  # of what the former active released nothing is known but that it is not above
        self.unsynced("this member has just become active")
        self._owed_since = None
        if self._believed:  # the promise of an earlier term
            self.state = Grant.WITHDRAWING
        else:
            self.state, self.acknowledged = Grant.ALONE, head

    def stop(self) -> None:
        """This member is active no more; what it promised in its last beats stands until it has lapsed."""
        self.active = False
        self.unsynced("this member is not active")

    def synced(self, number: int) -> None:
        """The standby's image is whole, of this history, and reaches up to `number`."""
        self._synced, self._goal, self._reached = True, None, False
        self.acknowledged = number if self.state is Grant.ALONE else max(self.acknowledged, number)

    def unsynced(self, reason: str) -> None:
        """The standby's image is not whole (any more), or its point table is another."""
        self._synced = self._reached = False
        if self.state is Grant.GRANTED:
            self._withdraw(reason)

    def acknowledge(self, number: int, head: int, owed_since: int | None, now: int) -> None:
        """The standby applied up to `number`; the oldest frame it still owes for was sent at `owed_since`."""
        self._owed_since = owed_since
        if not self._synced:
            return
        if number > self.acknowledged:
            self.acknowledged = number
        if self._goal is None:
            self._goal = head
        self._reached = self._reached or number >= self._goal
        self.tick(now)

    def owed(self, since: int) -> None:
        """An acknowledgement is owed since then: a frame was sent, or the link was lost. The earliest counts."""
        if self._owed_since is None:
            self._owed_since = since

    def published(self, granting: bool, now: int) -> None:
        """Beats whose turn began after `now` say this; to be told whenever it may have changed."""
        if granting:
            self._believed, self._withdrawn_ns = True, None
            self._believer = self._peer_nonce
        elif self._believed and self._withdrawn_ns is None:
            self._withdrawn_ns = now

    def peer_hello(self, nonce: int) -> bool:
        """The peer's boot nonce, of a hello or a fresh beat: another boot believes nothing that the last one heard.

        False for a boot that is over: its last beats may still be on their way.
        """
        if nonce in self._former:
            return False
        if nonce != self._peer_nonce:
            self._former.append(self._peer_nonce)
            self._peer_nonce = nonce
            if self._believed and self._believer:
                if self.state is Grant.GRANTED:
                    self._withdraw("the standby rebooted")
                self._forget("the standby rebooted")
        return True

    def peer_beat(self, nonce: int, echoed_ns: int, in_sync: bool, out_of_service: bool, now: int) -> None:
        """A fresh beat of the peer, whose nonce is that of its hello (one boot, one nonce).

        `echoed_ns`: when the own beat that it echoes was sent; `in_sync`: it believes. A peer hands beats to its
        `Lease` before it acts on anything, so the echo of a withdrawn one is the answer.
        """
        if not self.peer_hello(nonce):
            return
        heard = self._withdrawn_ns is not None and echoed_ns >= self._withdrawn_ns and not in_sync
        self._barred = out_of_service
        if out_of_service:
            if self.state is Grant.GRANTED:
                self._withdraw("the standby is out of service")
            self._forget("the standby is out of service")
        elif heard and self.state is not Grant.GRANTED:
            self._forget("the standby heard that the grant is withdrawn")
        self.tick(now)

    def tick(self, now: int) -> None:
        """Withdraw, go on alone or grant where that is due."""
        late = self._owed_since is not None and now - self._owed_since > ACK_AGE_MAX_NS
        if self.state is Grant.GRANTED:
            if late:
                self._withdraw("the standby's acknowledgement is late")
            return
        if self._withdrawn_ns is not None and now - self._withdrawn_ns > self._patience_ns:
            self._forget("the standby's lease has run out")
        if self.active and self._synced and self._reached and not late and not self._barred:
            self.state, self._unprotected = Grant.GRANTED, False
            self.reason = "the standby has everything"

    def due(self) -> int | None:
        """When `tick` must be called next."""
        if self.state is Grant.GRANTED:
            return None if self._owed_since is None else self._owed_since + ACK_AGE_MAX_NS + 1
        return None if self._withdrawn_ns is None else self._withdrawn_ns + self._patience_ns + 1

    def _withdraw(self, reason: str) -> None:
        self.state, self.reason = Grant.WITHDRAWING, reason
        self._goal, self._reached = None, False
        if not self._believed:
            self._forget(reason)

    def _forget(self, reason: str) -> None:
        """Nobody believes an earlier promise any more."""
        self._believed, self._withdrawn_ns = False, None
        if self.state is Grant.WITHDRAWING:
            self.state, self._unprotected = Grant.ALONE, True
            self.reason = f"alone: {reason}"


class Lease:
    """The standby's side: may this member call itself in sync when it turns active?"""

    def __init__(self, sync_lease_ns: int) -> None:
        """`sync_lease_ns` is S."""
        self._lease_ns = sync_lease_ns
        self.applied = 0
        self.whole = False
        """The image is whole and has no gap; set by the mirror."""
        self.epoch = 0
        """The epoch of the history that the image follows; set by the mirror."""
        self.released_seq = 0
        self.named_seq = 0
        """The highest number that an active ever named as released: so far its standby's records may have been told."""
        self._since: int | None = None
        self._beat_epoch = 0
        self._nonce = 0
        self._former: deque[int] = deque(maxlen=_FORMER_KEPT)
        self._counter = 0
        self._echoed_ns = 0

    def beat(self, nonce: int, counter: int, granting: bool, epoch: int, released_seq: int, echoed_ns: int) -> None:
        """A fresh beat of the peer. `echoed_ns`: when the own beat that it echoes was sent.

        That is never later than the peer sent this one, so a beat that was long on its way, or waited in a buffer,
        cannot be believed longer than the peer's own patience. A beat older than the newest heard, or of
        a boot that is over, says nothing: a boot that was never heard of and echoes what is older is over too.
        """
        if nonce != self._nonce and nonce not in self._former and echoed_ns >= self._echoed_ns:
            self._former.append(self._nonce)
            self._nonce = nonce
        elif nonce != self._nonce or (counter - self._counter - 1) & _U32 >= _HALF:
            return
        self._counter, self._echoed_ns = counter, echoed_ns
        self._since = echoed_ns if granting else None
        self._beat_epoch = epoch
        self.released_seq = released_seq
        self.named_seq = max(self.named_seq, released_seq)

    def in_sync(self, now: int) -> bool:
        """True when this member may promote as one that has everything."""
        return not self.reason(now)

    def reason(self, now: int) -> str:
        """Why this member is not in sync, as a sentence; empty when it is."""
        if not self.whole:
            return "the image is not whole"
        if self._since is None:
            return "the active grants nothing"
        if now - self._since >= self._lease_ns:
            return "the last grant is too old"
        if self._beat_epoch != self.epoch:
            return f"the grant is of epoch {self._beat_epoch}, the image of epoch {self.epoch}"
        if self.applied < self.released_seq:
            return f"record {self.released_seq} was released and only {self.applied} is here"
        return ""

    def clear(self) -> None:
        """Every belief ends: the role changed. The counters stay, so that no older beat counts again."""
        self._since = None
        self.whole = False

    def due(self) -> int | None:
        """When the lease runs out."""
        return None if self._since is None else self._since + self._lease_ns
