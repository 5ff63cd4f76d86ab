"""What pulled cables mean for who serves: hand over to a peer that is better off, or let the lease rest.

No LAN has a carrier, and the peer is heard beside them: when the own loss has settled it is asked, and if what it says
then is better than what this member says of itself since its loss, the service goes over. A switch that died for both
moves nothing: a peer whose carriers went too says so at once, before its supervisor has judged it. If nobody is heard,
the lease rests, and is acquired anew a second after a carrier came back: meanwhile the peer has spoken.
"""

from __future__ import annotations

from tandem.codec.beat import Role
from tandem.standby.ear import Ear
from tandem.standby.guard_words import Rules

SETTLE_NS = 1_000_000_000
NEVER = -1
_FAR = 1 << 62
_LOOK_NS = 2_000_000  # so often a heart looks whether its supervisor has judged the loss


class Carriers:
    """One member's; `now` is monotonic ns."""

    def __init__(self, rules: Rules) -> None:
        self.known = bool(rules.lans)
        """Carriers are told of at all."""
        self.resting = False
        self.due = _FAR
        """When `wish` must be asked, at the latest."""
        self._back_at = 0
        self._lost_at = NEVER
        self._turn_then = 0
        way_ns = min((path.delivery_ns for path in rules.paths if path.serial), default=0)
        self._settle_ns = max(0, rules.heartbeat_ns // 4 - way_ns)
        """Two kernels that lose the same switch may differ by a quarter beat; the question is so long on its way."""
        self._health, self._settled_at, self._asked = -1, 0, False

    def seen(self, before: int, after: int, turn: int, now: int) -> bool:
        """Bits by LAN, in this turn of the supervisor. True where the last one went."""
        if after and not before:
            self._back_at, self._lost_at, self.due = now, NEVER, _FAR
        if not self.known or after or not before:
            return False
        self._lost_at, self._turn_then, self._asked, self.due = now, turn, False, now
        return True

    def said(self, health: int, turn: int) -> int:
        """What a beat says of the own health: the worst, while the supervisor has not judged the loss of all."""
        return 0 if self._lost_at != NEVER and self._turn_then == turn else health

    def wish(self, ear: Ear, health: int, turn: int, now: int) -> str:
        """Of who serves: "ask" the peer now, "hand over" to it, or "". It has seen what we saw, and is a standby."""
        if health != self._health:
            self._health, self._settled_at, self._asked = health, now + self._settle_ns, False
        if self._lost_at == NEVER:
            return ""
        self.due = now + _LOOK_NS
        if self._turn_then == turn or not ear.hears(now):
            return ""
        self.due = _FAR if self._asked else self._settled_at
        if now < self._settled_at:
            return ""
        if not self._asked:
            self._asked, self.due = True, _FAR
            return "ask"
        role, peer_health, echo_sent_ns = ear.peer_said
        since = max(self._lost_at, self._settled_at)
        return "hand over" if role == Role.STANDBY and echo_sent_ns >= since and peer_health > health else ""

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
