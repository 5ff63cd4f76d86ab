"""The kernel lease: what passes for the group's addresses, and while what lives. Messages for nf_tables, and datagrams.

    lo   <- the heart's datagram to itself, with a token that was drawn at its start:
            renew (only while the lease lives), acquire, drop; what was carried out comes back, all else is dropped
    LANs -> ARP, neighbour solicitations and IP for a group address: only while the lease lives
         <- ARP, neighbour advertisements and IP from a group address, and TCP to devices that only the active asks:
            the same; resets always, so that who talked to the old owner knows at once

It latches: a process that thaws in the middle of its renewal renews nothing, since the lease ended meanwhile.
Kernels before 5.16 have no hook at a device's egress: IP is caught on its way out instead, and of ARP all requests, so
that net.ipv4.conf.all.arp_announce must be 2 there: neighbours are then asked from the member's own address.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tandem.codec import nftables as nft

TABLE, SET = "tandem", "lease"
PORT = 4719
"""UDP, at 127.0.0.1."""
TOKEN_OCTETS = 7
RENEW, ACQUIRE, DROP = b"R", b"L", b"D"
_PRIORITY = -500
_OUTPUT_PRIORITY = -300
_PORT = PORT.to_bytes(2, "big")
_SOLICIT, _ADVERT = b"\x87", b"\x88"


class Gates(NamedTuple):
    """What the lease stands before: interfaces, group addresses (4 or 16 octets), the field's (address, port)."""

    devices: tuple[str, ...]
    group: tuple[bytes, ...]
    field: tuple[tuple[bytes, int], ...]


def tables(gates: Gates, token: bytes, lease_ms: int, egress: bool) -> list[bytes]:
    """The transaction that loads everything anew. `egress`: the kernel has that hook (5.16)."""
    made = [*nft.table_anew(nft.NETDEV, TABLE), nft.lease_set(nft.NETDEV, TABLE, SET)]
    made += _chain("renew", nft.INGRESS, "lo", _renewal(token, lease_ms, nft.IP))
    inward = [rule for ip in gates.group for rule in _to(ip)]
    outward = [rule for ip in gates.group for rule in _from(ip)] + [_device(*one) for one in gates.field]
    for device in gates.devices:
        made += _chain(f"in_{device}", nft.INGRESS, device, inward)
        if egress:
            made += _chain(f"out_{device}", nft.EGRESS, device, [_RESETS, *outward])
    if egress:
        made += nft.no_table(nft.INET, TABLE) + nft.no_table(nft.ARP, TABLE)
    else:
        made += _older(gates, token, lease_ms)
    return made


def no_tables() -> list[bytes]:
    """The transaction that takes everything away."""
    return [one for family in (nft.NETDEV, nft.INET, nft.ARP) for one in nft.no_table(family, TABLE)]


def datagram(token: bytes, word: bytes) -> bytes:
    """What the heart sends to itself: RENEW, ACQUIRE or DROP."""
    return token + word


_RESETS = nft.reset() + nft.verdict(nft.ACCEPT)
_CLOSED = nft.lapsed(SET) + nft.verdict(nft.DROP)


def _chain(name: str, hook: int, device: str, rules: Sequence[bytes]) -> list[bytes]:
    return [
        nft.chain(nft.NETDEV, TABLE, name, hook, _PRIORITY, device),
        *(nft.rule(nft.NETDEV, TABLE, name, rule) for rule in rules),
    ]


def _renewal(token: bytes, lease_ms: int, protocol: int) -> list[bytes]:
    mine = nft.protocol(protocol) + nft.transport(nft.UDP) + nft.transport_octets(2, _PORT)
    passes, keeps = nft.verdict(nft.ACCEPT), nft.renew(SET, lease_ms)
    return [
        mine + nft.transport_octets(8, token + RENEW) + nft.alive(SET) + keeps + passes,
        mine + nft.transport_octets(8, token + ACQUIRE) + keeps + passes,
        mine + nft.transport_octets(8, token + DROP) + nft.end(SET) + passes,
        mine + nft.verdict(nft.DROP),
    ]


def _to(ip: bytes) -> list[bytes]:
    if len(ip) == 4:
        return [
            nft.protocol(nft.IP) + nft.network_octets(16, ip) + _CLOSED,
            nft.protocol(nft.ARP_FRAME) + nft.network_octets(24, ip) + _CLOSED,
        ]
    solicited = nft.transport(nft.ICMP6) + nft.transport_octets(0, _SOLICIT) + nft.transport_octets(8, ip)
    return [
        nft.protocol(nft.IP6) + nft.network_octets(24, ip) + _CLOSED,
        nft.protocol(nft.IP6) + solicited + _CLOSED,
    ]


def _from(ip: bytes) -> list[bytes]:
    if len(ip) == 4:
        return [
            nft.protocol(nft.IP) + nft.network_octets(12, ip) + _CLOSED,
            nft.protocol(nft.ARP_FRAME) + nft.network_octets(14, ip) + _CLOSED,
        ]
    advertised = nft.transport(nft.ICMP6) + nft.transport_octets(0, _ADVERT) + nft.transport_octets(8, ip)
    return [
        nft.protocol(nft.IP6) + nft.network_octets(8, ip) + _CLOSED,
        nft.protocol(nft.IP6) + advertised + _CLOSED,
    ]


def _device(ip: bytes, port: int) -> bytes:
    to = nft.protocol(nft.IP) + nft.network_octets(16, ip)
    if len(ip) == 16:
        to = nft.protocol(nft.IP6) + nft.network_octets(24, ip)
    return to + nft.transport(nft.TCP) + nft.transport_octets(2, port.to_bytes(2, "big")) + _CLOSED


def _older(gates: Gates, token: bytes, lease_ms: int) -> list[bytes]:
    """IP on its way out is an INET table's, with a lease of its own that the same datagram renews.

    There the hook's family is the packet's, so two sets of elements would be needed for IPv4 and IPv6: the gate of the
    group's IPv6 addresses is that of the neighbours alone.
    """
    made = [*nft.table_anew(nft.INET, TABLE), nft.lease_set(nft.INET, TABLE, SET)]
    made.append(nft.chain(nft.INET, TABLE, "out", nft.OUTPUT, _OUTPUT_PRIORITY))
    rules = _renewal(token, lease_ms, nft.IP)
    for device in gates.devices:
        leaves = nft.leaves_by(device)
        rules.append(leaves + _RESETS)
        rules += [leaves + rule for ip in gates.group if len(ip) == 4 for rule in _from(ip)[:1]]
        rules += [leaves + _device(*one) for one in gates.field if len(one[0]) == 4]
    made += [nft.rule(nft.INET, TABLE, "out", rule) for rule in rules]
    made += nft.table_anew(nft.ARP, TABLE)
    made.append(nft.chain(nft.ARP, TABLE, "out", nft.ARP_OUTPUT, _OUTPUT_PRIORITY))
    for ip in gates.group:
        if len(ip) == 4:
            asks = nft.network_octets(6, b"\x00\x01") + nft.network_octets(14, ip)
            made.append(nft.rule(nft.ARP, TABLE, "out", asks + nft.verdict(nft.DROP)))
    return made
