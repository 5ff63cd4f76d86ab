"""What moved by itself under load: grouped into incidents, and excused only by a control beat that was held up."""

from __future__ import annotations

import struct

import pytest

from tools.bench.control_beat import PERIOD_NS, ControlBeats
from tools.bench.saturated import judged

MS, S = 1_000_000, 1_000_000_000


def core(late_ms: dict[int, float], beats: int = 500) -> bytes:
    """A core's file: beat by beat, late where it is told."""
    octets, due = b"", PERIOD_NS
    for number in range(beats):
        late_us = int(late_ms.get(number, 0.1) * 1000)
        octets += struct.pack("<QI", due, late_us)
        due += PERIOD_NS + late_us * 1000
    return octets


def test_a_move_is_false_when_every_core_woke_in_time() -> None:
    found = judged([(5 * S, "contact", "a", 0)], ControlBeats([core({}), core({})]), 0, 160 * MS, 30)
    assert [(i.drop, i.failover, i.explained) for i in found] == [(True, False, False)]


@pytest.mark.parametrize(("late_ms", "explained"), [(29, False), (31, True)])
def test_a_core_that_was_held_up_before_explains_it(late_ms: float, explained: bool) -> None:
    beats = ControlBeats([core({}), core({100: late_ms})])
    at = 101 * PERIOD_NS + 60 * MS
    assert [i.explained for i in judged([(at, "owner", "station", "b")], beats, 0, 160 * MS, 30)] == [explained]


def test_a_delay_after_the_move_or_long_before_it_explains_nothing() -> None:
    beats = ControlBeats([core({100: 90})])
    moves = [(2 * S, "owner", "station", "b"), (4 * S, "owner", "station", "a")]
    assert [i.explained for i in judged(moves, beats, 0, 160 * MS, 30)] == [False, False]
    held_up_at = 101 * PERIOD_NS
    assert beats.held_up_ms(held_up_at + 45 * MS, held_up_at + 65 * MS) == pytest.approx(20), (
        "the share within that time"
    )


def test_moves_close_together_are_one_incident_and_those_before_the_watch_are_none() -> None:
    moves = [(1 * S, "owner", "station", "a"), (5 * S, "lease", "a", 0), (5 * S + 200 * MS, "owner", "station", "b")]
    moves += [(5 * S + 400 * MS, "contact", "b", 1), (9 * S, "coil", "a", 1), (10 * S, "watchdog", "b", 0)]
    found = judged(moves, ControlBeats([core({})]), 2 * S, 160 * MS, 30)
    assert [i.moved for i in found] == [("lease", "owner", "contact"), ("watchdog",)]
    assert [(i.failover, i.drop) for i in found] == [(True, True), (False, True)]


def test_a_file_that_ends_within_a_record_is_read_to_there() -> None:
    assert len(ControlBeats([core({}, beats=3) + b"half"]).late_ms()) == 3
