"""The shadow image: rows and tail by the newest number, and nothing that does not fit."""

from __future__ import annotations

import pytest

from tandem.codec.link import Begin, Tail
from tandem.codec.record import pack
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import Kind
from tandem.registry import PointInfo, PointTable
from tandem.standby.image import Image


def _database() -> Database:
    return Database(PointTable([PointInfo(1, "x", Kind.BINARY), PointInfo(2, "y", Kind.ANALOG)], 2), Journal(8, 8))


def _record(number: int, point_id: int = 1) -> bytes:
    return pack(number, 0, float(number), point_id, 0, 1)


def test_the_newer_of_row_and_tail_is_the_present_value() -> None:
    database = _database()
    image = Image(database, Begin(0, 3, 0))
    image.rows(_record(6) + _record(5, 2))
    image.tail(Tail(3, 6, _record(4) + _record(6), _record(5, 2)))
    image.rows(_record(2, 2))
    image.tail(Tail(6, 8, _record(8), b""))
    assert database.present[1][0] == 0, "nothing shows before it is whole"
    image.swap(8)
    assert [database.present[i][0] for i in (1, 2)] == [8, 5]
    assert [r[0] for r in database.journal.read(database.journal.cursor(3), 8)] == [4, 5, 6, 8]
    assert (database.journal.soe.gone, database.journal.analog.gone) == (3, 0)


def test_a_row_newer_than_its_tail_stays() -> None:
    database = _database()
    image = Image(database, Begin(0, 3, 3))
    image.rows(_record(6))
    image.tail(Tail(3, 6, _record(4), b""))
    image.swap(6)
    assert database.present[1][0] == 6


@pytest.mark.parametrize(
    ("tail", "says"),
    [
        (Tail(7, 9, b"", b""), "goes on after record 7"),
        (Tail(6, 7, _record(8), b""), "records 8 to 8 in a slice of 7 to 7"),
        (Tail(6, 9, b"", _record(6, 2)), "records 6 to 6"),
        (Tail(6, 5, b"", b""), "from 6 back to 5"),
        (Tail(6, 9, _record(7, 3), b""), "id 3"),
    ],
)
def test_a_piece_that_does_not_follow_is_refused(tail: Tail, says: str) -> None:
    image = Image(_database(), Begin(0, 3, 3))
    image.tail(Tail(3, 6, b"", b""))
    with pytest.raises(ValueError, match=says):
        image.tail(tail)


def test_an_end_elsewhere_than_at_the_last_record_is_refused() -> None:
    image = Image(_database(), Begin(0, 3, 3))
    with pytest.raises(ValueError, match="ends at record 0"):
        image.swap(0)
    image.tail(Tail(3, 6, b"", b""))
    with pytest.raises(ValueError, match="record 6 was its last"):
        image.swap(7)
