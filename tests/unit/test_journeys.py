"""Marks against the plain truth, and the journey of an event at two members in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem import journeys
from tandem.journeys import Marks


def test_a_stage_says_when_a_number_passed_and_what_it_does_not_know() -> None:
    marks = Marks(10)
    marks.mark(12, 100)
    marks.mark(12, 200)
    marks.mark(15, 300)
    assert [marks.at(n) for n in (9, 10, 11, 12, 13, 15, 16)] == [-1, -1, 100, 100, 300, 300, None]
    marks.skip(20)
    assert [marks.at(n) for n in (15, 16, 20, 21)] == [300, -1, -1, None]
    marks.cut(13)
    assert [marks.at(n) for n in (12, 13, 14)] == [100, 300, None]
    marks.mark(14, 400)
    assert [marks.at(n) for n in (12, 13, 14)] == [100, 300, 400]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9)), max_size=60))
def test_marks_are_the_truth_however_few_are_kept(steps: list[tuple[int, int]]) -> None:
    kept, number, now, passed = Marks(), 0, 0, {}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(journeys, "MARKS_MOST", 8)
        for more, later in steps:
            now += later
            passed |= dict.fromkeys(range(number + 1, number + more + 1), now)
            number += more
            kept.mark(number, now)
    found = {n: kept.at(n) for n in passed}
    known = {n: at for n, at in found.items() if at != -1}
    assert all(passed[n] == at for n, at in known.items())
    assert sorted(known) == sorted(passed)[len(passed) - len(known) :], "the newest are known"
    assert kept.at(number + 1) is None
    assert len(known) >= min(len({passed[n] for n in passed}), 3)
