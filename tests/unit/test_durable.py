"""The durable journal: whatever is cut off, what was called durable is there after the next start."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tandem.action import Store
from tandem.archive.block import whole
from tandem.archive.durable import PATIENCE_NS, Durable
from tandem.archive.rebuild import Rebuilt, rebuild
from tandem.codec.record import Record
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import MS, SECOND, Kind
from tandem.registry import PointInfo, PointTable
from tandem.standby.grant import Granter
from tandem.standby.histories import History

POINTS = [PointInfo(1, "F1.s", Kind.BINARY), PointInfo(2, "F1.i", Kind.ANALOG), PointInfo(3, "F1.t", Kind.BINARY)]
TABLE = PointTable(POINTS, 3)
RING = 32


class Rig:
    """A member's journal and the files that a power cut leaves of it."""

    def __init__(self) -> None:
        self.files: list[bytes] = []
        self.history = History()
        self.value = 0
        self.now = 0
        self.promised = 0
        self.store: Store | None = None
        self.every: dict[int, Record] = {}
        """Every record of the journal by number, as long as it is followed."""
        self.boot()

    def boot(self) -> Rebuilt | None:
        if self.files:
            self.files[-1] = self.files[-1][: whole(self.files[-1])]
        found = rebuild(self.files)
        self.database = Database(TABLE, Journal(RING, RING))
        self.history = found.history if found else History()
        self.cursors: dict[str, int] = dict(found.cursors) if found else {}
        self.granter = Granter(500 * MS)
        self.granter.active = True
        if found:
            found.fill(self.database)
        self.store = None
        number = found.head if found else 0
        self.every = {n: row for n, row in self.every.items() if n <= number}
        who: dict[str, object] = {"ids": "x", "highest": 3}
        self.durable = Durable(who, self.database, self.history, self.granter, self.cursors, 10, number)
        epoch = self.history.epoch + 2
        self.history.add(self.history.next_claim(epoch, epoch.to_bytes(8, "little"), number))
        return found

    def change(self, point_id: int) -> None:
        self.value += 1
        number = self.database.update(point_id, float(self.value), 0, self.value, 1)
        self.every[number] = self.database.present[point_id]

    def turn(self) -> None:
        self.now += 10 * MS
        self.durable.tick(self.now)
        for action in self.durable.actions():
            if isinstance(action, Store):
                assert self.store is None
                self.store = action

    def written(self, part: float = 1.0, fault: str = "") -> None:
        if self.store is None:
            return
        store, self.store = self.store, None
        self.to_file(store, part)
        if not fault and store.keep_octets == 0:
            del self.files[:-1]
        self.durable.stored(len(store.octets), fault, self.now)

    def to_file(self, store: Store, part: float) -> None:
        if store.begin:
            self.files.append(b"")
        self.files[-1] += store.octets[: round(part * len(store.octets))]

    def settle(self) -> None:
        for _ in range(20):
            self.now += SECOND
            self.turn()
            self.written()

    def swap(self, events: int) -> None:
        """The active's image replaces the journal: other records under a new claim."""
        journal = self.database.journal
        journal.settle()
        head = journal.head // 2
        epoch = self.history.epoch + 2
        self.history.add(self.history.next_claim(epoch, epoch.to_bytes(8, "little"), head))
        image = Database(TABLE, Journal(RING, RING))
        image.journal.head = head
        image.journal.soe.clear(head)
        image.journal.analog.clear(head)
        self.every = {}
        for _ in range(events):
            self.value += 1
            number = image.update(1, float(self.value), 0, self.value, 1)
            self.every[number] = image.present[1]
        image.journal.settle()
        self.database.swap(image.present, image.journal)
        self.durable.swapped()

    def check(self, found: Rebuilt | None, promised: int) -> None:
        """After a start: what was promised is here, and what is here is what was."""
        head = self.database.journal.head
        assert head >= promised, f"{promised} was durable, the journal ends at {head}"
        journal = self.database.journal
        for ring, ids in ((journal.soe, (1, 3)), (journal.analog, (2,))):
            ring.settle()
            held = [row for row in journal.read(journal.cursor(max(ring.gone, 0)), head, 10_000) if row[3] in ids]
            expected = [row for n, row in sorted(self.every.items()) if ring.gone < n <= head and row[3] in ids]
            assert held == expected
        for point_id in (1, 2, 3):
            newest = [row for n, row in sorted(self.every.items()) if row[3] == point_id and n <= head]
            if newest:
                assert self.database.present[point_id] == newest[-1]


def _full(rig: Rig) -> Rig:
    for _ in range(3):
        rig.change(1)
        rig.change(2)
    rig.settle()
    return rig


def test_nothing_is_durable_before_the_first_image_is_whole() -> None:
    rig = Rig()
    rig.turn()
    assert not rig.files, "nothing happened"
    rig.change(1)
    numbers = []
    for _ in range(6):
        rig.turn()
        rig.written()
        numbers.append(rig.durable.limit)
    assert numbers[0] == 0 and numbers[-1] == 1
    rig.change(3)
    rig.turn()
    assert rig.durable.limit == 1, "it is on its way"
    rig.written()
    assert rig.durable.limit == 2


def test_a_restart_has_numbers_history_values_and_cursors() -> None:
    rig = _full(Rig())
    rig.cursors["scada.north"] = 4
    rig.change(1)
    rig.settle()
    promised, claims, every = rig.durable.number, rig.history.claims, dict(rig.every)
    found = rig.boot()
    assert found is not None and found.faults == []
    assert rig.database.journal.head == promised == 7
    assert found.history.claims[: len(claims)] == claims and found.cursors == {"scada.north": 4}
    assert found.released == 7, "it was written alone: all of it may have left"
    rig.every = every
    rig.check(found, promised)
    rig.change(1)
    rig.turn()
    rig.written()
    assert rig.durable.limit == 8, "the new file goes on with the old one at once"


def test_a_group_that_did_not_get_to_flash_makes_the_journal_one_in_ram_openly() -> None:
    rig = _full(Rig())
    rig.change(1)
    rig.turn()
    rig.written(0.5, "No space left on device")
    assert "No space" in rig.durable.fault
    assert rig.durable.limit is None
    rig.settle()
    assert rig.durable.statistics()["fault"] == ""
    assert rig.durable.limit == 7


def test_a_flash_that_does_not_answer_is_given_up_openly() -> None:
    rig = _full(Rig())
    rig.change(1)
    rig.turn()
    rig.now += PATIENCE_NS
    rig.turn()
    assert "took no group in 10 s" in rig.durable.fault
    assert rig.durable.limit is None
    rig.written()
    assert rig.durable.limit == 7


@pytest.mark.parametrize("flip", range(0, 400, 7))
def test_damage_ends_the_journal_before_it_and_never_raises(flip: int) -> None:
    rig = _full(Rig())
    every = dict(rig.every)
    (octets,) = rig.files
    at = flip * len(octets) // 400
    rig.files = [octets[:at] + bytes([octets[at] ^ 0x5A]) + octets[at + 1 :]]
    found = rig.boot()
    rig.every = {n: row for n, row in every.items() if n <= rig.database.journal.head}
    if found is not None:
        assert found.head <= 6


@pytest.mark.parametrize("flip", range(0, 400, 7))
def test_damage_behind_an_image_leaves_no_value_without_its_event(flip: int) -> None:
    """A present value newer than the journal would hide the event from the poll that finds it again."""
    rig = _full(Rig())
    rig.boot()
    for _ in range(6):
        rig.change(1)
        rig.change(2)
        rig.turn()
        rig.written()
    (octets,), every = rig.files, dict(rig.every)
    at = flip * len(octets) // 400
    rig.files = [octets[:at] + bytes([octets[at] ^ 0x5A]) + octets[at + 1 :]]
    rig.boot()
    head = rig.database.journal.head
    assert all(row[0] <= head and (not row[0] or row == every[row[0]]) for row in rig.database.present)


def test_slices_of_a_replaced_journal_do_not_follow_the_old_one_though_their_numbers_fit() -> None:
    rig = _full(Rig())
    rig.swap(3)
    assert rig.database.journal.head == 6
    rig.turn()
    rig.written()
    rig.change(3)
    rig.turn()
    rig.written()
    assert rig.durable.limit == 0 and len(rig.files) == 2, "its image is not whole"
    rig.boot()
    assert rig.database.journal.head == 6
    assert rig.database.present[3][0] == 0


def test_every_cut_of_the_newest_file_keeps_what_was_durable() -> None:
    rig = _full(Rig())
    rig.boot()
    for _ in range(3):
        rig.change(1)
        rig.change(2)
        rig.turn()
        rig.written()
    every, files = dict(rig.every), list(rig.files)
    assert len(files) == 2, "the image of the second file is not whole yet"
    heads = set()
    for cut in range(len(files[-1]) + 1):
        rig.files, rig.every = [*files[:-1], files[-1][:cut]], dict(every)
        rig.check(rig.boot(), 6)
        heads.add(rig.database.journal.head)
    assert heads == {6, 8, 10, 12}


class Life(RuleBasedStateMachine):
    """Any life that a durable journal may have."""

    def __init__(self) -> None:
        super().__init__()
        self.rig = Rig()

    @rule(points=st.lists(st.sampled_from((1, 2, 3)), min_size=1, max_size=12))
    def change(self, points: list[int]) -> None:
        for point_id in points:
            self.rig.change(point_id)

    @rule(number=st.integers(0, 40))
    def confirmed(self, number: int) -> None:
        self.rig.cursors["scada.north"] = number

    @rule()
    def turn(self) -> None:
        if self.rig.store is None:
            self.rig.turn()

    @rule()
    def written(self) -> None:
        self.rig.written()

    @rule(part=st.floats(0, 1))
    def fails(self, part: float) -> None:
        self.rig.written(part, "broken")

    @rule()
    def settle(self) -> None:
        self.rig.written()
        self.rig.settle()
        assert self.rig.durable.limit in (self.rig.database.journal.head, 0)

    @rule(events=st.integers(1, 8))
    def swap(self, events: int) -> None:
        if self.rig.database.journal.head:
            self.rig.swap(events)

    @rule(part=st.floats(0, 1))
    def power_cut(self, part: float) -> None:
        rig = self.rig
        promised = rig.durable.limit or 0
        if rig.store is not None:
            rig.to_file(rig.store, part)
        swapped = promised == 0
        found = rig.boot()
        if swapped:
            rig.every = {}  # it may be any older journal: nothing was promised
            rig.files.clear()
            rig.boot()
        else:
            rig.check(found, promised)


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase
