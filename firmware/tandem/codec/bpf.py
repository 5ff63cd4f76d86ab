"""Classic BPF (linux/filter.h): programs by which the kernel hands few frames to a packet socket and drops all others.

An instruction is code u16, jump if true u8, jump if false u8 (both count instructions left out), operand u32, in native
byte order. Offsets are those of an Ethernet frame without a VLAN tag.
"""

from __future__ import annotations

import struct

INSTRUCTION = struct.Struct("=HBBI")
LOAD_WORD, LOAD_HALF, LOAD_OCTET, EQUALS, RETURN = 0x20, 0x28, 0x30, 0x15, 0x06
FRAME_OCTETS = 128
"""So much of a frame that passes is handed over."""
_ARP_OPERATION, _ARP_SENDER = 20, 28
_IP6_NEXT, _ICMP6_TYPE, _ND_TARGET = 20, 54, 62
_ICMP6, _ADVERT = 58, 136

Step = tuple[int, int, int, int]
_DROP: Step = (RETURN, 0, 0, 0)
_PASS: Step = (RETURN, 0, 0, FRAME_OCTETS)


def arp_replies() -> bytes:
    """ARP replies alone: a LAN's requests wake nobody."""
    return _program([(LOAD_HALF, 0, 0, _ARP_OPERATION), (EQUALS, 1, 0, 2), _DROP, _PASS])


def arp_claims(ips: list[bytes]) -> bytes:
    """ARP of whatever sort whose sender has one of these IPv4 addresses."""
    looks = [(EQUALS, len(ips) - place, 0, _word(ip, 0)) for place, ip in enumerate(ips)]
    return _program([(LOAD_WORD, 0, 0, _ARP_SENDER), *looks, _DROP, _PASS])


def advert_claims(ips: list[bytes]) -> bytes:
    """Neighbour advertisements for one of these IPv6 addresses, without extension headers before them."""
    steps: list[Step] = [(LOAD_OCTET, 0, 0, _IP6_NEXT), (EQUALS, 1, 0, _ICMP6), _DROP]
    steps += [(LOAD_OCTET, 0, 0, _ICMP6_TYPE), (EQUALS, 1, 0, _ADVERT), _DROP]
    for ip in ips:
        for place in range(4):
            to_next_ip = 2 * (3 - place) + 1
            steps.append((LOAD_WORD, 0, 0, _ND_TARGET + 4 * place))
            steps.append((EQUALS, 0, to_next_ip, _word(ip, place)))
        steps.append(_PASS)
    return _program([*steps, _DROP])


def _word(ip: bytes, place: int) -> int:
    return int.from_bytes(ip[4 * place : 4 * place + 4], "big")


def _program(steps: list[Step]) -> bytes:
    return b"".join(INSTRUCTION.pack(*step) for step in steps)
