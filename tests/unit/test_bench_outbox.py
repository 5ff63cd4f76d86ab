"""The field's event buffer: nothing leaves it before its confirm, whatever a queue does that is not its own."""

from __future__ import annotations

from itertools import count

import pytest

from tools.bench.field.outbox import Event, Key, Outbox, keys

SECOND = 1_000_000_000


def filled(amount: int) -> tuple[Outbox, list[Event]]:
    events = [Event(f"p{n}", "binary", 7, 100 + n, 1.0, 1_000_000 + 1000 * n) for n in range(amount)]
    box = Outbox()
    for event in events:
        box.add(event)
    return box, events


def named(events: list[Event]) -> list[Key]:
    return [event.key for event in events]


def test_an_event_is_in_the_box_until_its_frame_is_confirmed() -> None:
    box, events = filled(3)
    assert box.take_batch(0) == events and box.handed == 3
    assert box.sent(0, named(events[:2]), 1) == events[:2]
    assert box.sent(1, named(events[2:]), 2) == events[2:]
    box.confirm(0)
    assert len(box) == 3
    box.confirm(1)
    assert len(box) == 1
    box.confirm(2)
    assert len(box) == 0


def test_the_next_connection_gets_all_again_in_their_order_and_none_is_new_twice() -> None:
    box, events = filled(40)
    box.take_batch(0)
    box.take_batch(0)
    box.sent(5, named(events[:10]), 1)
    box.begin()
    again = box.take_batch(2) + box.take_batch(2) + box.take_batch(2)
    assert again == events
    assert box.sent(0, named(events[:16]), 3) == events[10:16]


def test_what_the_queue_kept_of_a_former_connection_is_known_by_what_it_is() -> None:
    box, events = filled(40)
    box.begin()
    assert box.sent(0, named(events[20:30]), 0) == events[20:30]
    box.confirm(1)
    assert box.take_batch(1) == events[:16]
    assert box.take_batch(1) == events[16:20] + events[30:]


def test_what_the_queue_dropped_is_offered_again() -> None:
    box, events = filled(32)
    box.take_batch(0)
    box.take_batch(0)
    assert box.sent(0, named(events[16:]), 1) == events[16:]
    assert box.take_batch(2) == events[:16]


def test_a_queue_that_is_still_for_a_second_has_dropped_all() -> None:
    box, events = filled(4)
    box.take_batch(0)
    assert box.take_batch(SECOND) == []
    assert box.take_batch(SECOND + 1) == events


def test_an_event_that_was_confirmed_long_ago_leaves_no_trace() -> None:
    box, events = filled(2)
    box.take_batch(0)
    box.sent(0, named(events), 1)
    box.confirm(1)
    assert box.sent(1, named(events), 2) == []
    box.confirm(2)
    assert len(box) == 0


def test_a_batch_has_one_sort_each_point_once_and_sixteen_at_most() -> None:
    box = Outbox()
    number = count()
    for point, sort in [("a", 1), ("b", 1), ("a", 1), ("c", 2)]:
        box.add(Event(point, sort, 1, 1, 0.0, 1000 * next(number)))
    assert [[e.point for e in box.take_batch(0)] for _ in range(3)] == [["a", "b"], ["a"], ["c"]]


TIME = "10270c0a170b1a"  # 12 minutes and 10,000 ms


@pytest.mark.parametrize(
    ("objects", "addresses"),
    [
        ("1e02 0300 2f00 010000 01" + TIME + "020100 01" + TIME, (1, 258)),
        ("1e82 0300 2f00 e80300 01" + TIME + "01" + TIME, (1000, 1001)),
    ],
)
def test_the_keys_are_read_from_the_octets_of_a_frame(objects: str, addresses: tuple[int, int]) -> None:
    octets = bytes.fromhex(objects)
    found = keys(bytes((0x68, 4 + len(octets), 0, 0, 0, 0)) + octets)
    assert found == [(47, ioa, 10_000, 12) for ioa in addresses]
    assert found[1] == Event("p", "s", 47, addresses[1], 0.0, (12 * 60 + 10) * 1_000_000).key
