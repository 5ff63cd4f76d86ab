"""What control centers made a member remember for them (thresholds, frozen counters), as both members have it.

A page of it carries a turn: each change takes the next one, and the higher turn is right, of equal ones the later
letter. Of a center with a buffer on each member a page belongs to one member; the other one keeps it for its return.
"""

from __future__ import annotations

import struct
from collections.abc import Callable

from tandem.archive.durable import Pages
from tandem.point import Say
from tandem.service import Service
from tandem.standby.mirror import Mirror

KEY = "outside."
"""Before the center's key, a common address and a page in the keys of the states that both members tell."""
_TURN = struct.Struct("<Ic")
_U32 = 0xFFFF_FFFF


class Outside:
    """One member's view; `tick` once a turn, before the mirror is flushed."""

    def __init__(self, member: str, service: Service, mirror: Mirror, say: Callable[[Say], None]) -> None:
        self._letter = member.encode()
        self._service = service
        self._mirror = mirror
        self._say = say
        self._turns: dict[str, tuple[int, bytes]] = {}
        self._full = False
        self.pages = Pages()
        """As they are told, for a durable journal."""

    def tick(self) -> None:
        """Tell what centers changed here."""
        for center, (ca, page), octets in self._service.remembered():
            key = f"{KEY}{center}.{ca}.{page}"
            turn = self._turns.get(key, (0, b""))[0] + 1 & _U32, self._letter
            self._turns[key] = turn
            self._tell(key, _TURN.pack(*turn) + octets)

    def heard(self, key: str, octets: bytes) -> None:
        """The peer's word about a page; one that is older than what is known here, or cannot be read, is nothing."""
        if len(octets) < _TURN.size:
            return
        turn = _TURN.unpack_from(octets)
        if turn <= self._turns.get(key, (0, b"")):
            return
        name, ca, page = key.removeprefix(KEY).rsplit(".", 2) if key.count(".") >= 3 else ("", "", "")
        if not (ca.isdecimal() and page.isdecimal()):
            return
        self._turns[key] = turn
        self._tell(key, octets)
        self._service.remember(name, (int(ca), int(page)), octets[_TURN.size :])

    def _tell(self, key: str, octets: bytes) -> None:
        try:
            self._mirror.state(key, octets)
            self.pages.put(key, octets)
        except ValueError as error:
            if not self._full:
                self._full = True
                self._say(Say(f"what a center wrote is not known to the other member: {error}", "warning"))
