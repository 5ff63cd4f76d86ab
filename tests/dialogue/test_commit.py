"""A commit between two members: its way, every refusal, the way back, and the power going at any moment."""

from __future__ import annotations

import json

import pytest

from tandem import kept as keep
from tandem.codec.link_commit import CommitWord, Piece
from tandem.standby.rolling import TRIES
from tests.support.commit_pair import NEW, NEWER, OLD, CommitMember, CommitPair, goal_of


@pytest.fixture
def pair() -> CommitPair:
    pair = CommitPair()
    pair.run(1)
    return pair


def runs(pair: CommitPair) -> list[str]:
    return [member.runs for member in (pair.a, pair.b)]


def kept(member: CommitMember) -> keep.Kept:
    return keep.read(member.flash[keep.FILE])


@pytest.mark.parametrize("at", ["a", "b"])
def test_the_standby_is_first_and_the_other_follows_after_a_switchover(pair: CommitPair, at: str) -> None:
    asked = {"a": pair.a, "b": pair.b}[at]
    assert asked.commit.start("u1", NEW, pair.now) == ""
    pair.until("done")
    assert runs(pair) == [NEW, NEW] and pair.b.active
    told = "\n".join(pair.steps())
    order = ["a: verified", "a: staged on both", "a: b activates", "switchover", "b: a activates", "b: both members"]
    assert [told.index(word) for word in order] == sorted(told.index(word) for word in order)
    assert [m.boots for m in (pair.a, pair.b)] == [2, 2], "each restarted once"
    pair.run(5)
    for member in (pair.a, pair.b):
        assert kept(member).trial == 0 and kept(member).previous == OLD
        assert goal_of(member)["state"] == "done"


def test_a_rollback_is_a_commit_of_what_ran_before(pair: CommitPair) -> None:
    pair.a.commit.start("u1", NEW, pair.now)
    pair.until("done")
    pair.run(5)
    assert pair.a.commit.start("u2", "", pair.now) == "", "asked at the standby"
    pair.run(0.5)
    pair.until("done")
    assert runs(pair) == [OLD, OLD] and pair.a.active


def test_a_rollback_turns_a_commit_round_that_is_under_way(pair: CommitPair) -> None:
    pair.a.commit.start("u1", NEW, pair.now)
    while pair.b.runs != NEW:
        pair.run(0.05)
    assert "under way" in pair.a.commit.start("u2", NEWER, pair.now)
    assert pair.a.commit.start("u3", "", pair.now) == ""
    pair.until("returned")
    assert runs(pair) == [OLD, OLD]


def test_refusals_are_sentences(pair: CommitPair) -> None:
    pair.a.commit.start("u1", "faulty", pair.now)
    pair.run(1)
    assert pair.steps()[-1] == "a: refused: faulty has faults" and pair.active.commit.goal.state == "refused"
    pair.a.commit.start("u2", OLD, pair.now)
    pair.run(1)
    assert "both members run this configuration already" in pair.steps()[-1]
    pair.b.commit.start("u3", "", pair.now)
    pair.run(1)
    assert pair.b.commit.refused == {"u3": "there is no configuration before this one"}
    pair.b.bad.add(OLD)
    pair.run(1)
    assert "not in sync" in pair.a.commit.start("u4", NEW, pair.now)
    pair.cut = True
    pair.run(1)
    assert "needs both members" in pair.b.commit.start("u5", NEW, pair.now)
    assert runs(pair) == [OLD, OLD] and pair.a.boots == pair.b.boots == 1


def test_what_only_the_standby_refuses_is_refused(pair: CommitPair) -> None:
    stage = pair.b._stage
    pair.b._stage = lambda pack, given: {"why": "no port bus9"}  # type: ignore[method-assign]
    pair.a.commit.start("u1", NEW, pair.now)
    pair.run(1)
    assert "the other member refuses: no port bus9" in pair.steps()[-1]
    pair.b._stage = lambda pack, given: {**stage(pack, given), "tables": {NEW: "07" * 32}}  # type: ignore[method-assign]
    pair.a.commit.start("u2", NEW, pair.now)
    pair.run(1)
    assert "other ids" in pair.steps()[-1] and runs(pair) == [OLD, OLD]


def test_a_standby_that_does_not_get_in_sync_goes_back_by_itself(pair: CommitPair) -> None:
    pair.b.bad.add(NEW)
    pair.a.commit.start("u1", NEW, pair.now)
    pair.until("returned")
    assert runs(pair) == [OLD, OLD] and pair.a.active and pair.a.boots == 1
    assert any("gave it up" in step for step in pair.steps())


def test_a_new_active_that_is_not_well_hands_the_role_back(pair: CommitPair) -> None:
    pair.a.commit.start("u1", NEW, pair.now)
    while not pair.b.active:
        pair.run(0.05)
    pair.b.service.doors_shut["scada"] = "port 2404 is taken"
    pair.until("returned")
    assert runs(pair) == [OLD, OLD] and pair.a.active and pair.a.boots == 1
    assert any("port 2404 is taken: both members go back" in step for step in pair.steps())


def test_a_second_member_that_fails_takes_the_first_back_with_it(pair: CommitPair) -> None:
    pair.a.bad.add(NEW)
    pair.a.commit.start("u1", NEW, pair.now)
    pair.until("returned")
    assert runs(pair) == [OLD, OLD]


def test_nothing_is_activated_before_it_is_on_flash(pair: CommitPair) -> None:
    pair.a.slow_flash = True
    pair.a.commit.start("u1", NEW, pair.now)
    pair.run(10)
    assert runs(pair) == [OLD, OLD] and pair.b.boots == 1 and pair.steps()[-1] == "a: staged on both members"


def test_a_standby_that_lost_the_files_gets_them_again(pair: CommitPair) -> None:
    pair.a.commit.start("u1", NEW, pair.now)
    while pair.a.commit.goal is None or pair.a.commit.goal.state != "rolling":
        pair.run(0.05)
    pair.b.commit._have.discard(NEW)
    pair.until("done")
    assert runs(pair) == [NEW, NEW]


def test_members_with_different_configurations_are_brought_together(pair: CommitPair) -> None:
    """One was started with a changed --config: a commit of whichever heals the pair."""
    pair.b.flash[keep.FILE] = keep.Kept(running=NEWER, previous=OLD).to_json()
    pair.b.boot()
    pair.b.bad.add(NEWER)
    pair.run(1)
    pair.a.commit.start("u1", NEW, pair.now)
    pair.until("done")
    assert runs(pair) == [NEW, NEW]


@pytest.mark.parametrize("victim", ["a", "b", "both"])
@pytest.mark.parametrize("after_ms", range(0, 6000, 250))
def test_the_power_goes_at_any_moment(victim: str, after_ms: int) -> None:
    """One member or both lose their power and come back: in the end both run the same, the old or the new."""
    pair = CommitPair()
    pair.run(1)
    pair.a.commit.start("u1", NEW, pair.now)
    pair.run(after_ms / 1000)
    victims = [member for member in (pair.a, pair.b) if victim in (member.letter, "both")]
    first = pair.active
    for member in victims:
        pair.die(member)
    pair.run(2)
    for member in victims:
        member.boot()
    if victim == "both":
        first.active = True
        pair.standby.active = False
    pair.run(300)
    assert pair.a.runs == pair.b.runs
    assert pair.a.active != pair.b.active
    assert pair.active.commit.goal is None or not pair.active.commit.goal.open
    assert kept(pair.a).running == kept(pair.b).running == pair.a.runs
    assert pair.active.commit.start("u2", NEWER, pair.now) == "", "and the next commit can begin"
    pair.until("done")
    assert runs(pair) == [NEWER, NEWER]


WORDS = ["", "[]", "{}", '{"w": "x"}', '{"w": "offer"}', '{"w": "offer", "uid": 1, "size": 99999999, "sha": ""}',
         '{"w": "goal", "goal": 5, "tables": {}}', '{"w": "ready"}', '{"w": "mine", "goal": {}, "why": ""}', "[" * 9999,
         '{"w": "activate", "goal": null, "tables": {"x": "zz"}}', '{"w": "got", "at": "x"}']  # fmt: skip


@pytest.mark.parametrize("text", WORDS)
def test_words_that_mean_nothing_change_nothing(pair: CommitPair, text: str) -> None:
    for member in (pair.a, pair.b):
        member.commit.heard(CommitWord(text), pair.now)
        member.commit.heard(Piece(5, b"x"), pair.now)
    pair.run(2)
    assert runs(pair) == [OLD, OLD] and pair.a.boots == pair.b.boots == 1
    pair.a.commit.start("u1", NEW, pair.now)
    pair.until("done")


def test_a_member_that_always_comes_back_with_the_old_one_is_not_told_for_ever(pair: CommitPair) -> None:
    boot = pair.b.boot

    def stubborn() -> None:
        record = json.loads(pair.b.flash[keep.FILE])
        pair.b.flash[keep.FILE] = json.dumps({**record, "running": OLD, "trial": 0})
        boot()

    pair.b.boot = stubborn  # type: ignore[method-assign]
    pair.a.commit.start("u1", NEW, pair.now)
    pair.until("returned")
    assert pair.b.boots == 1 + TRIES
