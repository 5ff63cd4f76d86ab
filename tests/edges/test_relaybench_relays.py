"""Relays of the bench: times to the nanosecond, the latch, the interlock, the lease that only lives renew."""

from __future__ import annotations

import os
import tomllib

import pytest

from tandem.port.pins import PULSE, RENEWAL, PulsePage
from tools.bench.plan import BOARD, MS
from tools.bench.relaybench.relays import Lease, Relays

BOARD_DATA = tomllib.loads((BOARD / "board.toml").read_text())


class Panel:
    """Relays driven in virtual time, with the story that they tell."""

    def __init__(self) -> None:
        self.story: list[tuple[float, str, str, int]] = []
        self.relays = Relays.of_board(BOARD_DATA, lambda t, what, m, value: self.story.append((t / MS, what, m, value)))
        self.now = 0
        self.pulsing: set[str] = set()

    def run(self, until_ms: float) -> None:
        while self.now < until_ms * MS:
            self.now += MS // 2
            if self.now % (10 * MS) == 0:
                for m in sorted(self.pulsing):
                    self.relays.pulse(m, self.now)
            self.relays.tick(self.now)

    def coil(self, m: str, on: bool) -> None:
        self.relays.coil(m, on, self.now)


@pytest.fixture
def panel() -> Panel:
    return Panel()


def test_a_contact_closes_after_its_times_and_bounces(panel: Panel) -> None:
    panel.pulsing = {"a"}
    panel.run(50)
    assert panel.story == [(15, "watchdog", "a", 1)]
    panel.coil("a", True)
    panel.run(100)
    assert panel.story[1:] == [(58, "contact", "a", 1), (59.5, "contact", "a", 0), (61, "contact", "a", 1)]


def test_when_pulses_stop_the_role_contact_opens_within_w_and_stays_open(panel: Panel) -> None:
    panel.pulsing = {"a"}
    panel.run(50)
    panel.coil("a", True)
    panel.run(100)
    panel.pulsing = set()
    panel.story.clear()
    panel.run(400)
    assert panel.story[0] == (204, "watchdog", "a", 0)
    assert panel.story[-1] == (212, "contact", "a", 0)
    assert panel.story[-1][0] - 100 <= BOARD_DATA["relay"]["watchdog_ms"]
    panel.pulsing = {"a"}
    panel.run(600)
    assert panel.relays.watchdog["a"].closed
    assert not panel.relays.contact("a"), "pulses alone must not close a role contact that dropped"
    panel.coil("a", True)
    panel.run(700)
    assert panel.relays.contact("a")


def test_the_interlock_lets_one_contact_close(panel: Panel) -> None:
    panel.pulsing = {"a", "b"}
    panel.run(50)
    panel.coil("a", True)
    panel.run(100)
    panel.coil("b", True)
    panel.run(200)
    assert panel.relays.contact("a") and not panel.relays.contact("b")
    panel.coil("a", False)
    panel.run(300)
    assert panel.relays.contact("b") and not panel.relays.contact("a")
    opened = max(t for t, what, m, v in panel.story if (what, m, v) == ("contact", "a", 0))
    closed = min(t for t, what, m, v in panel.story if (what, m, v) == ("contact", "b", 1))
    assert closed - opened == BOARD_DATA["relay"]["operate_ms"]


def test_two_coils_at_the_same_moment_never_close_both(panel: Panel) -> None:
    panel.pulsing = {"a", "b"}
    panel.run(50)
    panel.coil("a", True)
    panel.run(51)
    panel.coil("b", True)
    for ms in range(52, 300):
        panel.run(ms)
        assert not (panel.relays.contact("a") and panel.relays.contact("b"))


def test_a_welded_contact_stays_closed_and_keeps_the_other_open(panel: Panel) -> None:
    panel.pulsing = {"a", "b"}
    panel.run(50)
    panel.coil("a", True)
    panel.run(100)
    panel.relays.weld("a", True, panel.now)
    panel.coil("a", False)
    panel.coil("b", True)
    panel.run(300)
    assert panel.relays.contact("a") and not panel.relays.contact("b")
    panel.relays.weld("a", False, panel.now)
    panel.run(400)
    assert panel.relays.contact("b") and not panel.relays.contact("a")


def test_without_supply_both_relays_open(panel: Panel) -> None:
    panel.pulsing = {"a"}
    panel.run(50)
    panel.coil("a", True)
    panel.run(100)
    panel.pulsing = set()
    panel.relays.power("a", False, panel.now)
    panel.run(120)
    assert not panel.relays.contact("a") and not panel.relays.watchdog["a"].closed


def test_a_lapsed_lease_is_not_renewed() -> None:
    lease = Lease(60 * MS)
    lease.renew(0, 0)
    assert not lease.alive, "only what was acquired can be renewed"
    lease.acquire(0)
    lease.renew(50 * MS, 50 * MS)
    lease.tick(109 * MS)
    assert lease.alive
    lease.tick(110 * MS)
    assert not lease.alive
    lease.renew(111 * MS, 111 * MS)
    assert not lease.alive, "a thawed process must not get its address back"
    lease.acquire(120 * MS)
    assert lease.alive


def test_what_a_page_notes_prolongs_what_runs_and_revives_nothing(panel: Panel) -> None:
    hold_ms = BOARD_DATA["watchdog"]["hold_ms"]
    panel.relays.pulse("a", 0)
    panel.run(hold_ms - 4)
    panel.relays.prolong("a", 10 * MS, 90 * MS)
    panel.relays.prolong("a", 10 * MS, 80 * MS)
    panel.run(90 + hold_ms - 1)
    assert panel.relays.watchdog["a"].fed, "held from its newest pulse on"
    panel.relays.prolong("a", (90 + hold_ms) * MS, (92 + hold_ms) * MS)
    panel.run(90 + hold_ms + 1)
    assert not panel.relays.watchdog["a"].fed, "pulses that came when it had fallen prolong nothing"
    panel.relays.prolong("a", 10 * MS, (92 + hold_ms) * MS)
    assert panel.relays.last_pulse["a"] is None


def test_noted_renewals_count_if_the_lease_was_alive_at_the_first() -> None:
    lease = Lease(60 * MS)
    lease.prolong(5 * MS, 10 * MS)
    assert not lease.alive, "only what was acquired can be renewed"
    lease.acquire(0)
    lease.prolong(50 * MS, 300 * MS)
    lease.prolong(50 * MS, 290 * MS)
    assert lease.until == 360 * MS, "however late they are looked at"
    lease.prolong(361 * MS, 370 * MS)
    assert lease.until == 360 * MS


def test_a_page_tells_gaps() -> None:
    fd = PulsePage.create((100, 60))
    heart, bench = PulsePage(os.dup(fd)), PulsePage(fd)
    for now in (1000, 1050, 1149, 1240):
        heart.give(PULSE, now)
    assert bench.given(PULSE) == (1000, 1240)
    assert bench.given(RENEWAL) == (0, 0)
    heart.give(PULSE, 1340)
    heart.give(RENEWAL, 1341)
    assert (bench.given(PULSE), bench.given(RENEWAL)) == ((1340, 1340), (1341, 1341))
    heart.close()
    bench.close()


@pytest.fixture
def held(panel: Panel) -> Panel:
    """Member a's role coil is fed although its board is gone; b lives and trips it from 300 ms on."""
    panel.pulsing = {"a", "b"}
    panel.run(50)
    panel.coil("a", True)
    panel.run(100)
    panel.relays.hold("a", True, panel.now)
    panel.pulsing = {"b"}
    panel.run(300)
    assert panel.relays.contact("a") and not panel.relays.watchdog["a"].closed
    panel.relays.pulse_trip("b", True, panel.now)
    return panel


def test_a_trip_opens_a_held_contact_and_the_successors_own_keeps_it_open(held: Panel) -> None:
    held.run(320)
    assert not held.relays.contact("a")
    held.coil("b", True)
    held.run(340)
    held.relays.pulse_trip("b", False, held.now)
    held.run(600)
    assert held.relays.contact("b") and not held.relays.contact("a")


def test_after_a_trip_that_nobody_followed_the_held_contact_closes_again(held: Panel) -> None:
    held.run(320)
    held.relays.pulse_trip("b", False, held.now)
    held.run(400)
    assert held.relays.contact("a")


def test_a_trip_opens_no_welded_contact(panel: Panel) -> None:
    panel.pulsing = {"a", "b"}
    panel.run(50)
    panel.coil("a", True)
    panel.run(100)
    panel.relays.weld("a", True, panel.now)
    panel.pulsing = {"b"}
    panel.relays.pulse_trip("b", True, panel.now)
    panel.run(500)
    assert panel.relays.contact("a")


def test_a_board_that_stands_still_trips_nobody(held: Panel) -> None:
    held.run(320)
    assert not held.relays.contact("a")
    held.pulsing = set()
    held.run(500)
    assert held.relays.contact("a"), "K1 feeds the trip relay"
