"""The heart's rules in dialogue: what comes in at which time, what must be carried out, in which order."""

from __future__ import annotations

import pytest

from tandem.codec import heart as say
from tandem.codec.beat import CONTACT, DRAINED, Kind, Role
from tandem.point import MS
from tandem.standby import guard_words as do
from tandem.standby.guard_words import Output
from tests.support.guard_rig import PEER, RULES, SEAL, TAKEN_BACK, Heart, doings, has, sent, told


def test_no_beat_before_the_first_turn_of_the_supervisor() -> None:
    heart = Heart()
    heart.stalled = True
    assert sent(heart.turns(200)) == []
    heart.stalled = False
    assert {path for path, _ in sent(heart.turns(25))} == {0, 1, 2}


def test_a_beat_every_period_on_every_path_with_rising_counters() -> None:
    beats = sent(Heart().turns(200))
    on_first = [beat.counter for path, beat in beats if path == 0]
    assert 9 <= len(on_first) <= 11 and on_first == sorted(set(on_first))


def test_a_beat_that_is_asked_for_leaves_in_the_same_turn() -> None:
    heart = Heart()
    heart.turns(40)
    heart.asks(say.BeatNow())
    assert len(sent(heart.once())) >= 2


def test_a_slow_path_takes_no_second_beat_while_it_sends_the_first() -> None:
    heart = Heart()
    heart.turns(40)
    out: list[Output] = []
    for _ in range(4):
        heart.asks(say.BeatNow())
        out += heart.once()
    assert [path for path, _ in sent(out)].count(2) <= 1 and [path for path, _ in sent(out)].count(0) == 4


def test_the_lease_is_renewed_before_the_pulse_and_the_beat_of_its_turn() -> None:
    heart = Heart().serves()
    heart.turns(7)
    heart.guard.request(say.BeatNow(), heart.now)
    heart.now = heart.guard._pulse_at
    kinds = [type(o).__name__ for o in heart.once()]
    assert kinds[:3] == ["Lease", "Pulse", "Send"]


def test_the_first_pulse_waits_until_the_watchdog_contact_was_read_open() -> None:
    heart = Heart()
    heart.pins(0, watchdog=1)
    assert not has(heart.turns(50), do.PULSE)
    heart.pins(0, watchdog=0)
    assert has(heart.turns(6), do.PULSE)
    heart.pins(0, watchdog=1)
    assert say.Proof(True, "") in told(heart.turns(20))


def test_a_watchdog_contact_that_never_opens_is_told() -> None:
    heart = Heart()
    heart.pins(0, watchdog=1)
    proofs = [m for m in told(heart.turns(400)) if isinstance(m, say.Proof)]
    assert proofs == [say.Proof(False, "the watchdog contact was not read open before the first pulse")]


def test_pulses_stop_with_the_supervisors_progress() -> None:
    heart = Heart().serves()
    heart.stalled = True
    out = heart.turns(150)
    low = out.index(do.COIL_LOW)
    assert has(out[:low], do.PULSE) and not has(out[low:], do.PULSE)


def test_a_stall_takes_back_in_this_order_and_says_so_three_times_on_every_path() -> None:
    heart = Heart().serves()
    heart.stalled = True
    out = heart.turns(60)
    assert doings(out) == [TAKEN_BACK[0], "KillSupervisor()", *TAKEN_BACK[1:]]
    after = out[out.index(do.ADDRESSES_OFF) :]
    frames = [o for o in after if isinstance(o, do.Send)]
    first = [SEAL.verify(o.octets).kind for o in frames[:9]]  # type: ignore[union-attr]
    assert first == [Kind.RELEASED_SERVICE] * 9, "ahead of every beat"
    assert sorted(o.path for o in frames[:9]) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert all(beat.epoch == 12 and beat.role == Role.DEAD for _, beat in sent(after, Kind.RELEASED_SERVICE))


def test_released_lines_waits_for_the_open_contact() -> None:
    heart = Heart().serves()
    heart.guard.supervisor_died(heart.now)
    assert sent(heart.turns(30), Kind.RELEASED_LINES) == []
    heart.pins(0)
    released = sent(heart.once(), Kind.RELEASED_LINES)
    assert [path for path, _ in released].count(0) == 3 and not released[0][1].flags & (DRAINED | CONTACT)
    assert has(heart.turns(100), do.EXIT)


def test_a_contact_that_stays_closed_is_waited_for_one_second() -> None:
    heart = Heart().serves()
    heart.guard.supervisor_died(heart.now)
    assert not has(heart.turns(990), do.EXIT)
    assert has(heart.turns(20), do.EXIT) and sent(heart.all, Kind.RELEASED_LINES) == []


def test_without_a_lease_the_release_waits_until_the_killed_process_is_dead() -> None:
    heart = Heart(RULES._replace(has_pins=False, fenced=False, lans=0))
    heart.turns(40)
    heart.asks(say.ServiceOn(12, 1))
    heart.stalled = True
    assert has(out := heart.turns(60), do.KILL) and sent(out, Kind.RELEASED_SERVICE) == []
    heart.guard.supervisor_died(heart.now)
    assert len(sent(heart.turns(1), Kind.RELEASED_SERVICE)) == 9


def test_a_standby_without_its_supervisor_says_dead_and_releases_nothing() -> None:
    heart = Heart()
    heart.turns(40)
    heart.guard.supervisor_died(heart.now)
    out = heart.turns(60)
    assert {beat.role for _, beat in sent(out)} == {Role.DEAD} and has(out, do.EXIT)
    assert sent(out, Kind.RELEASED_SERVICE) == sent(out, Kind.RELEASED_LINES) == []


@pytest.mark.parametrize(("away_ms", "lost"), [(50, False), (61, True), (500, True)])
def test_own_lateness_beyond_the_lease_loses_everything_before_any_output(away_ms: int, lost: bool) -> None:
    heart = Heart().serves()
    heart.now += away_ms * MS
    out = heart.once()
    assert (doings(out) == TAKEN_BACK) is lost
    if lost:
        assert [repr(o) for o in out[:3]] == TAKEN_BACK
        (message,) = told([out[3]])
        assert isinstance(message, say.Lost) and message.held == 3 and message.permit == 2


def test_a_stall_of_both_is_not_the_supervisors() -> None:
    heart = Heart().serves()
    heart.stalled = True
    heart.turns(20)
    heart.now += 55 * MS
    assert not has(heart.once(), do.KILL)


def test_what_was_lost_is_latched_and_only_a_request_under_the_new_permit_claims_again() -> None:
    heart = Heart().serves()
    heart.now += 100 * MS
    heart.once()
    out = [*heart.asks(say.ServiceOn(14, 1), say.LinesOn(14, 1)), *heart.turns(100)]
    assert doings(out) == [] and do.RENEW not in out and has(out, do.PULSE)
    assert [m.permit for m in told(out) if isinstance(m, say.Lost)] == [2, 2]
    assert heart.asks(say.LinesOn(14, 2))[0] == do.COIL_HIGH


def test_a_lapsed_lease_loses_the_permission() -> None:
    heart = Heart().serves()
    out = heart.pins(1, lease=0)
    assert doings(out) == TAKEN_BACK and any(isinstance(m, say.Lost) and "lapsed" in m.reason for m in told(out))


def test_a_contact_that_opened_while_held_keeps_the_coil_low() -> None:
    heart = Heart().serves()
    assert has(heart.pins(0), do.COIL_LOW)
    heart.pins(1)
    assert not has(heart.turns(200), do.COIL_HIGH)


def test_a_release_in_order_is_said_at_once_and_the_lines_when_they_are_open() -> None:
    heart = Heart().serves()
    heart.asks(say.LinesOff(True, True))
    assert sent(heart.turns(10), Kind.RELEASED_LINES) == []
    heart.pins(0)
    lines = sent(heart.once(), Kind.RELEASED_LINES)
    assert len(lines) == 9 and lines[0][1].flags & DRAINED and lines[0][1].epoch == 12
    out = [*heart.asks(say.LinesOff(False, False), say.ServiceOff(True))]
    assert doings(out) == TAKEN_BACK and len(sent(out, Kind.RELEASED_SERVICE)) == 9


def test_what_is_left_after_a_freeze_between_two_outputs() -> None:
    heart = Heart().serves()
    rest: list[Output] = [do.RENEW, do.PULSE, do.Send(0, b"x"), do.KILL, do.COIL_HIGH, do.Tell(say.Said("x"))]
    heart.guard.overtaken(rest, heart.now + 30 * MS)
    assert heart.guard.outputs() == rest
    heart.guard.overtaken(rest, heart.now + 100 * MS)
    left = heart.guard.outputs()
    assert left[:2] == [do.KILL, do.Tell(say.Said("x"))] and doings(left[2:]) == TAKEN_BACK


def test_every_frame_says_how_old_the_echo_is() -> None:
    heart = Heart()
    heart.turns(40)
    heard = [m for m in heart.hears() if isinstance(m, say.Heard)]
    assert heard[0].echo_age_ns >= 0 and heard[0].beat.nonce == PEER
    assert [m.echo_age_ns for m in heart.hears(age_ms=None, counter=2) if isinstance(m, say.Heard)] == [-1]


def test_the_echo_follows_a_peer_that_answers_and_no_replay() -> None:
    heart = Heart()
    heart.turns(40)
    heart.hears(counter=5)
    heart.hears(age_ms=None, nonce=0xDEAD, counter=900)
    heart.hears(counter=4)
    beat = sent(heart.turns(25))[-1][1]
    assert (beat.echo_nonce, beat.echo_counter) == (PEER, 5)
    heart.hears(nonce=0xB1B1, counter=1)
    assert sent(heart.turns(25))[-1][1].echo_nonce == 0xB1B1, "a reboot: it echoes us, so it lives"


def test_a_probe_is_answered_at_once() -> None:
    heart = Heart()
    heart.turns(41)
    before = heart.guard.ear._counter
    heart.hears(kind=Kind.PROBE)
    assert heart.guard.ear._counter > before


def test_own_frames_that_come_back_and_foreign_ones_are_counted_and_no_more() -> None:
    heart = Heart()
    frames = [o.octets for o in heart.turns(40) if isinstance(o, do.Send)]
    for octets in (*frames, b"", b"\xb7\x54" * 40, bytes(58), b"x" * 2000):
        heart.guard.received(0, octets, heart.now)
        heart.guard.received(2, octets, heart.now)
    assert not [m for m in told(heart.turns(10)) if isinstance(m, say.Heard)] and heart.guard.ear.foreign > 4


def released(heart: Heart) -> Heart:
    """The lines were given back and the role contact is read open."""
    heart.serves()
    heart.asks(say.LinesOff(True, True))
    heart.pins(0)
    return heart


def test_after_each_release_the_watchdog_contact_is_proven_again() -> None:
    heart = released(Heart())
    out = heart.turns(60)
    assert not has(out[1:], do.PULSE), "held back until the contact opens"
    heart.pins(0, watchdog=0)
    assert has(heart.turns(12), do.PULSE)
    heart.pins(0, watchdog=1)
    assert say.Proof(True, "") in told(heart.turns(20))


def test_a_watchdog_contact_that_welded_while_the_lines_were_held_is_found_at_the_release() -> None:
    heart = released(Heart())
    proofs = [m for m in told(heart.turns(400)) if isinstance(m, say.Proof)]
    assert proofs == [say.Proof(False, "the watchdog contact was not read open before the first pulse")]


def test_a_claim_during_the_proof_ends_it_and_the_coil_waits_for_the_watchdog_contact() -> None:
    heart = released(Heart())
    heart.turns(60)
    heart.pins(0, watchdog=0)
    assert not has(heart.asks(say.LinesOn(14, 1)), do.COIL_HIGH)
    assert has(heart.turns(2), do.PULSE)
    heart.pins(0, watchdog=1)
    assert has(heart.turns(20), do.COIL_HIGH)


def test_a_claim_before_the_contact_opened_for_its_proof_feeds_the_watchdog_at_once() -> None:
    heart = released(Heart())
    heart.turns(30)
    assert not has(heart.asks(say.LinesOn(14, 1)), do.COIL_HIGH), "the contact may be about to open"
    out = heart.turns(30)
    assert has(out[:3], do.PULSE) and has(out, do.COIL_HIGH)
    assert has(heart.turns(12), do.PULSE)


def test_a_watchdog_contact_that_opens_while_it_is_fed_is_told() -> None:
    heart = Heart().serves()
    heart.pins(1, watchdog=0)
    wrong = say.Proof(False, "the watchdog contact is open although pulses are sent")
    assert wrong not in told(heart.turns(200)) and wrong in told(heart.turns(60))


def test_a_role_contact_closed_before_the_first_pulse_is_told() -> None:
    heart = Heart()
    heart.pins(1, watchdog=0)
    out = heart.turns(400)
    wrong = "the own role contact is closed although no coil is fed: welded, or wired wrongly"
    assert [m for m in told(out) if isinstance(m, say.Proof)] == [say.Proof(False, wrong)] and not has(out, do.PULSE)
    heart.pins(0, watchdog=0)
    heart.turns(12)
    heart.pins(0, watchdog=1)
    assert say.Proof(True, "") in told(heart.turns(20)), "a relay that was exchanged is found"


def test_pins_that_are_gone_drop_the_coil_and_say_why() -> None:
    heart = Heart().serves()
    heart.guard.pins_gone("the pins are gone", heart.now)
    out = heart.guard.outputs()
    assert has(out, do.COIL_LOW) and say.Proof(False, "the pins are gone") in told(out)
    assert not has(heart.turns(100), do.PULSE)
