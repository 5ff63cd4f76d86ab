"""Frames by which the LAN learns who has an address, and is asked for it: ARP (RFC 826, 5227) and neighbour discovery
(RFC 4861), each a whole Ethernet frame.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_ARP = struct.Struct(">HHBBH6s4s6s4s")
_REQUEST, _REPLY = 1, 2
ETHER_ARP, ETHER_IP6 = 0x0806, 0x86DD
_BROADCAST = b"\xff" * 6
_NOBODY = bytes(6)
_SOLICIT, _ADVERT = 135, 136
_OVERRIDE = 0x2000_0000
_SOURCE_OPTION, _TARGET_OPTION = 1, 2
_ICMP6 = 58
_ALL_NODES = bytes.fromhex("ff02" + 13 * "00" + "01")
_SOLICITED = bytes.fromhex("ff02" + 9 * "00" + "01ff")  # and the last three of the address
_SHORTEST = 60  # without the checksum: what is shorter is padded


class Claim(NamedTuple):
    """Somebody says that it has an address."""

    ip: bytes
    mac: bytes


def announcements(mac: bytes, ip: bytes) -> tuple[bytes, ...]:
    """The frames that say "this address is at this interface", to everybody, unasked."""
    if len(ip) == 16:
        return (_neighbour(mac, ip, _ALL_NODES, _ADVERT, _OVERRIDE, ip, _TARGET_OPTION),)
    return _arp(mac, _REQUEST, ip, ip, _NOBODY), _arp(mac, _REPLY, ip, ip, _BROADCAST)


def probe(mac: bytes, ip: bytes) -> bytes:
    """The frame that asks who has an address, from nobody: it changes no neighbour's table."""
    if len(ip) == 16:
        solicited = _SOLICITED + ip[13:]
        return _neighbour(mac, bytes(16), solicited, _SOLICIT, 0, ip, 0)
    return _arp(mac, _REQUEST, bytes(4), ip, _NOBODY)


def ask(mac: bytes, source: bytes, ip: bytes) -> bytes:
    """The frame with which `source`, of the same family, asks who has an address: the answer comes to it alone."""
    if len(ip) == 16:
        return _neighbour(mac, source, _SOLICITED + ip[13:], _SOLICIT, 0, ip, _SOURCE_OPTION)
    return _arp(mac, _REQUEST, source, ip, _NOBODY)


def claim(frame: bytes) -> Claim | None:
    """Whose address a received frame claims: an ARP of whatever sort with a sender, or a neighbour advertisement."""
    if len(frame) >= 42 and frame[12:20] == b"\x08\x06\x00\x01\x08\x00\x06\x04":
        sender = frame[28:32]
        return Claim(sender, frame[22:28]) if sender != bytes(4) else None
    if len(frame) >= 78 and frame[12:14] == b"\x86\xdd" and frame[20] == _ICMP6 and frame[54] == _ADVERT:
        return Claim(frame[62:78], frame[6:12])
    return None


def _arp(mac: bytes, operation: int, sender: bytes, target: bytes, target_mac: bytes) -> bytes:
    body = _ARP.pack(1, 0x0800, 6, 4, operation, mac, sender, target_mac, target)
    return (_BROADCAST + mac + struct.pack(">H", ETHER_ARP) + body).ljust(_SHORTEST, b"\0")


def _neighbour(mac: bytes, source: bytes, to: bytes, kind: int, flags: int, target: bytes, option: int) -> bytes:
    """`option`: the link-layer address of the source or of the target is in it, or (0) none."""
    link_layer = bytes([option, 1]) + mac if option else b""
    body = struct.pack(">BBHI", kind, 0, 0, flags) + target + link_layer
    pseudo = source + to + struct.pack(">II", len(body), _ICMP6)
    body = body[:2] + struct.pack(">H", _checksum(pseudo + body)) + body[4:]
    head = struct.pack(">IHBB", 6 << 28, len(body), _ICMP6, 255) + source + to
    return b"\x33\x33" + to[12:] + mac + struct.pack(">H", ETHER_IP6) + head + body


def _checksum(octets: bytes) -> int:
    total: int = sum(struct.unpack(f">{len(octets) // 2}H", octets))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF
