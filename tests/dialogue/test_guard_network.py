"""The heart's rules with lease and carriers of real interfaces: cables, tables that vanish, addresses that go last."""

from __future__ import annotations

from typing import Any

from tandem.codec import heart as say
from tandem.codec.beat import Beat, BeatBody, Kind, Role
from tandem.point import MS
from tandem.standby import guard_words as do
from tandem.standby.announce import AFTERWARDS_NS, SCHEDULE_MS, Announcements
from tandem.standby.guard_words import Output
from tandem.standby.vacant import NEVER, Vacancy
from tests.support.guard_rig import MINE, PEER, RULES, SEAL, Heart, has, sent, told

CROSSOVER = 2


def serving(**rules: Any) -> Heart:
    """It holds service and lines on real interfaces, with a living lease and both carriers."""
    heart = Heart(RULES._replace(**rules))
    heart.guard.network(0, 3, heart.now)
    heart.serves()
    heart.guard.network(1, 3, heart.now)
    heart.turns(10)
    return heart


def carriers(heart: Heart, bits: int) -> list[Output]:
    heart.guard.network(1, bits, heart.now)
    return heart.guard.outputs()


def peer_says(heart: Heart, counter: int, health: int, role: Role = Role.STANDBY) -> list[Output]:
    """A beat over the crossover that echoes our newest counter; what the heart does by its next turn."""
    beat = Beat(Kind.BEAT, 1, role, health, 0, PEER, counter, MINE, heart.guard.ear._counter, 3, 0, 0, 0)
    heart.guard.received(CROSSOVER, SEAL.pack(beat), heart.now)
    return [*heart.guard.outputs(), *heart.once()]


def test_the_pins_tell_nothing_of_lease_and_carriers_that_are_the_kernels() -> None:
    heart = serving()
    heart.pins(1, lease=0, carriers=0)
    assert heart.guard.pins_read.lease == 1 and heart.guard.pins_read.carriers == 3
    assert heart.guard.service


def test_who_lost_every_lan_hands_over_to_a_peer_that_says_since_then_that_it_is_better_off() -> None:
    heart = serving()
    peer_says(heart, 5, 255)
    carriers(heart, 0)
    heart.stalled = True
    heart.asks(say.BeatNow())
    assert {beat.health for _, beat in sent(heart.turns(4))} == {0}, "said before the supervisor has judged it"
    assert not sent(peer_says(heart, 6, 255), Kind.RELEASED_SERVICE), "its own loss is not in what it publishes yet"
    heart.stalled, heart.body = False, BeatBody(Role.ACTIVE, health=135, epoch=12)
    assert {beat.health for _, beat in sent(heart.turns(16), Kind.PROBE)} == {135}, "it asks when its loss has settled"
    assert heart.guard.service, "what it heard was said before"
    out = peer_says(heart, 7, 255)
    assert sent(out, Kind.RELEASED_SERVICE) and say.Lost in map(type, told(out))
    coil = out.index(do.COIL_LOW)
    assert out[coil + 1] == do.DROP and not heart.guard.service


def test_a_switch_that_died_for_both_moves_nothing() -> None:
    heart = serving()
    peer_says(heart, 5, 255)
    carriers(heart, 0)
    heart.body = BeatBody(Role.ACTIVE, health=135, epoch=12)
    heart.turns(20)
    for counter in range(6, 12):
        assert not sent(peer_says(heart, counter, 135), Kind.RELEASED_SERVICE)
        heart.turns(15)
    assert heart.guard.service


def test_a_loss_that_the_peer_tells_of_a_moment_later_hands_nothing_over() -> None:
    heart = serving(paths=(*RULES.paths[:2], RULES.paths[CROSSOVER]._replace(delivery_ns=MS)))
    peer_says(heart, 5, 255)
    carriers(heart, 0)
    heart.turns(500)
    peer_says(heart, 6, 195)
    heart.body = BeatBody(Role.ACTIVE, health=135, epoch=12)
    heart.turns(2)
    assert not sent(peer_says(heart, 7, 195), Kind.RELEASED_SERVICE), "its condition has not settled yet"
    heart.turns(60)
    assert not sent(peer_says(heart, 8, 135), Kind.RELEASED_SERVICE) and heart.guard.service


def test_a_standby_that_lost_the_same_switch_says_so_before_its_supervisor_knows() -> None:
    heart = Heart()
    heart.guard.network(0, 3, heart.now)
    heart.turns(20)
    carriers(heart, 0)
    heart.stalled = True
    heart.hears(CROSSOVER, Kind.PROBE)
    assert [beat.health for path, beat in sent(heart.all) if path == CROSSOVER][-1] == 0
    heart.stalled, heart.body = False, BeatBody(Role.STANDBY, health=135)
    assert {beat.health for path, beat in sent(heart.turns(45)[10:]) if path == CROSSOVER} == {135}


def test_what_the_peer_said_before_the_cables_went_counts_for_nothing() -> None:
    heart = serving()
    echoed = heart.guard.ear._counter
    heart.now += 3 * MS
    carriers(heart, 0)
    heart.body = BeatBody(Role.ACTIVE, health=135, epoch=12)
    heart.guard.ear._counter = echoed
    out = peer_says(heart, 6, 255)
    heart.turns(11)
    assert not sent(out, Kind.RELEASED_SERVICE) and heart.guard.service


def test_one_cable_of_two_hands_nothing_over() -> None:
    heart = serving()
    peer_says(heart, 5, 255)
    assert not sent(carriers(heart, 1), Kind.PROBE)
    heart.body = BeatBody(Role.ACTIVE, health=195, epoch=12)
    heart.turns(30)
    peer_says(heart, 6, 255)
    assert heart.guard.service


def test_lost_addresses_go_when_the_sessions_were_reset_or_their_time_is_up() -> None:
    heart = serving()
    heart.now += 200 * MS
    out = heart.once()
    assert has(out, do.DROP) and not has(out, do.ADDRESSES_OFF)
    assert has(heart.asks(say.ServiceOff(False)), do.ADDRESSES_OFF), "the supervisor has reset its sessions"
    heart = serving()
    heart.now += 200 * MS
    heart.once()
    assert has(heart.turns(60), do.ADDRESSES_OFF), "it did not say so in time"


def test_a_killed_supervisors_addresses_go_with_its_process() -> None:
    heart = serving()
    heart.stalled = True
    out = heart.turns(60)
    assert has(out, do.KILL) and has(out, do.DROP) and not has(out, do.ADDRESSES_OFF)
    heart.guard.supervisor_died(heart.now)
    assert has(heart.once(), do.ADDRESSES_OFF)


def test_without_a_lease_addresses_go_at_once() -> None:
    heart = serving()
    heart.guard.fence(False, "no tables here", heart.now)
    heart.now += 200 * MS
    assert has(heart.once(), do.ADDRESSES_OFF)


def test_tables_loaded_anew_are_acquired_anew_and_nothing_is_lost() -> None:
    heart = serving()
    heart.guard.fence(True, "", heart.now)
    out = heart.guard.outputs()
    assert has(out, do.ACQUIRE) and say.Fence(True, "") in told(out) and heart.guard.service


def test_tables_that_cannot_be_had_end_the_service_where_they_are_required() -> None:
    heart = serving(lease_needed=True)
    heart.guard.fence(False, "no tables here", heart.now)
    lost = [m for m in told(heart.guard.outputs()) if isinstance(m, say.Lost)]
    assert lost and lost[0].reason == "no tables here" and not heart.guard.service
    heart = serving()
    heart.guard.fence(False, "no tables here", heart.now)
    heart.guard.network(0, 3, heart.now)
    heart.turns(30)
    assert heart.guard.service, "where it is not required the service goes on, openly without"


def test_announcements_come_at_once_then_seldom_and_are_not_made_up_for() -> None:
    schedule = Announcements()
    assert not schedule.take(0) and schedule.due > 10**18
    schedule.begin(1_000 * MS)
    times = []
    for ms in range(1_000, 8_001):
        if schedule.take(ms * MS):
            times.append(ms - 1_000)
    assert times == list(SCHEDULE_MS)
    assert schedule.due == 6_000 * MS + AFTERWARDS_NS
    schedule.begin(20_000 * MS)
    assert schedule.take(23_000 * MS) and not schedule.take(23_001 * MS), "one for all that were slept over"
    schedule.end()
    assert not schedule.take(99_000 * MS)


def test_an_address_is_unanswered_since_the_first_probe_that_left_or_the_last_answer() -> None:
    vacancy = Vacancy(60 * MS)
    assert not vacancy.take(5 * MS)
    vacancy.want(True, 10 * MS)
    vacancy.want(True, 11 * MS)
    assert vacancy.take(10 * MS) and vacancy.unanswered_ns(10 * MS) == 0
    vacancy.asked(True, 10 * MS)
    assert not vacancy.take(29 * MS) and vacancy.take(30 * MS)
    assert vacancy.unanswered_ns(70 * MS) == 60 * MS
    vacancy.answered(75 * MS)
    assert vacancy.unanswered_ns(100 * MS) == 25 * MS
    vacancy.asked(False, 110 * MS)
    assert vacancy.unanswered_ns(200 * MS) == 0, "where nothing can be asked, silence says nothing"
    vacancy.want(False, 210 * MS)
    assert vacancy.due == NEVER
