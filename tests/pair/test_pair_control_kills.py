"""Controls at the standby's own address, the active killed at every step: once at most, and truthful answers."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from tandem.codec.iec60870.asdu import Asdu
from tests.pair.test_pair_controls import CONFIRMED, SBO, TERMINATED, executed
from tests.support.center import Center, center_at
from tests.support.pair_rig import Group
from tools.bench.faults import Fault
from tools.bench.members import BOTH
from tools.bench.served import LOOPBACK

TRIP = "F1.trip_close"


class Operator:
    """A dispatcher at the standby's own address, and the breaker's next state."""

    def __init__(self, group: Group, center: Center, active: str, standby: str) -> None:
        self.group, self.center, self.active, self.standby = group, center, active, standby
        self.wanted = 1.0 if group.image()["F1.breaker"] == 2.0 else 2.0
        self.began = time.monotonic_ns()

    def say(self, select: bool) -> None:
        """Send the select or the execute, and wait for nothing."""
        self.center.talk.ask("C_DC_NA_1", SBO, {"value": int(self.wanted), "qualifier": 0, "select": select})
        self.center.sock.sendall(self.center.talk.outgoing())

    def heard(self, cause: int, count: int = 1) -> Asdu:
        """The answer with this cause, the `count`th of them."""

        def those() -> list[Asdu]:
            return [a for a in self.center.asdus if a.name == "C_DC_NA_1" and a.cause == cause]

        self.center.until(lambda: len(those()) >= count)
        return those()[count - 1]

    def select(self) -> None:
        """Selected, or the test is over."""
        self.say(select=True)
        assert not self.heard(CONFIRMED).negative

    def kill(self, kind: str = "kill-all") -> Fault:
        """The active is gone."""
        return self.group.fault(kind, self.active)

    def times(self) -> int:
        """How often the device carried it out."""
        return len(executed(self.group, self.began, TRIP))

    def promoted(self) -> None:
        """The standby serves, and may control."""
        self.group.wait(lambda: self.group.value(self.standby, "_sys.lines_held") == 1, "the standby has the lines")
        time.sleep(0.5)  # for whatever would come late

    def story(self) -> dict[str, Any]:
        """What the log of the member that was asked has of the newest control."""
        return dict(self.group.members[self.standby].ask("controls", most=1)["controls"][-1])


@contextmanager
def dispatcher(group: Group) -> Iterator[Operator]:
    """An operator whose breaker may be moved, of the center that the probe is not: a center has one started connection.

    What was killed is mended by the next test that needs a group.
    """
    active, standby = group.roles()
    group.settled_values()
    group.field({"do": "set", "point": "F1.earth_switch", "value": 0})
    group.wait(lambda: group.image()["F1.earth_switch"] == 0, "the interlock is free")
    host = group.config.lan("control").members[standby].addresses[0].ip
    with center_at(host, group.served, source=LOOPBACK) as center:
        try:
            yield Operator(group, center, active, standby)
        finally:
            group.field({"do": "well", "device": "F1"})


def judge(operator: Operator, negative: bool) -> None:
    """What the dispatcher was told is what the device did."""
    times, outcome = operator.times(), operator.story()["outcome"]
    truth = {"executed": {1}, "refused": {0}, "not_sent": {0}, "selected": {0}, "failed": {0, 1}, "unknown": {0, 1}}
    assert times in truth[outcome], f"{outcome}, and the device did it {times} times: {operator.story()}"
    assert negative == (outcome not in ("executed", "selected"))


def test_killed_when_the_select_is_sent(group: Group) -> None:
    with dispatcher(group) as operator:
        operator.say(select=True)
        operator.kill()
        answer = operator.heard(CONFIRMED)
        operator.promoted()
        assert operator.times() == 0
        judge(operator, answer.negative)


def test_killed_when_it_is_selected(group: Group) -> None:
    """The selection dies with its owner: nothing is executed that was not selected at the member that executes."""
    with dispatcher(group) as operator:
        operator.select()
        operator.kill("kill")
        operator.promoted()
        operator.say(select=False)
        assert operator.heard(CONFIRMED, 2).negative
        assert operator.times() == 0
        assert operator.story()["outcome"] == "refused"


def test_killed_when_the_operate_is_sent(group: Group) -> None:
    with dispatcher(group) as operator:
        operator.select()
        operator.say(select=False)
        operator.kill()
        answer = operator.heard(CONFIRMED, 2)
        negative = answer.negative or operator.heard(TERMINATED).negative
        operator.promoted()
        assert operator.times() <= 1
        judge(operator, negative)


def test_killed_when_it_was_forwarded_and_nobody_has_read_it(group: Group) -> None:
    with dispatcher(group) as operator:
        operator.select()
        group.members[operator.active].signal(signal.SIGSTOP, *BOTH)
        operator.say(select=False)
        time.sleep(0.05)
        operator.kill()
        assert operator.heard(CONFIRMED, 2).negative
        operator.promoted()
        assert operator.times() == 0
        assert operator.story()["outcome"] in ("unknown", "not_sent")


def test_killed_when_it_is_at_the_device(group: Group) -> None:
    with dispatcher(group) as operator:
        before = group.value(operator.standby, "_sys.control_unknown") or 0
        mark = group.mark()
        operator.select()
        group.field({"do": "silent", "device": "F1"})
        operator.say(select=False)
        group.wait(lambda: operator.times() == 1, "the device has it")
        operator.kill()
        group.field({"do": "well", "device": "F1"})
        assert operator.heard(CONFIRMED, 2).negative
        operator.promoted()
        assert operator.times() == 1 and operator.story()["outcome"] == "unknown"
        assert "look" in group.says(operator.standby, mark, "control", "unknown")
        group.wait(lambda: group.value(operator.standby, "_sys.control_unknown") == before + 1, "one more unknown")


def test_killed_when_it_is_answered_and_not_ended(group: Group) -> None:
    with dispatcher(group) as operator:
        operator.select()
        operator.say(select=False)
        assert not operator.heard(CONFIRMED, 2).negative
        operator.kill("kill")
        assert operator.heard(TERMINATED).negative, "nobody saw its end"
        operator.promoted()
        judge(operator, True)
        assert operator.times() == 1


@pytest.mark.parametrize("arguments", [["M1.setpoint", "5"], ["F1.breaker", "on"], ["F1.trip_close", "sideways"]])
def test_what_cannot_be_controlled_is_a_sentence(group: Group, arguments: list[str]) -> None:
    done = group.cli("control", "a", *arguments)
    assert done.returncode == 1 and arguments[0] in done.stderr and "Traceback" not in done.stderr


def test_a_person_controls_tags_and_reads_the_log(group: Group) -> None:
    active, standby = group.roles()
    done = group.cli("control", standby, "F1.tap_setpoint", "1234", "--by", "smith")
    assert done.returncode == 0 and "F1.tap_setpoint 1234 by local.smith: executed" in done.stdout, done
    done = group.cli("tag", standby, "F1", "--reason", "cable open", "--by", "smith")
    assert done.stdout == "F1 is tagged by smith: cable open\n"
    group.wait(lambda: "cable open" in group.cli("tags", active).stdout, "the tag is mirrored")
    assert "cable open" in group.cli("status", active).stdout
    assert group.points(active, "F1.tap_setpoint")["F1.tap_setpoint"]["tag"] == "smith: cable open"
    done = group.cli("control", active, "F1.tap_setpoint", "1235", "--select")
    assert done.returncode == 1 and "tagged by smith" in done.stdout
    assert group.cli("untag", active, "F1").returncode == 0
    group.wait(lambda: not group.cli("tags", standby).stdout, "the tag is off")
    assert group.cli("control", active, "F1.tap_setpoint", "1236", "--select").returncode == 0
    log = group.cli("controls", active).stdout
    assert "given to feeders" in log and "the device confirmed it" in log and f"at member {standby}" in log


def test_a_person_takes_a_member_out_of_service_and_back(group: Group) -> None:
    active, standby = group.roles()
    done = group.cli("out", standby, "--reason", "new fan", "--by", "smith")
    assert done.returncode == 0 and done.stdout == "ordered out\n"
    group.wait(lambda: group.members[standby].status().get("role") == "out-of-service", "it is out")
    assert group.cli("out", active).returncode == 1, "nobody would serve"
    group.members[standby].end()
    group.members[standby].start()
    group.wait(lambda: group.members[standby].status().get("role") == "out-of-service", "it stays out")
    assert "smith, new fan" in str(group.members[standby].status()["out_of_service_because"])
    assert group.cli("in", active, "--member", standby).returncode == 0
    group.wait_ready()
