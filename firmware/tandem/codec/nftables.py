"""nf_tables messages: tables, a set whose elements end by themselves, chains at network devices, rules of expressions.

The kernel's own vocabulary (linux/netfilter/nf_tables.h), without the nft program: one process less at a start, and
expressions that its language does not have. `nft list ruleset` shows what was loaded.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from tandem.codec.netlink import ACK, APPEND, CREATE, DUMP, attribute, message, nested

NETDEV, INET, ARP = 5, 1, 3
INGRESS, EGRESS, OUTPUT, ARP_OUTPUT = 0, 1, 3, 1
_GENERATION = struct.Struct(">BBH")  # family, version, resource
_SUBSYSTEM = 10 << 8
_BEGIN, _END = 0x10, 0x11
_NEW_TABLE, _DEL_TABLE, _NEW_CHAIN, _GET_CHAIN, _NEW_RULE, _GET_RULE, _NEW_SET = 0, 2, 3, 4, 6, 7, 9
GROUP_NFTABLES = 1 << (7 - 1)
"""Multicast group: whatever somebody changes in any table."""
NEW_GENERATION = _SUBSYSTEM | 15
_SET_TIMEOUT, _SET_EVAL, _TYPE_NFPROTO = 0x10, 0x20, 2
_ACCEPT = 1
_NETWORK_LAYER, _TRANSPORT = 1, 2
_META_PROTOCOL, _META_OIF_NAME, _META_NFPROTO, _META_L4 = 1, 7, 15, 16
_REGISTER = struct.pack(">I", 1)
_EQUAL, _UNEQUAL = 0, 1
_UPDATE, _DELETE = 1, 2
_NAME_OCTETS = 16
IP, ARP_FRAME, IP6 = 0x0800, 0x0806, 0x86DD
TCP, UDP, ICMP6 = 6, 17, 58
DROP, ACCEPT = 0, 1


def _u32(value: int) -> bytes:
    return struct.pack(">I", value)


def _text(text: str) -> bytes:
    return text.encode() + b"\0"


def _of(kind: int, flags: int, family: int, body: bytes, sequence: int = 0) -> bytes:
    return message(_SUBSYSTEM | kind, flags, sequence, _GENERATION.pack(family, 0, 0) + body)


# --- expressions ------------------------------------------------------------------------------------------------------


def _expression(name: str, *values: bytes) -> bytes:
    return nested(1, attribute(1, _text(name)), nested(2, *values))


def _meta(key: int) -> bytes:
    return _expression("meta", attribute(2, _u32(key)), attribute(1, _REGISTER))


def _payload(base: int, offset: int, size: int) -> bytes:
    values = (attribute(1, _REGISTER), attribute(2, _u32(base)), attribute(3, _u32(offset)), attribute(4, _u32(size)))
    return _expression("payload", *values)


def _compare(octets: bytes, how: int = _EQUAL) -> bytes:
    return _expression("cmp", attribute(1, _REGISTER), attribute(2, _u32(how)), nested(3, attribute(1, octets)))


def protocol(ether_type: int) -> bytes:
    """Frames of this type: IP, ARP_FRAME, IP6."""
    return _meta(_META_PROTOCOL) + _compare(struct.pack(">H", ether_type))


def transport(number: int) -> bytes:
    """TCP, UDP or ICMP6."""
    return _meta(_META_L4) + _compare(bytes([number]))


def leaves_by(device: str) -> bytes:
    """Packets that are sent by this interface, where the chain is not the interface's own."""
    return _meta(_META_OIF_NAME) + _compare(device.encode().ljust(_NAME_OCTETS, b"\0"))


def network_octets(offset: int, octets: bytes) -> bytes:
    """These octets from `offset` of the network header (of an ARP frame: of its content)."""
    return _payload(_NETWORK_LAYER, offset, len(octets)) + _compare(octets)


def transport_octets(offset: int, octets: bytes) -> bytes:
    """These octets from `offset` of the transport header."""
    return _payload(_TRANSPORT, offset, len(octets)) + _compare(octets)


def reset() -> bytes:
    """TCP segments that reset."""
    mask = nested(4, attribute(1, b"\x04")), nested(5, attribute(1, b"\x00"))
    bits = attribute(1, _REGISTER), attribute(2, _REGISTER), attribute(3, _u32(1)), *mask
    return transport(TCP) + _payload(_TRANSPORT, 13, 1) + _expression("bitwise", *bits) + _compare(b"\x00", _UNEQUAL)


def _key() -> bytes:
    """The one key of the lease's set: the hook's own family, the same for each packet of a table."""
    return _meta(_META_NFPROTO)


def alive(lease: str) -> bytes:
    """While the lease lives."""
    return _key() + _expression("lookup", attribute(1, _text(lease)), attribute(2, _REGISTER))


def lapsed(lease: str) -> bytes:
    """While the lease does not live."""
    return _key() + _expression("lookup", attribute(1, _text(lease)), attribute(2, _REGISTER), attribute(5, _u32(1)))


def renew(lease: str, ms: int) -> bytes:
    """The lease lives for so long from now on."""
    values = attribute(1, _text(lease)), attribute(3, _u32(_UPDATE)), attribute(4, _REGISTER)
    return _key() + _expression("dynset", *values, attribute(6, struct.pack(">Q", ms)))


def end(lease: str) -> bytes:
    """The lease ends now."""
    values = attribute(1, _text(lease)), attribute(3, _u32(_DELETE)), attribute(4, _REGISTER)
    return _key() + _expression("dynset", *values)


def verdict(code: int) -> bytes:
    """DROP or ACCEPT: the end of a rule."""
    return _expression("immediate", attribute(1, _u32(0)), nested(2, nested(2, attribute(1, struct.pack(">i", code)))))


# --- objects ----------------------------------------------------------------------------------------------------------


def table_anew(family: int, table: str) -> list[bytes]:
    """The table, empty, whatever was there."""
    name = attribute(1, _text(table))
    new = _of(_NEW_TABLE, CREATE, family, name)
    return [new, _of(_DEL_TABLE, 0, family, name), new]


def no_table(family: int, table: str) -> list[bytes]:
    """No such table."""
    name = attribute(1, _text(table))
    return [_of(_NEW_TABLE, CREATE, family, name), _of(_DEL_TABLE, 0, family, name)]


def lease_set(family: int, table: str, name: str) -> bytes:
    """A set of one element that ends by itself."""
    flags = attribute(3, _u32(_SET_TIMEOUT | _SET_EVAL))
    key = attribute(4, _u32(_TYPE_NFPROTO)) + attribute(5, _u32(1))
    size = nested(9, attribute(1, _u32(4)))
    body = attribute(1, _text(table)) + attribute(2, _text(name)) + flags + key + attribute(10, _u32(1)) + size
    return _of(_NEW_SET, CREATE, family, body)


def chain(family: int, table: str, name: str, hook: int, priority: int, device: str = "") -> bytes:
    """A chain at a hook, of an interface in family NETDEV; what no rule drops is accepted."""
    where = attribute(1, _u32(hook)) + attribute(2, struct.pack(">i", priority))
    if device:
        where += attribute(3, _text(device))
    body = attribute(1, _text(table)) + attribute(3, _text(name)) + nested(4, where)
    return _of(_NEW_CHAIN, CREATE, family, body + attribute(7, _text("filter")) + attribute(5, _u32(_ACCEPT)))


def rule(family: int, table: str, of: str, *expressions: bytes) -> bytes:
    """One rule, behind those that the chain `of` has."""
    body = attribute(1, _text(table)) + attribute(2, _text(of)) + nested(4, *expressions)
    return _of(_NEW_RULE, CREATE | APPEND, family, body)


def batch(objects: Sequence[bytes]) -> list[bytes]:
    """The messages of one transaction, each numbered by its place from 1 and acknowledged: all of it or nothing."""
    begin = message(_BEGIN, 0, 0, _GENERATION.pack(0, 0, 10))
    last = message(_END, 0, 0, _GENERATION.pack(0, 0, 10))
    numbered = [_numbered(one, place) for place, one in enumerate(objects, 1)]
    return [begin, *numbered, last]


def _numbered(one: bytes, place: int) -> bytes:
    size, kind, flags, _, port = struct.unpack_from("=IHHII", one)
    return struct.pack("=IHHII", size, kind, flags | ACK, place, port) + one[16:]


def questions(family: int, table: str) -> list[bytes]:
    """Dumps that say what a table is, as it was loaded. Its set is held by its rules, and counts what lives in it."""
    name = attribute(1, _text(table))
    return [_of(kind, DUMP, family, name, 1) for kind in (_GET_CHAIN, _GET_RULE)]


def unnumbered(kind: int, body: bytes) -> bytes:
    """A message of a dump without what differs from one dump to the next."""
    return bytes([kind & 0xFF]) + body[_GENERATION.size :]
