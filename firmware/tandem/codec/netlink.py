"""Netlink messages: what the heart asks of addresses, routes and links, and what the kernel tells of links.

    message   length u32, type u16, flags u16, sequence u32, port u32, then the body, padded to 4
    attribute length u16, type u16, then the value, padded to 4

Native byte order, as the kernel has it (linux/netlink.h, linux/rtnetlink.h, linux/if_link.h). Only what is needed is
here: a library for all of netlink would keep several megabytes resident in the heart's locked memory.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

HEAD = struct.Struct("=IHHII")
_ATTRIBUTE = struct.Struct("=HH")
_ADDRESS = struct.Struct("=BBBBI")  # family, prefix, flags, scope, interface number
_ROUTE = struct.Struct("=BBBBBBBBI")  # family, to, from, tos, table, protocol, scope, type, flags
_LINK = struct.Struct("=BxHiII")  # family, hardware type, index, flags, change
_NEIGHBOUR = struct.Struct("=BxxxiHBB")  # family, interface number, state, flags, type
_CACHE = struct.Struct("=IIII")  # preferred and valid lifetime, times of creation and change
_ERROR = struct.Struct("=i")

REQUEST, ACK, DUMP = 0x1, 0x4, 0x300
REPLACE, EXCLUSIVE, CREATE, APPEND = 0x100, 0x200, 0x400, 0x800
NESTED = 0x8000
ERROR, DONE = 2, 3
NEW_LINK, DEL_LINK, GET_LINK = 16, 17, 18
NEW_ADDRESS, DEL_ADDRESS, GET_ADDRESS = 20, 21, 22
NEW_ROUTE, DEL_ROUTE, NEW_RULE, DEL_RULE = 24, 25, 32, 33
NEW_NEIGHBOUR, GET_NEIGHBOUR = 28, 30
GROUP_LINK, GROUP_ADDRESS4, GROUP_ADDRESS6 = 0x1, 0x10, 0x100
"""Multicast groups to bind to."""

OURS = 0x54
"""Marks an address (IFA_PROTO, kernel 5.18) and a route as the heart's: what bears it may be cleared by anybody."""
_IFA_ADDRESS, _IFA_LOCAL, _IFA_CACHE, _IFA_FLAGS, _IFA_PROTO = 1, 2, 6, 8, 11
_IFA_NODAD, _IFA_NOPREFIXROUTE = 0x02, 0x200
_RTA_TO, _RTA_OIF, _RTA_VIA, _RTA_SOURCE, _RTA_TABLE, _RTA_PRIORITY = 1, 4, 5, 7, 15, 6
_NDA_IP, _NDA_MAC = 1, 2
_FRA_SOURCE, _FRA_PRIORITY, _FRA_TABLE = 2, 6, 15
_TO_TABLE = 1
_IFLA_ADDRESS, _IFLA_NAME, _IFLA_LINK, _IFLA_INFO = 1, 3, 5, 18
_INFO_KIND, _INFO_DATA, _VLAN_ID = 1, 2, 1
UP, LOWER_UP = 0x1, 0x10000
_FOREVER = 0xFFFF_FFFF
RULE_PRIORITY = 0x5400
_INET, _INET6 = 2, 10


class Link(NamedTuple):
    """An interface. `carrier`: it is up and its cable carries; `gone`: it was removed; `mac`: 6 octets or b""."""

    number: int
    name: str
    carrier: bool
    mac: bytes
    gone: bool


class InterfaceAddress(NamedTuple):
    """An address of an interface as the kernel tells it; `ours`: marked by a heart; `gone`: it was removed."""

    number: int
    ip: bytes
    prefix: int
    ours: bool
    gone: bool


def family(ip: bytes) -> int:
    """AF_INET or AF_INET6 of an address's octets."""
    return _INET6 if len(ip) == 16 else _INET


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded."""
    return _ATTRIBUTE.pack(4 + len(value), kind) + value + bytes(-len(value) % 4)


def nested(kind: int, *attributes: bytes) -> bytes:
    """Attributes within one."""
    return attribute(kind | NESTED, b"".join(attributes))


def message(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """One request, padded."""
    return HEAD.pack(HEAD.size + len(body), kind, flags | REQUEST, sequence, 0) + body + bytes(-len(body) % 4)


def messages(octets: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(type, sequence, body) of each message of a datagram; ends at the first that is cut short."""
    at = 0
    while at + HEAD.size <= len(octets):
        size, kind, _, sequence, _ = HEAD.unpack_from(octets, at)
        if size < HEAD.size or at + size > len(octets):
            return
        yield kind, sequence, octets[at + HEAD.size : at + size]
        at += size + 3 & ~3


def attributes(octets: bytes, at: int = 0) -> dict[int, bytes]:
    """Attributes by type, flags of the type left out; ends at the first that is cut short."""
    found: dict[int, bytes] = {}
    while at + 4 <= len(octets):
        size, kind = _ATTRIBUTE.unpack_from(octets, at)
        if size < 4 or at + size > len(octets):
            break
        found[kind & 0x3FFF] = octets[at + 4 : at + size]
        at += size + 3 & ~3
    return found


def error_of(body: bytes) -> int:
    """errno of an ERROR message's body, 0: carried out."""
    return -int(_ERROR.unpack_from(body)[0]) if len(body) >= 4 else 0


# --- addresses --------------------------------------------------------------------------------------------------------


def add_address(index: int, ip: bytes, prefix: int, sequence: int, marked: bool = True) -> bytes:
    """Add a group address without duplicate address detection.

    It brings no route of its own, and an IPv6 one is deprecated from the start: nobody sends from it who did not bind
    to it.
    """
    six = len(ip) == 16
    flags = _IFA_NOPREFIXROUTE | (_IFA_NODAD if six else 0)
    parts = [attribute(_IFA_LOCAL, ip), attribute(_IFA_ADDRESS, ip)]
    parts.append(attribute(_IFA_FLAGS, struct.pack("=I", flags)))
    if six:
        parts.append(attribute(_IFA_CACHE, _CACHE.pack(0, _FOREVER, 0, 0)))
    if marked:
        parts.append(attribute(_IFA_PROTO, bytes([OURS])))
    body = _ADDRESS.pack(family(ip), prefix, flags & 0xFF, 0, index) + b"".join(parts)
    return message(NEW_ADDRESS, ACK | CREATE | REPLACE, sequence, body)


def remove_address(index: int, ip: bytes, prefix: int, sequence: int) -> bytes:
    """Remove an address of an interface."""
    body = _ADDRESS.pack(family(ip), prefix, 0, 0, index) + attribute(_IFA_LOCAL, ip)
    return message(DEL_ADDRESS, ACK, sequence, body + attribute(_IFA_ADDRESS, ip))


def list_addresses(sequence: int) -> bytes:
    """Ask for every address of every interface."""
    return message(GET_ADDRESS, DUMP, sequence, _ADDRESS.pack(0, 0, 0, 0, 0))


def read_address(kind: int, body: bytes) -> InterfaceAddress | None:
    """What a NEW_ADDRESS or DEL_ADDRESS message says; None for what cannot be read."""
    if kind not in (NEW_ADDRESS, DEL_ADDRESS) or len(body) < _ADDRESS.size:
        return None
    of, prefix, _, _, index = _ADDRESS.unpack_from(body)
    found = attributes(body, _ADDRESS.size)
    octets = found.get(_IFA_LOCAL, found.get(_IFA_ADDRESS, b""))
    if len(octets) != {_INET: 4, _INET6: 16}.get(of, -1):
        return None
    ours = found.get(_IFA_PROTO) == bytes([OURS])
    return InterfaceAddress(index, octets, prefix, ours, kind == DEL_ADDRESS)


# --- routes -----------------------------------------------------------------------------------------------------------


def add_route(index: int, to: bytes, length: int, via: bytes, source: bytes, table: int, sequence: int) -> bytes:
    """A route of a table to the network `to` of this prefix length; `via` a router, b"" for what is on the LAN."""
    parts = [attribute(_RTA_TABLE, struct.pack("=I", table)), attribute(_RTA_OIF, struct.pack("=I", index))]
    if length:
        parts.append(attribute(_RTA_TO, to))
    if via:
        parts.append(attribute(_RTA_VIA, via))
    if source:
        parts.append(attribute(_RTA_SOURCE, source))
    scope = 0 if via or len(to) == 16 else 253  # universe, or link
    body = _ROUTE.pack(family(to), length, 0, 0, 0, OURS, scope, 1, 0) + b"".join(parts)
    return message(NEW_ROUTE, ACK | CREATE | REPLACE, sequence, body)


def rule(add: bool, source: bytes, table: int, sequence: int) -> bytes:
    """Whatever is sent from `source` goes by the routes of `table`."""
    parts = attribute(_FRA_SOURCE, source) + attribute(_FRA_TABLE, struct.pack("=I", table))
    parts += attribute(_FRA_PRIORITY, struct.pack("=I", RULE_PRIORITY))
    body = _ROUTE.pack(family(source), 0, 8 * len(source), 0, 0, 0, 0, _TO_TABLE, 0) + parts
    return message(NEW_RULE if add else DEL_RULE, ACK | (CREATE | EXCLUSIVE if add else 0), sequence, body)


# --- neighbours -------------------------------------------------------------------------------------------------------


def get_neighbour(index: int, ip: bytes, sequence: int) -> bytes:
    """Ask what the kernel knows of one neighbour (since 5.0); what it does not know is an error, ENOENT."""
    return message(GET_NEIGHBOUR, 0, sequence, _NEIGHBOUR.pack(family(ip), index, 0, 0, 0) + attribute(_NDA_IP, ip))


def read_neighbour(kind: int, body: bytes) -> bytes:
    """A neighbour's link-layer address, 6 octets; b"" where the kernel has none, or what cannot be read."""
    if kind != NEW_NEIGHBOUR or len(body) < _NEIGHBOUR.size:
        return b""
    mac = attributes(body, _NEIGHBOUR.size).get(_NDA_MAC, b"")
    return mac if len(mac) == 6 else b""


# --- links ------------------------------------------------------------------------------------------------------------


def list_links(sequence: int) -> bytes:
    """Ask for every interface."""
    return message(GET_LINK, DUMP, sequence, _LINK.pack(0, 0, 0, 0, 0))


def link_up(index: int, sequence: int) -> bytes:
    """Bring an interface up."""
    return message(NEW_LINK, ACK, sequence, _LINK.pack(0, 0, index, UP, UP))


def add_vlan(parent: int, name: str, tag: int, sequence: int) -> bytes:
    """Make the 802.1Q interface `name` of this tag on the interface `parent`, and bring it up."""
    data = nested(_INFO_DATA, attribute(_VLAN_ID, struct.pack("=H", tag)))
    info = nested(_IFLA_INFO, attribute(_INFO_KIND, b"vlan\0"), data)
    parts = attribute(_IFLA_NAME, name.encode() + b"\0") + attribute(_IFLA_LINK, struct.pack("=I", parent)) + info
    return message(NEW_LINK, ACK | CREATE | EXCLUSIVE, sequence, _LINK.pack(0, 0, 0, UP, UP) + parts)


def read_link(kind: int, body: bytes) -> Link | None:
    """What a NEW_LINK or DEL_LINK message says; None for what cannot be read."""
    if kind not in (NEW_LINK, DEL_LINK) or len(body) < _LINK.size:
        return None
    _, _, index, flags, _ = _LINK.unpack_from(body)
    found = attributes(body, _LINK.size)
    name = found.get(_IFLA_NAME, b"").rstrip(b"\0").decode(errors="replace")
    gone = kind == DEL_LINK
    carrier = not gone and flags & (UP | LOWER_UP) == UP | LOWER_UP
    mac = found.get(_IFLA_ADDRESS, b"")
    return Link(index, name, carrier, mac if len(mac) == 6 else b"", gone)
