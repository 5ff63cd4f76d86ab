"""What control centers made a member remember for them (parameters, frozen counters), as both members have it.

A page of it carries a turn: each change takes the next one, and the higher turn is right, of equal ones the later
letter. Of a center with a buffer on each member a page belongs to one member; the other one keeps it for its return.

Who hears a page keeps it and tells it again; so its own word, coming back, says that both have it. A center's write is
confirmed to it then and not before, as long as there is a member that must have it.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import NamedTuple

from tandem.archive.durable import Pages
from tandem.point import MS, Say
from tandem.service import Service
from tandem.standby.mirror import Mirror

KEY = "outside."
"""Before the center's key, a common address and a page in the keys of the states that both members tell."""
_TURN = struct.Struct("<Ic")
_U32 = 0xFFFF_FFFF


class _Owed(NamedTuple):
    """A page that the other member has not told again yet, since when (ns)."""

    turn: tuple[int, bytes]
    center: str
    page: tuple[int, int]
    since: int


class Outside:
    """One member's view; `tick` once a turn, before the mirror is flushed. No write waits longer than `wait_ms`."""

    def __init__(
        self, member: str, service: Service, mirror: Mirror, say: Callable[[Say], None], wait_ms: int
    ) -> None:  # fmt: skip
        self._letter = member.encode()
        self._service = service
        self._mirror = mirror
        self._say = say
        self._wait_ns = wait_ms * MS
        self._turns: dict[str, tuple[int, bytes]] = {}
        self._owed: dict[str, _Owed] = {}
        self._full = False
        self.pages = Pages()
        """As they are told, for a durable journal."""

    def tick(self, shares: bool, now: int) -> None:
        """Tell what centers changed here; `shares`: the other member must have it before it is confirmed."""
        for center, (ca, page), octets in self._service.remembered():
            key = f"{KEY}{center}.{ca}.{page}"
            turn = self._turns.get(key, (0, b""))[0] + 1 & _U32, self._letter
            self._turns[key] = turn
            since = self._owed[key].since if key in self._owed else now
            self._owed[key] = _Owed(turn, center, (ca, page), since)
            if not self._tell(key, _TURN.pack(*turn) + octets):
                self._settle(key, now)
        for key, owed in list(self._owed.items()):
            if not shares:
                self._settle(key, now)
            elif now - owed.since > self._wait_ns:
                self._say(Say(f"what {owed.center} wrote is confirmed, and the other member did not say so", "warning"))
                self._settle(key, now)

    def heard(self, key: str, octets: bytes, now: int) -> None:
        """The peer's word about a page; one that is older than what is known here, or cannot be read, is nothing."""
        if len(octets) < _TURN.size:
            return
        turn = _TURN.unpack_from(octets)
        if turn <= self._turns.get(key, (0, b"")):
            if key in self._owed and turn == self._owed[key].turn:
                self._settle(key, now)
            return
        name, ca, page = key.removeprefix(KEY).rsplit(".", 2) if key.count(".") >= 3 else ("", "", "")
        if not (ca.isdecimal() and page.isdecimal()):
            return
        self._turns[key] = turn
        self._tell(key, octets)
        self._service.remember(name, (int(ca), int(page)), octets[_TURN.size :])
        if key in self._owed:
            self._settle(key, now)

    def _settle(self, key: str, now: int) -> None:
        owed = self._owed.pop(key)
        self._service.page_shared(owed.center, owed.page, now)

    def _tell(self, key: str, octets: bytes) -> bool:
        try:
            self._mirror.state(key, octets)
            self.pages.put(key, octets)
        except ValueError as error:
            if not self._full:
                self._full = True
                self._say(Say(f"what a center wrote is not known to the other member: {error}", "warning"))
            return False
        return True
