"""Which requests read a set of numbers: the fewest that the protocol's limits and the bound on gaps allow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

Span = tuple[int, int]
"""(first number, how many): what must come with one and the same reply, such as the registers of one value."""


class Block(NamedTuple):
    """One request: `size` numbers from `first`; `members` are the indexes of the spans that it covers whole."""

    first: int
    size: int
    members: tuple[int, ...]


def pack(spans: Sequence[Span], limit: int, max_gap: int) -> list[Block]:
    """Cover every span whole by as few blocks of at most `limit` numbers as reach from left to right.

    Between two spans of a block lie at most `max_gap` numbers that nobody wants. Raises ValueError for a span that
    is longer than `limit`.
    """
    waiting = sorted(range(len(spans)), key=lambda i: (spans[i][0], -spans[i][1]))
    blocks: list[Block] = []
    while waiting:
        first, count = spans[waiting[0]]
        if count > limit:
            raise ValueError(f"{first} to {first + count - 1} cannot be read at one instant: at most {limit} can")
        end = first
        members: list[int] = []
        left: list[int] = []
        for position, index in enumerate(waiting):
            start, size = spans[index]
            if members and start > end + max_gap:
                left += waiting[position:]
                break
            if start + size - first <= limit:
                end = max(end, start + size)
                members.append(index)
            else:
                left.append(index)
        blocks.append(Block(first, end - first, tuple(members)))
        waiting = left
    return blocks


def split(spans: Sequence[Span], limit: int) -> list[Block]:
    """Smaller blocks for spans whose common block was refused: first without gaps, then in halves.

    A block that is one span comes back alone. So a number that a device refuses is found in a few steps.
    """
    tight = pack(spans, limit, 0)
    distinct = sorted(set(spans))
    if len(tight) > 1 or len(distinct) == 1:
        return tight
    middle = distinct[len(distinct) // 2]
    low = [i for i, span in enumerate(spans) if span < middle]
    high = [i for i, span in enumerate(spans) if span >= middle]
    return [
        Block(block.first, block.size, tuple(part[m] for m in block.members))
        for part in (low, high)
        for block in pack([spans[i] for i in part], limit, 0)
    ]
