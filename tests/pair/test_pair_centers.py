"""Control centers at real processes: the three modes of a slave, both session kinds, and where an event is."""

from __future__ import annotations

import time
from collections import Counter
from contextlib import suppress

import pytest

from tandem.codec.iec60870 import apci
from tests.pair.test_pair_controls import CONFIRMED, SBO, SETPOINT, executed
from tests.support.center import Center, center_at, dial
from tests.support.pair_rig import LONE_PORT, LONER, POOL, TWIN, VIEW_PORT, VIEWER, Group, as_json

DEACTIVATED = 9
EXACT = {1001: "F1.breaker", 1002: "F1.earth_switch", 1101: "M1.alarm", 3001: "F1.energy"}
"""Rows without a deadband: every event of theirs is told."""


def told(center: Center) -> list[tuple[str, str]]:
    """(point, time) of what has come of those rows."""
    return [(EXACT[ioa], at) for ioa, at in center.events() if ioa in EXACT]


def happened(group: Group, member: str, after: int) -> list[tuple[str, str]]:
    """The same from a member's journal."""
    found: list[tuple[str, str]] = []
    while rows := group.members[member].ask("events", after=after, most=500)["events"]:
        after = rows[-1]["number"]
        found += [(row["name"], row["time"]) for row in rows if row["name"] in EXACT.values()]
    return found


def quiet(group: Group, *centers: Center) -> None:
    """The process stands still, and everything has been heard."""
    group.field({"do": "rate", "value": 0})
    time.sleep(0.8)
    for center in centers:
        with suppress(TimeoutError):
            center.until(lambda: False, 1.0)
        center.talk.acknowledge()
        with suppress(TimeoutError):
            center.until(lambda: False, 0.3)


def test_disabled_is_not_bound_on_the_standby(group: Group) -> None:
    active, standby = group.roles()
    with center_at(group.own(active), group.served, group.host(LONER), LONE_PORT) as center:
        center.until(center.events)
    octets = b""
    with suppress(ConnectionError), dial(group.own(standby), LONE_PORT, group.host(LONER), 5) as sock:
        sock.sendall(apci.u_frame(apci.STARTDT_ACT))
        octets = sock.recv(100)
    assert octets == b"", "the bench's switch connects by itself, and resets when nobody listens behind it"
    assert "lone" not in str(group.members[standby].status()["alarms"])


def test_acquisition_serves_the_mirrored_data_and_refuses_controls_in_the_protocols_words(group: Group) -> None:
    active, standby = group.roles()
    began = time.monotonic_ns()
    with center_at(group.own(standby), group.served, group.host(VIEWER), VIEW_PORT) as center:
        center.until(lambda: len(told(center)) > 3)
        setpoint = {"value": 11, "qualifier": 0, "select": False}
        for values, cause, answer in (
            (setpoint, 6, CONFIRMED), (setpoint | {"select": True}, 6, CONFIRMED), (setpoint, 8, DEACTIVATED),
        ):  # fmt: skip
            came = center.command("C_SE_NB_1", SETPOINT, values, cause)
            assert (came.cause, came.negative) == (answer, True)
        came = center.command("C_DC_NA_1", SBO, {"value": 1, "qualifier": 0, "select": True})
        assert (came.cause, came.negative) == (CONFIRMED, True)
        assert not center.ended("C_SE_NB_1")
    assert executed(group, began, "F1.tap_setpoint") == executed(group, began, "F1.trip_close") == []
    with center_at(group.own(active), group.served, group.host(VIEWER), VIEW_PORT) as center:
        came = center.command("C_SE_NB_1", SETPOINT, {"value": 12, "qualifier": 0, "select": False})
        assert (came.cause, came.negative) == (CONFIRMED, False)
    assert [line["value"] for line in executed(group, began, "F1.tap_setpoint")] == [12]


def test_acquisition_and_control_forwards_select_operate_cancel_and_the_devices_silence(group: Group) -> None:
    _, standby = group.roles()
    group.settled_values()
    group.field({"do": "set", "point": "F1.earth_switch", "value": 0})
    group.wait(lambda: group.image()["F1.earth_switch"] == 0, "the interlock is free")
    wanted, began = 3 - int(group.image()["F1.breaker"]), time.monotonic_ns()
    with center_at(group.own(standby), group.served, group.host(TWIN)) as center:

        def trip(select: bool, cause: int = 6) -> tuple[int, bool]:
            came = center.command("C_DC_NA_1", SBO, {"value": wanted, "qualifier": 0, "select": select}, cause)
            return came.cause, came.negative

        assert trip(select=False) == (CONFIRMED, True), "not selected"
        assert trip(select=True) == (CONFIRMED, False)
        assert trip(select=True, cause=8) == (DEACTIVATED, False)
        assert trip(select=True, cause=8) == (DEACTIVATED, True), "nothing is left to be cancelled"
        assert trip(select=False) == (CONFIRMED, True), "the select was taken back"
        assert executed(group, began, "F1.trip_close") == []
        assert trip(select=True) == (CONFIRMED, False)
        assert trip(select=False) == (CONFIRMED, False)
        center.until(lambda: center.ended("C_DC_NA_1"))
        assert not center.ended("C_DC_NA_1")[0].negative, "the feedback followed"
        assert [line["value"] for line in executed(group, began, "F1.trip_close")] == [wanted]
        group.field({"do": "silent", "device": "F1"})
        try:
            came = center.command("C_SE_NB_1", SETPOINT, {"value": 21, "qualifier": 0, "select": False})
        finally:
            group.field({"do": "well", "device": "F1"})
        assert (came.cause, came.negative) == (CONFIRMED, True), "the device did not answer"
    group.wait(lambda: group.value(standby, "_sys.device.F1.ok") == 1, "it answers again")


def test_front_ends_at_both_own_addresses_miss_nothing_through_a_failover(group: Group) -> None:
    active, standby = group.roles()
    source = group.host(TWIN)
    with (
        center_at(group.own(active), group.served, source) as one,
        center_at(group.own(standby), group.served, source) as two,
    ):
        after = int(group.members[standby].status()["head"])
        one.until(lambda: len(told(one)) > 5)
        two.until(lambda: len(told(two)) > 5)
        fault = group.fault("kill", active)
        group.operator.calm()
        group.wait(lambda: group.value(standby, "_sys.lines_held") == 1, "the lines follow")
        with pytest.raises((ConnectionError, TimeoutError)):
            one.until(lambda: False, 0.5)
        count = len(told(two))
        two.until(lambda: len(told(two)) > count + 10)
        quiet(group, two)
        came, went = Counter(told(two)), Counter(happened(group, standby, after))
        assert len(went) > 15
        assert {event: came[event] for event in went} == went, "each once, on one connection, whoever is active"
    group.recover(fault)


def test_a_center_at_the_group_address_hears_everything_and_its_repeats_are_counted(group: Group) -> None:
    active, standby = group.roles()
    source = group.host(POOL)
    with center_at(group.served.host, group.served, source) as one:
        one.until(lambda: told(one))
        with suppress(TimeoutError):
            one.until(lambda: False, 1.0)  # what had waited for this center has come
        after, count = int(group.members[standby].status()["head"]), len(told(one))
        one.until(lambda: len(told(one)) > count + 6)
        fault = group.fault("kill", active)
        group.operator.calm()
        with suppress(ConnectionError, TimeoutError):
            one.until(lambda: False, 1.0)
    group.wait(lambda: group.members[standby].status().get("role") == "active", "the standby takes over")
    with center_at(group.served.host, group.served, source) as two:
        two.until(lambda: len(told(two)) > 10)
        quiet(group, two)
        came, went = Counter(told(one) + told(two)), Counter(happened(group, standby, after))
        lost = {event: times for event, times in went.items() if came[event] < times}
        assert len(went) > 6 and not lost
        again = sum(came[event] - went[event] for event in went)
        counted = group.members[standby].status()["centers"]["scada.pool"]["repeated"]
        assert again <= counted <= 12 * 20, "one window at most, and counted"
        assert max(Counter(told(two)).values()) <= max(went.values()), "nothing twice on one connection"
    group.recover(fault)


def test_a_redundancy_group_over_both_members_has_one_started_connection(group: Group) -> None:
    active, standby = group.roles()
    source = group.host(POOL)
    with dial(group.own(standby), group.served.port, source) as stopped:
        with center_at(group.own(active), group.served, source) as one:
            one.until(lambda: len(told(one)) > 3)
            two = Center(stopped, group.served.common_address)
            two.until(lambda: len(told(two)) > 3)
            before = len(told(one))
            with suppress(TimeoutError):
                one.until(lambda: False, 1.0)
            heard = len(told(one))
            two.until(lambda: len(told(two)) > 6)
            with suppress(TimeoutError):
                one.until(lambda: False, 1.0)
            assert len(told(one)) == heard >= before, "it stopped when the other was started"
        fault = group.fault("kill", active)
        group.operator.calm()
        group.wait(lambda: group.value(standby, "_sys.lines_held") == 1, "the lines follow")
        count = len(told(two))
        two.until(lambda: len(told(two)) > count + 3)
        assert max(Counter(told(two)).values()) <= max(Counter(happened(group, standby, 0)).values())
    group.recover(fault)


def test_where_an_event_is_as_a_user_asks_it(group: Group) -> None:
    active, standby = group.roles()
    before = int(group.members[active].status()["head"])

    def confirmed() -> int:
        rows = group.members[active].ask("events", after=before, most=100)["events"]
        mine = [row["number"] for row in rows if row["name"] == "F1.voltage_l1"]
        centers = group.members[active].status()["centers"]
        return int(next((n for n in mine if n <= centers["scada.probe"]["cursor"]), 0))

    number = group.wait(confirmed, "an event that the probe has confirmed")
    event = as_json(group.cli("event", active, "--json", str(number)))
    assert (event["number"], event["name"], event["member"]) == (number, "F1.voltage_l1", active)
    stages = {(stage["stage"], stage.get("center", "")): stage for stage in event["stages"]}
    mirrored, left = stages["mirrored", ""], stages["delivered", "scada.probe"]
    assert (mirrored["member"], left["member"]) == (standby, active)
    assert 0 <= mirrored["ms"] <= left["ms"] <= stages["confirmed", "scada.probe"]["ms"] < 60_000
    shown = group.cli("event", standby, str(number)).stdout
    assert "F1.voltage_l1" in shown and f"at {standby}" in shown and "confirmed scada.probe" in shown
    refused = group.cli("event", active, "99999999")
    assert refused.returncode == 1 and "there is no event 99999999 yet" in refused.stderr
