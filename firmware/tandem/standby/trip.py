"""The peer-trip: one pulse that cuts the feed of the peer's role coil, where its contact does not open by itself.

    peer silent, last heard serving --claim timeout, contact closed--> PULSE --open for as long as a living peer needs
    peer proven dead, lines claimed --claim timeout, contact closed--> PULSE --open, own contact closed--> held

A held coil opens under it, a welded contact does not: then the claim ends as it would have ended without. Only who
stood by trips who served, so a member that was tripped does not trip back.
"""

from __future__ import annotations

from tandem.config.timing import RelayTimes
from tandem.point import MS, SECOND
from tandem.standby.act import Action, Alarm, TripPeer
from tandem.standby.peer import NEVER, PeerView

MOST_AN_HOUR = 3
_HOUR_NS = 3600 * SECOND


class PeerTrip:
    """One member's. `relay` of None, or without a trip's time: it is not wired, and never pulses."""

    def __init__(self, relay: RelayTimes | None, surrender_ns: int = 0) -> None:
        """`surrender_ns`: a living peer has given everything back so long after its contact opened."""
        self.pulse_ns = int(relay.trip_ms * MS) if relay else 0
        self.count = 0
        self._surrender_ns = surrender_ns
        self._pulsed_ns = NEVER  # in this claim
        self._pulses: list[int] = []

    def begin(self) -> None:
        """Another claim: it may trip once."""
        self._pulsed_ns = NEVER

    def may(self, view: PeerView, now: int) -> bool:
        """A pulse is allowed: the first of this claim, not too many in an hour, and we are not the one cut off."""
        if not self.pulse_ns or self._pulsed_ns != NEVER or view.heard or view.isolated:
            return False
        return self._within_hour(now) < MOST_AN_HOUR

    def pulse(self, reason: str, now: int) -> list[Action]:
        """Do it, and say so."""
        self._pulsed_ns = now
        self._pulses = [*self._pulses[1 - MOST_AN_HOUR :], now]
        self.count += 1
        return [TripPeer(reason), Alarm(f"the peer is tripped: {reason}")]

    def lasts(self, now: int) -> bool:
        """The pulse of this claim is not over: the contact may still open."""
        return self._pulsed_ns != NEVER and now - self._pulsed_ns < self.pulse_ns

    @property
    def open_ns(self) -> int:
        """So long the peer's contact must be read open before its service is ours: 0 where it opened by itself."""
        return 0 if self._pulsed_ns == NEVER else self._surrender_ns

    def alarm(self, now: int) -> str:
        """What somebody has to look at, "" when it is long ago."""
        times = self._within_hour(now)
        if not times:
            return ""
        more = "; no more until an hour is over" if times >= MOST_AN_HOUR else ""
        return f"the peer's role contact did not open by itself: tripped {times} times within the hour{more}"

    def _within_hour(self, now: int) -> int:
        return sum(now - at < _HOUR_NS for at in self._pulses)
