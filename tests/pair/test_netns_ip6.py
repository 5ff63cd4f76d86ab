"""A group with an IPv6 address between network namespaces: announced, answered by one member, silent in the other."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator

import pytest

from tandem.codec import neighbours
from tests.support.configs import GROUP6, with_ip6
from tests.support.lab_rig import LabGroup
from tests.support.pair_rig import patient_config
from tools.lab.netns import trouble, within
from tools.lab.stage import Lab

_LAN = "control"
_TESTFR, _TESTFR_CON = bytes.fromhex("680443000000"), bytes.fromhex("680483000000")
_SHORT_S, _TRY_S = 1.0, 0.5


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabGroup]:
    """A laboratory whose control LAN has IPv6 too."""
    if why := trouble():
        pytest.skip(f"NO LABORATORY, real networks were not tested: {why}")
    folder = tmp_path_factory.mktemp("ip6")
    config = with_ip6(folder / "source", patient_config(folder / "patient"))
    with LabGroup(config, folder / "run", rate=20, foreign=False, stage=Lab()) as group:
        yield group


def test_a_successor_announces_the_ipv6_address_and_answers_there(lab: LabGroup) -> None:
    active, standby = lab.roles()
    assert holds(lab, active) and not holds(lab, standby) and confirmed(lab)
    fault = lab.fault("kill", active)
    lab.taken_over(fault, standby)
    lab.wait(lambda: confirmed(lab), "the center is answered at the IPv6 address")
    assert holds(lab, standby)
    lab.wait(lambda: not holds(lab, active), "the killed member's kernel has no address any more")
    seen = [kind for _, lan, kind, ip, _ in lab.bench.frames(standby, fault.t_ns)["frames"] if ip == GROUP6]
    assert seen[0] == "announce", "an unsolicited neighbour advertisement came first"
    lab.recover(fault)
    lab.wait_ready()
    assert not lab.late(fault.t_ns, active)


def test_a_frozen_loser_answers_no_solicitation(lab: LabGroup) -> None:
    active, standby = lab.roles()
    loser = answering(lab)
    fault = lab.fault("freeze", active)
    lab.taken_over(fault, standby)
    assert holds(lab, active), "its kernel has the address, and could answer"
    answers = answering(lab)
    assert len(answers) == 1 and answers != loser, "the successor alone answers who asks"
    lab.wait(lambda: confirmed(lab), "the center is answered by it")
    lab.thaw(active)
    time.sleep(_SHORT_S)
    assert answering(lab) == answers
    assert not lab.late(fault.t_ns, active)


def holds(lab: LabGroup, member: str) -> bool:
    """The kernel of a member has the group's IPv6 address."""
    words = ["ip", "-n", lab.stage.plan.name(member), "-6", "-br", "address"]
    return f"{GROUP6}/64" in subprocess.run(words, capture_output=True, text=True, check=True).stdout


def confirmed(lab: LabGroup) -> bool:
    """From the center's IPv6 address, behind the router: a connection to the group's, and a test frame confirmed."""
    leg = next(leg for leg in lab.stage.plan.legs if leg.who == "center")
    own = next(address for address in leg.addresses if ":" in address).partition("/")[0]
    with within(lab.stage.plan.name("center")):
        sock = socket.socket(socket.AF_INET6)
    with sock:
        sock.settimeout(_TRY_S)
        try:
            sock.bind((own, 0))
            sock.connect((GROUP6, lab.served.port))
            sock.sendall(_TESTFR)
            return sock.recv(64) == _TESTFR_CON
        except OSError:
            return False


def answering(lab: LabGroup) -> set[bytes]:
    """The hardware addresses that answer a solicitation for the group's address, asked several times on the LAN."""
    found: set[bytes] = set()
    target = socket.inet_pton(socket.AF_INET6, GROUP6)
    with lab.socket_in("router", _LAN) as asker:
        own = next(address for leg in lab.stage.plan.legs if (leg.who, leg.lan) == ("router", _LAN)
                   for address in leg.addresses if ":" in address)  # fmt: skip
        source = socket.inet_pton(socket.AF_INET6, own.partition("/")[0])
        asker.settimeout(_TRY_S)
        for _ in range(5):
            asker.send(neighbours.ask(asker.getsockname()[4], source, target))
        until = time.monotonic() + _TRY_S
        while time.monotonic() < until:
            try:
                claim = neighbours.claim(asker.recv(2048))
            except TimeoutError:
                break
            if claim is not None and claim.ip == target:
                found.add(claim.mac)
    return found
