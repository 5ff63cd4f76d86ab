"""Capture files, classic pcap and pcapng, in both byte orders: octets to packets. Never raises, whatever the octets."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

PACKET_MAX = 1 << 20
"""A packet record that says it is longer than this is taken for a damaged file."""

_CLASSIC = {  # magic in file order: (byte order of the rest, parts of a second)
    b"\xa1\xb2\xc3\xd4": (">", 1_000_000),
    b"\xd4\xc3\xb2\xa1": ("<", 1_000_000),
    b"\xa1\xb2\x3c\x4d": (">", 1_000_000_000),
    b"\x4d\x3c\xb2\xa1": ("<", 1_000_000_000),
}
_SECTION = b"\x0a\x0d\x0d\x0a"
_ORDERS = {b"\x1a\x2b\x3c\x4d": ">", b"\x4d\x3c\x2b\x1a": "<"}
_INTERFACE, _OLD_PACKET, _SIMPLE, _PACKET = 1, 2, 3, 6
_OPTION_END, _OPTION_TSRESOL = 0, 9
_MICROSECONDS = 6


@dataclass(slots=True, frozen=True)
class Packet:
    """One captured packet: `number` from 1, UTC microseconds, its link type (LINKTYPE_ value), its octets.

    `cut` octets of it were not captured.
    """

    number: int
    time_us: int
    link: int
    octets: bytes
    cut: int = 0


@dataclass(slots=True, frozen=True)
class Fault:
    """What is wrong with the file, and where: always the last of what it gives."""

    sentence: str


def packets(octets: bytes) -> Iterator[Packet | Fault]:
    """The packets of a capture file, in order."""
    if octets[:4] in _CLASSIC:
        return _classic(octets)
    if octets[:4] == _SECTION:
        return _pcapng(octets)
    begin = octets[:4].hex(" ") or "nothing"
    return iter((Fault(f"it is no capture: it begins with {begin}; give a pcap or pcapng file"),))


def _classic(octets: bytes) -> Iterator[Packet | Fault]:
    order, parts = _CLASSIC[octets[:4]]
    if len(octets) < 24:
        yield Fault(f"the file header is cut off after {len(octets)} of 24 octets")
        return
    link = struct.unpack_from(order + "I", octets, 20)[0] & 0xFFFF
    head = struct.Struct(order + "IIII")
    at, number = 24, 0
    while at < len(octets):
        number += 1
        if at + 16 > len(octets):
            yield Fault(f"packet {number} at octet {at}: its header is cut off")
            return
        seconds, fraction, kept, length = head.unpack_from(octets, at)
        end = at + 16 + kept
        if kept > PACKET_MAX or end > len(octets):
            yield Fault(f"packet {number} at octet {at}: it has {kept} octets, {len(octets) - at - 16} are left")
            return
        time_us = seconds * 1_000_000 + fraction * 1_000_000 // parts
        yield Packet(number, time_us, link, octets[at + 16 : end], max(0, length - kept))
        at = end


def _pcapng(octets: bytes) -> Iterator[Packet | Fault]:
    reader = _Blocks()
    at = 0
    while at < len(octets):
        if octets[at : at + 4] == _SECTION:
            reader.order = _ORDERS.get(octets[at + 8 : at + 12], "")
            reader.interfaces = []
        if not reader.order or at + 12 > len(octets):
            yield Fault(f"the block at octet {at} is cut off or of no known byte order")
            return
        kind, size = struct.unpack_from(reader.order + "II", octets, at)
        if size < 12 or size % 4 or at + size > len(octets):
            yield Fault(f"the block at octet {at} gives its size as {size}, {len(octets) - at} octets are left")
            return
        found = reader.block(kind, octets[at + 8 : at + size - 4])
        if isinstance(found, str):
            yield Fault(f"the block at octet {at}: {found}")
            return
        if found:
            yield found
        at += size


class _Blocks:
    """The state of one pcapng section: its byte order, and its interfaces as (link type, time resolution)."""

    def __init__(self) -> None:
        self.order = ""
        self.interfaces: list[tuple[int, int]] = []
        self.number = 0

    def block(self, kind: int, body: bytes) -> Packet | str | None:
        """A packet, a sentence that ends the reading, or None for a block of no interest here."""
        if kind == _INTERFACE:
            return self._interface(body)
        if kind in (_PACKET, _OLD_PACKET):
            return self._packet(body, kind == _OLD_PACKET)
        return self._simple(body) if kind == _SIMPLE else None

    def _interface(self, body: bytes) -> str | None:
        if len(body) < 8:
            return "an interface without a link type"
        self.interfaces.append((struct.unpack_from(self.order + "H", body)[0], self._resolution(body[8:])))
        return None

    def _resolution(self, options: bytes) -> int:
        at = 0
        while at + 4 <= len(options):
            code, size = struct.unpack_from(self.order + "HH", options, at)
            if code == _OPTION_END:
                break
            if code == _OPTION_TSRESOL and size == 1 and at + 4 < len(options):
                return options[at + 4]
            at += 4 + (size + 3 & ~3)
        return _MICROSECONDS

    def _packet(self, body: bytes, old: bool) -> Packet | str:
        if len(body) < 20:
            return "a packet without its header"
        form = "HHIIII" if old else "IIIII"
        interface, *_drops, high, low, kept, length = struct.unpack_from(self.order + form, body)
        if interface >= len(self.interfaces):
            return f"a packet of interface {interface}, which the file does not describe"
        if kept > len(body) - 20:
            return f"a packet of {kept} octets in a block with room for {len(body) - 20}"
        link, resolution = self.interfaces[interface]
        self.number += 1
        time_us = _microseconds(high << 32 | low, resolution)
        return Packet(self.number, time_us, link, body[20 : 20 + kept], max(0, length - kept))

    def _simple(self, body: bytes) -> Packet | str:
        if len(body) < 4 or not self.interfaces:
            return "a packet without its header or interface"
        length = struct.unpack_from(self.order + "I", body)[0]
        self.number += 1
        kept = min(length, len(body) - 4)
        return Packet(self.number, 0, self.interfaces[0][0], body[4 : 4 + kept], length - kept)


def _microseconds(ticks: int, resolution: int) -> int:
    """`resolution` as pcapng writes it: a power of ten, or with the highest bit set a power of two."""
    if resolution & 0x80:
        return ticks * 1_000_000 >> (resolution & 0x7F)
    return ticks * 1_000_000 // int(10**resolution)
