"""Soft state: what the outside remembers of the active and a successor must know, by key, newest only."""

from __future__ import annotations

from tandem.codec.link import State
from tandem.codec.link_read import STATE_MAX

STATES_MAX = 1024


class Soft:
    """The newest octets of each key, on both members, so that a successor can tell its own standby."""

    def __init__(self) -> None:
        self._octets: dict[str, bytes] = {}
        self._unsent: dict[str, None] = {}  # in the order of their changes

    def put(self, key: str, octets: bytes) -> None:
        """A key has a new value here. Raises ValueError above the limits."""
        if len(octets) > STATE_MAX or len(key.encode()) > 255:
            raise ValueError(f"soft state {key[:40]!r} of {len(octets)} octets: the limit is {STATE_MAX}")
        if not self.hear(key, octets):
            raise ValueError(f"soft state {key!r}: there are {STATES_MAX} keys already")
        self._unsent[key] = None

    def hear(self, key: str, octets: bytes) -> bool:
        """The active's value of a key; False when there are too many."""
        if key not in self._octets and len(self._octets) >= STATES_MAX:
            return False
        self._octets[key] = octets
        return True

    @property
    def unsent(self) -> bool:
        """The peer was not told everything yet."""
        return bool(self._unsent)

    def drain(self) -> list[State]:
        """What the peer was not told yet."""
        unsent, self._unsent = self._unsent, {}
        return [State(key, self._octets[key]) for key in unsent]

    def tell_again(self) -> None:
        """A new session: everything is to be said once more."""
        self._unsent = dict.fromkeys(self._octets)
