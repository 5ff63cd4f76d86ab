"""The guardian's rules in dialogue: signed beats hold the relays, everything else drops them, within W to the ms."""

from __future__ import annotations

import random

import pytest

from guardian import wire
from guardian.host import Host
from guardian.rules import FAST_MOST, SILENT_LEDS, VERSION, Guardian, Settings
from tandem.panel.leds import DEAD
from tests.support.guardian_line import KEY, NONCE, Line

SEAL = wire.Seal(KEY)


def test_signed_beats_hold_both_relays_and_reports_say_so() -> None:
    line = Line().holds()
    assert line.host.flags == wire.WATCHDOG_ON | wire.ROLE_ON and line.host.silent(line.now) == ""
    line.host.say(b"C0", line.now)
    line.run(10)
    assert not line.guardian.role and line.guardian.watchdog


@pytest.mark.parametrize("how", ["frozen", "cut", "no pulses"])
def test_both_relays_drop_when_the_last_pulse_is_exactly_hold_old(how: str) -> None:
    line = Line(Settings(hold_ms=80)).holds()
    last = line.now
    line.feeding, line.cut, line.pulsing = how != "frozen", how == "cut", how != "no pulses"
    line.run(200)
    assert line.dropped_at - last == 80 and not line.guardian.role


def test_what_was_dropped_stays_dropped_until_the_role_is_asked_for_anew() -> None:
    line = Line().holds()
    line.cut = True
    line.run(90)
    line.cut = False
    line.run(200)
    assert line.guardian.watchdog and not line.guardian.role, "pulses alone do not close the role relay again"
    line.host.say(b"C0", line.now)
    line.run(20)
    line.host.say(b"C1", line.now)
    assert line.run(5).guardian.role
    assert line.cause == "no pulse in time"


def test_a_role_wanted_since_before_its_start_is_not_given() -> None:
    line = Line()
    line.host.say(b"C1", line.now)
    line.run(200)
    assert line.guardian.watchdog and not line.guardian.role


def test_beats_of_another_key_are_nothing() -> None:
    line = Line(key=b"x" * 32).run(990)
    assert not line.guardian.watchdog and line.trouble == "", "it waits a second for the first answer"
    assert "not signed with this member's key" in line.run(20).trouble


def beat(sequence: int, flags: int = wire.PULSE, nonce: int = NONCE) -> bytes:
    return wire.pack(SEAL, wire.TO_GUARDIAN, wire.BEAT, flags, nonce, sequence, bytes(10))


def test_replayed_beats_are_nothing() -> None:
    guardian = Guardian(Settings(), KEY, NONCE, 0)
    guardian.receive(beat(5), 10)
    assert guardian.watchdog
    for now in range(20, 200, 10):
        guardian.receive(beat(5), now)
        guardian.receive(beat(4), now)
        guardian.receive(beat(9, nonce=NONCE + 2), now)
        guardian.tick(now)
    assert not guardian.watchdog


def test_beats_too_fast_drop_and_keep_dropped() -> None:
    line = Line().holds()
    burst = b"".join(beat(1000 + n, wire.PULSE | wire.ROLE) for n in range(FAST_MOST + 5))
    line.garbage = burst
    line.run(2)
    assert not line.guardian.watchdog and not line.guardian.role
    line.host._sequence = 5000
    line.run(100)
    assert line.host.flags & wire.TOO_FAST and not line.guardian.watchdog and line.cause == "beats too fast"
    line.run(300)
    assert line.guardian.watchdog and not line.guardian.role


def test_garbage_costs_no_beat_and_moves_nothing() -> None:
    line, noise = Line().holds(), random.Random(7)
    for _ in range(300):
        line.garbage = noise.randbytes(noise.randrange(1, 40)) + noise.choice([b"", b"T", b"Tg", beat(3)[:17]])
        line.run(7)
    assert line.guardian.watchdog and line.guardian.role and line.host.silent(line.now) == ""
    assert line.host.bad > 10


def test_a_flipped_bit_anywhere_is_no_beat() -> None:
    whole = beat(7)
    for at in range(8 * wire.SIZE):
        octets = bytearray(whole)
        octets[at // 8] ^= 1 << at % 8
        guardian = Guardian(Settings(), KEY, NONCE, 0)
        guardian.receive(bytes(octets), 1)
        assert not guardian.watchdog
    guardian.receive(whole, 2)
    assert guardian.watchdog


def test_a_stream_in_single_octets_is_the_same() -> None:
    guardian = Guardian(Settings(), KEY, NONCE, 0)
    for octet in b"T" + beat(1)[:20] + beat(2):
        guardian.receive(bytes([octet]), 1)
    assert guardian.watchdog


def test_the_reset_line_is_pulled_once_a_silence_and_three_times_an_hour() -> None:
    line = Line(Settings(reset=True)).holds()
    pulls = []
    for _ in range(5):
        line.feeding = False
        last = line.now
        while not line.guardian.reset and line.now < last + 3000:
            line.run(1)
        pulls.append(line.now - last if line.guardian.reset else 0)
        held = line.now
        while line.guardian.reset:
            line.run(1)
        assert pulls[-1] == 0 or line.now - held == 200
        line.run(5000)
        assert not line.guardian.reset, "once a silence"
        line.host = Host(KEY, line.now)
        line.feeding = True
        line.run(500)
    assert [990 <= pull <= 1011 for pull in pulls] == [True, True, True, False, False]
    line.now += 3_600_000
    line.run(500)
    line.feeding = False
    line.run(1100)
    assert line.guardian.reset, "an hour later it may again"


@pytest.mark.parametrize("settings", [Settings(reset=False), Settings(reset=True)])
def test_no_reset_where_it_is_not_wired_before_the_first_beat_or_after_an_ordered_end(settings: Settings) -> None:
    line = Line(settings)
    line.feeding = False
    line.run(3000)
    line.host = Host(KEY, line.now)
    line.feeding = True
    line.run(100)
    line.host.bye(line.now)
    line.run(1)
    line.feeding = False
    line.run(3000)
    assert not line.guardian.reset and not line.guardian._pulls
    assert not line.guardian.watchdog


def test_a_contact_that_moves_is_reported_at_once() -> None:
    line = Line().run(50)
    line.guardian.sense(wire.LOCAL, line.now)
    line.guardian.tick(line.now)
    assert line.host.receive(line.guardian.outgoing(), line.now) and line.host.inputs == wire.LOCAL


def test_the_panel_shows_what_the_gateway_says_and_that_it_is_gone() -> None:
    line = Line().run(50)
    line.host.say(b"T" + bytes((1, 1, 0, 0, 0, 0, 0, 0, 0, 0)), line.now)
    line.run(20)
    assert line.guardian.leds(line.now) == [True, True] + [False] * 8
    line.cut = True
    line.run(100)
    assert line.guardian.leds(4000) == [True, False, False, False, True] + [False] * 5
    line.guardian.sense(wire.LAMP, line.now)
    assert line.guardian.leds(line.now) == [True] * 10
    assert tuple(SILENT_LEDS) == DEAD


def test_a_guardian_that_starts_anew_is_found_again() -> None:
    line = Line().holds()
    line.guardian = Guardian(Settings(), KEY, 0x99, line.now)
    line.run(60)
    assert line.guardian.watchdog and line.host.silent(line.now) == ""
    assert not line.guardian.role, "what was asked of the one before it must be asked anew"


def test_a_gateway_that_starts_anew_is_believed() -> None:
    line = Line().holds()
    line.host = Host(KEY, line.now)
    line.run(60)
    assert line.guardian.watchdog and not line.guardian.role and line.host.silent(line.now) == ""


def test_silence_is_told_within_100_ms_and_own_lateness_is_not_the_guardians() -> None:
    line = Line().holds()
    line.now += 500  # the gateway itself was away
    assert line.run(1).trouble == ""
    line.run(50)
    line.cut = True
    assert line.run(75).trouble == ""
    assert "no signed answer" in line.run(30).trouble


def test_it_answers_its_version() -> None:
    line = Line().run(50)
    line.host.ask_version(line.now)
    assert line.run(3).host.version == VERSION


def test_keys_of_the_members_differ() -> None:
    assert wire.derive(KEY, "a") != wire.derive(KEY, "b") and len(wire.derive(KEY, "a")) == 32
