"""What pulled cables mean for who serves: hand over to a peer that is better off, or let the lease rest.

No LAN has a carrier, and the peer is heard beside them: it is asked at once. If what it says then is better than what
this member says of itself since its loss, the service goes over. A switch that died for both moves nothing: only what
the peer says after the own loss has settled counts, when the peer had a turn to see the same. If nobody is heard, the
lease rests, and is acquired anew a second after a carrier came back: meanwhile the peer has spoken.
"""

from __future__ import annotations

from tandem.codec.beat import Role
from tandem.standby.ear import Ear

SETTLE_NS = 1_000_000_000
NEVER = -1


class Carriers:
    """One member's; `now` is monotonic ns."""

    def __init__(self, known: bool, rest_ns: int) -> None:
        """`rest_ns`: no member's supervisor rests longer than that between two turns."""
        self.known = known
        """Carriers are told of at all."""
        self.resting = False
        self._back_at = 0
        self._lost_at = NEVER
        self._turn_then = 0
        self._rest_ns = rest_ns
        self._health, self._settled_at = -1, 0

    def seen(self, before: int, after: int, turn: int, now: int) -> bool:
        """Bits by LAN, in this turn of the supervisor. True where the last one went."""
        if after and not before:
            self._back_at, self._lost_at = now, NEVER
        if not self.known or after or not before:
            return False
        self._lost_at, self._turn_then = now, turn
        return True

    def better_elsewhere(self, ear: Ear, health: int, turn: int, now: int) -> bool:
        """The last carrier went, and a standby that saw what we saw says that it is better off than what we publish."""
        if health != self._health:
            self._health, self._settled_at = health, now + self._rest_ns
        if self._lost_at == NEVER or self._turn_then == turn or not ear.hears(now):
            return False
        role, peer_health, echo_sent_ns = ear.peer_said
        return role == Role.STANDBY and echo_sent_ns >= max(self._lost_at, self._settled_at) and peer_health > health

    def renewal(self, carriers: int, heard: bool, now: int) -> str:
        """What is to be done with the lease that is due: "renew", "rest" (say so), "wait" or "acquire"."""
        if self.known and not carriers and not heard:
            if self.resting:
                return "wait"
            self.resting = True
            return "rest"
        if not self.resting:
            return "renew"
        if now - self._back_at < SETTLE_NS:
            return "wait"
        self.resting = False
        return "acquire"
