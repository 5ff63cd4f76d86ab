"""Interrogations of station, groups and counters: hex in, hex out."""

from __future__ import annotations

import pytest

from tandem.codec.iec60870 import asdu
from tandem.config.model import Row
from tests.support.iec104_rig import STAMP, Rig, filled, octets

GI = "64 01 06 00 2f 00 00 00 00 14"
GI_CON, GI_TERM = "64 01 07 00 2f 00 00 00 00 14", "64 01 0a 00 2f 00 00 00 00 14"


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
        f"24 01 03 00 2f 00 d1 07 00 00 00 10 41 00 {STAMP}",
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
        ("65 01 06 00 2f 00 00 00 00 45", ["07", "0a"]),
        ("65 01 06 00 2f 00 00 00 00 85", ["07", "0a"]),
        ("65 01 06 00 2f 00 00 00 00 c2", ["07", "0a"]),
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
