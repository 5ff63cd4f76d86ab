"""The durable journal: whatever is cut off, what was called durable is there after the next start."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from tandem.archive.durable import PATIENCE_NS
from tests.support.durable_rig import DurableRig


def _full(rig: DurableRig) -> DurableRig:
    for _ in range(3):
        rig.change(1)
        rig.change(2)
    rig.settle()
    return rig


def test_nothing_is_durable_before_the_first_image_is_whole() -> None:
    rig = DurableRig()
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
    rig = _full(DurableRig())
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
    rig = _full(DurableRig())
    rig.change(1)
    rig.turn()
    rig.written(0.5, "No space left on device")
    assert "No space" in rig.durable.fault
    assert rig.durable.limit is None
    rig.settle()
    assert rig.durable.statistics()["fault"] == ""
    assert rig.durable.limit == 7


def test_a_flash_that_does_not_answer_is_given_up_openly() -> None:
    rig = _full(DurableRig())
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
    rig = _full(DurableRig())
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
    rig = _full(DurableRig())
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
    rig = _full(DurableRig())
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
    rig = _full(DurableRig())
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
        self.rig = DurableRig()

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
