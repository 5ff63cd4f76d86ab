"""What points and journal take, as the allocator counts it: the same on every machine. The figures are a benchmark."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from tandem.codec.link import Begin, Tail
from tandem.codec.record import SIZE, pack
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import Kind
from tandem.registry import PointInfo, PointTable
from tandem.standby.image import Image

POINTS = 10_000
RING = 1 << 14


@pytest.fixture
def traced() -> Iterator[None]:
    tracemalloc.start()
    yield
    tracemalloc.stop()


def test_a_point_in_the_database_takes_less_than_300_octets(traced: None) -> None:
    table = PointTable([PointInfo(i, f"p{i}", Kind(1 + 4 * (i & 1))) for i in range(1, POINTS + 1)], POINTS)
    before = tracemalloc.get_traced_memory()[0]
    database = Database(table, Journal(256, 256))
    for i in range(1, POINTS + 1):
        database.update(i, i + 0.5, 0, 1_700_000_000_000_000 + i, 1)
        database.journal.settle()
    assert tracemalloc.get_traced_memory()[0] - before < 300 * POINTS + 2 * 256 * SIZE


def test_an_image_that_is_swapped_in_takes_one_more_journal_and_leaves_none(traced: None) -> None:
    table = PointTable([PointInfo(1, "x", Kind.BINARY)], 1)
    database = Database(table, Journal(RING, 2))
    octets = b"".join(pack(n, 0, 1.0, 1, 0, 1) for n in range(1, RING + 1))
    before = tracemalloc.get_traced_memory()[0]
    tracemalloc.reset_peak()
    image = Image(database, Begin(0, 0, 0))
    for at in range(0, RING, 1024):
        image.tail(Tail(at, at + 1024, octets[at * SIZE : (at + 1024) * SIZE], b""))
    image.swap(RING)
    del image
    after, peak = tracemalloc.get_traced_memory()
    assert peak - before < 1.8 * RING * SIZE and after - before < 0.1 * RING * SIZE
    assert database.journal.slices(database.journal.cursor(0), RING, RING)[0] == octets
