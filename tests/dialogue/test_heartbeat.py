"""The view of the peer in dialogue: beats, echoes, refusals and silences at given times."""

from __future__ import annotations

import pytest

from tandem.codec.beat import DRAINED, GRANTING, Beat, Kind, Role
from tandem.codec.heart import HeartTurn, PinsRead
from tandem.point import MS
from tandem.standby.guard_words import PathRule, Rules
from tandem.standby.heartbeat import Heartbeat
from tandem.standby.peer import NEVER, BeatNowWanted, PeerView, ProbeWanted, SayMissed

RULES = Rules(1, (PathRule("lan.station"), PathRule("lan.control"), PathRule("serial.crossover", 6 * MS, True)), lans=2)
LANS = ("station", "control")
PEER = 0xAAAA


class Ear:
    """A heartbeat view with its clock; the heart turns unless it is `asleep`."""

    def __init__(self) -> None:
        self.ms = 1_000
        self.heartbeat = Heartbeat(RULES, LANS, self.now)
        self.counter = 0
        self.asleep = False

    @property
    def now(self) -> int:
        return self.ms * MS

    def beat(self, path: int = 0, age_ms: int | None = 3, **fields: int) -> PeerView:
        self.counter = fields.pop("counter", self.counter + 1)
        usual = {"kind": Kind.BEAT, "role": Role.ACTIVE, "flags": GRANTING, "nonce": PEER, "epoch": 4, "q": 0}
        values = {**usual, **fields}
        beat = Beat(
            values["kind"], 0, values["role"], 255, values["flags"], values["nonce"], self.counter, 1, 1,
            values["epoch"], values["q"], 100, 90,
        )  # fmt: skip
        self.heartbeat.beat(path, beat, None if age_ms is None else age_ms * MS, self.now)
        return self.tick()

    def tick(self) -> PeerView:
        if not self.asleep:
            self.heartbeat.heart_says(HeartTurn(self.now), self.now)
        return self.heartbeat.tick(self.now)

    def after(self, ms: int, step: int = 5) -> PeerView:
        view = self.tick()
        for _ in range(ms // step):
            self.ms += step
            view = self.tick()
        return view

    def alive(self) -> Ear:
        for _ in range(5):
            for path in range(3):
                self.beat(path, counter=self.counter + (path == 0))
            self.after(20)
        self.heartbeat.events()
        return self


def test_a_fresh_beat_is_life() -> None:
    ear = Ear()
    view = ear.beat()
    assert view.heard and view.hears_me and view.role == Role.ACTIVE and view.granting
    assert view.last_granting_ns == ear.now and view.last_released_seq == 90 and view.head == 100


@pytest.mark.parametrize("age_ms", [None, 124, 10_000])
def test_a_beat_that_echoes_nothing_recent_is_no_life(age_ms: int | None) -> None:
    view = Ear().beat(age_ms=age_ms)
    assert not view.known and view.fresh_ns == NEVER
    assert view.highest_epoch == 4, "however old it is: that epoch was used"


def test_the_echo_may_be_older_on_a_slow_path() -> None:
    assert not Ear().beat(path=0, age_ms=126).known
    assert Ear().beat(path=2, age_ms=126).known


def test_suspect_at_two_missed_beats_and_silent_at_d() -> None:
    ear = Ear().alive()
    ear.beat()
    assert not ear.after(45).suspect
    view = ear.after(5)
    assert view.suspect and not view.heard and not view.silent
    assert [type(e) for e in ear.heartbeat.events()] == [SayMissed, ProbeWanted]
    assert not ear.after(65).silent
    assert ear.after(5).silent
    assert ear.beat().heard and ear.heartbeat.events() == [SayMissed(0)]


def test_own_lateness_extends_the_silence_by_d_at_most() -> None:
    ear = Ear().alive()
    ear.beat()
    ear.ms += 400
    assert not ear.tick().silent, "the beats of that time may still be on their way"
    assert not ear.after(15).silent
    view = ear.after(10)
    assert view.silent, "but a peer that says nothing then is silent"


def test_after_a_stall_one_more_period_is_waited() -> None:
    ear = Ear().alive()
    ear.beat()
    ear.after(40)
    ear.ms += 90
    assert not ear.tick().suspect
    assert not ear.after(15).suspect
    assert ear.after(5).suspect
    assert not ear.after(45).silent, "the 80 ms that we overslept are no silence of the peer"
    assert ear.after(5).silent


def test_while_the_heart_does_not_turn_nothing_is_silence() -> None:
    ear = Ear().alive()
    ear.beat()
    ear.asleep = True
    assert not ear.after(1_000).suspect


def test_eof_is_a_suspicion_that_probes_once() -> None:
    ear = Ear().alive()
    ear.heartbeat.link_eof(ear.now)
    ear.heartbeat.link_eof(ear.now)
    assert ear.heartbeat.events() == [ProbeWanted("the hot-standby link ended")]
    assert not ear.tick().dead


def test_an_eof_read_by_a_turn_that_woke_late_is_void() -> None:
    ear = Ear().alive()
    ear.heartbeat.was_away(70 * MS, ear.now)
    ear.heartbeat.link_eof(ear.now)
    assert ear.heartbeat.events() == []


def test_refused_on_every_path_and_no_serial_beat_is_death() -> None:
    ear = Ear().alive()
    ear.heartbeat.link_eof(ear.now)
    ear.ms += 1
    ear.heartbeat.refused(0, ear.now)
    assert not ear.tick().dead
    ear.heartbeat.refused(1, ear.now)
    assert not ear.tick().dead, "a serial beat may be on its way"
    view = ear.after(20, step=1)
    assert view.dead == "refused on lan.station, lan.control" and view.dead_ns <= ear.now


def test_who_speaks_on_the_crossover_after_he_was_refused_is_not_dead() -> None:
    """A member is back without its LANs: what refused for its dead heart proves nothing between two of its beats."""
    ear = Ear().alive()
    ear.after(60)
    for path in (0, 1):
        ear.heartbeat.refused(path, ear.now)
    assert ear.after(30).dead
    for _ in range(5):
        ear.beat(2, nonce=PEER + 1)
        assert not ear.after(20, step=1).dead
    assert not ear.after(200).dead, "its silence is no proof either"


def test_a_proof_of_death_that_nothing_renews_expires() -> None:
    """Whoever is back behind a cut cable refuses nothing, and must not be taken for dead for ever."""
    ear = Ear().alive()
    ear.after(60)
    for _ in range(3):
        for path in (0, 1):
            ear.heartbeat.refused(path, ear.now)
        assert ear.after(1_000).dead
    view = ear.after(1_500)
    assert not view.dead and view.dead_ns == NEVER and view.silent


def test_a_serial_beat_beats_the_refusals() -> None:
    ear = Ear().alive()
    ear.heartbeat.refused(0, ear.now)
    ear.heartbeat.refused(1, ear.now)
    ear.ms += 5
    ear.beat(path=2)
    ear.ms += 16
    assert not ear.tick().dead
    assert ear.beat(path=0).heard


def test_a_path_that_is_cut_does_not_count_as_an_answer() -> None:
    ear = Ear().alive()
    for _ in range(8):
        ear.beat(path=0)
        ear.after(20)
    ear.heartbeat.refused(0, ear.now)
    assert ear.after(20, step=1).dead == "refused on lan.station"


def release(ear: Ear, **fields: int) -> PeerView:
    return ear.beat(kind=Kind.RELEASED_SERVICE, role=Role.DEAD, **fields)


def test_a_release_for_this_epoch_is_proof() -> None:
    ear = Ear().alive()
    assert release(ear).service_released_ns == ear.now
    view = ear.beat(kind=Kind.RELEASED_LINES, role=Role.DEAD, flags=DRAINED)
    assert view.lines_released_ns == ear.now and view.lines_drained


@pytest.mark.parametrize(
    "fields",
    [{"epoch": 2}, {"nonce": 0xBBBB}, {"age_ms": None}, {"age_ms": 500}],
    ids=["old", "other run", "none", "late"],
)
def test_any_other_release_is_none(fields: dict[str, int]) -> None:
    assert release(Ear().alive(), **fields).service_released_ns == NEVER


def test_a_release_ends_when_the_peer_serves_again_and_by_time() -> None:
    ear = Ear().alive()
    release(ear)
    assert ear.beat(role=Role.STANDBY).service_released_ns != NEVER
    assert ear.beat(role=Role.ACTIVE).service_released_ns == NEVER
    release(ear)
    for _ in range(110):
        ear.after(20)
        ear.beat(role=Role.STANDBY)
    assert ear.tick().service_released_ns == NEVER


def test_an_older_beat_over_a_slow_path_says_nothing_new() -> None:
    ear = Ear().alive()
    ear.beat(role=Role.STANDBY, counter=50)
    assert ear.beat(role=Role.ACTIVE, counter=49, path=2).role == Role.STANDBY


def test_a_new_nonce_is_a_reboot() -> None:
    ear = Ear().alive()
    release(ear)
    view = ear.beat(nonce=0xCCCC, role=Role.STARTING, counter=1)
    assert view.reboots == 1 and view.fresh_beats == 1 and view.service_released_ns == NEVER


def test_counters_wrap() -> None:
    ear = Ear()
    ear.beat(counter=2**32 - 1, role=Role.ACTIVE)
    assert ear.beat(counter=0, role=Role.STANDBY).role == Role.STANDBY


def test_heard_and_not_hearing_is_deaf_but_a_recording_is_not() -> None:
    ear = Ear().alive()
    ear.after(130)
    for counter in (3, 2, 3, 4):
        assert not ear.beat(age_ms=None, counter=counter).deaf, "these counters were heard before"
    assert ear.beat(age_ms=None, counter=1_000).deaf
    assert not ear.after(130).deaf


def test_being_missed_asks_for_a_beat_and_is_disproved_or_disowned() -> None:
    ear = Ear().alive()
    assert not ear.beat(role=Role.STANDBY, q=50, age_ms=60).disowned
    assert any(isinstance(e, BeatNowWanted) for e in ear.heartbeat.events())
    view = ear.beat(role=Role.STANDBY, q=0)
    assert not view.missed_q_ms and view.hears_me
    ear.beat(role=Role.STANDBY, q=50, age_ms=60)
    ear.after(15)
    assert ear.beat(role=Role.STANDBY, q=70, age_ms=90).disowned is False
    ear.ms += 4
    assert ear.tick().disowned
    assert not ear.after(140).disowned, "words that are older than D count no more"


def test_after_a_carrier_returned_silence_counts_for_nothing_for_a_second() -> None:
    ear = Ear().alive()
    ear.heartbeat.heart_says(PinsRead(ear.now, 0, 0, 1, 0, 0), ear.now)
    assert ear.tick().isolated and ear.tick().settled
    ear.heartbeat.heart_says(PinsRead(ear.now, 0, 0, 1, 0, 1), ear.now)
    assert not ear.tick().isolated and not ear.after(990).settled
    assert ear.after(10).settled


def test_due_is_always_ahead() -> None:
    ear = Ear().alive()
    for _ in range(100):
        assert ear.heartbeat.due(ear.now) > ear.now
        ear.after(7, step=7)


def test_who_asks_again_when_to_come_is_not_late_for_what_he_was_told_before() -> None:
    ear = Ear().alive()
    for _ in range(4):  # beats come, and nobody has a reason to look: the promise moves on with them
        ear.counter += 1
        beat = Beat(Kind.BEAT, 0, Role.ACTIVE, 255, GRANTING, PEER, ear.counter, 1, 1, 4, 0, 100, 90)
        ear.heartbeat.beat(0, beat, 3 * MS, ear.now)
        ear.heartbeat.due(ear.now)
        ear.ms += 20
    ear.ms += 30  # 50 ms of silence: as promised
    assert ear.tick().suspect
    assert not ear.after(65).silent
    assert ear.after(5).silent, "and no lateness was added to D"
