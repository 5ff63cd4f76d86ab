"""Interrogation, counters, read, clock, test, reset, and every negative answer: hex in, hex out."""

from __future__ import annotations

import pytest

from tandem.codec.iec60870 import asdu
from tandem.config.model import Row
from tandem.point import MS, Quality
from tandem.slave.base import ClockMessage
from tests.support.iec104_rig import STAMP, STOP, Rig, octets

GI = "64 01 06 00 2f 00 00 00 00 14"
GI_CON, GI_TERM = "64 01 07 00 2f 00 00 00 00 14", "64 01 0a 00 2f 00 00 00 00 14"


def filled() -> Rig:
    """A station whose points all have values."""
    rig = Rig()
    for name, value in (("breaker", 2), ("earth", 1), ("earth2", 0), ("volt", 1.5), ("amp", 2), ("norm", 250)):
        rig.update(name, value)
    rig.update("energy", 77)
    rig.update("ok", 1)
    rig.local("role", 1)
    rig.station.restore_cursors({"north": rig.journal.head, "east": rig.journal.head}, rig.journal.head)
    return rig


STATION = [
    "01 03 14 00 2f 00 ea 03 00 01 eb 03 00 00 29 23 00 01",
    "03 01 14 00 2f 00 e9 03 00 02",
    "09 01 14 00 2f 00 d3 07 00 00 20 00",
    "0b 01 14 00 2f 00 d2 07 00 c8 00 00",
    "0d 01 14 00 2f 00 d1 07 00 00 00 c0 3f 00",
]


def test_the_station_is_interrogated_without_times_and_counters() -> None:
    client = filled().started()
    client.ask(GI)
    assert client.asdus() == [GI_CON]
    assert client.drain() == [*STATION, GI_TERM]


@pytest.mark.parametrize(
    ("group", "expected"),
    [
        (0x15, ["01 01 15 00 2f 00 ea 03 00 01", "03 01 15 00 2f 00 e9 03 00 02"]),
        (0x16, ["0b 01 16 00 2f 00 d2 07 00 c8 00 00", "0d 01 16 00 2f 00 d1 07 00 00 00 c0 3f 00"]),
        (0x24, []),
    ],
)
def test_a_group_is_interrogated(group: int, expected: list[str]) -> None:
    client = filled().started()
    client.ask(f"64 01 06 07 2f 00 00 00 00 {group:02x}")
    mirrored = [f"64 01 {cot} 07 2f 00 00 00 00 {group:02x}" for cot in ("07", "0a")]
    assert client.drain() == [mirrored[0], *[text.replace(" 00 2f", " 07 2f", 1) for text in expected], mirrored[1]]


def test_all_stations_answer_each_for_itself() -> None:
    rig = Rig((Row("earth", "M_SP_TB_1", "1"), Row("earth", "M_SP_TB_1", "48:2")))
    rig.update("earth", 1)
    rig.station.restore_cursors({"north": 1}, 1)
    client = rig.started()
    client.ask("64 01 06 00 ff ff 00 00 00 14")
    assert client.drain() == [
        GI_CON,
        "64 01 07 00 30 00 00 00 00 14",
        "01 01 14 00 2f 00 01 00 00 01",
        GI_TERM,
        "01 01 14 00 30 00 02 00 00 01",
        "64 01 0a 00 30 00 00 00 00 14",
    ]


def test_addresses_in_a_row_share_one_address() -> None:
    rig = Rig([Row("earth", "M_SP_TB_1", str(n)) for n in [*range(100, 300), 302, 303, 400]])
    client = rig.started()
    client.ask(GI)
    found = [asdu.decode(octets(text)) for text in client.drain()[1:-1]]
    assert [(read.sequence, read.amount) for read in found] == [(True, 127), (True, 73), (False, 3)]
    assert [ioa for read in found for ioa, _ in read.objects or ()] == [*range(100, 300), 302, 303, 400]
    # Never read: invalid and not topical.
    assert {v["quality"] for read in found for _, v in read.objects or ()} == {0xC0}


def test_a_lost_device_marks_what_interrogation_tells() -> None:
    rig = filled()
    client = rig.started()
    rig.update("ok", 0)
    client.ask(GI)
    assert client.drain()[1] == STATION[0].replace("eb 03 00 00", "eb 03 00 40")


def test_a_second_interrogation_is_refused_while_one_is_running() -> None:
    client = filled().started()
    client.ask(GI)
    client.ask(GI)
    client.ask("64 01 06 00 2f 00 00 00 00 15")
    assert client.drain()[:3] == [GI_CON, "64 01 47 00 2f 00 00 00 00 14", "64 01 47 00 2f 00 00 00 00 15"]
    client.ask(GI)
    assert client.drain() == [GI_CON, *STATION, GI_TERM]


def test_an_interrogation_may_be_stopped() -> None:
    client = filled().started()
    client.ask(GI)
    client.ask(GI.replace("06", "08", 1))
    client.ask(GI.replace("06", "08", 1))
    assert client.drain() == [GI_CON, "64 01 09 00 2f 00 00 00 00 14", "64 01 49 00 2f 00 00 00 00 14"]


def test_a_value_above_the_limit_waits_and_events_overtake() -> None:
    rig = filled()
    head = rig.journal.head
    client = rig.started()
    rig.update("volt", 9)
    client.ask(GI)
    rig.pump(limit=head)
    assert client.asdus() == [GI_CON, *STATION[:-1]]
    for n in range(3):  # it never stands still, and is told all the same
        rig.update("volt", 10 + n)
        rig.pump(limit=head)
        assert client.asdus() == []
    rig.pump(limit=head + 1)
    assert client.asdus() == [
        "0d 01 14 00 2f 00 d1 07 00 00 00 10 41 00",
        GI_TERM,
    ]
    assert rig.station.released() == head + 1


def test_a_large_interrogation_keeps_to_the_window_and_lets_events_through() -> None:
    rig = Rig([Row("volt", "M_ME_TF_1", str(3 * n)) for n in range(1, 2000)] + [Row("earth", "M_SP_TB_1", "1")])
    client = rig.started()
    client.ask(GI)
    rig.pump()
    rig.update("earth", 1)
    found = client.drain()
    place = next(n for n, text in enumerate(found) if text.startswith("1e"))
    assert 0 < place < len(found) - 30
    assert sum(asdu.decode(octets(text)).amount for text in found if text.startswith("0d")) == 1999
    assert found[-1] == GI_TERM


@pytest.mark.parametrize("why", ["64 01 06 00 2f 00 00 00 00 13", "64 01 06 00 2f 00 00 00 00 25"])
def test_another_qualifier_is_refused(why: str) -> None:
    client = filled().started()
    client.ask(why)
    assert client.asdus() == [why.replace("06", "47", 1)]
    assert "20 is the station" in client.said()


@pytest.mark.parametrize(
    ("request_", "answers"),
    [
        ("65 01 06 00 2f 00 00 00 00 05", ["07", "0f 01 25 00 2f 00 b9 0b 00 4d 00 00 00 00", "0a"]),
        ("65 01 06 00 ff ff 00 00 00 05", ["07", "0f 01 25 00 2f 00 b9 0b 00 4d 00 00 00 00", "0a"]),
        ("65 01 06 00 2f 00 00 00 00 01", ["07", "0f 01 26 00 2f 00 b9 0b 00 4d 00 00 00 00", "0a"]),
        ("65 01 06 00 2f 00 00 00 00 02", ["07", "0a"]),
        ("65 01 06 00 2f 00 00 00 00 45", ["47"]),
        ("65 01 06 00 2f 00 00 00 00 85", ["47"]),
        ("65 01 06 00 2f 00 00 00 00 c5", ["47"]),
        ("65 01 06 00 2f 00 00 00 00 06", ["47"]),
        ("65 01 08 00 2f 00 00 00 00 05", ["49"]),
    ],
)
def test_counters_are_interrogated(request_: str, answers: list[str]) -> None:
    client = filled().started()
    client.ask(request_)
    local = request_.replace("ff ff", "2f 00")
    expected = [local[:6] + a + local[8:] if len(a) == 2 else a for a in answers]
    assert client.drain() == expected


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
        ("parameter", "6e 01 06 00 2f 00 00 00 00 01 00 01", "6e 01 6c 00 2f 00 00 00 00 01 00 01"),
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
