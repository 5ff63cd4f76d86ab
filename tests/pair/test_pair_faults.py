"""What takes the active away, and that its standby carries on from the same data."""

from __future__ import annotations

import time

import pytest

from tests.pair.conftest import whole
from tests.support.pair_rig import Group, noisy
from tools.bench.plan import other

GENERAL = range(20, 37)
"""Causes of transmission that answer an interrogation."""


@pytest.mark.parametrize("kind", ["kill", "stall", "freeze", "kill-all", "power"])
def test_the_standby_takes_over_with_the_same_image(group: Group, kind: str) -> None:
    active, standby = group.roles()
    group.settled_values()
    group.field({"do": "rate", "value": 10})
    before = group.members[standby].status()
    began = time.monotonic_ns()
    fault = group.fault(kind, active)
    group.operator.calm()
    group.wait(lambda: group.probe_ledger.since(fault.t_ns, "answered"), "the probe is answered again")
    group.field({"do": "rate", "value": 0})
    group.wait(lambda: not group.differences(), f"the probe's image is the field's: {group.differences()}")
    heard = group.probe_ledger.since(began, "event")
    assert not [line for line in heard if line["cause"] in GENERAL], "no interrogation was needed, and none was made"
    status = group.members[standby].status()
    assert status["role"] == "active" and status["epoch"] > before["epoch"]
    assert status["last_failover"]["in_sync"] and not status["takeover_unsynced"], status["last_failover"]
    assert status["last_failover"]["cause"] and status["last_failover"]["parts"]["detection_ms"] is not None
    group.wait(lambda: group.value(standby, "_sys.lines_held") == 1, "the lines follow")
    group.wait(lambda: group.value(standby, "_sys.unprotected") == 1, "alone, and said so")
    rows = [row for name, row in group.points(standby, "F1.").items() if name.startswith("F1.")]
    inputs = [row for row in rows if "output" not in row["kind"]]
    assert len(inputs) > 3 and not [row for row in inputs if "topical" in row["quality"] or "never" in row["quality"]]
    group.recover(fault)
    assert group.roles() == (standby, active), "the restarted member is the standby again"
    group.wait(lambda: group.value(standby, "_sys.unprotected") == 0, "protected again")


def test_the_field_is_not_asked_more_than_usual_after_a_takeover(group: Group) -> None:
    active, standby = group.roles()
    group.field({"do": "rate", "value": 0})
    usual = _requests_in(group, 4.0)
    fault = group.fault("kill", active)
    group.operator.calm()
    group.wait(lambda: group.value(standby, "_sys.lines_held") == 1, "the lines follow")
    after = _requests_in(group, 4.0)
    assert usual > 10
    assert after <= usual * 1.25 + 4, "the polls go on; nothing is read anew"
    group.recover(fault)
    whole(group)


def _requests_in(group: Group, seconds: float) -> int:
    before = int(group.field({"do": "state"})["requests"])
    time.sleep(seconds)
    return int(group.field({"do": "state"})["requests"]) - before


def test_a_switchover_loses_nothing(group: Group) -> None:
    active, standby = group.roles()
    group.settled_values()
    group.field_ledger.read()
    group.began_ns = time.monotonic_ns()
    group.field({"do": "rate", "value": 20})

    def sent() -> int:
        return len(group.field_ledger.since(group.began_ns, "sent"))

    group.wait(lambda: sent() > 8, "events before")
    assert "releasing" in group.cli("switchover", active).stdout
    group.wait(lambda: group.active == standby, "the other one is active")
    assert group.roles() == (standby, active)
    assert group.members[standby].status()["last_failover"]["cause"] == "the peer released the service"
    group.wait(lambda: sent() > 16, "events between")
    answer = group.cli("switchover", active, "--to", active)  # ordered at the standby: it goes to the peer
    assert answer.returncode == 0, answer.stderr
    group.wait(lambda: group.active == active, "and back")
    group.wait(lambda: sent() > 24, "events afterwards")
    assert group.roles() == (active, standby)
    verdict, _, _ = group.finish()
    assert verdict.sent > 15
    assert not verdict.missing, verdict.missing
    assert not verdict.repeated, verdict.again


@pytest.mark.parametrize("cable", ["station", "control"])
def test_a_cut_lan_moves_the_role_to_the_member_that_has_it(group: Group, cable: str) -> None:
    active, standby = group.roles()
    mark = group.mark()
    fault = group.fault(cable, active)
    group.operator.calm()
    group.wait(lambda: group.active == standby, f"{standby} has the LAN {cable}, {active} has not", 40)
    if not noisy(group.log(active, mark)):
        assert "health" in group.says(active, mark, "-> releasing")
    group.recover(fault)
    assert group.roles() == (standby, active), "and it stays there: no member is preferred"


def test_a_cut_crossover_moves_nothing(group: Group) -> None:
    active, standby = group.roles()
    with group.no_role_change():
        fault = group.fault("crossover", active)
        group.operator.calm()
        path = "_sys.path.serial.crossover"
        group.wait(lambda: group.value(active, path) == 0 == group.value(standby, path), "the path is silent")
        group.recover(fault)
        group.wait(lambda: group.value(active, path) == 1 == group.value(standby, path), "and alive again")
        assert all(group.members[standby].status()["paths"].values())


def test_the_link_finds_the_other_lan(group: Group) -> None:
    active, standby = group.roles()
    link = group.members[standby].status()["mirror"]["link"].partition("#")[0]
    with group.no_role_change():
        group.bench.cut(link, standby)  # the standby's cable: the active has no reason to give up

        def moved() -> bool:
            now = str(group.members[standby].status().get("mirror", {}).get("link", ""))
            return now not in ("", "down") and not now.startswith(link)

        group.wait(moved, "the mirror runs over the other LAN")
        group.wait(lambda: group.members[standby].status().get("in_sync"), "and is in sync again")
        group.bench.restore(link, standby)
    assert other(active) == standby
