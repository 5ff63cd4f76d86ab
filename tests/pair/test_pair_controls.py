"""A control center's command, from the group address to the device and back, and once only."""

from __future__ import annotations

import threading
import time
from typing import Any

from tests.support.center import center_at
from tests.support.pair_rig import TWIN, Group

SBO, SETPOINT = 5001, 5002
CONFIRMED, TERMINATED = 7, 10


def executed(group: Group, since_ns: int, point: str) -> list[dict[str, Any]]:
    """What the field's ledger has of an output since then; the end of a pulse is no execution."""
    lines = group.field_ledger.since(since_ns, "control")
    return [line for line in lines if line["point"] == point and line["value"] is not None]


def test_select_before_operate_is_executed_once_at_the_device(group: Group) -> None:
    active, _ = group.roles()
    group.settled_values()
    breaker = group.image()["F1.breaker"]
    wanted = 1.0 if breaker == 2.0 else 2.0
    group.field({"do": "set", "point": "F1.earth_switch", "value": 0})
    group.wait(lambda: group.image()["F1.earth_switch"] == 0, "the interlock is free")
    began = time.monotonic_ns()
    answer = group.probe({"do": "command", "ioa": SBO, "value": wanted, "select": True})
    assert answer.get("cause") == CONFIRMED and answer["negative"] is False, answer
    group.wait(lambda: group.image()["F1.breaker"] == wanted, "the breaker follows")
    commands = [(line["cause"], line["negative"]) for line in group.probe_ledger.since(began, "command")]
    group.wait(lambda: [1 for line in group.probe_ledger.since(began, "command") if line["cause"] == TERMINATED], "end")
    assert commands.count((CONFIRMED, False)) == 2, "one for the select, one for the execute"
    assert [line["value"] for line in executed(group, began, "F1.trip_close")] == [wanted]
    assert group.members[active].status()["control_counts"]["executed"] >= 1


def test_an_interlock_refuses_in_the_protocols_own_words(group: Group) -> None:
    active, _ = group.roles()
    group.settled_values()
    mark, began = group.mark(), time.monotonic_ns()
    group.field({"do": "set", "point": "F1.earth_switch", "value": 1})
    group.wait(lambda: group.image()["F1.earth_switch"] == 1, "the earth switch is closed")
    answer = group.probe({"do": "command", "ioa": SBO, "value": 2, "select": True})
    assert answer.get("negative") is True, answer
    assert "earth_switch" in group.says(active, mark, "control: refused")
    assert executed(group, began, "F1.trip_close") == []


def test_execute_without_select_is_refused(group: Group) -> None:
    group.roles()
    began = time.monotonic_ns()
    answer = group.probe({"do": "command", "ioa": SBO, "value": 1, "select": False})
    assert answer.get("negative") is True, answer
    assert executed(group, began, "F1.trip_close") == []


def test_controls_across_a_kill_are_never_executed_twice(group: Group) -> None:
    """Numbered setpoints one after the other while the active dies: each at most once, and every answer is true."""
    active, standby = group.roles()
    group.field({"do": "rate", "value": 0})
    began = time.monotonic_ns()
    answers: dict[float, dict[str, Any]] = {}
    stop = threading.Event()

    def operate() -> None:
        number = 100.0
        while not stop.is_set() and number < 2000:
            number += 1
            answers[number] = group.probe({"do": "command", "ioa": SETPOINT, "value": number, "select": False})
            time.sleep(0.01)

    operator = threading.Thread(target=operate)
    operator.start()
    try:
        group.wait(lambda: len(executed(group, began, "F1.tap_setpoint")) > 5, "setpoints are executed")
        fault = group.fault("kill", active)
        group.operator.calm()
        group.wait(lambda: group.value(standby, "_sys.lines_held") == 1, "the lines follow")
        last = time.monotonic_ns()
        group.wait(lambda: len(executed(group, last, "F1.tap_setpoint")) > 5, "setpoints are executed again")
    finally:
        stop.set()
        operator.join(20)
    time.sleep(0.5)
    done = [line["value"] for line in executed(group, began, "F1.tap_setpoint")]
    assert len(done) == len(set(done)), "none twice"
    positive = {n for n, answer in answers.items() if answer.get("cause") == CONFIRMED and answer["negative"] is False}
    negative = {n for n, answer in answers.items() if answer.get("negative")}
    assert len(positive) > 10
    assert positive <= set(done), "what was confirmed was executed"
    refused_but_done = negative & set(done)
    assert len(refused_but_done) <= 1, "at most the one in flight ended unknown"
    group.recover(fault)
    group.roles()


def test_a_standby_forwards_what_it_is_asked_at_its_own_address(group: Group) -> None:
    """hot_standby = "acquisition-and-control": the active executes it, and the answer travels back."""
    active, standby = group.roles()
    began = time.monotonic_ns()
    with center_at(group.own(standby), group.served, source=group.host(TWIN)) as center:
        answer = center.command("C_SE_NB_1", SETPOINT, {"value": 4321, "qualifier": 0, "select": False})
        assert (answer.cause, answer.negative) == (CONFIRMED, False)
    assert [line["value"] for line in executed(group, began, "F1.tap_setpoint")] == [4321]
    assert active != standby
