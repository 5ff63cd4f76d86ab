"""The guardian and the peer-trip: how long, how often, and never while it holds nothing itself."""

from __future__ import annotations

from guardian import wire
from guardian.rules import Settings
from tests.support.guardian_line import Line


def tripping(trip_ms: int = 250) -> Line:
    return Line(Settings(trip_ms=trip_ms)).holds()


def test_a_trip_ends_when_it_is_no_longer_asked_for_or_by_itself() -> None:
    line = tripping()
    line.host.say(b"Y1", line.now)
    assert line.run(3).guardian.trip and line.run(25).host.flags & wire.TRIP_ON
    line.host.say(b"Y0", line.now)
    assert not line.run(3).guardian.trip
    line.host.say(b"Y1", line.now)
    began = line.now
    while line.run(1).guardian.trip:
        pass
    assert line.now - began == 251, "whatever the gateway asks"
    line.run(1000)
    assert not line.guardian.trip, "it must be seen low before the next"


def test_so_many_trips_an_hour_and_none_where_it_is_not_wired() -> None:
    line, pulses = tripping(50), 0
    for _ in range(5):
        line.host.say(b"Y1", line.now)
        pulses += line.run(20).guardian.trip
        line.host.say(b"Y0", line.now)
        line.run(20)
    assert pulses == 3
    unwired = tripping(0)
    unwired.host.say(b"Y1", unwired.now)
    assert not unwired.run(20).guardian.trip


def test_a_guardian_that_drops_trips_nobody() -> None:
    line = tripping()
    line.host.say(b"Y1", line.now)
    line.run(20)
    line.cut = True
    line.run(90)
    assert not line.guardian.trip and not line.guardian.watchdog
    line.cut = False
    line.run(200)
    assert line.guardian.watchdog and not line.guardian.trip, "asked for since before the drop"
