"""What control centers made a member remember for them (parameters, frozen counters), as both members have it.

A page of it carries a turn: each change takes the next one, and the higher turn is right, of equal ones the later
letter. Of a center with a buffer on each member a page belongs to one member; the other one keeps it for its return.

Who hears a page keeps it and tells it again; so its own word, coming back, says that both have it. A center's write is
confirmed to it then and not before, as long as there is a member that must have it; with a durable journal it is on
flash by then.
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
    """A page whose changes are not confirmed yet, since when (ns), and whether the other member told it again."""

    turn: tuple[int, bytes]
    center: str
    page: tuple[int, int]
    since: int
    heard: bool


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
        self._shares = self._saves = False
        self._full = False
        self.pages = Pages()
        """As they are told, for a durable journal."""

    def tick(self, shares: bool, saves: bool, now: int) -> None:
        """Tell what centers changed here. Before it is confirmed the other member must have it where this one `shares`,
        and this member's flash where it `saves`."""
        self._shares, self._saves = shares, saves
        for center, (ca, page), octets in self._service.remembered():
            key = f"{KEY}{center}.{ca}.{page}"
            turn = self._turns.get(key, (0, b""))[0] + 1 & _U32, self._letter
            self._turns[key] = turn
            since = self._owed[key].since if key in self._owed else now
            told = self._tell(key, _TURN.pack(*turn) + octets)
            self._owed[key] = _Owed(turn, center, (ca, page), since, not told)
        for key, owed in list(self._owed.items()):
            late = now - owed.since > self._wait_ns
            if late:
                wait_ms = self._wait_ns // MS
                self._say(
                    Say(f"what {owed.center} wrote is confirmed though it is not safe after {wait_ms} ms", "warning")
                )
            self._settle(key, now, late)

    def heard(self, key: str, octets: bytes, now: int) -> None:
        """The peer's word about a page; one that is older than what is known here, or cannot be read, is nothing."""
        if len(octets) < _TURN.size:
            return
        turn = _TURN.unpack_from(octets)
        if turn <= self._turns.get(key, (0, b"")):
            if key in self._owed and turn == self._owed[key].turn:
                self._owed[key] = self._owed[key]._replace(heard=True)
                self._settle(key, now)
            return
        name, ca, page = key.removeprefix(KEY).rsplit(".", 2) if key.count(".") >= 3 else ("", "", "")
        if not (ca.isdecimal() and page.isdecimal()):
            return
        self._turns[key] = turn
        self._tell(key, octets)
        self._service.remember(name, (int(ca), int(page)), octets[_TURN.size :])
        if key in self._owed:
            self._settle(key, now, anyway=True)

    def _settle(self, key: str, now: int, anyway: bool = False) -> None:
        owed = self._owed[key]
        safe = (owed.heard or not self._shares) and (not self._saves or self.pages.on_flash(key))
        if safe or anyway:
            del self._owed[key]
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
