"""Two doors, one content: what `update` wrote on one member and `apply` on the other are equal octet for octet."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec.record import SIZE, VERSION, Record, pack
from tandem.database import Database, never_read
from tandem.journal import Journal
from tandem.point import DEVICE_TIME, Cause, Kind, Quality
from tandem.registry import PointInfo, PointTable

NEVER = int(Quality.NEVER_READ | Quality.INVALID)
POINTS = [
    PointInfo(1, "F1.breaker", Kind.DOUBLE, device_ok=5),
    PointInfo(2, "F1.current", Kind.ANALOG, device_ok=5),
    PointInfo(3, "F1.energy", Kind.COUNTER),
    PointInfo(5, "_sys.device.F1.ok", Kind.BINARY),
    PointInfo(6, "_sys.active", Kind.BINARY, local=True),
    PointInfo(7, "cold", Kind.BINARY, hot=False),
]

UPDATES = st.lists(
    st.tuples(
        st.sampled_from([1, 2, 3, 5]),
        st.floats(allow_nan=False),
        st.integers(0, 0xFFFF),
        st.integers(-(2**63), 2**63 - 1),
        st.integers(0, 255).filter(lambda cause: cause & 0x7F != Cause.SALVAGED),
    ),
    max_size=40,
)


def _database(soe: int = 64, analog: int = 64) -> Database:
    return Database(PointTable(POINTS, 7), Journal(soe, analog))


def _rings(database: Database) -> tuple[bytes, bytes]:
    soe, analog = database.journal.soe, database.journal.analog
    return soe.slice(soe.first, soe.count), analog.slice(analog.first, analog.count)


@given(UPDATES, st.integers(1, 8))
def test_apply_equals_the_source_octet_for_octet(
    updates: list[tuple[int, float, int, int, int]], batch: int
) -> None:
    active, standby = _database(), _database(soe=16, analog=16)
    cursor = active.journal.cursor(0)
    for at, (point_id, value, quality, stamp_us, cause) in enumerate(updates, 1):
        number = active.update(point_id, value, quality, stamp_us, cause)
        assert active.present[point_id] == (number, stamp_us, value, point_id, quality, cause, VERSION)
        if at % batch == 0 or at == len(updates):
            soe, analog = active.journal.slices(cursor, active.journal.head)
            assert standby.apply(cursor.number, soe, analog) == (len(soe) + len(analog)) // SIZE
    assert standby.present == active.present
    assert standby.journal.head == active.journal.head == len(updates)
    for theirs, mine in zip(_rings(active), _rings(standby), strict=True):
        assert theirs[-16 * SIZE :] == mine


@given(UPDATES)
def test_a_snapshot_in_parts_is_the_whole_one_and_loads_into_an_equal_image(
    updates: list[tuple[int, float, int, int, int]],
) -> None:
    active, standby = _database(), _database()
    standby.set_local(6, 1.0, 5)
    standby.update(1, 9.0, 0, 9, 1)
    for update in updates:
        active.update(*update)
    parts = b"".join(active.rows(at, at + 2) for at in range(0, len(POINTS), 2))
    assert parts == active.snapshot()
    standby.load(parts)
    assert standby.present[6][2] == 1.0
    mirrored = [p.id for p in POINTS if p.hot and not p.local]
    assert [standby.present[i] for i in mirrored] == [active.present[i] for i in mirrored]


def test_points_without_hot_standby_stay_out_of_snapshots_and_an_image_leaves_them_alone() -> None:
    active, standby = _database(), _database()
    assert not active.all_mirrored
    active.update(7, 1.0, 0, 0, 1)
    active.update(1, 2.0, 0, 0, 1)
    standby.update(7, 5.0, 0, 0, 1)
    assert active.snapshot() == pack(2, 0, 2.0, 1, 0, 1)
    standby.load(active.snapshot())
    assert (standby.present[1][2], standby.present[7][2]) == (2.0, 5.0)


def test_a_swapped_image_keeps_local_points_and_the_identity_of_the_columns() -> None:
    database, journal = _database(), Journal(8, 8)
    database.set_local(6, 1.0, 5)
    present, rows = database.present, never_read(8)
    rows[1] = (40, 1, 2.0, 1, 0, 1, VERSION)
    journal.extend(40, pack(40, 1, 2.0, 1, 0, 1), b"")
    database.swap(rows, journal)
    assert database.present is present
    assert (present[1][0], present[6][2], database.journal.head) == (40, 1.0, 40)
    assert database.update(1, 1.0, 0, 0, 1) == 41
    assert len(_rings(database)[0]) == 2 * SIZE


@pytest.mark.parametrize(
    ("soe", "says"),
    [
        (pack(1, 0, 0.0, 1, 0, 1)[:-1], "32-octet"),
        (pack(1, 0, 0.0, 1, 0, 1)[:-1] + b"\x02", "version 2"),
        (pack(1, 0, 0.0, 1, 0, 1) + pack(2, 0, 0.0, 999, 0, 1), "999"),
        (pack(1, 0, 0.0, 4, 0, 1), "id 4"),
        (pack(1, 0, 0.0, 6, 0, 1), "id 6"),
    ],
    ids=["cut", "version", "beyond the table", "a hole in the table", "a local point"],
)
def test_a_slice_that_does_not_fit_changes_nothing(soe: bytes, says: str) -> None:
    database = _database()
    database.update(1, 1.0, 0, 0, 1)
    before = list(database.present), _rings(database), database.journal.head
    for door in (lambda: database.apply(9, soe, b""), lambda: database.load(soe)):
        with pytest.raises(ValueError, match=says):
            door()
    assert (list(database.present), _rings(database), database.journal.head) == before


def test_records_that_nobody_reads_do_not_pile_up() -> None:
    database = _database()
    for _ in range(5000):
        database.update(1, 1.0, 0, 0, 1)
        database.update(2, 1.0, 0, 0, 1)
    assert len(database.journal.soe.fresh) + len(database.journal.analog.fresh) <= 4096 * 7


@pytest.mark.parametrize("flags", [0, DEVICE_TIME])
def test_a_salvaged_event_is_journaled_on_both_and_present_on_neither(flags: int) -> None:
    active, standby = _database(), _database()
    active.update(1, 2.0, 0, 50, 1)
    event: Record = (999, 40, 1.0, 1, 0, Cause.SPONTANEOUS | flags, VERSION)
    assert active.append_salvaged(event) == 2
    soe, analog = active.journal.slices(active.journal.cursor(0), 2)
    standby.apply(2, soe, analog)
    for database in (active, standby):
        assert database.present[1][:3] == (1, 50, 2.0)
        newest = database.journal.read(database.journal.cursor(1), 2)
        assert newest == [(2, 40, 1.0, 1, 0, Cause.SALVAGED | flags, VERSION)]
    with pytest.raises(ValueError, match="6"):
        active.append_salvaged((1, 1, 0.0, 6, 0, 1, VERSION))


def test_local_points_have_no_number_and_say_only_changes() -> None:
    database = _database()
    assert database.set_local(6, 1.0, 10)
    assert not database.set_local(6, 1.0, 11)
    assert database.local_changes() == {6}
    assert database.local_changes() == set()
    assert database.present[6][0] == 0 and database.journal.head == 0
    assert database.snapshot() == b""


def test_served_quality_lies_over_the_record() -> None:
    database = _database()
    assert database.served_quality(1) == NEVER
    database.update(1, 2.0, 0, 0, 1)
    assert database.served_quality(1) == 0
    database.update(5, 0.0, 0, 0, 5)
    assert database.served_quality(1) == Quality.NOT_TOPICAL
    database.update(5, 1.0, 0, 0, 5)
    database.mirroring = True
    assert [database.served_quality(i) & Quality.NOT_TOPICAL for i in (1, 6, 7)] == [0, 0, Quality.NOT_TOPICAL]
    database.mirror_silent = True
    assert database.served_quality(1) == Quality.NOT_TOPICAL
    assert not database.served_quality(6) & Quality.NOT_TOPICAL


def test_events_of_points_that_are_gone_are_left_out_and_counted_once_each() -> None:
    database = _database()
    kept, gone = pack(11, 5, 1.0, 1, 0, 0), [pack(n, 5, 1.0, 40, 0, 0) for n in (10, 12, 13)]
    assert database.known_of(gone[0] + kept + gone[1]) == kept
    assert database.known_of(gone[1] + gone[2]) == b""
    assert database.left_out(confirmed=10) == 2, "what every center confirmed is not missing"
    assert database.left_out(confirmed=0) == 0, "told once"
