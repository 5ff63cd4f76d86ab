"""A group from cold: one active, one standby, the same image on both."""

from __future__ import annotations

import re
from functools import partial

from tests.support.pair_rig import Group
from tools.bench.plan import MEMBERS, other


def test_one_active_and_a_standby_in_sync(group: Group) -> None:
    active, standby = group.roles()
    state = group.bench.state()["members"]
    assert (state[active]["contact"], state[standby]["contact"]) == (True, False)
    assert set(group.bench.state()["owner"].values()) == {active}
    status = {m: member.status() for m, member in group.members.items()}
    assert status[active]["peer"]["role"] == "standby" and status[standby]["peer"]["role"] == "active"
    assert all(status[standby]["paths"].values()) and len(status[standby]["paths"]) == 3
    assert not status[active]["unprotected"] and not status[active]["takeover_unsynced"]
    assert status[active]["epoch"] % 2 == (active == "b"), "epochs of a are even, of b odd"


def test_both_members_have_the_same_points(group: Group) -> None:
    active, _ = group.roles()
    group.wait(lambda: group.members[active].status().get("head", 0) > 30, "thirty events")
    group.field({"do": "rate", "value": 0})

    keys = ("value", "number", "time", "quality")

    def same() -> bool:
        images = [
            {name: [p[key] for key in keys] for name, p in points.items() if not p["local"]}
            for points in map(group.points, MEMBERS)
        ]
        return images[0] == images[1] and len(images[0]) > 10

    group.wait(same, "points of a and b are equal, record for record")
    events = [group.members[m].ask("events", most=200)["events"] for m in MEMBERS]
    assert events[0] == events[1] and len(events[0]) > 30


def test_the_system_points_of_both_tell_the_same_story(group: Group) -> None:
    active, standby = group.roles()
    for member, number in ((active, 3), (standby, 1)):
        assert group.value(member, "_sys.role") == number
        assert group.value(member, "_sys.role_active") == (member == active)
    names = "in_sync link_ok disk_ok master.feeders.ok master.meters.ok device.F1.ok device.M1.ok slave.scada.ok"
    for name in (*names.split(), "path.lan.station", "path.lan.control", "path.serial.crossover"):
        for member in MEMBERS:
            good = partial(group.value, member, f"_sys.{name}")
            group.wait(lambda good=good: good() == 1, f"{name} is 1 on {member}")  # type: ignore[misc]
    assert {group.value(member, "_sys.health") for member in MEMBERS} == {255.0}


def test_epochs_rise_over_a_restart_of_both(group: Group) -> None:
    active, _ = group.roles()
    before = int(group.members[active].status()["epoch"])
    heads = [group.members[m].status()["head"] for m in MEMBERS]
    assert min(heads) > 0
    for member in group.members.values():
        member.end()
    for member in group.members.values():
        member.start()
    active, standby = group.roles()
    after = group.members[active].status()["epoch"]
    assert after > before
    assert group.members[standby].status()["peer"]["epoch"] == after
    said = re.findall(r"active in epoch (\d+)", group.log(active) + group.log(other(active)))
    assert len(set(said)) == len(said), "no epoch is used twice"
