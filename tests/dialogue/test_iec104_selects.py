"""Select before operate: what follows a select, and what ends it: hex in, hex out."""

from __future__ import annotations

import pytest

from tandem.point import Double, Outcome, Stage, Step
from tests.support.iec104_rig import START, STOP, Client, Rig

SELECT, EXECUTE, CANCEL = (
    "2e 01 06 00 2f 00 89 13 00 82",
    "2e 01 06 00 2f 00 89 13 00 02",
    "2e 01 08 00 2f 00 89 13 00 82",
)


def answer(request: str, cot: str) -> str:
    """The mirrored ASDU with another cause."""
    return request[:6] + cot + request[8:]


def test_select_then_execute_then_return_information_then_termination() -> None:
    rig = Rig()
    client = rig.started()
    client.ask(SELECT)
    (select,) = rig.commands()
    assert (select.step, select.select_timeout_ms) == (Step.SELECT, 10_000)
    rig.report(select.ref)
    assert client.asdus() == [answer(SELECT, "07")]
    client.ask(EXECUTE)
    (execute,) = rig.commands()
    assert (execute.step, execute.point_id, execute.value) == (Step.EXECUTE, rig.table.id("trip"), Double.ON)
    rig.report(execute.ref)
    assert client.asdus() == [answer(EXECUTE, "07")]
    rig.report(execute.ref, stage=Stage.END)
    assert client.asdus() == [answer(EXECUTE, "0a")]
    client.ask(EXECUTE)  # a select serves once
    assert client.asdus() == [answer(EXECUTE, "47")]
    assert "must be selected first" in client.said()


def selected(rig: Rig) -> Client:
    """A client whose select of the breaker's trip was confirmed."""
    client = rig.started()
    client.ask(SELECT)
    rig.report(rig.commands()[0].ref)
    client.asdus()
    return client


def test_a_select_that_control_refused_selects_nothing() -> None:
    rig = Rig()
    client = rig.started()
    client.ask(SELECT)
    rig.report(rig.commands()[0].ref, Outcome.REFUSED)
    client.ask(EXECUTE)
    assert client.asdus() == [answer(SELECT, "47"), answer(EXECUTE, "47")]


def test_an_execute_before_the_selects_answer_is_refused() -> None:
    rig = Rig()
    client = rig.started()
    client.ask(SELECT)
    client.ask(EXECUTE)
    assert client.asdus() == [answer(EXECUTE, "47")]
    assert [c.step for c in rig.commands()] == [Step.SELECT]


@pytest.mark.parametrize("other", [EXECUTE[:-2] + "01", EXECUTE[:-2] + "06"])
def test_what_differs_from_its_select_is_refused(other: str) -> None:
    rig = Rig()
    client = selected(rig)
    client.ask(other)
    assert client.asdus() == [answer(other, "47")]
    assert "differs from its select" in client.said()
    client.ask(EXECUTE)
    assert [c.step for c in rig.commands()] == [Step.EXECUTE]


def test_an_execute_with_time_follows_a_select_without() -> None:
    rig = Rig()
    client = selected(rig)
    client.ask("3b 01 06 00 2f 00 89 13 00 02 2e 16 04 03 a2 01 1a")
    assert [c.step for c in rig.commands()] == [Step.EXECUTE]


def test_a_deactivation_cancels() -> None:
    rig = Rig()
    client = selected(rig)
    client.ask(CANCEL)
    (cancel,) = rig.commands()
    assert cancel.step is Step.CANCEL
    rig.report(cancel.ref)
    client.ask(EXECUTE)
    assert client.asdus() == [answer(CANCEL, "09"), answer(EXECUTE, "47")]
    client.ask(CANCEL)
    rig.report(rig.commands()[0].ref, Outcome.REFUSED)
    assert client.asdus() == [answer(CANCEL, "49")]


@pytest.mark.parametrize("how", ["drop", "stop", "expel"])
def test_a_select_ends_with_its_connection(how: str) -> None:
    rig = Rig()
    client = selected(rig)
    client.acknowledge()
    if how == "drop":
        client.drop()
    elif how == "stop":
        client.send(STOP)
    else:
        rig.connect().send(START)
    (cancel,) = rig.commands()
    assert (cancel.step, cancel.point_id) == (Step.CANCEL, rig.table.id("trip"))


def test_a_select_without_an_answer_yet_ends_with_its_connection_too() -> None:
    rig = Rig()
    client = rig.started()
    client.ask(SELECT)
    client.drop()
    assert [c.step for c in rig.commands()] == [Step.SELECT, Step.CANCEL]


def test_an_answer_finds_nobody_after_the_connection_ended() -> None:
    rig = Rig()
    client = rig.started()
    client.ask("31 01 06 00 2f 00 8a 13 00 64 00 00")
    (command,) = rig.commands()
    client.drop()
    again = rig.started()
    rig.report(command.ref)
    assert again.drain() == []


def test_two_centers_get_their_own_answers() -> None:
    rig = Rig()
    north, east = rig.started("10.0.0.1"), rig.started("10.9.0.1")
    request = "2d 01 06 00 2f 00 8b 13 00 01"
    north.ask(request)
    east.ask(request)
    first, second = rig.commands()
    assert (first.center, second.center) == ("north", "east")
    rig.report(second.ref, Outcome.REFUSED)
    rig.report(first.ref)
    assert (north.asdus(), east.asdus()) == ([answer(request, "07")], [answer(request, "47")])
