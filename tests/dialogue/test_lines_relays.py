"""Two members' claims on the bench's relays, in virtual time: races, welds, bounces, and never two contacts."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tandem.codec.heart import PinsRead
from tandem.config.margins import RelayTimes
from tandem.point import MS
from tandem.standby.act import Alarm, LinesOff, LinesOn
from tandem.standby.lines import Lines, LinesStep
from tandem.standby.peer import PeerView
from tools.bench.relaybench.relays import Relays

BOARD = tomllib.loads((Path(__file__).resolve().parents[2] / "board" / "bench" / "board.toml").read_text())
TIMES = RelayTimes(**BOARD["relay"])
HOLD_OFF_NS = 120 * MS


class Cabinet:
    """Relays, and a `Lines` each that nobody tells of the other: every path is cut."""

    def __init__(self, **changes: float) -> None:
        self.now = 0
        board = {**BOARD, "relay": {**BOARD["relay"], **changes}}
        self.relays = Relays.of_board(board, lambda *event: None)
        self.lines = {m: Lines(m, TIMES, HOLD_OFF_NS * (2 if m == "b" else 1)) for m in "ab"}
        self.alarms: list[str] = []
        self.both_closed = self.both_held = 0
        self.moves = dict.fromkeys("ab", 0)
        self.live = dict.fromkeys("ab", True)

    def claim(self, *members: str) -> None:
        for m in members:
            self.act(m, self.lines[m].claim(2, "test", PeerView(), self.now))

    def act(self, m: str, actions: list[object]) -> None:
        for action in actions:
            if isinstance(action, LinesOn | LinesOff):
                self.relays.coil(m, isinstance(action, LinesOn), self.now)
            elif isinstance(action, Alarm):
                self.alarms.append(f"{m}: {action.reason}")

    def run(self, ms: int) -> Cabinet:
        for _ in range(ms):
            self.now += MS
            before = {m: self.relays.contact(m) for m in "ab"}
            for m in "ab":
                if self.live[m] and self.now % (10 * MS) == 0:
                    self.relays.pulse(m, self.now)
            self.relays.tick(self.now)
            for m, n in (("a", "b"), ("b", "a")):
                own, peer = self.relays.contact(m), self.relays.contact(n)
                self.moves[m] += own != before[m]
                lines = self.lines[m]
                pins = PinsRead(self.now, own, peer, self.relays.watchdog[m].closed, 1, 3)
                lines.contacts.read(pins, self.now)
                self.act(m, list(lines.tick(2, PeerView(), self.now)))
            self.both_closed += self.relays.contact("a") and self.relays.contact("b")
            self.both_held += all(self.lines[m].step is LinesStep.HELD for m in "ab")
        return self

    def steps(self) -> tuple[LinesStep, LinesStep]:
        return self.lines["a"].step, self.lines["b"].step


@pytest.mark.parametrize("lead_ms", range(-40, 41))
def test_of_two_claims_at_about_the_same_time_one_wins_and_no_contact_ever_meets_another(lead_ms: int) -> None:
    cabinet = Cabinet().run(50)
    first, second = ("a", "b") if lead_ms <= 0 else ("b", "a")
    cabinet.claim(first)
    cabinet.run(abs(lead_ms))
    cabinet.claim(second)
    cabinet.run(300)
    assert LinesStep.HELD in cabinet.steps() and cabinet.both_closed == cabinet.both_held == 0
    assert sorted(cabinet.moves.values()) == [0, 3], "closed, bounced, closed: and no chatter"


def test_the_loser_of_a_race_says_so_and_claims_again_when_the_winner_is_gone() -> None:
    cabinet = Cabinet().run(50)
    cabinet.claim("a", "b")
    cabinet.run(400)
    assert cabinet.steps()[0] is LinesStep.HELD
    assert any("b: the field lines are lost" in line for line in cabinet.alarms)
    cabinet.live["a"] = False
    cabinet.run(700)
    assert cabinet.lines["b"].step is LinesStep.HELD and cabinet.both_closed == 0


def test_a_peer_whose_contact_is_welded_is_never_driven_beside() -> None:
    cabinet = Cabinet().run(50)
    cabinet.claim("a")
    cabinet.run(50)
    cabinet.relays.weld("a", True, cabinet.now)
    cabinet.live["a"] = False
    cabinet.run(200)
    cabinet.claim("b")
    cabinet.run(1000)
    assert cabinet.lines["b"].step is not LinesStep.HELD and cabinet.both_closed == 0
    assert not cabinet.relays.role["b"].closed and any(line.startswith("b: ") for line in cabinet.alarms)


def test_an_own_contact_that_stays_closed_contradicts_its_coil() -> None:
    cabinet = Cabinet().run(50)
    cabinet.claim("a")
    cabinet.run(50)
    cabinet.relays.weld("a", True, cabinet.now)
    cabinet.relays.coil("a", False, cabinet.now)
    cabinet.lines["a"].forget(cabinet.now)
    cabinet.run(int(TIMES.watchdog_ms) - 5)
    assert cabinet.lines["a"].contradiction(cabinet.now) == ""
    cabinet.run(10)
    assert "welded" in cabinet.lines["a"].contradiction(cabinet.now)


def test_a_contact_that_never_closes_ends_the_claim_with_an_alarm() -> None:
    cabinet = Cabinet(operate_ms=10_000).run(50)
    cabinet.claim("a")
    cabinet.run(int(TIMES.claim_ms) + 2)
    assert cabinet.steps()[0] is LinesStep.LOST and "did not move within" in cabinet.alarms[0]
    assert not cabinet.relays.wanted["a"], "coil low first"


@pytest.mark.parametrize("bounce_ms", [0, 1, 2, 4])
def test_a_bouncing_contact_is_believed_when_it_is_still(bounce_ms: float) -> None:
    cabinet = Cabinet(bounce_ms=bounce_ms).run(50)
    cabinet.claim("a")
    began = cabinet.now
    while cabinet.lines["a"].step is not LinesStep.HELD:
        cabinet.run(1)
        assert cabinet.now - began < TIMES.claim_ms * MS
    still_ms = (cabinet.now - began) / MS - TIMES.operate_ms - bounce_ms
    assert still_ms >= TIMES.debounce_ms - 1
    cabinet.run(200)
    assert cabinet.steps()[0] is LinesStep.HELD and cabinet.alarms == []
