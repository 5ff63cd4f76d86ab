"""A capture of TCP conversations without root: what a pump passed, under synthetic Ethernet, IP and TCP headers."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

_SYN, _ACK, _PUSH, _FIN = 2, 16, 8, 1
End = tuple[str, int]


class PcapWriter:
    """Conversations over IPv4; each has its own sequence numbers, a handshake and a farewell, as tshark expects."""

    def __init__(self) -> None:
        self._frames: list[bytes] = []
        self._next: dict[tuple[End, End], int] = {}

    def opened(self, client: End, server: End, ms: int) -> None:
        """The three-way handshake."""
        self._next[client, server], self._next[server, client] = 1000, 5000
        self._segment(client, server, _SYN, b"", ms, 1)
        self._segment(server, client, _SYN | _ACK, b"", ms, 1)
        self._segment(client, server, _ACK, b"", ms)

    def passed(self, source: End, target: End, octets: bytes, ms: int) -> None:
        """Octets from one end to the other, in segments of at most 1,400."""
        for at in range(0, len(octets), 1400):
            self._segment(source, target, _PUSH | _ACK, octets[at : at + 1400], ms)

    def closed(self, source: End, target: End, ms: int) -> None:
        """The farewell of one end, acknowledged."""
        self._segment(source, target, _FIN | _ACK, b"", ms, 1)
        self._segment(target, source, _FIN | _ACK, b"", ms, 1)
        self._segment(source, target, _ACK, b"", ms)

    def write(self, file: Path) -> None:
        """The capture as a classic pcap file of Ethernet frames."""
        file.write_bytes(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 1) + b"".join(self._frames))

    def _segment(self, source: End, target: End, flags: int, octets: bytes, ms: int, counted: int = 0) -> None:
        number, expected = self._next[source, target], self._next[target, source]
        self._next[source, target] += len(octets) + counted
        acknowledged = expected if flags & _ACK else 0
        tcp = struct.pack(">HHIIBBHHH", source[1], target[1], number, acknowledged, 0x50, flags, 65535, 0, 0) + octets
        ends = socket.inet_aton(source[0]) + socket.inet_aton(target[0])
        ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(tcp), 0, 0x4000, 64, 6, 0) + ends
        frame = bytes(12) + b"\x08\x00" + ip + tcp
        stamp = struct.pack("<IIII", 1_767_323_045 + ms // 1000, ms % 1000 * 1000, len(frame), len(frame))
        self._frames.append(stamp + frame)
