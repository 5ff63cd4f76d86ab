"""A confirm means both have it: N(R) waits for the release; what is offered again is taken once each."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tandem.codec.iec60870 import time as tags
from tests.support.iec104_master_rig import GI_CON, GI_TERM, STAMP, STAMP_US, Rig, Wire, device, point
from tests.support.iec104_rig import START_CON

EARTH = "01 01 03 00 2f 00 ea 03 00 01"
ONE_POINT = device(points=(point("R1.earth", "binary", "1002"), point("R1.breaker", "double", "1001")))


def event(value: int, ms: int = 0, ioa: str = "ea 03") -> str:
    """M_SP_TB_1 of R1.earth, so many ms after STAMP."""
    return f"1e 01 03 00 2f 00 {ioa} 00 {value:02x} " + tags.encode_cp56(STAMP_US + ms * 1000).hex(" ")


def again(rig: Rig, confirmed: int | None) -> Wire:
    """A successor over the same database."""
    rig.make()
    if confirmed is not None:
        rig.channels[0].resume(confirmed)
    wire = rig.up()
    rig.stored()
    return wire


def test_nothing_is_acknowledged_above_what_both_have() -> None:
    rig = Rig(options={"w": 1})
    wire = rig.read()
    wire.sent()
    rig.hold = True
    for ms in range(3):
        wire.hear(event(ms & 1, ms))
    head = rig.journal.head
    assert (wire.sent(), wire.acknowledged) == ([], 2)
    rig.channels[0].release(head - 2, rig.now)
    assert (wire.sent(), wire.acknowledged) == (["68 04 01 00 06 00"], 3)
    rig.order("R1.trip", 2)
    wire.sent()
    assert wire.acknowledged == 3, "an I frame says no more than an S frame may"
    rig.channels[0].release(head, rig.now)
    assert (len(wire.sent()), wire.acknowledged) == (1, 5)
    assert rig.channels[0].released == head


def test_t2_waits_for_the_release() -> None:
    rig = Rig()
    wire = rig.read()
    rig.wait(10_000)
    wire.sent()
    rig.hold = True
    wire.hear(EARTH)
    rig.wait(500)
    assert wire.sent() == []
    rig.channels[0].release(rig.journal.head, rig.now)
    rig.wait(9_499)
    assert wire.sent() == []
    rig.wait(1)
    assert (len(wire.sent()), wire.acknowledged) == (1, 3)


def test_a_confirm_that_waits_too_long_is_never_sent() -> None:
    rig = Rig(options={"w": 1})
    wire = rig.read()
    wire.sent()
    rig.hold = True
    wire.hear(event(1))
    rig.wait(599)
    assert not rig.closes
    rig.wait(1)
    assert "could not be given within 600 ms" in rig.closes[0].reason
    assert wire.sent() == []
    assert rig.count("confirm_timeouts") == 1
    assert "a confirm waited 600 ms" in rig.channels[0].alarm
    rig.hold = False
    wire.open()
    wire.raw(START_CON)
    rig.stored()
    wire.hear(GI_CON, event(1), event(0, 5), GI_TERM)
    assert rig.stored() == [("R1.earth", 0.0)], "the first one was known"
    assert rig.count("offered_again") == 1
    assert rig.channels[0].alarm == ""


def test_a_successor_takes_what_is_offered_again_once() -> None:
    rig = Rig(ONE_POINT, options={"w": 1})
    wire = rig.read()
    told: list[int] = []
    for ms, value in enumerate((1, 0, 1, 0)):
        if ms == 2:
            rig.hold = True
        wire.hear(event(value, ms))
        wire.sent()
        told += [number for number in [rig.channels[0].told()] if number is not None]
    rig.hold = False
    assert told[-1] == rig.journal.head - 2
    wire = again(rig, told[-1])
    wire.hear(event(1, 2), event(0, 3), event(1, 4))
    assert rig.stored() == [("R1.earth", 1.0)]
    assert rig.count("offered_again") == 2


def test_equal_events_of_one_millisecond_are_matched_once_each() -> None:
    rig = Rig(ONE_POINT)
    wire = rig.read()
    confirmed = rig.journal.head
    wire.hear(event(1), event(0), event(1))
    wire = again(rig, confirmed)
    wire.hear(event(1), event(0), event(1), event(0), event(1))
    assert rig.stored() == [("R1.earth", 0.0), ("R1.earth", 1.0)]


def test_only_the_devices_own_list_counts_and_only_until_it_is_drained() -> None:
    rig = Rig(ONE_POINT)
    wire = rig.read()
    wire.hear(event(1), event(0))
    confirmed = rig.journal.head
    wire.hear(event(0, 1), event(1, 2))
    wire = again(rig, confirmed)
    wire.hear(event(1))
    assert rig.stored() == [("R1.earth", 1.0)], "confirmed, and one of several of its millisecond: it may be another"
    wire.hear(event(0, 1))
    assert rig.stored() == [("R1.earth", 0.0)], "a point's events keep their order: its list has ended"
    rig.make()
    rig.channels[0].resume(confirmed)
    wire = rig.up()
    rig.wait(2_000)
    rig.stored()
    wire.hear(event(0, 1))
    assert rig.stored() == [("R1.earth", 0.0)], "nothing came for two seconds: the buffer was empty"


def test_an_event_whose_confirm_was_lost_is_known_until_its_point_offers_another() -> None:
    rig = Rig(ONE_POINT)
    wire = rig.read()
    wire.hear(event(1))
    confirmed = rig.journal.head
    wire.hear(event(0, 1))
    wire = again(rig, confirmed)
    wire.hear(event(1), event(0, 1), event(1, 2))
    assert rig.stored() == [("R1.earth", 1.0)]
    assert rig.count("offered_again") == 2
    wire.hear(event(1))
    assert rig.stored() == [("R1.earth", 1.0)], "the device was past it: this is another one"


def test_untimed_events_are_counted_and_a_restart_ends_the_list() -> None:
    rig = Rig(ONE_POINT)
    wire = rig.read()
    confirmed = rig.journal.head
    wire.hear(event(1), event(0, 1))
    wire = again(rig, confirmed)
    wire.hear(EARTH)
    assert rig.count("untimed") == 1
    assert rig.stored() == [("R1.earth", 1.0)]
    wire.hear("46 01 04 00 2f 00 00 00 00 00", event(1))
    assert rig.stored() == [("R1.earth", 1.0)]
    assert rig.count("offered_again") == 0


def test_the_cursor_waits_while_events_may_still_come_again() -> None:
    rig = Rig(ONE_POINT, options={"w": 1})
    wire = rig.read()
    confirmed = rig.journal.head
    wire.hear(event(1), event(0, 1), event(1, 2))
    wire = again(rig, confirmed)
    wire.hear(event(1))
    wire.sent()
    assert rig.channels[0].told() is None
    wire = again(rig, confirmed)  # and this one dies, too
    wire.hear(event(0, 1), event(1, 2))
    assert rig.stored() == []
    rig.wait(2_000)
    wire.hear(event(0, 3))
    wire.sent()
    assert rig.channels[0].told() == rig.journal.head


def test_an_idle_device_keeps_no_old_cursor() -> None:
    rig = Rig(ONE_POINT)
    wire = rig.read()
    wire.sent()
    rig.wait(10_000)
    wire.sent()
    rig.channels[0].told()
    point_id = rig.table.id("R1.breaker")
    for n in range(5000):
        rig.database.update(point_id, n & 1, 0, 0, 1)
    rig.turn()
    assert rig.channels[0].told() == rig.journal.head


class Buffer:
    """A device that forgets nothing before it is acknowledged: what a ledger outside compares with."""

    def __init__(self) -> None:
        self.made: list[tuple[int, int]] = []
        self.forgotten = 0
        self.offered = 0

    def make(self, value: int, later_ms: int) -> None:
        """One more event; an event that differs from the one before in nothing is none."""
        before, ms = self.made[-1] if self.made else (1 - value, 0)
        self.made.append((value if later_ms or value != before else 1 - value, ms + later_ms))

    def offer(self, wire: Wire, most: int) -> None:
        """The next events go out."""
        for value, ms in self.made[self.offered : self.offered + most]:
            wire.hear(event(value, ms))
            self.offered += 1

    def hear(self, wire: Wire, first: int) -> None:
        """N(R) of the master; `first` I frames of the connection were not events."""
        wire.sent()
        self.forgotten = max(self.forgotten, self.base + wire.acknowledged - first)

    base = 0

    def begin(self) -> None:
        """A new connection: from the first that was not forgotten."""
        self.base = self.offered = self.forgotten


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("gokrc"), st.integers(1, 4)), max_size=40), st.data())
def test_nothing_is_lost_and_nothing_comes_twice_whatever_happens(steps: list[tuple[str, int]], data: Any) -> None:
    """A successor has what was released, and at least that: events above it die with the former active."""
    rig = Rig(ONE_POINT, options={"w": 2})
    wire = rig.read()
    buffer, first = Buffer(), 2
    start = rig.journal.head
    told = start
    rig.hold = True
    for what, count in steps:
        if what == "g":
            for _ in range(count):
                buffer.make(data.draw(st.integers(0, 1)), data.draw(st.integers(0, 1)))
        elif what == "o":
            buffer.offer(wire, count)
        elif what == "r":
            rig.channels[0].release(rig.journal.head - data.draw(st.integers(0, 2)), rig.now)
        number = rig.channels[0].told()  # mirrored before the octets leave
        told = number if number is not None else told
        buffer.hear(wire, first)
        if what in "kc":
            wire.cut() if what == "c" else rig.make()
            if what == "k":
                rig.channels[0].resume(told)
                rig.start()
                wire = rig.first
            wire.open()
            wire.raw(START_CON)
            buffer.begin()
            first = 0
            wire.sent()
    rig.hold = False
    rig.turn()
    buffer.offer(wire, len(buffer.made))
    cursor = rig.journal.cursor(start)
    kept = [(int(r[2]), (r[1] - STAMP_US) // 1000) for r in rig.journal.read(cursor, rig.journal.head) if r[3] == 2]
    assert kept == buffer.made


def test_the_stamp_of_the_rig() -> None:
    assert tags.decode_cp56(bytes.fromhex(STAMP)).us == STAMP_US
    assert GI_TERM != GI_CON
