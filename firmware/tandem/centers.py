"""Control centers that talk to the group: on which member each is started, and how much of it is unconfirmed there.

A center's connections over both members are one redundancy group: the one that was started last has the data, any
other stops. Each start takes the next turn, and the member tells its peer (turn, itself, started, objects unconfirmed)
whenever that changes; the higher turn is right. What a dead member had unconfirmed its successor sends again and
counts.
"""

from __future__ import annotations

import struct

from tandem.point import MS
from tandem.service import Service
from tandem.standby.mirror import Mirror

KEY = "center."
"""Before "slave.center" in the keys of the states that both members tell."""
_WORD = struct.Struct("<IcBI")
_U32 = 0xFFFF_FFFF
_PACE_NS = 10 * MS
"""While events flow the count of unconfirmed ones is told so often: a successor may count the last of them short."""


class Centers:
    """One member's view; `tick` once a turn, when the sessions have sent and before the mirror is flushed."""

    def __init__(self, member: str, service: Service, mirror: Mirror) -> None:
        self._member = member
        self._service = service
        self._mirror = mirror
        self._turns: dict[str, tuple[int, str]] = {}  # by "slave.center": the newest start, and whose it was
        self._states = dict.fromkeys(service.shared(), (False, 0))  # here: is started, objects unconfirmed
        self._owed: dict[str, None] = {}  # centers whose state the peer was not told yet
        self._tell_at = 0
        for center in self._states:  # now, so that no later state can take its place from it
            self._tell(center, 0)

    def tick(self, now: int) -> None:
        """Tell what changed here: starts, ends and the last confirmation at once, counts that go up and down later."""
        for center, anew, started, unconfirmed in self._service.flights():
            before, self._states[center] = self._states[center], (started, unconfirmed)
            if anew:
                self._turns[center] = self._turns.get(center, (0, ""))[0] + 1 & _U32, self._member
            self._owed[center] = None
            if anew or not unconfirmed or started != before[0]:
                self._tell_at = now
        if self._owed and now >= self._tell_at:
            self._tell_at = now + _PACE_NS
            for center in self._owed:
                turn, owner = self._turns.get(center, (0, ""))
                if owner == self._member:
                    self._tell(center, turn)
            self._owed.clear()

    def _tell(self, center: str, turn: int) -> None:
        started, unconfirmed = self._states[center]
        word = _WORD.pack(turn, self._member.encode(), started, min(unconfirmed, _U32))
        self._mirror.state(KEY + center, word)

    def heard(self, key: str, octets: bytes, now: int) -> None:
        """The peer's word about a center; one that cannot be read, or is of a center not shared here, is nothing."""
        center = key.removeprefix(KEY)
        if len(octets) != _WORD.size or center not in self._states:
            return
        turn, letter, started, unconfirmed = _WORD.unpack(octets)
        word = turn, letter.decode("latin-1")
        known = self._turns.get(center, (0, ""))
        if not turn or word[1] == self._member or word < known:
            return
        mine_started = self._states[center][0]
        if word > known and mine_started and not started:  # its start is over, and this member has forgotten the turns
            self._turns[center] = turn + 1 & _U32, self._member
            self._tell(center, turn + 1 & _U32)
            return
        self._turns[center] = word
        self._service.elsewhere(center, bool(started) and word > known, unconfirmed, now)
