"""What a center writes besides controls: thresholds, freezes and resets of counters. Hex in, hex out.

KPA 1 threshold | QPA 1 all that was loaded, 2 the addressed | FRZ 0 read, 1 freeze, 2 freeze with reset, 3 reset
"""

from __future__ import annotations

import pytest

from tandem.config.model import Row
from tandem.point import Quality
from tests.support.iec104_rig import EAST, NORTH, ROWS, START, STOP, STOP_CON, Client, Rig, octets

VOLT_5 = "70 01 06 00 2f 00 d1 07 00 00 00 a0 40 01"  # P_ME_NC_1 of 2001: 5.0
AMP_300 = "6f 01 06 00 2f 00 d2 07 00 2c 01 01"  # P_ME_NB_1 of 2002, whose scale is 100: 3 A
NORM_HALF = "6e 01 06 00 2f 00 d3 07 00 00 40 01"  # P_ME_NA_1 of 2003: 0.5 of 1000
READ, FREEZE, FREEZE_RESET, RESET = (f"65 01 06 00 2f 00 00 00 00 {rqt}" for rqt in ("05", "45", "85", "c5"))


def con(request: str, cause: str = "07") -> str:
    """The confirmation of a request."""
    return request[:6] + cause + request[8:]


def asked(client: Client, request: str) -> list[str]:
    """What comes for a request."""
    client.ask(request)
    return client.drain()


def totals(client: Client) -> list[tuple[int, int]]:
    """(reading, sequence number and flags) of every counter interrogated."""
    found = asked(client, READ)
    assert (found[0], found[-1]) == (con(READ), con(READ, "0a"))
    data = [octets(text)[9:] for text in found[1:-1]]
    return [(int.from_bytes(part[:4], "little", signed=True), part[4]) for part in data]


def events(client: Client, rig: Rig, name: str, *values: float) -> list[float]:
    """What of these changes is told."""
    for value in values:
        rig.update(name, value)
    return [value for _, value in client.values(client.drain())]


@pytest.mark.parametrize(
    ("load", "name", "steps", "told"),
    [
        (VOLT_5, "volt", (10, 14, 15, 19.9, 20, 15.1, 15), [10, 15, 20, 15]),
        (AMP_300, "amp", (1, 3.9, 4, 2), [100, 400]),
        (NORM_HALF, "norm", (0, 499, 500), [0, 0.5]),
    ],
)
def test_a_threshold_counts_from_the_moment_it_is_written(
    load: str, name: str, steps: tuple[float, ...], told: list[float]
) -> None:
    rig = Rig()
    client = rig.started()
    assert asked(client, load) == [con(load)]
    assert events(client, rig, name, *steps) == told


def test_it_is_the_writers_alone_and_a_second_one_takes_its_place() -> None:
    rig = Rig()
    north, east = rig.started(), rig.started("10.9.0.1")
    asked(north, VOLT_5)
    rig.update("volt", 10)
    rig.update("volt", 12)
    assert [v for _, v in north.values(north.drain())] == [10]
    assert [v for _, v in east.values(east.drain())] == [10, 12]
    asked(north, VOLT_5.replace("a0 40", "80 3f"))
    assert events(north, rig, "volt", 12.75, 13) == [12.75]


def test_it_is_taken_out_of_force_and_back_one_by_one_and_all_together() -> None:
    rig = Rig()
    client = rig.started()
    off, on = "71 01 08 00 2f 00 d1 07 00 02", "71 01 06 00 2f 00 d1 07 00 02"
    assert asked(client, on) == [con(on, "6f")[:6] + "6f" + on[8:]], "nothing was written yet"
    asked(client, VOLT_5)
    asked(client, AMP_300)
    events(client, rig, "volt", 10)
    assert asked(client, off) == [con(off, "09")]
    assert events(client, rig, "volt", 10.4, 10.6) == [pytest.approx(10.6)], "the list's 0.5"
    assert asked(client, on) == [con(on)]
    assert events(client, rig, "volt", 15.5, 15.6) == [pytest.approx(15.6)]
    all_off = "71 01 08 00 2f 00 00 00 00 01"
    assert asked(client, all_off) == [con(all_off, "09")]
    assert events(client, rig, "volt", 16.2) and events(client, rig, "amp", 1, 1.1) == [100, 110]


@pytest.mark.parametrize(
    ("request_", "cause", "why"),
    [
        (VOLT_5.replace("d1 07", "d2 07"), "6f", ""),  # another type of measured value
        (VOLT_5.replace("d1 07", "e9 03"), "6f", ""),
        (VOLT_5.replace("01 06", "01 08"), "6d", ""),
        (VOLT_5[:-2] + "02", "47", "kind 2"),
        (VOLT_5.replace("a0 40", "a0 c0"), "47", "write 0 or more"),
        (VOLT_5.replace("00 00 a0 40", "00 00 c0 7f"), "47", "write 0 or more"),
        ("71 01 06 00 2f 00 d1 07 00 03", "47", "QPA = 3"),
        ("65 01 06 00 2f 00 00 00 00 46", "47", "RQT = 6"),
    ],
)
def test_what_is_refused(request_: str, cause: str, why: str) -> None:
    rig = Rig()
    client = rig.started()
    client.events()
    assert asked(client, request_) == [con(request_, cause)]
    assert why in client.said()
    assert events(client, rig, "volt", 10, 10.5, 11) == [10, 10.5, 11]


def test_a_test_is_confirmed_and_changes_nothing() -> None:
    rig = Rig()
    client = rig.started()
    for request in (VOLT_5, FREEZE_RESET):
        request = request.replace("01 06", "01 86")
        assert asked(client, request)[0] == con(request, "87")
    assert events(client, rig, "volt", 10, 11) == [10, 11]
    assert events(client, rig, "energy", 5) == [5]


def test_counters_are_frozen_and_read_as_they_were() -> None:
    rig = Rig()
    client = rig.started()
    events(client, rig, "energy", 77)
    assert totals(client) == [(77, 0)], "never frozen: as it is"
    assert asked(client, FREEZE) == [con(FREEZE), con(FREEZE, "0a")]
    assert events(client, rig, "energy", 90) == [90], "events go on"
    assert totals(client) == [(77, 1)] == totals(client)
    asked(client, FREEZE)
    assert totals(client) == [(90, 2)]


def test_a_freeze_with_reset_counts_anew_and_a_reset_alone_keeps_the_frozen_ones() -> None:
    rig = Rig()
    client = rig.started()
    events(client, rig, "energy", 77)
    asked(client, FREEZE_RESET)
    assert totals(client) == [(77, 1)]
    assert events(client, rig, "energy", 80, 90) == [3, 13]
    assert asked(client, RESET) == [con(RESET), con(RESET, "0a")]
    assert totals(client) == [(77, 1)]
    assert events(client, rig, "energy", 91) == [1]
    asked(client, FREEZE)
    assert totals(client) == [(1, 2)]


def test_what_was_counted_before_a_reset_is_told_as_it_was() -> None:
    rig = Rig()
    client = rig.started()
    rig.update("energy", 70)
    rig.update("energy", 77)
    client.ask(FREEZE_RESET)
    rig.update("energy", 78)
    assert [v for _, v in client.values([t for t in client.drain() if t.startswith("25")])] == [70, 77, 1]


def test_a_device_that_counts_anew_is_told_as_it_counts() -> None:
    rig = Rig()
    client = rig.started()
    events(client, rig, "energy", 77)
    asked(client, FREEZE_RESET)
    assert events(client, rig, "energy", 80, 2, 85) == [3, 2, 85]


def test_a_group_is_frozen_alone_and_a_bad_counter_is_frozen_as_bad() -> None:
    rig = Rig()
    client = rig.started()
    group_1, group_2 = FREEZE[:-2] + "41", FREEZE[:-2] + "42"
    rig.update("energy", 5, Quality.INVALID)
    client.drain()
    assert asked(client, group_2) == [con(group_2), con(group_2, "0a")]
    asked(client, group_1)
    events(client, rig, "energy", 6)
    assert totals(client) == [(5, 0x81)]


def test_the_other_member_carries_on_with_all_of_it() -> None:
    one, other = Rig(), Rig()
    client = one.started()
    asked(client, VOLT_5)
    asked(client, AMP_300)
    asked(client, "71 01 08 00 2f 00 d2 07 00 02")
    events(client, one, "energy", 77)
    asked(client, FREEZE_RESET)
    for rig in (one, other):
        rig.update("energy", 80)
    pages = one.remembered()
    assert {page for _, page, _ in pages} == {(47, 1), (47, 2)} and one.remembered() == []
    for page in pages:
        other.station.remember(*page)
    assert other.remembered() == [], "what was heard is no news"
    successor = other.started()
    assert totals(successor) == [(77, 1)]
    assert events(successor, other, "energy", 81) == [4]
    assert events(successor, other, "volt", 10, 14, 15) == [10, 15]
    assert events(successor, other, "amp", 1, 1.1) == [100, 110]
    east = other.started("10.9.0.1")
    assert totals(east) == [(81, 0)], "another center's counters are as they are"


def test_a_write_is_confirmed_when_the_other_member_has_it() -> None:
    rig = Rig()
    rig.paired = False
    client = rig.started()
    assert asked(client, VOLT_5) == []
    assert events(client, rig, "volt", 10, 14, 15) == [10, 15], "it is in force, and events do not wait"
    assert asked(client, VOLT_5[:-2] + "02") == [con(VOLT_5[:-2] + "02", "47")], "nor does a refusal"
    ((center, page, _),) = rig.station.remembered()
    client.ask(FREEZE)
    rig.station.page_shared(center, page, rig.now)
    assert client.asdus() == [], "there is more that was written since"
    ((center, later, _),) = rig.station.remembered()
    assert later != page
    rig.station.page_shared(center, later, rig.now)
    assert client.asdus() == [con(VOLT_5), con(FREEZE), con(FREEZE, "0a")]


def test_a_page_that_changed_again_is_not_shared_by_an_older_word() -> None:
    rig = Rig()
    rig.paired = False
    client = rig.started()
    client.ask(VOLT_5)
    ((center, page, _),) = rig.station.remembered()
    client.ask(AMP_300)
    rig.station.page_shared(center, page, rig.now)
    assert client.asdus() == []
    rig.remembered()
    assert client.asdus() == [con(VOLT_5), con(AMP_300)]


def test_a_connection_that_stopped_is_told_of_no_write() -> None:
    rig = Rig()
    rig.paired = False
    client = rig.started()
    client.ask(VOLT_5)
    client.send(STOP)
    assert client.frames()[-1] == STOP_CON
    rig.remembered()
    client.send(START)
    assert VOLT_5[:2] not in {text[:2] for text in client.drain()}


@pytest.mark.parametrize("broken", ["", "02", "01 01 00", "01 03 00", "01 01 d1 07 00 00"])
def test_a_page_that_cannot_be_read_changes_nothing(broken: str) -> None:
    rig = Rig()
    client = rig.started()
    asked(client, VOLT_5)
    ((_, page, good),) = rig.remembered()
    rig.station.remember("north", page, octets(broken))
    rig.station.remember("nobody", page, good)
    assert events(client, rig, "volt", 10, 11) == [10]


def test_too_many_pages_are_refused() -> None:
    many = [Row("volt", "M_ME_NC_1", str(1 + (n << 10))) for n in range(66)]
    rig = Rig(rows=(*ROWS, *many[3:]), centers=(NORTH, EAST))
    client = rig.started()
    answers = [asked(client, f"70 01 06 00 2f 00 {int(row.address).to_bytes(3, 'little').hex(' ')} 00 00 a0 40 01")
               for row in many[3:]]  # fmt: skip
    assert all(answer[0][6:8] == "07" for answer in answers)
    assert asked(client, VOLT_5) == [con(VOLT_5)] and asked(client, FREEZE) == [con(FREEZE, "47")]
    assert "64 times 1024 addresses" in client.said()
