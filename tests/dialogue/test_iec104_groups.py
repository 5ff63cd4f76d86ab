"""A center whose connections are spread over both members, in octets at one of them: it yields, resumes, counts."""

from __future__ import annotations

from tandem.config.model import Center
from tests.support.iec104_rig import NORTH, START, START_CON, TEST, TEST_CON, Rig

SOLO = Center("solo", ("10.9.0.0/16",), session="each-member")


def test_a_start_at_the_other_member_stops_the_connection_here_without_a_word() -> None:
    rig = Rig()
    client = rig.started()
    assert rig.station.flights() == [("north", True, True, 0)]
    rig.update("earth", 1)
    rig.pump()
    assert client.values(client.asdus()) == [(1002, 1)]
    assert rig.station.flights() == [("north", False, True, 1)]
    assert rig.station.owed(rig.now - 1) and not rig.station.owed(rig.now + 1), "an event that was sent long ago"
    rig.station.elsewhere("north", True, 1, rig.now)
    assert rig.station.flights() == [("north", False, False, 1)] and not rig.station.owed(0)
    client.acknowledge()
    rig.update("earth", 0)
    rig.pump()
    assert client.frames() == [] and client.close_reason() == ""
    client.send(TEST)
    assert client.frames() == [TEST_CON]
    client.send(START)
    assert client.frames()[0] == START_CON
    assert client.values(client.drain())[1:] == [(1002, 1), (1002, 0)]


def test_what_the_other_member_had_unconfirmed_is_counted_when_it_is_sent_here() -> None:
    rig = Rig()
    for n in range(5):
        rig.update("earth", n % 2)
    rig.station.set_cursor("north", 2)
    rig.station.elsewhere("north", True, 2, rig.now)
    client = rig.connect()
    client.send(START)
    assert client.frames()[0] == START_CON
    assert client.values(client.drain())[1:] == [(1002, 0), (1002, 1), (1002, 0)]
    assert (rig.counts()["repeated"], rig.counts()["confirmed"]) == (2, 3)
    assert rig.station.flights() == [("north", True, True, 0)]


def test_a_word_about_the_other_member_changes_nothing_where_this_one_is_started() -> None:
    rig = Rig()
    client = rig.started()
    rig.update("earth", 1)
    rig.station.elsewhere("north", False, 40, rig.now)
    rig.station.elsewhere("nobody", True, 40, rig.now)
    assert len(client.drain()) == 1
    client.drop()
    again = rig.started()
    rig.update("earth", 0)
    assert again.drain() and rig.counts()["repeated"] == 0


def test_a_center_of_each_member_is_moved_by_no_word_of_the_other() -> None:
    rig = Rig(centers=(NORTH, SOLO))
    client = rig.started("10.9.0.1")
    rig.update("earth", 1)
    rig.station.set_cursor("solo", 1)
    rig.station.elsewhere("solo", True, 3, rig.now)
    assert len(client.drain()) == 1
    assert rig.station.flights() == []
    assert rig.station.cursors() == {"solo": 1}, "the other member keeps it for a restart of this one"
    assert rig.counts("solo")["repeated"] == 0


def test_where_a_center_stands_is_a_guess_until_the_other_member_says_it() -> None:
    rig = Rig(centers=(NORTH, SOLO))
    for n in range(6):
        rig.update("earth", n % 2)
    rig.station.restore_cursors({}, 6)
    assert [rig.counts(c)["cursor"] for c in ("north", "solo")] == [6, 6]
    rig.station.set_cursor("north", 4)
    rig.station.set_cursor("solo", 3)
    assert [rig.counts(c)["cursor"] for c in ("north", "solo")] == [4, 3]
    rig.station.set_cursor("north", 2)
    rig.station.set_cursor("solo", 2)
    assert [rig.counts(c)["cursor"] for c in ("north", "solo")] == [4, 3], "known now: it never goes back"
    north, solo = rig.connect(), rig.connect("10.9.0.1")
    for client, values in ((north, 2), (solo, 3)):
        client.send(START)
        assert client.frames()[0] == START_CON
        assert len(client.values(client.drain())[1:]) == values, "and no end of initialisation: it knows this image"
