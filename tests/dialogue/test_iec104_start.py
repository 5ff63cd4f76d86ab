"""What a center is told when it starts, of member-local points, and in `analog_events = "last"`."""

from __future__ import annotations

from tandem.config.model import Center, Row
from tandem.journal import Journal
from tests.support.iec104_rig import ROWS, STAMP, START, START_CON, STOP, Rig

# --- only the newest of each analog -----------------------------------------------------------------------------------

LAST = Center("north", ("10.0.0.0/8",), analog_events="last")


def test_last_tells_the_newest_of_each_analog_and_every_other_event() -> None:
    rig = Rig(centers=(LAST,))
    client = rig.started()
    for n in range(5):
        rig.update("volt", n)
        rig.update("amp", n)
        rig.update("earth", n % 2)
    told = client.values(client.drain())
    assert [v for ioa, v in told if ioa == 1002] == [0, 1, 0, 1, 0]
    assert [v for ioa, v in told if ioa > 2000] == [4.0, 400]
    assert rig.station.cursors() == {"north": 15}


def test_last_tells_a_point_once_however_much_waited() -> None:
    rig = Rig(centers=(LAST,))
    for n in range(5000):
        rig.update("amp", n % 300)
    rig.update("earth", 1)
    client = rig.connect()
    client.send(START)
    assert sorted(client.values(client.drain())) == [(1002, 1), (2002, 19900), (9001, 0)]
    assert rig.station.cursors() == {"north": 5001}


def test_last_tells_what_may_leave_of_a_point_that_always_moves() -> None:
    rig = Rig(centers=(LAST,))
    client = rig.started()
    for n in range(4):
        rig.update("volt", n)
        rig.update("volt", n + 0.6)
        rig.pump(limit=rig.journal.head - 1)
    assert client.values(client.asdus()) == [(2001, float(n)) for n in range(4)]


def test_last_knows_no_overflow_of_analogs() -> None:
    rig = Rig(centers=(LAST,), journal=Journal(16, 16))
    client = rig.started()
    client.send(STOP)
    rig.update("amp", 3)
    for n in range(40):
        rig.update("volt", n)
    rig.update("earth", 1)
    client.send(START)
    told = client.values(client.drain())
    assert sorted(told) == [(1002, 1), (2001, 39.0), (2002, 300), (9001, 0)]
    assert rig.counts()["overflowed"] == 0


# --- member-local points ----------------------------------------------------------------------------------------


def test_local_points_are_told_after_the_start_and_at_each_change() -> None:
    rig = Rig()
    rig.local("role", 1)
    client = rig.connect()
    rig.local("role", 0)
    client.send(START)
    client.frames()
    rig.pump(limit=0)
    assert client.values(client.asdus()) == [(9001, 0)]
    rig.local("role", 1)
    rig.pump(limit=0)
    assert client.asdus() == [f"1e 01 03 00 2f 00 29 23 00 01 {STAMP}"]
    rig.pump()
    assert client.asdus() == []
    client.acknowledge()
    assert rig.station.cursors() == {"north": 0}  # it started; a local point moves nothing


def test_local_changes_do_not_pile_up_before_a_center_that_does_not_acknowledge() -> None:
    rig = Rig(options={"k": 2})
    client = rig.started()
    for n in range(101):
        rig.local("role", n % 2)
        rig.pump()
    told = client.values(client.drain())
    assert len(told) < 10
    assert told[-1] == (9001, 0)


# --- start ------------------------------------------------------------------------------------------------------


def test_the_end_of_initialisation_comes_first_and_once() -> None:
    rig = Rig((*ROWS, Row("earth", "M_SP_TB_1", "48:1")), tell_init=True)
    client = rig.connect()
    client.send(START)
    assert client.drain()[:2] == ["46 01 04 00 2f 00 00 00 00 00", "46 01 04 00 30 00 00 00 00 00"]
    client.drop()
    assert [text[:2] for text in rig.started_asdus()] == ["1e"]


def test_a_takeover_that_was_not_in_sync_tells_started_and_later_ones() -> None:
    rig = Rig()
    north = rig.started("10.0.0.1")
    rig.station.initialised(2, rig.now)
    assert north.drain() == ["46 01 04 00 2f 00 00 00 00 02"]
    assert rig.started_asdus("10.9.0.1")[0] == "46 01 04 00 2f 00 00 00 00 02"


def test_a_center_that_the_peer_serves_is_told_no_end_of_initialisation() -> None:
    active, standby = Rig(tell_init=True), Rig(tell_init=True)
    active.started_asdus()
    told = active.station.cursors()
    assert told == {"north": 0}
    for center, number in told.items():
        standby.station.set_cursor(center, number)
    assert [text[:2] for text in standby.started_asdus()] == ["1e"]


def test_end_of_initialisation_may_be_switched_off() -> None:
    rig = Rig(tell_init=True, options={"end_of_init": False})
    rig.station.initialised(2, rig.now)
    assert [text[:2] for text in rig.started_asdus()] == ["1e"]


def test_serve_after_valid_waits_for_each_point_or_its_dead_device() -> None:
    rig = Rig(serve_after="valid")
    rig.local("role", 1)
    for name in ("breaker", "earth", "volt", "amp", "norm"):
        rig.update(name, 1)
    client = rig.connect()
    client.send(START)
    rig.pump()
    assert client.frames() == []
    rig.update("energy", 1)
    rig.pump()
    assert client.frames() == []  # earth2 was never read and nothing is known of its device
    rig.update("ok", 0)
    rig.pump()
    assert client.frames()[0] == START_CON


def test_serve_after_valid_does_not_wait_for_disabled_devices() -> None:
    rig = Rig(
        (Row("earth", "M_SP_TB_1", "1"), Row("earth2", "M_SP_TB_1", "2")), serve_after="valid", disabled=("earth2",)
    )
    client = rig.connect()
    client.send(START)
    rig.pump()
    assert client.frames() == []
    rig.update("earth", 1)
    rig.pump()
    assert client.frames()[0] == START_CON


def test_serve_after_valid_ends_after_a_minute_whatever_is_missing() -> None:
    rig = Rig(serve_after="valid", options={"t3_s": 300})
    client = rig.connect()
    client.send(START)
    rig.pump()
    client.wait(59_999)
    rig.pump()
    assert client.frames() == []
    client.wait(1)
    rig.pump()
    assert client.frames()[0] == START_CON
