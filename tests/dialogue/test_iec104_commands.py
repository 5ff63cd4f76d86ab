"""Commands, direct and selected, with and without time, and the way of their answers: hex in, hex out."""

from __future__ import annotations

import pytest

from tandem.config.model import Row
from tandem.point import MS, Double, Outcome, Stage
from tests.support.iec104_rig import NORTH, Client, Rig

SELECT, EXECUTE, CANCEL = (
    "2e 01 06 00 2f 00 89 13 00 82",
    "2e 01 06 00 2f 00 89 13 00 02",
    "2e 01 08 00 2f 00 89 13 00 82",
)


def answer(request: str, cot: str) -> str:
    """The mirrored ASDU with another cause."""
    return request[:6] + cot + request[8:]


def only(rig: Rig, client: Client, request: str) -> tuple[str, float, int]:
    """(step, value, pulse) of the only command that a request makes, with no answer yet."""
    client.ask(request)
    assert client.asdus() == []
    (command,) = rig.commands()
    assert command.center == "north" and command.received_ns == rig.now
    return command.step.name, command.value, command.pulse_ms


@pytest.mark.parametrize(
    ("meaning", "request_", "expected"),
    [
        ("single on", "2d 01 06 00 2f 00 8b 13 00 01", ("DIRECT", 1.0, 0)),
        ("single off", "2d 01 06 00 2f 00 8b 13 00 00", ("DIRECT", 0.0, 0)),
        ("single on, short pulse", "2d 01 06 00 2f 00 8b 13 00 05", ("DIRECT", 1.0, 100)),
        ("single on, long pulse", "2d 01 06 00 2f 00 8b 13 00 09", ("DIRECT", 1.0, 500)),
        ("single on, persistent", "2d 01 06 00 2f 00 8b 13 00 0d", ("DIRECT", 1.0, 0)),
        ("single selected", "2d 01 06 00 2f 00 8b 13 00 81", ("SELECT", 1.0, 0)),
        ("single cancelled", "2d 01 08 00 2f 00 8b 13 00 81", ("CANCEL", 1.0, 0)),
        ("single with time", "3a 01 06 03 2f 00 8b 13 00 01 2e 16 04 03 a2 01 1a", ("DIRECT", 1.0, 0)),
        ("double selected", SELECT, ("SELECT", Double.ON, 0)),
        ("lower", "2f 01 06 00 2f 00 8c 13 00 01", ("DIRECT", -1.0, 0)),
        ("higher", "2f 01 06 00 2f 00 8c 13 00 02", ("DIRECT", 1.0, 0)),
        ("set point", "31 01 06 00 2f 00 8a 13 00 fb ff 00", ("DIRECT", -0.5, 0)),
        ("set point with time", "3e 01 06 00 2f 00 8a 13 00 64 00 00 2e 16 04 03 a2 01 1a", ("DIRECT", 10.0, 0)),
    ],
)
def test_a_command_in_engineering_units(meaning: str, request_: str, expected: tuple[str, float, int]) -> None:
    rig = Rig()
    assert only(rig, rig.started(), request_) == expected, meaning


@pytest.mark.parametrize(
    ("row", "request_", "expected"),
    [
        (Row("coil", "C_DC_NA_1", "1"), "2e 01 06 00 2f 00 01 00 00 02", 1.0),
        (Row("coil", "C_SC_TA_1", "1", invert=True), "2d 01 06 00 2f 00 01 00 00 01", 0.0),
        (Row("trip", "C_SC_NA_1", "1"), "2d 01 06 00 2f 00 01 00 00 01", Double.ON),
        (Row("trip", "C_SC_NA_1", "1"), "2d 01 06 00 2f 00 01 00 00 00", Double.OFF),
        (Row("trip", "C_DC_NA_1", "1", invert=True), "2e 01 06 00 2f 00 01 00 00 02", Double.OFF),
        (Row("raise", "C_RC_NA_1", "1", invert=True), "2f 01 06 00 2f 00 01 00 00 02", -1.0),
        (Row("level", "C_SE_NA_1", "1", scale=0.01), "30 01 06 00 2f 00 01 00 00 00 40 00", 50.0),
        (Row("level", "C_SE_NC_1", "1", scale=2, offset=1), "32 01 06 00 2f 00 01 00 00 00 00 e0 40 00", 3.0),
        (Row("level", "C_BO_NA_1", "1"), "33 01 06 00 2f 00 01 00 00 01 00 00 80", 2.0**31 + 1),
    ],
)
def test_the_rows_formula_runs_backwards(row: Row, request_: str, expected: float) -> None:
    rig = Rig((row,))
    assert only(rig, rig.started(), request_)[1] == expected


def test_pulses_are_options() -> None:
    rig = Rig(options={"short_pulse_ms": 40, "long_pulse_ms": 900})
    client = rig.started()
    assert only(rig, client, "2d 01 06 00 2f 00 8b 13 00 05")[2] == 40
    assert only(rig, client, "2d 01 06 00 2f 00 8b 13 00 09")[2] == 900


@pytest.mark.parametrize(
    ("stage", "outcome", "cots"),
    [
        (Stage.END, Outcome.DONE, ["07", "0a"]),
        (Stage.END, Outcome.FAILED, ["07", "4a"]),
        (Stage.END, Outcome.UNKNOWN, ["07", "4a"]),
        (Stage.CONFIRM, Outcome.REFUSED, ["47"]),
        (Stage.CONFIRM, Outcome.NOT_SENT, ["47"]),
        (Stage.CONFIRM, Outcome.UNKNOWN, ["47"]),
    ],
)
def test_a_direct_command_is_confirmed_and_ends(stage: Stage, outcome: Outcome, cots: list[str]) -> None:
    rig = Rig()
    client = rig.started()
    request = "31 01 06 2a 2f 00 8a 13 00 64 00 00"
    client.ask(request)
    (command,) = rig.commands()
    if stage is Stage.END:
        rig.report(command.ref)
    rig.report(command.ref, outcome, stage)
    rig.report(command.ref, outcome, stage)  # nobody waits any more
    assert client.asdus() == [answer(request, cot) for cot in cots]


@pytest.mark.parametrize(
    ("controls", "request_", "why"),
    [
        ("none", "2d 01 06 00 2f 00 8b 13 00 01", "takes no commands"),
        ("none", SELECT, "takes no commands"),
        ("sbo", "2d 01 06 00 2f 00 8b 13 00 01", "must be selected first"),
        ("any", EXECUTE, "must be selected first"),
        ("any", "31 01 06 00 2f 00 8a 13 00 64 00 80", "without a select"),
        ("any", "31 01 06 00 2f 00 8a 13 00 64 00 01", "QL = 1"),
        ("any", "2d 01 06 00 2f 00 8b 13 00 11", "QU = 4"),
        ("any", "2e 01 06 00 2f 00 89 13 00 80", "state 0 is no command"),
        ("any", "2e 01 06 00 2f 00 89 13 00 83", "state 3 is no command"),
        ("any", "2f 01 06 00 2f 00 8c 13 00 00", "state 0 is no command"),
        ("any", "2d 02 06 00 2f 00 8b 13 00 01 8b 13 00 00", "a command has one"),
    ],
)
def test_what_the_rules_forbid_never_reaches_control(controls: str, request_: str, why: str) -> None:
    rig = Rig(controls=controls)
    client = rig.started()
    client.ask(request_)
    assert client.asdus() == [answer(request_, "47")]
    assert why in client.said()
    assert rig.commands() == []
    assert rig.counts()["refused"] == 1


@pytest.mark.parametrize("value", ["00 00 80 7f", "00 00 c0 7f"])
def test_a_set_point_that_is_no_number_is_refused(value: str) -> None:
    rig = Rig((Row("level", "C_SE_NC_1", "1"),))
    client = rig.started()
    client.ask(f"32 01 06 00 2f 00 01 00 00 {value} 00")
    assert client.asdus() == [f"32 01 47 00 2f 00 01 00 00 {value} 00"]
    assert "out of range" in client.said()


def test_a_test_command_is_answered_and_never_carried_out() -> None:
    rig = Rig()
    client = rig.started()
    request = "2d 01 86 00 2f 00 8b 13 00 01"
    client.ask(request)
    assert client.asdus() == [answer(request, "87"), answer(request, "8a")]
    client.ask("2e 01 86 00 2f 00 89 13 00 82")
    assert client.asdus() == ["2e 01 87 00 2f 00 89 13 00 82"]
    assert rig.commands() == []


@pytest.mark.parametrize(
    ("after_ms", "tag", "synced", "why"),
    [
        (1000, "2e 16 04 03 a2 01 1a", True, ""),
        (1001, "2e 16 04 03 a2 01 1a", True, "is 1001 ms old; max_command_age_ms allows 1000"),
        (0, "17 1a 04 03 a2 01 1a", True, "ahead of this gateway's clock"),
        (0, "2e 16 84 03 a2 01 1a", True, "marked invalid"),
        (0, "2e 16 04 03 bf 02 1a", True, "names no date"),
        (0, "2e 16 04 03 a2 01 1a", False, "not synchronised"),
    ],
)
def test_an_old_command_is_refused(after_ms: int, tag: str, synced: bool, why: str) -> None:
    rig = Rig(max_command_age_ms=1000, synced=synced)
    client = rig.started()
    rig.now = after_ms * MS
    request = f"3a 01 06 00 2f 00 8b 13 00 01 {tag}"
    client.ask(request)
    assert client.asdus() == ([answer(request, "47")] if why else [])
    assert len(rig.commands()) == (0 if why else 1)
    assert why in client.said()


def test_a_command_without_time_has_no_age() -> None:
    rig = Rig(max_command_age_ms=1000)
    assert only(rig, rig.started(), "2d 01 06 00 2f 00 8b 13 00 01")[0] == "DIRECT"


def test_too_many_commands_without_an_answer_are_refused() -> None:
    rig = Rig(centers=(NORTH,))
    client = rig.started()
    request = "2d 01 06 00 2f 00 8b 13 00 01"
    for _ in range(257):
        client.ask(request)
    assert client.asdus() == [answer(request, "47")]
    assert len(rig.commands()) == 256
