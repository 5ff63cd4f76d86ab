"""Another host claims a group address that is held here: what is said of it.

Who has the same address breaks the service for some neighbours and not for others, and nobody sees why. It is said, and
nothing more: no role depends on it, else any host of a LAN could move the role.

The heart (`duplicate_watch`) takes in what claims an address every LOOK_NS, asks the LANs every ASK_NS, for a stranger
that holds it quietly answers who asks, and tells of each address once in TELL_NS.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple

from tandem.codec.heart import Claimed
from tandem.standby.duplicate_watch import ASK_NS, TELL_NS

QUIET_NS = 3 * ASK_NS + TELL_NS
"""A claim is over: three questions and the time to tell of an answer went by."""


class _Standing(NamedTuple):
    mac: str
    until_ns: int


class Duplicates:
    """Which addresses are claimed, as far as was told lately. `lans` are names, in order."""

    def __init__(self, lans: tuple[str, ...]) -> None:
        self._lans = lans
        self._standing: dict[tuple[str, str], _Standing] = {}

    def told(self, claim: Claimed, now: int) -> str:
        """The heart tells of a claim; returns a sentence where it is news."""
        key = self._lans[claim.lan], str(ipaddress.ip_address(claim.ip))
        new = key not in self._standing
        self._standing[key] = _Standing(claim.mac.hex(":"), now + QUIET_NS)
        return self._sentence(key) if new else ""

    def tick(self, now: int, holds: bool) -> list[str]:
        """A sentence for each claim that is over. Who holds no address any more knows of none."""
        over = [key for key, one in self._standing.items() if not holds or now >= one.until_ns]
        for key in over:
            del self._standing[key]
        return [f"nobody else claims the group address {ip} on LAN {lan} any more" for lan, ip in over if holds]

    def claimed(self, lan: str) -> bool:
        """Somebody claims a group address of this LAN."""
        return any(key[0] == lan for key in self._standing)

    def alarms(self) -> list[str]:
        """A sentence for each claim that stands."""
        return [self._sentence(key) for key in self._standing]

    def _sentence(self, key: tuple[str, str]) -> str:
        lan, ip = key
        mac = self._standing[key].mac
        return f"another host, {mac}, claims the group address {ip} on LAN {lan}: take the address from it"
