"""Read, clock, test, reset, and every negative answer: hex in, hex out."""

from __future__ import annotations

import pytest

from tandem.point import MS, Quality
from tandem.slave.base import ClockMessage
from tests.support.iec104_rig import STAMP, STOP, Rig, filled

GI = "64 01 06 00 2f 00 00 00 00 14"
GI_CON, GI_TERM = "64 01 07 00 2f 00 00 00 00 14", "64 01 0a 00 2f 00 00 00 00 14"


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("66 01 05 00 2f 00 e9 03 00", "03 01 05 00 2f 00 e9 03 00 02"),
        ("66 01 05 09 2f 00 d1 07 00", "0d 01 05 09 2f 00 d1 07 00 00 00 c0 3f 00"),
        ("66 01 05 00 2f 00 b9 0b 00", "0f 01 05 00 2f 00 b9 0b 00 4d 00 00 00 00"),
        ("66 01 05 00 2f 00 29 23 00", "01 01 05 00 2f 00 29 23 00 01"),
        ("66 01 05 00 2f 00 89 13 00", "66 01 6f 00 2f 00 89 13 00"),
        ("66 01 06 00 2f 00 e9 03 00", "66 01 6d 00 2f 00 e9 03 00"),
        ("66 01 05 00 ff ff e9 03 00", "66 01 6e 00 ff ff e9 03 00"),
    ],
)
def test_an_object_is_read(request_: str, answer: str) -> None:
    client = filled().started()
    client.ask(request_)
    assert client.drain() == [answer]


def test_a_read_above_the_limit_waits() -> None:
    rig = filled()
    client = rig.started()
    head = rig.update("volt", 3, Quality.GOOD)
    client.ask("66 01 05 00 2f 00 d1 07 00")
    rig.pump(limit=head - 1)
    assert client.asdus() == []
    rig.pump(limit=head)
    assert client.asdus()[0] == "0d 01 05 00 2f 00 d1 07 00 00 00 40 40 00"


THEIR_TIME = "10 27 0a 05 a3 02 1a"  # 2026-02-03 05:10:10.000
THEIR_US = 1_770_095_410_000_000


def test_the_clock_message_is_answered_with_our_time_before() -> None:
    rig = filled()
    client = rig.started()
    client.events()
    client.ask(f"67 01 06 00 2f 00 00 00 00 {THEIR_TIME}")
    assert client.asdus() == [f"67 01 07 00 2f 00 00 00 00 {STAMP}"]
    assert client.events() == []


def test_an_accepted_clock_message_reaches_the_owner() -> None:
    rig = Rig(rows=(), clock_sync="accept", synced=False)
    client = rig.started()
    client.events()
    rig.now = 7 * MS
    client.ask(f"67 01 06 00 ff ff 00 00 00 {THEIR_TIME}")
    assert client.asdus() == ["67 01 07 00 2f 00 00 00 00 35 16 84 03 a2 01 1a"]
    assert client.events() == [ClockMessage("scada", THEIR_US, 7 * MS)]


@pytest.mark.parametrize(
    ("policy", "time", "why"),
    [
        ("refuse", THEIR_TIME, 'clock_sync = "refuse"'),
        ("accept", "10 27 8a 05 a3 02 1a", "marked invalid"),
        ("accept", "10 27 0a 05 bf 02 1a", "names no date"),
    ],
)
def test_a_clock_message_is_refused(policy: str, time: str, why: str) -> None:
    rig = Rig(rows=(), clock_sync=policy)
    client = rig.started()
    client.ask(f"67 01 06 00 2f 00 00 00 00 {time}")
    assert client.asdus() == [f"67 01 47 00 2f 00 00 00 00 {time}"]
    events = client.events()
    assert why in str(events) and not [e for e in events if isinstance(e, ClockMessage)]


@pytest.mark.parametrize(
    ("meaning", "ask", "answer"),
    [
        ("test", "68 01 06 00 2f 00 00 00 00 aa 55", "68 01 07 00 2f 00 00 00 00 aa 55"),
        ("test, wrong pattern", "68 01 06 00 2f 00 00 00 00 aa 54", "68 01 47 00 2f 00 00 00 00 aa 54"),
        (
            "test with time, T bit and originator",
            f"6b 01 86 05 2f 00 00 00 00 34 12 {STAMP}",
            f"6b 01 87 05 2f 00 00 00 00 34 12 {STAMP}",
        ),
        ("reset process", "69 01 06 00 2f 00 00 00 00 01", "69 01 47 00 2f 00 00 00 00 01"),
        ("unknown type", "7a 01 0d 00 2f 00 00 00 00 01 00 01 01", "7a 01 6c 00 2f 00 00 00 00 01 00 01 01"),
        ("parameter of no value", "6e 01 06 00 2f 00 00 00 00 01 00 01", "6e 01 6f 00 2f 00 00 00 00 01 00 01"),
        ("a type nobody knows", "c8 01 06 00 2f 00", "c8 01 6c 00 2f 00"),
        ("monitor type", "01 01 06 00 2f 00 ea 03 00 01", "01 01 6c 00 2f 00 ea 03 00 01"),
        ("delay acquisition is 101's", "6a 01 06 00 2f 00 00 00 00 01 00", "6a 01 6c 00 2f 00 00 00 00 01 00"),
        ("unknown cause", "64 01 05 00 2f 00 00 00 00 14", "64 01 6d 00 2f 00 00 00 00 14"),
        ("unknown station", "64 01 06 00 30 00 00 00 00 14", "64 01 6e 00 30 00 00 00 00 14"),
        ("station 0", "64 01 06 00 00 00 00 00 00 14", "64 01 6e 00 00 00 00 00 00 14"),
        ("interrogation of an object", "64 01 06 00 2f 00 01 00 00 14", "64 01 6f 00 2f 00 01 00 00 14"),
        ("clock of an object", f"67 01 06 00 2f 00 01 00 00 {STAMP}", f"67 01 6f 00 2f 00 01 00 00 {STAMP}"),
        ("test of an object", "68 01 06 00 2f 00 01 00 00 aa 55", "68 01 6f 00 2f 00 01 00 00 aa 55"),
        ("reset of an object", "69 01 06 00 2f 00 01 00 00 01", "69 01 6f 00 2f 00 01 00 00 01"),
        ("counters of an object", "65 01 06 00 2f 00 01 00 00 05", "65 01 6f 00 2f 00 01 00 00 05"),
        ("command, unknown object", "2d 01 06 00 2f 00 01 00 00 01", "2d 01 6f 00 2f 00 01 00 00 01"),
        ("command, another type there", "2d 01 06 00 2f 00 89 13 00 01", "2d 01 6f 00 2f 00 89 13 00 01"),
        ("command, unknown cause", "2d 01 03 00 2f 00 8b 13 00 01", "2d 01 6d 00 2f 00 8b 13 00 01"),
        ("command to all stations", "2d 01 06 00 ff ff 8b 13 00 01", "2d 01 6e 00 ff ff 8b 13 00 01"),
    ],
)
def test_other_requests(meaning: str, ask: str, answer: str) -> None:
    rig = filled()
    client = rig.started()
    client.ask(ask)
    assert client.drain() == [answer], meaning
    assert rig.commands() == []


@pytest.mark.parametrize(
    "ask",
    [
        "64 01 06 00 2f",
        "64 01 06 00 2f 00 00 00 00",
        "64 02 06 00 2f 00 00 00 00 14",
        "64 00 06 00 2f 00",
        "64 01 06 00 2f 00 00 00 00 14 14",
        "2d 83 06 00 2f 00 8b 13 00 01",
        "c8 01",
    ],
)
def test_what_cannot_be_read_is_ignored_with_a_sentence(ask: str) -> None:
    rig = filled()
    client = rig.started()
    client.events()
    client.ask(ask)
    assert client.asdus() == []
    assert "was ignored" in client.said()
    assert rig.counts()["malformed"] == 1
    client.ask(GI)
    assert client.asdus() == [GI_CON]


def test_who_asks_without_acknowledging_is_cut_off() -> None:
    client = Rig().started()
    for n in range(600):
        client.send(f"68 0e {n * 2 & 255:02x} {n * 2 >> 8:02x} {client.vr * 2:02x} 00 c8 01 06 00 2f 00 00 00 00 14")
    assert "asks without acknowledging" in client.close_reason()


def test_a_stop_ends_what_is_under_way() -> None:
    client = filled().started()
    client.ask(GI)
    client.send(STOP)
    client.acknowledge()
    client.asdus()
    client.acknowledge()
    assert client.drain() == []
    client.send("68 04 07 00 00 00")
    assert [text[:2] for text in client.drain()] == ["1e"]
