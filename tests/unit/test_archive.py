"""The archive as a story: what is read back is what happened, in order, once, and every gap is said."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tandem.archive import index
from tandem.archive.block import Block, Kind, scan
from tandem.archive.reading import Event, Missing
from tandem.config.model import Archive
from tests.support.archive_rig import ArchiveRig


def _missing(rig: ArchiveRig) -> list[Missing]:
    return [row for row in rig.rows() if isinstance(row, Missing)]


def test_events_are_written_in_groups_by_number_and_by_time() -> None:
    rig = ArchiveRig()
    for _ in range(3):
        rig.event(analogs=2)
    rig.turn(0.5)
    rig.turn(0.5)
    assert not rig.writing, "three wait, and not for a second yet"
    rig.turn(0.6)
    assert rig.writing
    rig.written()
    assert rig.found() == [1, 2, 3]
    for _ in range(4):
        rig.event()
    rig.turn(0)
    assert rig.writing, "four are written at once"
    rig.written()
    assert rig.found() == [1, 2, 3, 4, 5, 6, 7]
    assert len(rig.files) == 1
    assert _missing(rig) == []


def test_measured_values_alone_write_nothing() -> None:
    rig = ArchiveRig()
    rig.database.update(4, 1.0, 0, 0, 1)
    rig.turn(5)
    rig.turn(5)
    assert not rig.writing and rig.recorder.statistics()["waiting"] == 0


def test_a_write_that_fails_is_written_again_into_a_new_file() -> None:
    rig = ArchiveRig()
    rig.event()
    rig.turn()
    rig.turn()
    rig.written(0.7, "No space left on device")
    assert rig.recorder.fault == "No space left on device"
    rig.event()
    rig.settle()
    assert rig.found() == [1, 2] and len(rig.files) == 2
    assert rig.recorder.fault == "" and rig.says[-1] == "the archive is written again"
    rig.check()


def test_a_slow_flash_is_said_before_and_after_events_are_lost() -> None:
    rig = ArchiveRig(rings=16)
    rig.event()
    rig.turn()
    rig.turn()
    for _ in range(9):
        rig.event()
    rig.turn()
    assert "lags: 9 events wait" in rig.recorder.fault
    for _ in range(20):
        rig.event()
    rig.written()
    rig.settle()
    assert [(gap.why, gap.lost) for gap in _missing(rig)] == [("overrun", 13)]
    assert any("13 events may be missing" in text for text in rig.says)
    rig.check()


def test_a_journal_begun_anew_is_a_gap_and_its_numbers_are_others() -> None:
    rig = ArchiveRig()
    for _ in range(6):
        rig.event()
    rig.settle()
    rig.event()
    rig.boot()
    for _ in range(6):
        rig.event()
    rig.settle()
    assert rig.found() == [1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 12, 13]
    assert [(gap.epoch, gap.base, gap.why) for gap in _missing(rig)] == [(2, 6, "restart")]
    rig.check()


def test_a_tail_that_the_group_does_not_follow_is_kept_and_marked() -> None:
    rig = ArchiveRig()
    for _ in range(6):
        rig.event()
    rig.settle()
    rig.event()
    rig.event()
    rig.fork(back=4, peer_events=3, holds=10)
    rig.event()
    rig.settle()
    salvaged = [int(row.record[2]) for row in rig.rows() if isinstance(row, Event) and row.salvaged]
    assert sorted(salvaged) == rig.salvaged == [5, 6, 7, 8]
    assert rig.found() == rig.followed == [1, 2, 3, 4, 9, 10, 11, 12]
    assert rig.recorder.statistics()["salvaged"] == 4
    assert _missing(rig) == []
    rig.check()


def test_a_member_that_was_away_too_long_says_what_it_lacks() -> None:
    rig = ArchiveRig()
    for _ in range(6):
        rig.event()
    rig.settle()
    rig.fork(back=0, peer_events=10, holds=4)
    rig.settle()
    assert rig.found() == [1, 2, 3, 4, 5, 6, 13, 14, 15, 16]
    assert [(gap.base, gap.head, gap.why) for gap in _missing(rig)] == [(6, 12, "away")]
    rig.check()


def test_a_file_ends_when_it_is_full_and_each_names_its_points() -> None:
    rig = ArchiveRig(rings=65536, setting=Archive(sync_ms=1000, sync_events=4096, segment_mib=1, keep_mib=4))
    for _ in range(70_000):
        rig.event()
        if rig.events % 4096 == 0:
            rig.turn()
            rig.written()
    rig.settle()
    assert len(rig.files) == 3
    for octets in rig.files:
        kinds = [block.kind for block in scan(octets) if isinstance(block, Block)]
        assert kinds[:2] == [Kind.HEAD, Kind.NAMES]
    assert len(rig.found()) == 70_000
    found = rig.indexed(20_000, 20_010)
    assert [int(row.record[2]) for row in found if isinstance(row, Event)] == list(range(20_000, 20_011))
    assert 0 < rig.parts_read <= 4, "one or two blocks and the names, of hundreds"


def test_an_index_that_is_not_the_files_is_none() -> None:
    rig = ArchiveRig()
    for _ in range(5):
        rig.event()
    rig.settle()
    octets = rig.files[0]
    made = index.build(octets)
    assert index.read(made, len(octets)) is not None
    assert index.read(made, len(octets) + 1) is None and index.read(b"", len(octets)) is None
    assert all(index.read(made[:cut], len(octets)) is None for cut in range(len(made)))
    assert index.build(octets[:-1]) == b"" == index.build(octets[:40] + b"x" + octets[41:]), "damaged: read as it is"


def test_damage_that_came_after_the_index_is_a_gap() -> None:
    rig = ArchiveRig(setting=Archive(sync_ms=1000, sync_events=1, segment_mib=1, keep_mib=4))
    for _ in range(6):
        rig.event()
        rig.settle()
    rig.boot()
    rig.event()
    rig.settle()
    made = index.build(rig.files[0])
    entries = index.read(made, len(rig.files[0]))
    assert entries is not None
    hit = [entry for entry in entries if entry.block.kind == Kind.EVENTS][2].at + 40
    rig.files[0] = rig.files[0][:hit] + b"\xff\xff" + rig.files[0][hit + 2 :]
    rig.entries = lambda name: entries if name == "0" else None  # type: ignore[method-assign]
    found = rig.indexed(0, 99)
    assert [int(row.record[2]) for row in found if isinstance(row, Event)] == [1, 2, 4, 5, 6, 7]
    assert [row.why for row in found if isinstance(row, Missing)] == ["damaged", "restart"]


@settings(max_examples=8, deadline=None)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=3), st.data())
def test_cut_at_any_octet_nothing_is_invented_and_no_gap_is_silent(events: list[int], data: st.DataObject) -> None:
    """The newest file is cut everywhere; then the gateway goes on, and the reader still finds no silent gap."""
    rig = ArchiveRig()
    for count in events:
        for _ in range(count):
            rig.event()
        rig.settle()
    newest, before = (rig.files or [b""])[-1], rig.found()
    for cut in range(len(newest)):
        rig.files[-1] = newest[:cut]
        assert rig.found() == before[: len(rig.found())]
        rig.check()
    if rig.files:
        rig.files[-1] = newest[: data.draw(st.integers(0, len(newest)))]
        left = rig.found()
        rig.boot()
        rig.event()
        rig.settle()
        assert rig.found() == [*left, rig.events]
        rig.check()


class Life(RuleBasedStateMachine):
    """Any life that an archive may have."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = ArchiveRig()

    @rule(count=st.sampled_from((1, 2, 5, 20)), analogs=st.integers(0, 2))
    def events(self, count: int, analogs: int) -> None:
        for _ in range(count):
            self.rig.event(analogs)

    @rule()
    def turn(self) -> None:
        if self.rig.store is None:
            self.rig.turn()

    @rule(part=st.floats(0, 1), fails=st.booleans())
    def written(self, part: float, fails: bool) -> None:
        self.rig.written(part if fails else 1.0, "broken" if fails else "")

    @rule(part=st.floats(0, 1))
    def power_cut(self, part: float) -> None:
        if (store := self.rig.store) is not None:
            self.rig.files += [b""] if store.begin else []
            self.rig.files[-1] += store.octets[: round(part * len(store.octets))]
        self.rig.boot()
        self.rig.check()

    @rule(back=st.integers(0, 5), peer_events=st.integers(0, 8), holds=st.integers(0, 12))
    def fork(self, back: int, peer_events: int, holds: int) -> None:
        self.rig.fork(back, peer_events, holds)

    @rule()
    def switchover(self) -> None:
        self.rig.claim(self.rig.database.journal.head)

    @rule()
    def settle(self) -> None:
        self.rig.written()
        self.rig.settle()
        assert self.rig.recorder.statistics()["waiting"] == 0
        self.rig.check()

    def teardown(self) -> None:
        self.settle()


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestLife = Life.TestCase


def test_two_forks_before_the_next_write_keep_both_tails_and_miss_nothing() -> None:
    rig = ArchiveRig()
    rig.event()
    rig.event()
    rig.settle()
    rig.fork(back=2, peer_events=6, holds=10)
    rig.fork(back=4, peer_events=3, holds=10)
    rig.settle()
    assert rig.found() == rig.followed == [1, 3, 4, 9, 10, 11]
    salvaged = [int(row.record[2]) for row in rig.rows() if isinstance(row, Event) and row.salvaged]
    assert sorted(salvaged) == [2, 5, 6, 7, 8]
    rig.check()
