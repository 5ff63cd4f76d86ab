"""Limits of transmission, what interrogations report of parameters, configurations that forbid them. Hex in, hex out.

KPA 1 threshold, 3 low limit, 4 high limit | QPM 0x80 out of operation | cause 14 (20) station, 16 (22) group 2
"""

from __future__ import annotations

import struct

import pytest

from tandem.config.model import Row
from tests.dialogue.test_iec104_memory import FREEZE, READ, VOLT_5, asked, con, events, totals
from tests.support.iec104_rig import Client, Rig, octets

VOLT, AMP, NORM = "d1 07 00", "d2 07 00", "d3 07 00"
LOW, HIGH, OUT = 3, 4, 0x80
STATION, GROUP_2 = "64 01 06 00 2f 00 00 00 00 14", "64 01 06 00 2f 00 00 00 00 16"


def floating(value: float, kind: int, cause: str = "06") -> str:
    """P_ME_NC_1 of 2001."""
    return f"70 01 {cause} 00 2f 00 {VOLT} {struct.pack('<fB', value, kind).hex(' ')}"


def scaled(value: int, kind: int, cause: str = "06") -> str:
    """P_ME_NB_1 of 2002."""
    return f"6f 01 {cause} 00 2f 00 {AMP} {struct.pack('<hB', value, kind).hex(' ')}"


def reported(client: Client, request: str) -> list[str]:
    """The parameters between the confirmation and the termination of an interrogation."""
    found = asked(client, request)
    assert (found[0], found[-1]) == (con(request), con(request, "0a"))
    first = next((at for at, text in enumerate(found) if text[:2] in ("6e", "6f", "70")), len(found) - 1)
    assert all(text[:2] in ("6e", "6f", "70") for text in found[first:-1]), "they follow the values"
    return found[first:-1]


def test_passing_a_limit_is_told_though_the_change_is_small() -> None:
    rig = Rig()
    client = rig.started()
    for request in (floating(100, 1), floating(20, HIGH), floating(-5, LOW)):
        assert asked(client, request) == [con(request)]
    steps = (10, 20, 20.5, 30, 19, 0, -5, -5.5, -6, 3)
    assert events(client, rig, "volt", *steps) == [10, 20.5, 19, -5.5, 3]
    assert rig.counts()["deadband"] == 5


def test_the_list_s_deadband_is_passed_over_too_and_a_limit_alone_keeps_nothing_back() -> None:
    rig = Rig()
    client = rig.started()
    asked(client, floating(20, HIGH))
    assert events(client, rig, "volt", 19.75, 20, 20.125, 20.25, 20) == [19.75, 20.125, 20]
    asked(client, scaled(300, HIGH))
    assert events(client, rig, "amp", 1, 1.5, 4, 4.5) == [100, 150, 400, 450], "its list says every change"


def test_with_a_negative_scale_low_and_high_are_those_of_the_wire() -> None:
    rig = Rig(rows=(Row("volt", "M_ME_TF_1", "2001", scale=-2.0, offset=10.0),))
    client = rig.started()
    for request in (floating(1000, 1), floating(20, HIGH)):
        asked(client, request)
    assert events(client, rig, "volt", 0, -4, -5, -5.5, -6, 100, -5) == [10, 21, -190], "20 is at the limit"


def test_limits_are_taken_out_of_force_and_back_with_the_threshold() -> None:
    rig = Rig()
    client = rig.started()
    asked(client, floating(100, 1))
    asked(client, floating(20, HIGH | OUT))
    assert events(client, rig, "volt", 10, 30) == [10], "it was written out of force"
    asked(client, "71 01 06 00 2f 00 d1 07 00 02")
    assert events(client, rig, "volt", 10, 30) == [30]
    asked(client, "71 01 08 00 2f 00 d1 07 00 02")
    assert events(client, rig, "volt", 29, 28.9) == [29], "the list's 0.5"


@pytest.mark.parametrize("wire", ["00 00 c0 7f", "00 00 80 7f"])
def test_a_limit_is_a_number(wire: str) -> None:
    client = Rig().started()
    request = f"70 01 06 00 2f 00 {VOLT} {wire} 04"
    client.events()
    assert asked(client, request) == [con(request, "47")]
    assert "is no limit" in client.said()


def test_an_interrogation_reports_what_its_center_wrote_and_whether_it_is_in_force() -> None:
    rig = Rig()
    client, east = rig.started(), rig.started("10.9.0.1")
    assert reported(client, STATION) == []
    for request in (scaled(-300, LOW), VOLT_5, floating(7.5, HIGH | OUT), f"6e 01 06 00 2f 00 {NORM} 00 40 01"):
        asked(client, request)
    told = [floating(5, 1, "14"), floating(7.5, HIGH | OUT, "14"), scaled(-300, LOW, "14")]
    assert reported(client, STATION) == [*told, f"6e 01 14 00 2f 00 {NORM} 00 40 01"], "by address, threshold first"
    assert reported(client, GROUP_2) == [text.replace(" 14 ", " 16 ", 1) for text in told], "2003 is in no group"
    assert reported(east, STATION) == [], "another center wrote nothing"
    test = STATION.replace("01 06 00", "01 86 07")
    assert asked(client, test)[-2] == f"6e 01 94 07 2f 00 {NORM} 00 40 01", "test bit and originator as asked"


def test_many_parameters_are_told_in_steps_each_as_it_is_by_then() -> None:
    rows = [Row("volt", "M_ME_NC_1", str(ioa)) for ioa in range(1, 101)]
    rig = Rig(rows=rows, options={"k": 200, "w": 100})
    client = rig.started()
    for ioa in range(1, 101):
        asked(client, f"70 01 06 00 2f 00 {ioa:02x} 00 00 00 00 80 3f 01")
    assert [octets(text)[6] for text in reported(client, STATION)] == list(range(1, 101))


def test_a_value_that_a_new_scale_makes_too_large_is_told_clamped() -> None:
    one = Rig()
    client = one.started()
    asked(client, scaled(300, HIGH))
    ((_, page, written),) = one.remembered()
    other = Rig(rows=(Row("amp", "M_ME_TE_1", "2002", scale=100_000.0),))
    other.station.remember("north", page, written)
    assert reported(other.started(), STATION) == [scaled(32767, HIGH, "14")]


def test_the_other_member_has_limits_too() -> None:
    one, other = Rig(), Rig()
    client = one.started()
    for request in (floating(100, 1), floating(20, HIGH), floating(-5, LOW | OUT)):
        asked(client, request)
    for page in one.remembered():
        other.station.remember(*page)
    successor = other.started()
    assert reported(successor, STATION) == [floating(100, 1, "14"), floating(-5, LOW | OUT, "14"),
                                            floating(20, HIGH, "14")]  # fmt: skip
    assert events(successor, other, "volt", 10, 20.5, 19, -6) == [10, 20.5, 19]


def test_a_slave_that_takes_no_parameters_refuses_them_and_forgets_those_of_a_former_configuration() -> None:
    one, other = Rig(), Rig(options={"parameters": False})
    client = one.started()
    asked(client, VOLT_5)
    client.ask(FREEZE)
    for page in one.remembered():
        other.station.remember(*page)
    successor = other.started()
    successor.events()
    for request in (VOLT_5, "71 01 06 00 2f 00 00 00 00 01"):
        assert asked(successor, request) == [con(request, "47")]
    assert "parameters = false" in successor.said()
    assert reported(successor, STATION) == [] and events(successor, other, "volt", 10, 11) == [10, 11]
    assert asked(successor, FREEZE) == [con(FREEZE), con(FREEZE, "0a")]
    assert totals(successor) == [(0, 0x82)], "the frozen counter came along, and this is its second freeze"


def test_a_slave_that_freezes_nothing_is_asked_for_counters_as_they_are() -> None:
    rig = Rig(options={"freeze": False})
    client = rig.started()
    events(client, rig, "energy", 77)
    client.events()
    assert asked(client, FREEZE) == [con(FREEZE, "47")]
    assert "freeze = false" in client.said()
    assert asked(client, READ)[1:-1] and totals(client) == [(77, 0)]
    assert asked(client, VOLT_5) == [con(VOLT_5)]
