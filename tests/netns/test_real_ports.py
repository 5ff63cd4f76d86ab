"""Group addresses, announcements and the lease of a real heart on real interfaces, seen by an observer on the LAN."""

from __future__ import annotations

import ipaddress
import signal
import socket
import sys
import time

import pytest

from tandem.codec import lease, neighbours
from tandem.port.netlink import NETFILTER, Netlink
from tests.netns.member import FIRMWARE, GROUP, GROUP2, GROUP6, LEASE_S, PORT, Member
from tests.support.namespaces import NET, Observer, answers_for

pytestmark = pytest.mark.netns
EVERY = (GROUP, GROUP6, GROUP2)


def test_who_serves_has_the_addresses_and_says_so(member: Member) -> None:
    observer = Observer(member.site, "a", 0)
    member.start()
    for ip in EVERY:
        assert ip in member.site.addresses("a")
        assert member.knock(ip) == "open"
    frames = observer.frames()
    arps = [f.octets for f in frames if f.octets[12:14] == b"\x08\x06" and f.octets[28:32] == f.octets[38:42]]
    assert {octets[21] for octets in arps} == {1, 2}, "a request and a reply that nobody asked for"
    assert all(octets[:6] == b"\xff" * 6 and octets[22:28] == observer.mac for octets in arps)
    adverts = [f.octets for f in frames if f.octets[12:14] == b"\x86\xdd" and f.octets[54] == 136]
    assert any(o[38:54] == socket.inet_pton(socket.AF_INET6, "ff02::1") and o[-6:] == observer.mac for o in adverts)
    assert not member.words("Said"), member.words("Said")
    observer.close()


@pytest.mark.parametrize("wanted", ["auto", "none"])
def test_a_frozen_member_is_silent_and_stays_so_when_it_thaws(member: Member, wanted: str) -> None:
    member.start(f'lease = "{wanted}"')
    assert member.knock() == "open"
    observers = [Observer(member.site, "a", lan) for lan in (0, 1)]
    member.send(signal.SIGSTOP)
    time.sleep(LEASE_S + 0.1)
    for observer in observers:
        observer.frames()
    member.forget()
    heard = [member.knock(ip, 0.15) for ip in EVERY]
    spoke = [len(answers_for(o.frames(), ip)) for o in observers for ip in EVERY]
    if wanted == "none":
        assert "open" in heard and any(spoke), "without a lease a frozen member answers: the test could fail"
    else:
        assert not any(spoke) and set(heard) <= {"silence", "EHOSTUNREACH"}
        member.send(signal.SIGCONT)
        member.wait(lambda: GROUP not in member.site.addresses("a"), "the addresses are given back")
        member.knock(GROUP, 0.15)
        assert [len(answers_for(o.frames(0.1), ip)) for o in observers for ip in EVERY] == [0] * 6
        assert any("was away" in line for line in member.words("Lost"))
    for observer in observers:
        observer.close()


def test_what_a_dead_member_left_is_silent_and_the_next_start_clears_it(member: Member) -> None:
    member.start()
    member.send(signal.SIGKILL)
    time.sleep(LEASE_S + 0.1)
    assert GROUP in member.site.addresses("a"), "the kernel keeps what a killed heart had"
    member.forget()
    assert member.knock(GROUP, 0.15) != "open"
    member.site.run("a", "ip", "addr", "add", "10.99.0.9/32", "dev", "eth1", "proto", "84")
    member.start(served=False)
    member.wait(lambda: member.words("Fence"), "the new heart's tables")
    assert "10.99.0.9" not in member.site.addresses("a"), "what another configuration's heart left goes too"


def test_a_killed_supervisors_sessions_are_reset_before_the_addresses_go(member: Member) -> None:
    member.start()

    def connect() -> socket.socket:
        return socket.create_connection((GROUP, PORT), 1)

    session = member.site.within("lan", connect)
    time.sleep(0.05)
    member.send(signal.SIGKILL, heart=False)
    session.settimeout(1)
    with pytest.raises(ConnectionResetError):
        session.recv(1)
    member.wait(lambda: GROUP not in member.site.addresses("a"), "the heart takes the addresses off")
    session.close()


def test_flushed_tables_come_back_and_the_service_goes_on(member: Member) -> None:
    member.start()
    for _ in range(3):
        member.site.run("a", "nft", "flush", "ruleset")
        member.wait(lambda: "out_eth0" in member.site.run("a", "nft", "list", "ruleset"), "the tables")
        time.sleep(LEASE_S + 0.1)
    assert member.knock() == "open" and not member.words("Lost")


def test_every_cable_pulled_and_nobody_heard_the_lease_rests_until_a_second_after_the_carrier(member: Member) -> None:
    member.start()
    for lan in (0, 1):
        member.site.cable("a", lan, False)
    member.wait(lambda: any("lease rests" in line for line in member.words("Said")), "that it rests")
    time.sleep(LEASE_S + 0.1)
    member.site.cable("a", 0, True)
    began = time.monotonic()
    assert member.knock(GROUP, 0.3) != "open"
    member.wait(lambda: member.knock(GROUP, 0.1) == "open", "that it serves again")
    assert time.monotonic() - began > 0.8
    assert GROUP in member.site.addresses("a") and not member.words("Lost")


def test_an_address_that_somebody_takes_off_comes_back(member: Member) -> None:
    member.start()
    member.site.run("a", "ip", "addr", "del", f"{GROUP}/32", "dev", "eth0")
    member.wait(lambda: GROUP in member.site.addresses("a"), "the address")
    member.wait(lambda: any("took a group address off eth0" in line for line in member.words("Said")), "the word")
    assert member.knock() == "open" and not member.words("Lost")


def test_an_own_address_that_comes_after_the_groups_brings_the_networks_route(member: Member) -> None:
    own = "10.77.0.11/24"
    member.site.run("a", "ip", "addr", "del", own, "dev", "eth0")
    member.start()
    assert GROUP in member.site.addresses("a") and own not in member.site.addresses("a")
    member.site.run("a", "ip", "addr", "add", own, "dev", "eth0")
    assert "10.77.0.0/24 dev eth0" in member.site.run("a", "ip", "route")
    member.wait(lambda: member.knock() == "open", "an answer over that route")


def test_clean_takes_away_what_a_killed_heart_left(member: Member) -> None:
    member.start()
    member.send(signal.SIGKILL)
    said = member.site.run("a", "env", f"PYTHONPATH={FIRMWARE}", sys.executable, "-m", "tandem", "clean")
    assert all(f"{ip} is removed" in said for ip in (f"{GROUP}/32", f"{GROUP6}/64", f"{GROUP2}/32"))
    assert not any(ip + "/" in member.site.addresses("a") for ip in EVERY)
    assert "10.77.0.11/24" in member.site.addresses("a"), "the member's own address is not the heart's"
    assert "tandem" not in member.site.run("a", "nft", "list", "ruleset")


def test_without_a_lease_a_standby_hears_whether_the_address_is_answered(member: Member) -> None:
    member.start('lease = "none"', claims=False)
    assert not answered(member), "nobody has it"
    member.site.run("b", "ip", "addr", "add", f"{GROUP2}/24", "dev", "eth1")
    member.wait(lambda: answered(member), "that somebody has it")
    member.site.run("b", "ip", "addr", "del", f"{GROUP2}/24", "dev", "eth1")
    member.wait(lambda: not answered(member), "that nobody has it any more")


def test_a_stranger_with_the_address_is_told_of_and_the_peer_is_not(member: Member) -> None:
    stranger = bytes.fromhex("020000000077")
    quiet, peer = ("lan", f"{GROUP}/32", "br0"), ("b", f"{GROUP2}/32", "eth1")

    def announce() -> None:
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as made:
            made.bind(("br0", 0))
            for frame in neighbours.announcements(stranger, ipaddress.ip_address(GROUP6).packed):
                made.send(frame)

    def told(ip: str) -> list[str]:
        return [line for line in member.words("Claimed") if repr(ipaddress.ip_address(ip).packed) in line]

    for where, ip, device in (quiet, peer):
        member.site.run(where, "ip", "addr", "add", ip, "dev", device)
    try:
        member.start()
        member.wait(lambda: told(GROUP), "the one that says nothing unasked")
        member.site.within("lan", announce)
        (word,) = member.wait(lambda: told(GROUP6), "the one that announces itself")
        assert "lan=0" in word and repr(stranger) in word
        assert not told(GROUP2), "the peer is no stranger"
    finally:
        for where, ip, device in (quiet, peer):
            member.site.run(where, "ip", "addr", "del", ip, "dev", device)
    assert member.knock() == "open" and not member.words("Lost")


def answered(member: Member) -> bool:
    """What the newest word of the heart says; waits until it has asked for the lease's time once."""

    def asked() -> list[str]:
        return [line for line in member.words("Unanswered") if "for_ns=0)" not in line]

    newest = str(member.wait(asked, "a word about the address")[-1])
    if len(member.words("Unanswered")) < 10:
        time.sleep(2 * LEASE_S)
        newest = member.words("Unanswered")[-1]
    return int(newest.partition("for_ns=")[2].rstrip(")")) < LEASE_S * 1e9


def test_a_kernel_without_an_egress_hook_gates_what_leaves_on_its_way_out(member: Member) -> None:
    member.start()
    token = b"7 octets"[:7]
    gates = lease.Gates(("eth0", "eth1"), tuple(ipaddress.ip_address(ip).packed for ip in EVERY), ())

    def load() -> tuple[int, socket.socket]:
        kernel = Netlink(NETFILTER)
        code = kernel.transact(lease.tables(gates, token, 300_000, egress=False))
        kernel.close()
        return code, socket.socket(socket.AF_INET, socket.SOCK_DGRAM)

    member.send(signal.SIGSTOP)  # it would load its own again
    code, speaker = member.site.within("a", load)
    assert code == 0
    loaded = member.site.run("a", "nft", "list", "ruleset")
    assert "table inet tandem" in loaded and "table arp tandem" in loaded and "egress" not in loaded
    observer = Observer(member.site, "a", 0)
    speaker.bind((GROUP, 0))
    with pytest.raises(PermissionError):
        speaker.sendto(b"x", (NET.format(lan=0, host=20), 9))
    assert not answers_for(observer.frames(0.05), GROUP)
    speaker.close()

    def say(word: bytes) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            try:
                made.sendto(lease.datagram(token, word), ("127.0.0.1", lease.PORT))
            except PermissionError:
                pass  # a renewal of what does not live is refused on its way out

    member.forget()
    member.site.within("a", lambda: say(lease.RENEW))
    assert member.knock(GROUP, 0.15) != "open", "there is nothing to renew"
    member.forget()
    member.site.run("a", "sh", "-c", "echo 2 > /proc/sys/net/ipv4/conf/all/arp_announce")
    member.site.within("a", lambda: say(lease.ACQUIRE))
    assert member.knock(GROUP) == "open"
    member.site.within("a", lambda: say(lease.DROP))
    member.forget()
    assert member.knock(GROUP, 0.15) != "open"
    observer.close()
