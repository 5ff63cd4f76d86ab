"""From captured packets to TCP streams: link and IP headers off, segments in the order of their numbers.

Understood are Ethernet (VLAN tags too), Linux cooked v1 and v2, loopback and raw IP; IPv4 and IPv6. Never raises.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass, field

from tandem.codec.pcap import Packet

HELD_MAX = 64
"""Segments held while an earlier one is missing; with more the missing one is taken for lost."""

_IPV4, _IPV6, _VLAN = 0x0800, 0x86DD, (0x8100, 0x88A8, 0x9100)
_ETHERNET, _COOKED, _COOKED_2, _NULL, _LOOP = 1, 113, 276, 0, 108
_RAW = (12, 14, 101, 228, 229)
_TCP = 6
_EXTENSIONS = (0, 43, 60)  # hop-by-hop, routing, destination options: RFC 8200 4
_FRAGMENT = 44
_FIN, _SYN, _RST, _ACK = 1, 2, 4, 16
_HALF = 1 << 31
_MASK = (1 << 32) - 1


@dataclass(slots=True, frozen=True)
class Segment:
    """One TCP segment; `cut` octets of its payload were not captured."""

    packet: int
    time_us: int
    source: tuple[str, int]
    target: tuple[str, int]
    number: int
    flags: int
    payload: bytes
    cut: int = 0

    @property
    def opens(self) -> bool:
        """True for the first segment of a connection: its target is the server."""
        return self.flags & (_SYN | _ACK) == _SYN

    @property
    def starts(self) -> bool:
        """True for the first segment of a direction."""
        return bool(self.flags & _SYN)


@dataclass(slots=True, frozen=True)
class Piece:
    """The next octets of a direction, after `lost` octets that the capture does not have."""

    packet: int
    time_us: int
    octets: bytes
    lost: int = 0


def segment(packet: Packet) -> Segment | str | None:
    """The TCP segment in a packet; None when it carries none; a sentence when it is damaged."""
    octets = packet.octets
    kind, at = _network(packet.link, octets)
    if kind == _IPV4:
        return _ipv4(packet, octets[at:])
    if kind == _IPV6:
        return _ipv6(packet, octets[at:])
    return f"link type {packet.link} is not known here" if kind < 0 else None


def _network(link: int, octets: bytes) -> tuple[int, int]:
    """(EtherType, where the network layer begins); -1 for an unknown link type, 0 for no IP."""
    if link == _ETHERNET:
        at = 12
        while int.from_bytes(octets[at : at + 2], "big") in _VLAN:
            at += 4
        return int.from_bytes(octets[at : at + 2], "big"), at + 2
    if link == _COOKED:
        return int.from_bytes(octets[14:16], "big"), 16
    if link == _COOKED_2:
        return int.from_bytes(octets[0:2], "big"), 20
    if link in _RAW or link in (_NULL, _LOOP):
        at = 4 if link in (_NULL, _LOOP) else 0
        version = octets[at] >> 4 if len(octets) > at else 0
        return {4: _IPV4, 6: _IPV6}.get(version, 0), at
    return -1, 0


def _ipv4(packet: Packet, octets: bytes) -> Segment | str | None:
    size = (octets[0] & 15) * 4 if octets else 0
    if size < 20 or len(octets) < size:
        return "an IPv4 header that is cut off or too short"
    if octets[9] != _TCP:
        return None
    if int.from_bytes(octets[6:8], "big") & 0x3FFF:
        return "a fragment of an IPv4 packet; fragments are not put together here"
    total = int.from_bytes(octets[2:4], "big") or len(octets) + packet.cut  # 0: segmentation offload
    return _tcp(packet, octets[size:total], total - size, octets[12:16], octets[16:20])


def _ipv6(packet: Packet, octets: bytes) -> Segment | str | None:
    if len(octets) < 40:
        return "an IPv6 header that is cut off"
    total = 40 + (int.from_bytes(octets[4:6], "big") or len(octets) - 40 + packet.cut)
    after, at = octets[6], 40
    while after in _EXTENSIONS and at + 2 <= len(octets):
        after, at = octets[at], at + 8 + octets[at + 1] * 8
    if after == _FRAGMENT:
        return "a fragment of an IPv6 packet; fragments are not put together here"
    if after != _TCP:
        return None
    return _tcp(packet, octets[at:total], total - at, octets[8:24], octets[24:40])


def _tcp(packet: Packet, octets: bytes, length: int, source: bytes, target: bytes) -> Segment | str:
    """`length` is what the IP header promises from the TCP header on."""
    offset = (octets[12] >> 4) * 4 if len(octets) >= 20 else 0
    if offset < 20 or len(octets) < offset:
        return "a TCP header that is cut off or too short"
    here, there, number = struct.unpack_from(">HHI", octets)
    ends = (str(ipaddress.ip_address(source)), here), (str(ipaddress.ip_address(target)), there)
    cut = max(0, length - len(octets))
    return Segment(packet.number, packet.time_us, *ends, number, octets[13], octets[offset:], cut)


@dataclass(slots=True)
class Direction:
    """One direction of a connection: segments in, octets out in order; what was sent again is dropped and counted."""

    repeated: int = 0
    _next: int | None = None
    _held: list[Segment] = field(default_factory=list)

    def feed(self, part: Segment) -> list[Piece]:
        """The octets that this segment completes."""
        if part.starts:
            pieces = self.finish()
            self._next = (part.number + 1) & _MASK
            if part.payload:
                pieces += self._take(part, part.payload, 0)
            return pieces
        if not part.payload and not part.cut:
            return []
        if self._next is None:
            self._next = part.number
        self._held.append(part)
        pieces = self._ready()
        while len(self._held) > HELD_MAX:
            pieces += self._skip()
        return pieces

    def finish(self) -> list[Piece]:
        """The capture or the connection ends: what was held comes out, with its gaps."""
        pieces: list[Piece] = []
        while self._held:
            pieces += self._skip()
        return pieces

    def _ahead(self, part: Segment) -> int:
        """How far the segment begins after the next octet; negative: before it."""
        return ((part.number - (self._next or 0) + _HALF) & _MASK) - _HALF

    def _ready(self) -> list[Piece]:
        pieces: list[Piece] = []
        found = True
        while found:
            found = False
            for part in self._held:
                ahead = self._ahead(part)
                if ahead > 0:
                    continue
                self._held.remove(part)
                found = True
                if len(part.payload) + part.cut <= -ahead:
                    self.repeated += 1
                else:
                    pieces += self._take(part, part.payload[-ahead:], max(0, -ahead - len(part.payload)))
                break
        return pieces

    def _take(self, part: Segment, payload: bytes, cut_before: int) -> list[Piece]:
        cut = part.cut - cut_before
        self._next = ((self._next or 0) + len(payload) + cut) & _MASK
        pieces = [Piece(part.packet, part.time_us, payload)] if payload else []
        if cut > 0:
            pieces.append(Piece(part.packet, part.time_us, b"", cut))
        return pieces

    def _skip(self) -> list[Piece]:
        """The oldest missing octets are lost: go on with the nearest segment that is held."""
        part = min(self._held, key=self._ahead)
        lost = max(0, self._ahead(part))
        self._next = part.number if lost else self._next
        gap = [Piece(part.packet, part.time_us, b"", lost)] if lost else []
        return gap + self._ready()
