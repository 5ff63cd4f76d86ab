"""The rings against a plain list: wrap, merged order, slices that end at one number, cursors that were lapped."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec.record import SIZE, pack, unpack
from tandem.journal import Cursor, Journal, Ring


def _octets(numbers: range | list[int]) -> bytes:
    return b"".join(pack(n, 1000 + n, n / 2, 7, 0, 1) for n in numbers)


def _numbers(octets: bytes) -> list[int]:
    return [record[0] for record in unpack(octets)]


def _append(journal: Journal, analog: bool) -> int:
    journal.head += 1
    ring = journal.analog if analog else journal.soe
    ring.fresh.extend((journal.head, 1000, 1.5, 7, 0, 1, 1))
    return journal.head


@pytest.mark.parametrize("records", [0, 1, 3, 65535])
def test_a_ring_that_is_no_power_of_two_is_refused_with_its_size(records: int) -> None:
    with pytest.raises(ValueError, match=str(records)):
        Ring(records)


@given(st.lists(st.integers(0, 21), max_size=12))
def test_a_ring_keeps_the_newest_records_whatever_the_sizes_they_come_in(sizes: list[int]) -> None:
    ring, total = Ring(8), 0
    for size in sizes:
        ring.extend(_octets(range(total + 1, total + size + 1)))
        total += size
        kept = list(range(max(1, total - 7), total + 1))
        assert _numbers(ring.slice(ring.first, ring.count)) == kept
        assert ring.count == total
        assert ring.gone == max(0, total - 8)


@given(st.lists(st.integers(1, 700), min_size=1, max_size=6))
def test_records_packed_in_blocks_are_those_packed_one_by_one(sizes: list[int]) -> None:
    ring, expected, number = Ring(4096), b"", 0
    for size in sizes:
        for _ in range(size):
            number += 1
            ring.fresh.extend((number, -number, number / 3, number % 5, number % 9, 1, 1))
            expected += pack(number, -number, number / 3, number % 5, number % 9, 1)
        ring.settle()
    assert ring.slice(ring.first, ring.count) == expected[-4096 * SIZE :]


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 70))
def test_after_finds_the_first_record_above_a_number(kinds: list[bool], number: int) -> None:
    journal = Journal(16, 8)
    for analog in kinds:
        _append(journal, analog)
    for ring in (journal.soe, journal.analog):
        held = _numbers(ring.slice(ring.first, ring.count))
        assert ring.after(number) == ring.first + sum(n <= number for n in held)


@given(st.lists(st.booleans(), max_size=80), st.lists(st.tuples(st.integers(0, 90), st.integers(1, 9)), max_size=20))
def test_slices_of_both_rings_end_at_one_number_and_skip_nothing(
    kinds: list[bool], turns: list[tuple[int, int]]
) -> None:
    journal, cursor, seen = Journal(128, 128), Cursor(), 0
    for analog in kinds:
        _append(journal, analog)
    for limit, most in turns:
        before = cursor.number
        soe, analog_octets = journal.slices(cursor, limit, most)
        got = sorted(_numbers(soe) + _numbers(analog_octets))
        assert got == list(range(before + 1, cursor.number + 1))
        assert cursor.number <= max(before, min(limit, journal.head))
        assert max(len(soe), len(analog_octets)) <= most * SIZE
        seen += len(got)
    assert seen == cursor.number


@given(st.lists(st.one_of(st.booleans(), st.none()), max_size=120))
def test_what_a_reader_read_and_what_it_lost_is_everything(steps: list[bool | None]) -> None:
    journal, cursor = Journal(8, 4), Cursor()
    read = lost = 0
    for step in steps:
        if step is None:
            lost += sum(journal.lost(cursor))
            records = journal.read(cursor, journal.head)
            assert [r[0] for r in records] == sorted(r[0] for r in records)
            read += len(records)
            assert journal.lost(cursor) == (0, 0)
            assert read + lost == journal.head
        else:
            _append(journal, step)


@given(st.lists(st.booleans(), max_size=60), st.integers(0, 60))
def test_a_cursor_made_later_knows_that_it_is_lapped(kinds: list[bool], number: int) -> None:
    journal = Journal(8, 4)
    for analog in kinds:
        _append(journal, analog)
    cursor = journal.cursor(number)
    for ring, lost in zip((journal.soe, journal.analog), journal.lost(cursor), strict=True):
        every = [n for n, a in enumerate(kinds, 1) if a == (ring is journal.analog)]
        gone = every[: -ring.capacity]
        assert (lost > 0) == any(n > number for n in gone)
    assert journal.holds_after(number) == (journal.lost(cursor) == (0, 0))


def test_lost_records_are_told_once() -> None:
    journal, cursor = Journal(4, 4), Cursor()
    for _ in range(6):
        _append(journal, analog=False)
    assert journal.lost(cursor) == (2, 0)
    journal.read(cursor, 0)
    assert journal.lost(cursor) == (0, 0)


def test_clear_laps_every_cursor_and_shows_no_old_record() -> None:
    journal = Journal(8, 8)
    for _ in range(5):
        _append(journal, analog=False)
    cursor = journal.cursor(5)
    journal.soe.clear()
    assert journal.lost(cursor) == (1, 0)
    assert journal.soe.slice(journal.soe.first, journal.soe.count) == b""
    assert journal.soe.after(0) == journal.soe.count
    assert journal.soe.gone == 5
    assert journal.lost(journal.cursor(4)) == (1, 0)
    assert journal.lost(journal.cursor(5)) == (0, 0)


@given(
    st.lists(st.booleans(), max_size=30), st.lists(st.booleans(), max_size=30), st.integers(0, 9),
    st.sampled_from([(16, 16), (8, 4), (8, 16)]),
)  # fmt: skip
def test_a_journal_that_adopts_another_holds_what_that_one_held(
    mine: list[bool], theirs: list[bool], floor: int, others: tuple[int, int]
) -> None:
    journal, other = Journal(8, 4), Journal(*others)
    for analog in mine:
        _append(journal, analog)
    cursor = journal.cursor(journal.head)
    other.head = floor
    other.soe.clear(floor)
    other.analog.clear(floor)
    for analog in theirs:
        _append(other, analog)
    held = sorted(unpack(other.soe.slice(other.soe.first, other.soe.count)))[-8:]
    held += sorted(unpack(other.analog.slice(other.analog.first, other.analog.count)))[-4:]
    journal.adopt(other)
    assert min(journal.lost(cursor)) >= 1
    assert journal.head == floor + len(theirs)
    assert journal.read(journal.cursor(0), journal.head) == sorted(held)
    _append(journal, analog=True)
    assert journal.read(journal.cursor(journal.head - 1), journal.head)[0][0] == journal.head
