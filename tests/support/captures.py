"""Makes capture files for tests: packets in every wrapping that the reader knows, from plain TCP payloads."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

SYN, ACK, PUSH = 2, 16, 24


class Tcp(NamedTuple):
    """One segment to capture."""

    source: tuple[str, int]
    target: tuple[str, int]
    number: int
    payload: bytes = b""
    flags: int = PUSH


def packet(part: Tcp) -> bytes:
    """The IP packet of a segment; IPv6 where the addresses are. Checksums are 0, as with offloading."""
    tcp = struct.pack(">HHIIBBHHH", part.source[1], part.target[1], part.number, 0, 0x50, part.flags, 8192, 0, 0)
    body = tcp + part.payload
    if ":" in part.source[0]:
        ends = socket.inet_pton(socket.AF_INET6, part.source[0]) + socket.inet_pton(socket.AF_INET6, part.target[0])
        return struct.pack(">IHBB", 6 << 28, len(body), 6, 64) + ends + body
    ends = socket.inet_aton(part.source[0]) + socket.inet_aton(part.target[0])
    return struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 0, 0x4000, 64, 6, 0) + ends + body


def link(octets: bytes, kind: int, vlan: bool = False) -> bytes:
    """An IP packet under the header of a link type."""
    ether = b"\x86\xdd" if octets[0] >> 4 == 6 else b"\x08\x00"
    heads = {
        1: bytes(12) + (b"\x81\x00\x00\x07" if vlan else b"") + ether,
        113: bytes(14) + ether,
        276: ether + bytes(18),
        0: b"\x02\0\0\0",
        101: b"",
    }
    return heads[kind] + octets


def pcap(frames: list[bytes], kind: int = 1, order: str = "<", nano: bool = False, kept: int = 65535) -> bytes:
    """A classic capture; packet n at n milliseconds past 1,000 s."""
    magic, scale = (0xA1B23C4D, 1_000_000) if nano else (0xA1B2C3D4, 1_000)
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, kept, kind)
    for n, frame in enumerate(frames, 1):
        out += struct.pack(order + "IIII", 1_000, n * scale, len(frame[:kept]), len(frame)) + frame[:kept]
    return out


def pcapng(frames: list[bytes], kind: int = 1, order: str = "<", resolution: int | None = None) -> bytes:
    """The same as pcapng, every third packet in a simple block, with a block of no interest before."""
    options = b"" if resolution is None else struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
    blocks = [
        (0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1)),
        (1, struct.pack(order + "HHI", kind, 0, 65535) + options),
        (5, bytes(12)),
    ]
    ticks = {None: 1_000_000, 9: 1_000_000_000, 0x8A: 1024}[resolution]
    for n, frame in enumerate(frames, 1):
        stamp = 1_000 * ticks + n * ticks // 1000
        padded = frame + bytes(-len(frame) % 4)
        if n % 3:
            head = struct.pack(order + "IIIII", 0, stamp >> 32, stamp & 0xFFFFFFFF, len(frame), len(frame))
            blocks.append((6, head + padded))
        else:
            blocks.append((3, struct.pack(order + "I", len(frame)) + padded))
    out = b""
    for number, body in blocks:
        size = struct.pack(order + "I", len(body) + 12)
        out += struct.pack(order + "I", number) + size + body + size
    return out
