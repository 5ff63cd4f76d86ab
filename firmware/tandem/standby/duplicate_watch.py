"""The heart's share of `standby.duplicate`: when it listens and asks for who else has an address, and what it tells."""

from __future__ import annotations

from tandem.codec.heart import Claimed

_SECOND = 1_000_000_000
NEVER = 1 << 62
LOOK_NS = _SECOND // 4
FIRST_LOOK_NS = _SECOND
"""After the addresses came: a takeover has other things to do."""
ASK_NS = 10 * _SECOND
TELL_NS = 5 * _SECOND


class Watch:
    """One heart's; `now` is monotonic ns. It remembers one time for each address, however many hosts claim it."""

    def __init__(self) -> None:
        self.due = NEVER
        """When `take` is to be asked next; NEVER while no address is held."""
        self._ask_at = NEVER
        self._stale = True
        self._told: dict[tuple[int, bytes], int] = {}

    def hold(self, on: bool, now: int) -> None:
        """The addresses are held from now on, or not."""
        self.due = self._ask_at = now + FIRST_LOOK_NS if on else NEVER
        self._stale = True

    def take(self, now: int) -> bool:
        """True when it is time to look."""
        if now < self.due:
            return False
        self.due = now + LOOK_NS
        return True

    def asks(self, now: int) -> bool:
        """True when the LANs are to be asked at this look."""
        if now < self._ask_at:
            return False
        self._ask_at = now + ASK_NS
        return True

    def news(self, claims: list[Claimed], now: int) -> list[Claimed]:
        """What is to be told of the foreign claims of this look; the first one finds what came before the addresses."""
        if self._stale:
            self._stale = False
            return []
        told = []
        for claim in claims:
            if now >= self._told.get((claim.lan, claim.ip), 0):
                self._told[claim.lan, claim.ip] = now + TELL_NS
                told.append(claim)
        return told
