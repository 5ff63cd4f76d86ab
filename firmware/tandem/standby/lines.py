"""The second right: the field lines. Its sub-steps, and what the contacts say.

    none --claim--> claiming --own contact closed, peer's open--> held --own contact opens--> lost
                       |                                                                       ^
                       +-- claim timeout: coil low, alarm -------------------------------------+
                       ^                                                                       |
                       +------------------------------- hold-off over -------------------------+

A contact of a peer that is gone, and that holds its coil, is tripped once before the claim is lost (`trip`).

Where the peer cannot be heard both may claim at once. So b energizes a stagger later, and only if the peer's contact
is open then; and it lets go again where its own does not close, since two coils can hold each other open. Without
relays the service's own fence is all there is, and the lines follow the service.
"""

from __future__ import annotations

import enum

from tandem.codec.beat import Role
from tandem.codec.heart import PinsRead
from tandem.config.timing import RelayTimes
from tandem.point import MS
from tandem.standby.act import Action, Alarm, LinesOff, LinesOn, StartMasters, StopMasters
from tandem.standby.peer import NEVER, PeerView
from tandem.standby.trip import PeerTrip

LOST_IN_A_ROW = 3
"""So many claims that failed end in a release to the peer."""
_RELEASED_WAIT_NS = 50 * MS  # without relays: for the peer's word that its lines are free

__all__ = ["LOST_IN_A_ROW", "Contacts", "Lines", "LinesStep", "RelayTimes"]


class LinesStep(enum.Enum):
    """Where the claim stands."""

    NONE = "none"
    CLAIMING = "claiming"
    HELD = "held"
    LOST = "lost"


class Contacts:
    """Both role contacts, believed once they were still for the debounce time."""

    def __init__(self, relay: RelayTimes | None) -> None:
        self.debounce_ns = int(relay.debounce_ms * MS) if relay else 0
        self.known = False
        self.own = self.peer = False
        self.own_since = self.peer_since = NEVER

    def read(self, pins: PinsRead, now: int) -> None:
        """Take in what the pins say now."""
        if not pins.at_ns:
            return
        own, peer = bool(pins.own), bool(pins.peer)
        if not self.known or own != self.own:
            self.own, self.own_since = own, now
        if not self.known or peer != self.peer:
            self.peer, self.peer_since = peer, now
        self.known = True

    def own_closed(self, now: int) -> bool:
        """The own contact is closed, and still."""
        return self.known and self.own and now - self.own_since >= self.debounce_ns

    def own_open(self, now: int) -> bool:
        """The own contact is open, and still."""
        return self.known and not self.own and now - self.own_since >= self.debounce_ns

    @property
    def own_moved(self) -> bool:
        """The own contact reads open, still or bouncing: a welded one never does."""
        return self.known and not self.own

    def peer_open(self, now: int, for_ns: int = 0) -> bool:
        """The peer's contact is open, and still; since `for_ns` at least."""
        return self.known and not self.peer and now - self.peer_since >= max(self.debounce_ns, for_ns)

    def peer_closed(self, now: int) -> bool:
        """The peer's contact is closed, and still."""
        return self.known and self.peer and now - self.peer_since >= self.debounce_ns


class Lines:
    """One member's claim on the lines. `relay` of None: no relays; `surrender_ns`: see `PeerTrip`."""

    def __init__(self, member: str, relay: RelayTimes | None, hold_off_ns: int, surrender_ns: int = 0) -> None:
        self.relay = relay
        self.trip = PeerTrip(relay, surrender_ns)
        self.contacts = Contacts(relay)
        self.step = LinesStep.NONE
        self.lost_in_a_row = 0
        self.coil = False
        stagger_ms = relay.stagger_ms if relay and member == "b" else 0.0
        self.stagger_ns = int(stagger_ms * MS)
        self.timeout_ns = int((relay.claim_ms + stagger_ms) * MS) if relay else 0
        # At least half of W: pins that are read late are no weld, and a good relay keeps nobody waiting.
        opening_ms = relay.release_ms + relay.bounce_ms + relay.debounce_ms + 10 if relay else 0.0
        self.opening_ns = int(max(opening_ms, relay.watchdog_ms / 2) * MS) if relay else 0
        self._hold_off_ns = hold_off_ns
        self.yield_ns = hold_off_ns + int((relay.claim_ms + relay.stagger_ms) * MS) if relay else 0
        """A peer cut off in the moment in which our contact opened has found out by then, and closed its own."""
        self._since = NEVER
        self._coil_ns = NEVER

    def claim(self, epoch: int, reason: str, view: PeerView, now: int) -> list[Action]:
        """The service is ours: ask for the lines too. Where the peer may claim in this moment, b waits its stagger."""
        self.step, self._since = LinesStep.CLAIMING, now
        if self.relay is None:
            return []
        alone = view.heard or view.dead or view.service_released_ns != NEVER or view.lines_released_ns != NEVER
        if self.stagger_ns and not alone:
            return []
        return self._energize(epoch, reason, now)

    def _energize(self, epoch: int, reason: str, now: int) -> list[Action]:
        self.coil, self._coil_ns = True, now
        return [LinesOn(epoch, reason)]

    def forget(self, now: int) -> None:
        """The right is given up or gone, and the coil is low."""
        if self.coil:
            self.coil, self._coil_ns = False, now
        self.step, self._since = LinesStep.NONE, NEVER
        self.lost_in_a_row = 0
        self.trip.begin()

    def tick(self, epoch: int, view: PeerView, now: int) -> list[Action]:
        """While active: go on with the claim."""
        if self.step is LinesStep.CLAIMING:
            return self._claiming(epoch, view, now)
        if self.step is LinesStep.HELD and self.relay and self.contacts.peer and not self.contacts.peer_open(now):
            return self._lose("the peer's role contact closed beside ours", now)
        if self.step is LinesStep.LOST and now - self._since >= self._hold_off_ns:
            return self.claim(epoch, "claimed again after the hold-off", view, now)
        return []

    def opened(self) -> bool:
        """The own contact opened after it was held: the permission is lost."""
        return self.step is LinesStep.HELD and self.relay is not None and self.contacts.known and not self.contacts.own

    def contradiction(self, now: int) -> str:
        """The own contact is closed although the coil is low, longer than a relay takes; "" when all is well."""
        if self.relay is None or self.coil or not self.contacts.own_closed(now):
            return ""
        waited_ns = max(self.opening_ns, int(self.relay.watchdog_ms * MS))
        if now - max(self._coil_ns, self.contacts.own_since) < waited_ns:
            return ""
        return "the own role contact is closed although its coil is low: welded, or wired wrongly"

    def due(self, now: int) -> int | None:
        """When `tick` has to look again."""
        if self.step is LinesStep.CLAIMING:
            return now + 2 * MS
        return self._since + self._hold_off_ns if self.step is LinesStep.LOST else None

    def _claiming(self, epoch: int, view: PeerView, now: int) -> list[Action]:
        if self.relay is None:
            free = view.lines_released_ns != NEVER or not view.heard or view.role not in (Role.ACTIVE, Role.RELEASING)
            if free or now - self._since >= _RELEASED_WAIT_NS:
                return self._hold("the lines follow the service: there are no relays", view)
            return []
        waited = now - max(self._since, self._coil_ns) >= self.stagger_ns
        if not self.coil and waited and self.contacts.peer_open(now):
            return self._energize(epoch, "the stagger is over, and the peer's contact is open", now)
        if self._hold_each_other(now):
            return self._give_way(now)
        if self.coil and self.contacts.own_closed(now) and self.contacts.peer_open(now):
            return self._hold("own role contact closed, the peer's open", view)
        if now - self._since >= self.timeout_ns:
            if self.contacts.peer_closed(now) and self.trip.may(view, now):
                return self.trip.pulse("it is gone, and its role contact is still closed at the claim timeout", now)
            if not self.trip.lasts(now):
                return self._lose(f"the contacts did not move within {self.timeout_ns // MS} ms", now)
        return []

    def _hold_each_other(self, now: int) -> bool:
        """The peer's contact has been open long enough, and b's does not close."""
        contacts = self.contacts
        if not (self.coil and self.stagger_ns and contacts.peer_open(now)) or contacts.own:
            return False
        return now - max(self._coil_ns, contacts.peer_since) >= 2 * self.stagger_ns

    def _give_way(self, now: int) -> list[Action]:
        """Both coils may hold each other open: b lets go for its stagger, and a's closes."""
        self.coil, self._coil_ns = False, now
        return [LinesOff(False, False, "the own contact does not close: the peer's coil may be in its way")]

    def _hold(self, reason: str, view: PeerView) -> list[Action]:
        self.step, self.lost_in_a_row = LinesStep.HELD, 0
        return [StartMasters("serial", view.lines_released_ns != NEVER and view.lines_drained, reason)]

    def _lose(self, reason: str, now: int) -> list[Action]:
        self.step, self._since = LinesStep.LOST, now
        self.coil, self._coil_ns = False, now
        self.lost_in_a_row += 1
        self.trip.begin()
        return [
            LinesOff(False, False, reason),
            StopMasters("serial", reason),
            Alarm(f"the field lines are lost: {reason}; claimed again in {self._hold_off_ns // MS} ms"),
        ]
