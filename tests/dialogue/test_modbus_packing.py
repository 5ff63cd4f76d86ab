"""Requests packed into the fewest frames: every span whole, limits and gaps kept."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.master.packing import Block, Span, pack, split

SPANS = st.lists(st.tuples(st.integers(0, 400), st.integers(1, 4)), max_size=40)


def covered(spans: list[Span], blocks: list[Block], limit: int) -> None:
    """Each span is a member of one block, which holds it whole and is no longer than the limit."""
    assert sorted(i for block in blocks for i in block.members) == list(range(len(spans)))
    for block in blocks:
        assert 1 <= block.size <= limit
        for first, size in (spans[i] for i in block.members):
            assert block.first <= first and first + size <= block.first + block.size


@given(spans=SPANS, limit=st.integers(4, 125), gap=st.integers(0, 30))
def test_limits_and_gaps(spans: list[Span], limit: int, gap: int) -> None:
    blocks = pack(spans, limit, gap)
    covered(spans, blocks, limit)
    for block in blocks:
        wanted = {n for i in block.members for n in range(spans[i][0], sum(spans[i]))}
        run = 0
        for number in range(block.first, block.first + block.size):
            run = 0 if number in wanted else run + 1
            assert run <= gap
        assert {block.first, block.first + block.size - 1} <= wanted


@given(numbers=st.sets(st.integers(0, 24), min_size=1, max_size=9), limit=st.integers(1, 12), gap=st.integers(0, 6))
def test_fewest_frames_for_single_numbers(numbers: set[int], limit: int, gap: int) -> None:
    spans = [(n, 1) for n in sorted(numbers)]
    best = _fewest([n for n, _ in spans], limit, gap)
    assert len(pack(spans, limit, gap)) == best


def _fewest(numbers: list[int], limit: int, gap: int) -> int:
    """Over all ways to cut the sorted numbers into runs."""
    count = [0]
    for end in range(1, len(numbers) + 1):
        runs = []
        for start in range(end):
            run = numbers[start:end]
            steps = all(b - a - 1 <= gap for a, b in itertools.pairwise(run))
            if run[-1] - run[0] < limit and steps:
                runs.append(count[start] + 1)
        count.append(min(runs))
    return count[-1]


def test_a_value_of_two_registers_is_never_split() -> None:
    spans = [(n, 2) for n in range(0, 250, 2)]
    assert [(b.first, b.size) for b in pack(spans, 125, 0)] == [(0, 124), (124, 124), (248, 2)]


def test_a_span_longer_than_a_request_is_refused() -> None:
    with pytest.raises(ValueError, match="0 to 125 cannot be read at one instant: at most 125"):
        pack([(0, 126)], 125, 0)


@given(spans=SPANS.filter(bool), limit=st.integers(4, 125))
def test_splitting_ends_at_single_spans(spans: list[Span], limit: int) -> None:
    block = pack(spans, limit, 30)[0]
    work = [[spans[i] for i in block.members]]
    rounds = 0
    while work:
        part = work.pop()
        pieces = split(part, limit)
        covered(part, pieces, limit)
        if len(set(part)) == 1:
            assert len(pieces) == 1
        else:
            assert len(pieces) > 1
            work += [[part[i] for i in piece.members] for piece in pieces]
        rounds += 1
        assert rounds < 200
