"""Fork points: what two members have in common is found by claims, never by numbers alone."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.standby.histories import Claim, Fork, History, fork


def _id(n: int) -> bytes:
    return n.to_bytes(8, "big")


def _history(*claims: tuple[int, int]) -> History:
    """From (epoch, first number): claim ids are the epochs."""
    history = History()
    for epoch, first in claims:
        history.add(history.next_claim(epoch, _id(epoch), first - 1))
    return history


def test_two_new_members_share_everything_that_is_nothing() -> None:
    assert fork((), 0, (), 0) == Fork(None, 0)
    assert fork(_history((2, 1)).claims, 50, (), 0) == Fork(None, 0)


def test_the_lower_head_in_the_last_common_claim() -> None:
    a, b = _history((2, 1)), _history((2, 1))
    assert fork(a.claims, 120, b.claims, 100) == Fork(a.claims[0], 100)
    assert fork(a.claims, 100, b.claims, 120).number == 100


def test_a_tail_of_equal_numbers_is_no_common_tail() -> None:
    """a wrote 101 and 102 alone; b took over at 100 and wrote its own 101 to 150."""
    a, b = _history((2, 1)), _history((2, 1), (3, 101))
    assert fork(b.claims, 150, a.claims, 102) == Fork(a.claims[0], 100)
    assert fork(b.claims, 150, a.claims, 90).number == 90
    assert fork(a.claims, 102, b.claims, 150).number == 100


def test_the_same_epoch_claimed_twice_is_two_claims() -> None:
    a, b = _history((2, 1)), _history((2, 1))
    b.add(b.next_claim(4, _id(41), 50))
    a.add(a.next_claim(4, _id(42), 60))
    assert fork(a.claims, 99, b.claims, 99) == Fork(a.claims[0], 50)


def test_a_member_that_lost_its_journal_and_claims_again_is_no_continuation() -> None:
    a, b = _history((2, 1), (4, 1)), _history((2, 1))
    assert a.claims[1].parent_last == 0
    assert fork(a.claims, 30, b.claims, 30) == Fork(b.claims[0], 0)


def test_a_claim_may_cut_its_grandparent_shorter_than_its_parent_did() -> None:
    """a claimed at 2, lost its journal and claimed again at 1: nothing of what b has of the first claim is left."""
    a, b = _history((2, 1), (4, 2), (6, 1)), _history((2, 1))
    assert fork(a.claims, 30, b.claims, 30) == Fork(b.claims[0], 0)
    assert a.clamp(2, 5, 30) == 0


def test_a_claim_that_does_not_follow_is_refused() -> None:
    history = _history((2, 1), (3, 10))
    for claim in (Claim(3, _id(9), 11, _id(3), 10), Claim(4, _id(9), 11, _id(2), 10), Claim(4, _id(9), 12, _id(3), 10)):
        with pytest.raises(ValueError, match="does not follow epoch 3"):
            history.add(claim)


def test_epochs_and_clamps() -> None:
    history = _history((2, 1), (3, 101), (6, 151))
    assert [history.epoch_at(n) for n in (0, 1, 100, 101, 150, 151, 999)] == [0, 2, 2, 3, 3, 6, 6]
    assert history.clamp(2, 100, 200) == 100
    assert history.clamp(2, 130, 200) == 100
    assert history.clamp(6, 180, 170) == 170
    assert history.clamp(3, 140, 120) == 120
    assert history.clamp(5, 140, 200) is None
    assert history.clamp(5, 0, 200) == 0
    assert History().clamp(2, 5, 5) is None


def test_what_is_kept_is_bounded_and_survives_the_flash() -> None:
    history = _history(*((epoch, epoch * 10) for epoch in range(2, 202)))
    assert len(history.claims) == 64
    assert History.from_json(history.to_json()).claims == history.claims


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"claims": [[1]]}', '{"claims": [[2, "zz", 1, "", 0]]}', '{"claims": [[2, "00", 1, "00", 0]]}',
     '{"claims": [[-2, "0000000000000000", 1, "0000000000000000", 0]]}', "[" * 100_000],
)  # fmt: skip
def test_a_damaged_file_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="history of claims is damaged"):
        History.from_json(text)


@given(st.integers(0, 2**32))
def test_the_fork_is_where_two_real_journals_part(seed: int) -> None:
    """Two members write, copy, restart and claim at random; the fork must be the last number with equal records."""
    dice = random.Random(seed)
    histories = [History(), History()]
    journals: list[list[tuple[int, int, int]]] = [[], []]
    for step in range(dice.randrange(1, 14)):
        me = dice.randrange(2)
        mine, journal = histories[me], journals[me]
        match dice.randrange(4):
            case 0:
                epoch = max(mine.epoch, histories[1 - me].epoch) + 1
                mine.add(mine.next_claim(epoch, _id(step + 1), len(journal)))
                journal += [(epoch, step, i) for i in range(dice.randrange(4))]
            case 1 if mine.claims:
                common = fork(mine.claims, len(journal), histories[1 - me].claims, len(journals[1 - me])).number
                if len(journals[1 - me]) <= common:  # resume, perhaps not to the end
                    journals[1 - me][:] = journal[: dice.randrange(common, len(journal) + 1)]
                    histories[1 - me].adopt(mine.claims)
            case 2:
                journal.clear()  # power was cut; the claims are on flash
            case 3 if mine.claims:
                journals[1 - me][:] = journal
                histories[1 - me].adopt(mine.claims)
        common = fork(histories[0].claims, len(journals[0]), histories[1].claims, len(journals[1])).number
        assert journals[0][:common] == journals[1][:common]
        assert common <= min(map(len, journals))
