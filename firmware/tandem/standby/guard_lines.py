"""The heart's hand on the field lines: role coil and its contact, proof of the watchdog's, what is given back, and the
pulse that cuts the feed of the peer's coil.
"""

from __future__ import annotations

from tandem.codec import heart as say
from tandem.standby import guard_words as do
from tandem.standby.guard_words import Output, Rules
from tandem.standby.proof import WatchdogProof


class GuardLines:
    """One heart's. What is returned is to be carried out, in order; `now` is monotonic ns."""

    def __init__(self, rules: Rules, now: int) -> None:
        self.epoch = 0
        """For which the lines are held, 0: not held."""
        self.given: tuple[int, int] | None = None
        """Epoch and flags of lines given back: announced when the contact is read open."""
        self.proof = WatchdogProof(rules)
        self._settle_ns = rules.settle_ns
        self._trip_ns = rules.trip_ns
        self._trip_until = 0  # 0: none lasts
        self._waits = False  # for the watchdog's contact
        self._closed_ns = now  # since when the own role contact is closed, bounces not left out

    def claim(self, epoch: int, now: int) -> tuple[list[Output], bool]:
        """Energize the coil, at once or when the watchdog's contact may feed it; (outputs, True: pulse at once)."""
        self.epoch, self.given = epoch, None
        self._waits = not self.proof.closed
        if not self._waits:
            return [do.COIL_HIGH, do.Tell(say.Carried(now, say.LINES_ON, epoch))], False
        return [], self.proof.hurry()

    def drop(self) -> None:
        """Held no more; the coil is the caller's."""
        self.proof.released()
        self.epoch = 0

    def contact(self, before: int, after: int, now: int) -> list[Output]:
        """The own role contact was read. Lines that it opened under us stay lost, whatever closes its feed again."""
        if after and not before:
            self._closed_ns = now
        if before and not after and self.epoch and now - self._closed_ns >= self._settle_ns:
            self.drop()
            return [do.COIL_LOW]
        return []

    def trip(self, pins: say.PinsRead, hears: bool, now: int) -> list[Output]:
        """Begin the pulse, unless the reason for it is gone, or nothing would come of it: K1 feeds the trip relay."""
        if not self._trip_ns or hears or pins.inputs & say.BLIND or not pins.peer or not self.proof.closed:
            return [do.Tell(say.Said("the peer is not tripped: it is heard, its contact is open, or K1 feeds nothing"))]
        self._trip_until = now + self._trip_ns
        return [do.TRIP_ON]

    def trip_over(self, now: int) -> list[Output]:
        """The pulse ends by itself, whatever the supervisor does."""
        if not self._trip_until or now < self._trip_until:
            return []
        self._trip_until = 0
        return [do.TRIP_OFF]

    def feed(self, pins: say.PinsRead, now: int) -> list[Output]:
        """One beat of the watchdog's feed."""
        out = self.proof.feed(pins, bool(self.epoch) and not self._waits, now)
        if self._waits and self.proof.closed and self.epoch:
            out += self.claim(self.epoch, now)[0]
        return out
