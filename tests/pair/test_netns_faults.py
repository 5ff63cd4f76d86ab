"""Between network namespaces: real addresses, the kernel's lease, pulled cables; an observer judges who answered."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator

import pytest

from tandem.codec.neighbours import announcements
from tests.support.lab_rig import LabGroup, is_tcp, is_udp, reset_after
from tests.support.pair_rig import patient_config
from tools.bench.plan import MEMBERS
from tools.lab.netns import trouble
from tools.lab.stage import Lab

LINK_PORT, BEAT_PORT = 4720, 4721
_SHORT_S = 1.0


@pytest.fixture(scope="module")
def running_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabGroup]:
    """One laboratory for all tests of this file; where there can be none they are not run, and that is said."""
    if why := trouble():
        pytest.skip(f"NO LABORATORY, real networks were not tested: {why}")
    folder = tmp_path_factory.mktemp("lab")
    with LabGroup(patient_config(folder / "source"), folder / "run", rate=20, foreign=False, stage=Lab()) as group:
        yield group


@pytest.fixture
def lab(running_lab: LabGroup) -> LabGroup:
    """The laboratory, whole and in sync."""
    running_lab.heal()
    running_lab.field({"do": "rate", "value": 20})
    return running_lab


@pytest.mark.parametrize("kind", ["kill", "kill-all", "power", "lans"])
def test_who_is_gone_never_answers_again(lab: LabGroup, kind: str) -> None:
    active, standby = lab.roles()
    fault = lab.fault(kind, active)
    lab.taken_over(fault, standby)
    time.sleep(_SHORT_S)
    lab.recover(fault)
    lab.wait_ready()
    time.sleep(_SHORT_S)
    assert not lab.late(fault.t_ns, active)


@pytest.mark.parametrize("kind", ["stall", "stall-heart", "freeze"])
def test_who_thaws_never_answers_for_the_address_it_lost(lab: LabGroup, kind: str) -> None:
    active, standby = lab.roles()
    fault = lab.fault(kind, active)
    lab.taken_over(fault, standby)
    lab.thaw(active)
    time.sleep(_SHORT_S)
    assert not lab.late(fault.t_ns, active)
    assert lab.members[standby].status()["role"] == "active"


def test_a_pulled_lan_of_which_nothing_depends_moves_nothing(lab: LabGroup) -> None:
    active, _ = lab.roles()
    with lab.no_role_change():
        lab.bench.cut("station", active)
        time.sleep(_SHORT_S)
        assert lab.members[active].status()["lans"] == {"station": False, "control": True}
        lab.bench.restore("station", active)
        time.sleep(_SHORT_S)


def test_a_pulled_lan_with_a_condition_moves_the_role_to_who_has_it(lab: LabGroup) -> None:
    active, standby = lab.roles()
    fault = lab.fault("control", active)
    lab.taken_over(fault, standby)
    lab.recover(fault)
    assert lab.roles() == (standby, active), "what came back is the standby"
    assert not lab.late(fault.t_ns, active)


@pytest.mark.parametrize("way", ["in", "out"])
def test_a_lan_that_passes_one_way_only_moves_nothing(lab: LabGroup, way: str) -> None:
    active, standby = lab.roles()
    with lab.no_role_change():
        lab.bench.wires.one_way(active, "station", way, cut=True)
        time.sleep(_SHORT_S)
        deaf = active if way == "in" else standby
        assert not lab.members[deaf].status()["paths"]["lan.station"], "who does not hear says so"
        lab.bench.wires.heal()


@pytest.mark.parametrize("way", ["in", "out"])
def test_lans_that_all_pass_one_way_only_leave_one_to_serve(lab: LabGroup, way: str) -> None:
    active, _ = lab.roles()
    for lan in ("station", "control"):
        lab.bench.wires.one_way(active, lan, way, cut=True)
    time.sleep(_SHORT_S)
    roles = [lab.members[m].status().get("role") for m in MEMBERS]
    assert roles.count("active") == 1, roles
    lab.bench.wires.heal()
    lab.wait_ready()


def test_the_crossover_alone_decides_nothing(lab: LabGroup) -> None:
    with lab.no_role_change():
        lab.bench.cut("crossover")
        time.sleep(_SHORT_S)
        assert not any(lab.members[m].status()["paths"]["serial.crossover"] for m in MEMBERS)
        lab.bench.restore("crossover")
        time.sleep(_SHORT_S)


@pytest.mark.parametrize("which", ["active", "standby", "both"])
def test_a_reboot_ends_with_one_active_and_both_in_sync(lab: LabGroup, which: str) -> None:
    active, standby = lab.roles()
    began = time.monotonic_ns()
    rebooted = {"active": (active,), "standby": (standby,), "both": MEMBERS}[which]
    for member in rebooted:
        lab.fault("kill-all", member)
    for member in rebooted:
        lab.members[member].start()
    lab.wait_ready()
    lab.wait(lambda: lab.probe_ledger.since(began, "event"), "the center hears events")
    lab.calm()
    if which == "active":
        assert not lab.late(began, active)
    if which == "standby":
        assert lab.roles() == (active, standby)


def test_a_switchover_under_load_loses_nothing_and_resets_before_the_address_goes(lab: LabGroup) -> None:
    active, standby = lab.roles()
    lab.began_ns = time.monotonic_ns()
    lab.field({"do": "rate", "value": 200})
    time.sleep(_SHORT_S)
    fault = lab.fault("switchover", active)
    lab.taken_over(fault, standby)
    time.sleep(_SHORT_S)
    verdict, _, doubled = lab.finish()
    assert verdict.sent > 5 and not verdict.lost and not doubled, verdict
    assert not lab.late(fault.t_ns, active)
    resets = [t for t, _, kind, *_ in lab.bench.frames(active, fault.t_ns)["frames"] if kind == "reset"]
    taken = lab.bench.judge(fault.t_ns, active, standby)["taken"]
    assert resets and min(resets) < taken, "the center's session was reset before the successor had the address"


def test_a_stranger_with_a_group_address_is_named_once_and_moves_no_role(lab: LabGroup) -> None:
    group, point = lab.config.lan("station").group[0], "_sys.lan.station.duplicate"
    active, standby = lab.roles()
    mark = lab.mark()
    with lab.no_role_change(), lab.socket_in("field", "station") as stranger:
        mac = stranger.getsockname()[4]
        lab.stranger_address(f"{group.ip}/{group.prefix}", True)
        try:
            for _ in range(20):
                for frame in announcements(mac, socket.inet_aton(group.ip)):
                    stranger.send(frame)
                time.sleep(_SHORT_S / 20)
            sentence = lab.says(active, mark, "another host", mac.hex(":"), group.ip, "station")
            lab.wait(lambda: lab.value(active, point) == 1, "the point says so")
        finally:
            lab.stranger_address(f"{group.ip}/{group.prefix}", False)
        assert lab.probe({"do": "state"})["answered"], "the center on the other LAN does not notice"
    assert lab.log(active, mark).count("another host") == 1, sentence
    assert lab.value(active, "_sys.lan.control.duplicate") == lab.value(standby, point) == 0
    assert "another host" not in lab.log(standby, mark)


def test_replayed_beats_and_forged_resets_move_no_role(lab: LabGroup) -> None:
    active, standby = lab.roles()
    beats = lab.overheard(active, "station", lambda frame: is_udp(frame, BEAT_PORT), 20)
    with lab.no_role_change(), lab.socket_in("field", "station") as intruder:
        for frame in beats * 5:
            intruder.send(frame[:6] + intruder.getsockname()[4] + frame[12:])
        time.sleep(_SHORT_S)
    segments = []
    for lan, stranger in (("station", "field"), ("control", "router")):  # the link is on one of them
        own = lab.config.lan(lan).members[standby].addresses[0].ip
        overheard = lab.overheard(standby, lan, lambda frame, own=own: is_tcp(frame, LINK_PORT, own), 3)  # type: ignore[misc]
        segments += overheard
        with lab.no_role_change(), lab.socket_in(stranger, lan) as intruder:
            for frame in overheard:
                intruder.send(reset_after(frame))
            time.sleep(_SHORT_S)
    assert len(beats) == 20 and segments, "there was something to replay and to forge"
    with lab.no_role_change():
        time.sleep(_SHORT_S)
        assert all(member.alive for member in lab.members.values())
        lab.wait_ready()
