"""The gateway's own points on a running pair: what both members tell of both, and of a failover."""

from __future__ import annotations

from tests.support.pair_rig import Group
from tools.bench.plan import MEMBERS


def test_both_members_tell_of_both_and_of_their_clocks(group: Group) -> None:
    active, standby = group.roles()
    for member in MEMBERS:
        group.wait(lambda m=member: group.value(m, f"_sys.member.{active}.role") == 3, f"{member} tells of {active}")
        points = group.points(member, "_sys.")
        assert points[f"_sys.member.{standby}.role"]["value"] == 1
        assert points[f"_sys.member.{active}.lines_held"]["value"] == 1
        assert points["_sys.peer_health"]["value"] == 255
        group.wait(
            lambda m=member: group.points(m, "_sys.clock_offset_ms")["_sys.clock_offset_ms"]["quality"] == "good",
            "the clocks were compared",
        )
        offset_ms = group.value(member, "_sys.clock_offset_ms")
        assert offset_ms is not None and abs(offset_ms) < 100, "it is one clock, on a machine that may stall"
        assert group.value(member, "_sys.process.resident_mib") > 5  # type: ignore[operator]
    contact = group.points(active, "_sys.relay.")
    assert (contact["_sys.relay.own"]["value"], contact["_sys.relay.peer"]["value"]) == (1, 0)
    group.wait(lambda: (group.value(active, "_sys.device.F1.answers") or 0) > 0, "the device's answers are counted")


def test_statistics_begin_anew_when_asked(group: Group) -> None:
    active, _ = group.roles()
    group.wait(lambda: (group.value(active, "_sys.device.M1.requests") or 0) > 20, "requests are counted")
    done = group.cli("reset-statistics", active, "M1")
    assert done.returncode == 0 and "M1 begin anew" in done.stdout
    requests = group.members[active].status()["devices"]["M1"]["requests"]
    assert requests <= 20, "the status too, at once"
    assert group.cli("reset-statistics", active, "M9").returncode == 1


def test_a_death_silences_every_path_at_once_and_its_failover_is_told_by_both(group: Group) -> None:
    active, standby = group.roles()
    fault = group.fault("kill-all", active)
    group.operator.calm()

    def told() -> bool:
        status = group.members[standby].status()
        return not any(status["paths"].values()) and status["peer"]["role"] == "not heard"

    dead_s = group.config.standby.dead_after_ms / 1e3
    group.wait(told, "no path is green")
    group.wait(lambda: group.active == standby, "the standby has taken over")
    status = group.members[standby].status()
    assert not any(status["paths"].values())
    silent = [row["value"] for row in group.points(standby, "_sys.path.").values()]
    assert silent and not any(silent), f"the points say so too, not only after {dead_s} s"
    group.wait(lambda: group.value(standby, "_sys.lines_held") == 1, "the lines follow")
    group.recover(fault)
    group.roles()
    theirs, ours = (group.points(m, "_sys.last_failover") for m in (standby, active))
    assert {name: row["value"] for name, row in theirs.items()} == {name: row["value"] for name, row in ours.items()}
    assert ours["_sys.last_failover_cause"]["value"] in (1, 2, 3) and ours["_sys.last_failover_ms"]["value"] > 0
    assert ours["_sys.last_failover_lines_ms"]["quality"] == "good", "the restarted member knows it from the mirror"
