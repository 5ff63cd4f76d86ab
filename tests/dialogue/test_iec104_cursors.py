"""A center's cursor: what an acknowledgement moves, what is sent again, nothing lost, nothing above the limit."""

from __future__ import annotations

from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from tandem.codec.iec60870 import apci
from tandem.config.model import Center, Row
from tandem.journal import Journal
from tests.support.iec104_rig import NORTH, START, START_CON, STOP, Rig, plain


def test_an_acknowledgement_moves_the_cursor_to_what_is_told_without_gap() -> None:
    rig = Rig()
    client = rig.started()
    rig.update("volt", 1)  # 1: floats are the first ASDU
    rig.update("earth", 1)  # 2
    rig.update("volt", 2)  # 3
    rig.update("breaker", 2)  # 4
    rig.update("coil", 1)  # 5 is not served
    rig.pump()
    assert [text[:2] for text in client.asdus()] == ["24", "1e", "1f"]
    assert rig.station.cursors() == {}
    client.send("68 04 01 00 04 00")  # the local point's, the floats: 2 is still missing
    assert rig.station.cursors() == {"north": 1}
    client.acknowledge()
    assert rig.station.cursors() == {"north": 5}
    assert rig.station.cursors() == {}
    assert rig.station.released() == 4
    assert rig.station.lowest_cursor() == 0  # of the center that never came


def test_unconfirmed_events_come_again_and_are_counted() -> None:
    rig = Rig()
    client = rig.started()
    for n in range(40):
        rig.update("earth", n % 2)
    rig.pump()
    first = client.asdus()
    client.send("68 04 01 00 04 00")  # one of two ASDUs
    client.drop()
    assert rig.station.cursors() == {"north": 22}
    again = rig.connect()
    again.send(START)
    assert first[1] in again.drain()
    assert rig.counts()["repeated"] == 18
    assert rig.counts()["sent"] == 58
    assert rig.counts()["confirmed"] == 40


def test_what_comes_again_is_measured_against_nothing_unconfirmed() -> None:
    rig = Rig()
    client = rig.started()
    for value in (10.0, 11.0, 10.1):
        rig.update("volt", value)
    assert len(client.values(client.drain(acknowledge=False))) == 3
    client.drop()
    again = rig.connect()
    again.send(START)
    assert [round(v, 1) for ioa, v in again.values(again.drain()) if ioa == 2001] == [10.0, 11.0, 10.1]


def test_events_wait_for_a_center_that_is_away() -> None:
    rig = Rig()
    rig.update("earth", 1)
    rig.update("earth", 0)
    rig.pump()
    client = rig.connect()
    rig.pump()
    assert client.asdus() == []
    client.send(START)
    assert client.values(client.drain()) == [(9001, 0), (1002, 1), (1002, 0)]
    assert rig.counts()["repeated"] == 0


def test_one_connection_of_a_center_is_started_and_the_newest_wins() -> None:
    rig = Rig()
    one, two = rig.started("10.0.0.1"), rig.connect("10.0.0.2")
    rig.update("earth", 1)
    rig.pump()
    told = one.asdus()
    two.send(START)
    assert two.frames() == [START_CON]
    assert "another connection" in one.said()
    one.acknowledge()
    rig.update("earth", 0)
    assert two.values(two.drain())[1:] == [(1002, 1), (1002, 0)]
    assert len(told) == 1
    assert one.frames() == []
    assert rig.counts()["repeated"] == 1
    one.send(START)
    rig.update("earth", 1)
    rig.pump()
    assert one.values(one.asdus())[-1] == (1002, 1)
    assert two.frames() == []


def test_two_centers_have_a_buffer_each() -> None:
    rig = Rig()
    north, east = rig.started("10.0.0.1"), rig.started("10.9.0.1")
    rig.update("earth", 1)
    assert len(north.drain()) == 1
    assert rig.station.cursors() == {"north": 1}
    assert len(east.drain(acknowledge=False)) == 1
    assert rig.station.cursors() == {}
    assert rig.station.lowest_cursor() == 0


def test_nothing_leaves_above_the_limit() -> None:
    rig = Rig()
    client = rig.started()
    for n in range(3):
        rig.update("earth", n % 2)
    rig.pump(limit=2)
    assert client.values(client.asdus()) == [(1002, 0), (1002, 1)]
    assert rig.station.released() == 2
    rig.pump(limit=3)
    assert client.values(client.asdus()) == [(1002, 0)]


def test_cursors_are_merged_restored_and_clamped() -> None:
    rig = Rig(centers=(NORTH, Center("solo", ("10.9.0.0/16",), session="each-member")))
    for n in range(10):
        rig.update("earth", n % 2)
    rig.station.set_cursor("north", 7)
    rig.station.set_cursor("north", 4)
    rig.station.set_cursor("solo", 9)
    rig.station.set_cursor("nobody", 9)
    north, solo = rig.started("10.0.0.1"), rig.started("10.9.0.1")
    assert rig.counts("north")["sent"] == 3
    assert rig.counts("solo")["sent"] == 10
    north.acknowledge()
    solo.acknowledge()
    assert [rig.counts(c)["cursor"] for c in ("north", "solo")] == [10, 10]
    rig.station.restore_cursors({"north": 99}, 8)
    assert rig.station.lowest_cursor() == 8
    assert [rig.counts(c)["cursor"] for c in ("north", "solo")] == [8, 8]


def test_another_history_voids_what_is_on_its_way() -> None:
    rig = Rig()
    client = rig.started()
    for n in range(5):
        rig.update("earth", n % 2)
    rig.pump()
    assert len(client.asdus()) == 1
    rig.station.restore_cursors({"north": 2}, 5)
    client.acknowledge()
    assert rig.station.cursors() == {}
    assert client.values(client.drain()) == [(1002, 0), (1002, 1), (1002, 0)]
    assert rig.station.cursors() == {"north": 5}


def test_a_lapped_cursor_is_said_and_counted() -> None:
    rig = Rig(journal=Journal(16, 16))
    client = rig.started()
    client.send(STOP)
    for n in range(20):
        rig.update("earth", n % 2)
    client.send(START)
    client.events()
    assert len(client.values(client.drain())) == 1 + 16
    assert "at least 4 events were overwritten before they were sent" in client.said()
    assert rig.counts()["overflowed"] == 4
    assert rig.station.cursors() == {"north": 20}


def test_a_ring_that_laps_what_was_sent_is_no_silent_gap() -> None:
    rig = Rig(journal=Journal(16, 16))
    client = rig.started()
    rig.update("earth", 1)
    rig.pump()
    for n in range(40):
        rig.update("earth", n % 2)
    client.drop()
    rig.started()
    assert rig.counts()["overflowed"] >= 1


NAMES = ("breaker", "earth", "earth2", "volt", "amp", "norm", "energy")


@given(
    st.lists(
        st.one_of(
            st.tuples(st.just("update"), st.sampled_from(NAMES), st.integers(1, 3)),
            st.tuples(st.just("pump"), st.integers(0, 30), st.just(0)),
            st.tuples(st.just("read"), st.just(0), st.just(0)),
            st.tuples(st.just("ack"), st.integers(0, 12), st.just(0)),
            st.tuples(st.just("drop"), st.just(0), st.just(0)),
        ),
        max_size=60,
    )
)
def test_nothing_is_lost_and_the_order_holds_whatever_happens(steps: list[tuple[str, object, int]]) -> None:
    """Per address: what arrived, with its repetitions taken out, is what happened, in order."""
    rig = Rig(options={"k": 3})
    client = rig.started()
    happened: dict[str, list[float]] = {name: [] for name in NAMES}
    arrived: dict[int, list[float]] = {}
    stamp = 0.0

    def take() -> None:
        for ioa, value in client.values(client.asdus()):
            arrived.setdefault(ioa, []).append(value)

    for what, first, second in steps:
        if what == "update":
            stamp += 1
            value = float(second) if first in ("breaker", "earth", "earth2") else stamp
            happened[str(first)].append(value)
            rig.update(str(first), value)
        elif what == "pump":
            rig.pump(limit=max(0, rig.journal.head - int(str(first))))
        elif what == "read":
            take()
        elif what == "ack":
            take()
            client.acknowledge()
        else:
            client.drop()
            client = rig.connect()
            client.send(START)
    take()
    client.acknowledge()
    for ioa, value in client.values(client.drain()):
        arrived.setdefault(ioa, []).append(value)
    scale = {"amp": 100.0, "norm": 0.001}
    for name, ioa in (("volt", 2001), ("amp", 2002), ("norm", 2003), ("energy", 3001)):
        expected = [value * scale.get(name, 1.0) for value in happened[name]]
        found = [round(value, 3) for value in arrived.get(ioa, [])]
        assert [round(v, 3) for v in sorted(set(found))] == [round(v, 3) for v in expected]
        drops = sum(later <= earlier for earlier, later in pairwise(found))
        assert drops <= sum(step[0] == "drop" for step in steps)
    for name, ioa in (("breaker", 1001), ("earth", 1002), ("earth2", 1003)):
        assert len(arrived.get(ioa, [])) >= len(happened[name])
    assert rig.counts()["cursor"] == rig.journal.head
    if not any(step[0] == "drop" for step in steps):
        assert rig.counts()["repeated"] == 0
        assert len(arrived.get(2002, [])) == len(happened["amp"])


COUNTED = (
    Row("volt", "M_ME_TF_1", "1"),
    Row("amp", "M_ME_TE_1", "2"),
    Row("norm", "M_ME_TD_1", "3", scale=0.001),
    Row("energy", "M_IT_TB_1", "4"),
)


@given(
    st.lists(st.integers(1, 400), min_size=4, max_size=4),
    st.integers(1, 60),
    st.integers(1, 8),
    st.integers(1, 12),
    st.randoms(use_true_random=False),
)
def test_at_most_k_asdus_come_again_whatever_is_seldom(
    weights: list[int], frames: int, w: int, k: int, chance: Random
) -> None:
    """Also where a type's few events wait for more in their ASDU; and a center with w <= 2/3 k is never starved."""
    k = max(k, (3 * w + 1) // 2)
    rig = Rig(rows=COUNTED, options={"k": k})
    client = rig.started()
    for n, name in enumerate(chance.choices([row.point for row in COUNTED], weights, k=600), 1):
        rig.update(name, float(n))
    got: list[set[tuple[int, float]]] = []
    while len(got) < frames and sum(map(len, got)) < 600:
        before = len(got)
        rig.pump()
        for text in client.asdus():
            got.append(set(client.values([text])))
            if len(got) % w == 0:
                client.send(plain(apci.s_frame(len(got))))
        assert len(got) > before, "the station waits for a confirm that the center does not owe"
    client.drop()
    again = rig.connect()
    again.send(START)
    repeated = set(again.values(again.drain()))
    more = max(0, len(COUNTED) - 1 - k // 3)  # a small window has no room for what is acknowledged before its turn
    assert sum(bool(repeated & told) for told in got) <= k + more
    assert len(repeated.union(*got)) == 600, "all of them"


def test_starts_unconfirmed_events_and_a_full_window_are_counted() -> None:
    rig = Rig(options={"k": 2, "w": 1})
    client = rig.started()
    assert (rig.counts()["starts"], rig.counts()["window_full"], rig.counts()["unconfirmed"]) == (1, 0, 0)
    for n in range(4):
        rig.update("earth", n % 2)
        rig.pump()
    assert len(client.asdus()) == 2
    assert (rig.counts()["window_full"], rig.counts()["unconfirmed"]) == (1, 2)
    client.acknowledge()
    assert len(client.drain()) and rig.counts()["unconfirmed"] == 0
