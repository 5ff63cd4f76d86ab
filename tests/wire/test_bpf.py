"""Socket filters, as this machine's kernel runs them: what passes is received, all else is not."""

from __future__ import annotations

import ipaddress
import socket

import pytest

from tandem.codec import bpf, neighbours
from tandem.port.packet import attach

MAC = bytes.fromhex("02005e102030")
OWN, OTHER = (ipaddress.ip_address(ip).packed for ip in ("10.77.0.11", "10.77.0.99"))
IPS = [ipaddress.ip_address(f"10.77.0.{last}").packed for last in (10, 20, 30)]
IPS6 = [ipaddress.ip_address(ip).packed for ip in ("fd77::10", "fd77::20", "fd78::10")]
OTHERS6 = [ipaddress.ip_address(ip).packed for ip in ("fd77::11", "fd79::10", "fd77:1::10", "fd77::1:0:10")]


def passes(program: bytes, frame: bytes) -> bool:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        ours.setblocking(False)
        attach(ours, program)
        theirs.send(frame)
        try:
            return ours.recv(2048) == frame[: bpf.FRAME_OCTETS]
        except BlockingIOError:
            return False


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_arp_that_claims_one_of_the_addresses_passes(count: int) -> None:
    program = bpf.arp_claims(IPS[:count])
    for ip in IPS[:count]:
        assert all(passes(program, frame) for frame in neighbours.announcements(MAC, ip))
        assert passes(program, neighbours.ask(MAC, ip, OTHER)), "who asks from it claims it too"
        assert not passes(program, neighbours.probe(MAC, ip)) and not passes(program, neighbours.ask(MAC, OWN, ip))
    for ip in (OTHER, *IPS[count:]):
        assert not any(passes(program, frame) for frame in neighbours.announcements(MAC, ip))
    assert not passes(program, neighbours.announcements(MAC, IPS[0])[0][:30]), "it is cut short"


@pytest.mark.parametrize("count", [1, 2, 3])
def test_an_advertisement_for_one_of_the_addresses_passes(count: int) -> None:
    program = bpf.advert_claims(IPS6[:count])
    for ip in IPS6[:count]:
        assert passes(program, neighbours.announcements(MAC, ip)[0])
        assert not passes(program, neighbours.probe(MAC, ip)), "a solicitation claims nothing"
    for ip in (*OTHERS6, *IPS6[count:]):
        assert not passes(program, neighbours.announcements(MAC, ip)[0])
    assert not passes(program, neighbours.announcements(MAC, IPS6[0])[0][:70])


def test_of_arp_only_replies_pass_to_who_asks() -> None:
    request, reply = neighbours.announcements(MAC, IPS[0])
    assert passes(bpf.arp_replies(), reply) and not passes(bpf.arp_replies(), request)
