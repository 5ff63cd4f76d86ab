"""The peer-trip: when a pulse is asked for, how often, and what the contact must show before anything is taken."""

from __future__ import annotations

import pytest

from tandem.codec import heart as say
from tandem.codec.beat import Role
from tandem.codec.heart import BLIND, PinsRead
from tandem.config.model import Standby
from tandem.config.timing import RelayTimes, surrender_ms
from tandem.point import MS, SECOND
from tandem.standby import act
from tandem.standby import guard_words as do
from tandem.standby.own import OwnState
from tandem.standby.peer import PeerView
from tandem.standby.role import RoleMachine
from tandem.standby.trip import MOST_AN_HOUR, PeerTrip
from tests.support.guard_rig import RULES, Heart, doings, told

WIRED = RelayTimes(120, 8, 5, 3, 5, trip_ms=250, trip_operate_ms=8)
NOT_WIRED = RelayTimes(120, 8, 5, 3, 5)
SILENT = PeerView(known=True, role=Role.ACTIVE, silent=True, silent_ns=200 * MS)
SURRENDER_MS = surrender_ms(Standby())


class Successor:
    """Member a, taking over from a silent b; `closed` is what it reads of the peer's contact."""

    def __init__(self, relay: RelayTimes = WIRED, view: PeerView = SILENT) -> None:
        self.now = 1_000 * MS
        self.m = RoleMachine("a", Standby(arbitration="relays"), relay, self.now)
        self.m.role = Role.STANDBY
        self.view = view
        self.closed, self.own = True, False
        self.did: list[act.Action] = []

    def run(self, ms: int) -> Successor:
        for _ in range(ms):
            self.now += MS
            self.m.heart_says(PinsRead(self.now, int(self.own), int(self.closed), 1, 1, 3))
            self.did += self.m.tick(self.now, self.view, OwnState(reserved_epoch=2, in_sync=True))
        return self

    @property
    def trips(self) -> int:
        return sum(isinstance(action, act.TripPeer) for action in self.did)


CLAIM_MS = int(WIRED.claim_ms)


def test_a_contact_that_stays_closed_is_tripped_once_at_the_claim_timeout() -> None:
    tries = Successor().run(CLAIM_MS - 1)
    assert tries.trips == 0
    tries.run(3)
    assert tries.trips == 1 and tries.m.role is Role.TAKING_OVER
    assert any("tripped" in a.reason for a in tries.did if isinstance(a, act.Alarm))
    tries.run(200)
    assert tries.trips == 1 and tries.m.role is Role.TAKING_OVER, "its contact may still open"
    tries.run(60)
    assert tries.trips == 1 and tries.m.role is Role.STANDBY and tries.m.isolated, "a welded one does not"
    tries.run(5000)
    assert tries.trips == 1, "isolated: nothing is tried until the contact opens"


def test_one_that_opens_is_believed_when_a_living_peer_has_given_everything_back() -> None:
    tries = Successor().run(CLAIM_MS + 20)
    tries.closed = False
    tries.run(SURRENDER_MS - 1)
    assert tries.m.role is Role.TAKING_OVER
    tries.run(3)
    assert tries.m.role is Role.ACTIVE


def test_one_that_opens_by_itself_is_believed_at_once() -> None:
    tries = Successor().run(50)
    tries.closed = False
    assert tries.run(8).m.role is Role.ACTIVE and tries.trips == 0


@pytest.mark.parametrize(
    "view",
    [
        SILENT._replace(role=Role.STANDBY), SILENT._replace(known=False), SILENT._replace(heard=True, silent=False),
        SILENT._replace(isolated=True),
    ],
    ids=["it stood by", "never heard", "heard", "we are cut off"],
)  # fmt: skip
def test_who_is_never_tripped(view: PeerView) -> None:
    tries = Successor(view=SILENT).run(5)
    tries.view = view
    assert tries.run(1000).trips == 0


def test_where_it_is_not_wired_the_takeover_ends_as_ever() -> None:
    tries = Successor(NOT_WIRED).run(CLAIM_MS + 3)
    assert tries.trips == 0 and tries.m.isolated


def test_a_dead_peers_held_contact_is_tripped_for_the_lines() -> None:
    view = SILENT._replace(dead="refused", dead_ns=1_100 * MS)
    tries = Successor(view=view).run(CLAIM_MS - 2)
    assert tries.m.role is Role.ACTIVE and tries.trips == 0, "its service is proven to be free"
    assert tries.run(10).trips == 1
    tries.closed = False
    assert not tries.run(10).m.lines_held
    tries.own = True
    assert tries.run(10).m.lines_held


def test_so_many_an_hour_and_an_alarm_for_as_long() -> None:
    trip = PeerTrip(WIRED)
    now = 5 * SECOND
    assert trip.alarm(now) == ""
    for number in range(MOST_AN_HOUR):
        assert trip.may(SILENT, now)
        trip.pulse("it is held", now)
        assert not trip.may(SILENT, now), "once a claim"
        trip.begin()
        now += 1000 * SECOND
        assert f"tripped {number + 1} times" in trip.alarm(now)
    assert not trip.may(SILENT, now) and "no more until an hour is over" in trip.alarm(now)
    assert trip.may(SILENT, now + 700 * SECOND) and trip.count == MOST_AN_HOUR
    assert trip.alarm(now + 3600 * SECOND) == ""


def test_a_member_that_was_tripped_leaves_the_successor_its_time() -> None:
    member = Successor(view=SILENT._replace(role=Role.STANDBY))
    member.m.role = Role.ACTIVE
    member.m.permission_lost("the own role contact opened while the lines were held")
    member.closed = False
    member.run(240)
    assert member.m.role is Role.STANDBY, "the successor has not closed its contact yet"


# --- the heart's share ------------------------------------------------------------------------------------------------

TRIP_RULES = RULES._replace(trip_ns=250 * MS)


def ready(peer: int = 1) -> Heart:
    """A standby's heart, its watchdog contact proven; the peer's contact is read closed."""
    heart = Heart(TRIP_RULES)
    heart.pins(0, watchdog=0)
    heart.turns(20)
    heart.pins(0, watchdog=1, peer=peer)
    heart.turns(20)
    return heart


def test_the_heart_ends_the_pulse_by_itself() -> None:
    heart = ready()
    assert doings(heart.asks(say.Trip(1))) == ["Trip(on=True)"]
    assert doings(heart.turns(240)) == []
    assert doings(heart.turns(25)) == ["Trip(on=False)"]
    assert doings(heart.turns(500)) == []


def test_a_trip_whose_reason_is_gone_is_none() -> None:
    heart = ready()
    heart.hears()
    refused = heart.asks(say.Trip(1))
    assert doings(refused) == [] and any("is not tripped" in str(word) for word in told(refused))
    assert doings(ready(peer=0).asks(say.Trip(1))) == [], "the contact is open"
    assert doings(Heart().asks(say.Trip(1))) == [], "not wired"
    late = ready()
    assert doings(late.asks(say.Trip(7))) == [], "decided before a loss"
    blind = ready()
    blind.guard.pins_gone("the chip is gone", blind.now)
    assert blind.guard.pins_read.inputs & BLIND
    blind.guard.outputs()
    assert doings(blind.asks(say.Trip(1))) == []


def test_a_heart_that_thaws_begins_no_pulse_but_ends_one() -> None:
    assert not do.gives_back(do.TRIP_ON) and do.gives_back(do.TRIP_OFF)
