"""Netlink messages, octet by octet and back; the kernel's own reading of them is tested in network namespaces."""

from __future__ import annotations

import ipaddress
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.codec import lease, netlink
from tandem.codec import nftables as nft

V4, V6 = ipaddress.ip_address("10.77.0.10").packed, ipaddress.ip_address("fd77::10").packed
pytestmark = pytest.mark.skipif(sys.byteorder != "little", reason="the octets here are a little-endian machine's")


def test_an_address_is_added_without_a_route_of_its_own_and_marked() -> None:
    assert netlink.add_address(7, V4, 24, 3).hex() == (
        "38000000" "1400" "0505" "03000000" "00000000"  # 56 octets; request, acknowledged, made or replaced
        "02" "18" "00" "00" "07000000"
        "08000200" "0a4d000a" "08000100" "0a4d000a" "08000800" "00020000" "05000b00" "54000000"
    )  # fmt: skip


def test_an_ipv6_address_needs_no_detection_and_is_deprecated_from_the_start() -> None:
    octets = netlink.add_address(7, V6, 64, 3, marked=False)
    body = octets[16:]
    assert body[:8].hex() == "0a40020007000000"
    found = netlink.attributes(body, 8)
    assert found[8].hex() == "02020000" and found[6].hex() == "00000000ffffffff0000000000000000"
    assert found[1] == found[2] == V6 and 11 not in found


def test_what_is_asked_for_is_read_back() -> None:
    for ip, prefix in ((V4, 24), (V6, 64)):
        ((kind, sequence, body),) = netlink.messages(netlink.add_address(7, ip, prefix, 9))
        assert sequence == 9
        assert netlink.read_address(kind, body) == netlink.InterfaceAddress(7, ip, prefix, True, False)
        ((kind, _, body),) = netlink.messages(netlink.remove_address(7, ip, prefix, 10))
        assert netlink.read_address(kind, body) == netlink.InterfaceAddress(7, ip, prefix, False, True)


def test_a_neighbour_is_asked_for_and_read() -> None:
    octets = netlink.get_neighbour(7, V4, 3)
    assert octets.hex() == (
        "24000000" "1e00" "0100" "03000000" "00000000" "02000000" "07000000" "00000000" "08000100" "0a4d000a"
    )  # fmt: skip
    mac = bytes.fromhex("02005e102030")
    body = octets[16:] + netlink.attribute(2, mac)
    assert netlink.read_neighbour(netlink.NEW_NEIGHBOUR, body) == mac
    assert netlink.read_neighbour(netlink.NEW_NEIGHBOUR, octets[16:]) == b"", "nothing is known of it"
    assert netlink.read_neighbour(netlink.ERROR, body) == netlink.read_neighbour(netlink.NEW_NEIGHBOUR, b"") == b""


def test_a_vlan_interface_is_asked_for() -> None:
    ((kind, _, body),) = netlink.messages(netlink.add_vlan(3, "eth0.12", 12, 5))
    assert kind == netlink.NEW_LINK and body[:16].hex() == "00000000000000000100000001000000"
    found = netlink.attributes(body, 16)
    assert found[3] == b"eth0.12\0" and found[5].hex() == "03000000"
    info = netlink.attributes(found[18])
    assert info[1] == b"vlan\0" and netlink.attributes(info[2])[1].hex() == "0c00"


def test_a_route_of_a_table_and_the_rule_that_leads_there() -> None:
    octets = netlink.add_route(3, bytes(4), 0, ipaddress.ip_address("10.77.0.1").packed, b"", 0x5401, 5)
    ((kind, _, body),) = netlink.messages(octets)
    assert kind == netlink.NEW_ROUTE and body[:12].hex() == "020000000054000100000000"
    assert netlink.attributes(body, 12) == {15: b"\x01\x54\0\0", 4: b"\3\0\0\0", 5: b"\x0a\x4d\x00\x01"}
    ((kind, _, body),) = netlink.messages(netlink.rule(True, V4, 0x5401, 6))
    assert kind == netlink.NEW_RULE and body[:12].hex() == "020020000000000100000000"
    assert netlink.attributes(body, 12) == {2: V4, 15: b"\x01\x54\0\0", 6: b"\x00\x54\0\0"}


def test_a_link_tells_its_carrier() -> None:
    head = "0000010007000000{flags}00000000"
    name, mac = "090003006574683000000000", "0a00010002005e1020300000"
    for flags, carrier in (("43100100", True), ("03100000", False), ("42100100", False)):
        body = bytes.fromhex(head.format(flags=flags) + name + mac)
        link = netlink.read_link(netlink.NEW_LINK, body)
        assert link == netlink.Link(7, "eth0", carrier, bytes.fromhex("02005e102030"), False)
    gone = netlink.read_link(netlink.DEL_LINK, body)
    assert gone is not None and gone.gone and not gone.carrier


@given(st.binary(max_size=200), st.integers(0, 40))
def test_no_octets_raise(octets: bytes, kind: int) -> None:
    assert all(len(body) <= len(octets) for _, _, body in netlink.messages(octets))
    assert all(len(value) <= len(octets) for value in netlink.attributes(octets).values())
    assert kind in (netlink.NEW_LINK, netlink.DEL_LINK) or netlink.read_link(kind, octets) is None
    assert kind in (netlink.NEW_ADDRESS, netlink.DEL_ADDRESS) or netlink.read_address(kind, octets) is None
    assert isinstance(netlink.error_of(octets), int)


def test_a_transaction_is_numbered_by_place_and_framed() -> None:
    sent = nft.batch(nft.no_table(nft.NETDEV, "tandem"))
    kinds = [netlink.HEAD.unpack_from(one)[1:4] for one in sent]
    assert kinds == [(0x10, 1, 0), (0xA00, 0x405, 1), (0xA02, 0x5, 2), (0x11, 1, 0)]


def test_the_word_that_renews_is_not_the_word_that_acquires() -> None:
    gates = lease.Gates(("eth0",), (V4, V6), ())
    loaded = b"".join(lease.tables(gates, b"1234567", 60, True))
    assert loaded.count(b"1234567R") == loaded.count(b"1234567L") == loaded.count(b"1234567D") == 1
    assert lease.datagram(b"1234567", lease.RENEW) == b"1234567R"
