"""A counting IEC 104 client: confirms every w frames, checks every N(S), decodes every object, checks order per point.

`python -m tools.bench.load.counting SOURCE HOST PORT W SECONDS` ends with one JSON line. Written against the standard,
without the product's codec.
"""

from __future__ import annotations

import json
import socket
import struct
import sys
import time

_POINT, _SCALED, _FLOAT = struct.Struct("<HBB7s"), struct.Struct("<HBhB7s"), struct.Struct("<HBfB7s")
_OBJECT = {30: _POINT, 31: _POINT, 35: _SCALED, 36: _FLOAT}
_SPONTANEOUS = 3


class Count:
    """What came: frames, spontaneous objects, faults in the numbering and in the order per point."""

    def __init__(self) -> None:
        self.frames = 0
        self.objects = 0
        self.gaps = 0
        self.disorder = 0
        self.first_s = 0.0
        self.last_s = 0.0
        self._expected = 0
        self._last: dict[int, float] = {}

    def frame(self, frame: bytes | memoryview) -> None:
        """One I frame."""
        number = (frame[2] | frame[3] << 8) >> 1
        self.gaps += number != self._expected
        self._expected = (number + 1) % 32768
        self.frames += 1
        kind = frame[6]
        if kind not in _OBJECT or frame[8] & 0x3F != _SPONTANEOUS:
            return
        self.last_s = time.monotonic()
        self.first_s = self.first_s or self.last_s
        last = self._last
        for row in _OBJECT[kind].iter_unpack(frame[12:]):
            ioa = row[0] | row[1] << 16
            value = row[2] & 3 if kind < 35 else row[2]
            before = last.get(ioa)
            if kind < 35:
                self.disorder += before is not None and value == before
            else:
                self.disorder += before is not None and value not in (before + 1, 0)
            last[ioa] = value
        self.objects += frame[7] & 0x7F


def run(source: str, address: tuple[str, int], w: int, seconds: float) -> Count:
    """Connect, start, and count for so long after the first spontaneous object."""
    count = Count()
    with socket.create_connection(address, timeout=5, source_address=(source, 0)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(bytes.fromhex("680407000000"))
        connection.settimeout(1.0)
        buffer, received, confirmed = b"", 0, 0
        begun = time.monotonic()
        while time.monotonic() < (count.first_s or begun + 30) + seconds:
            try:
                octets = connection.recv(1 << 18)
            except TimeoutError:
                continue
            if not octets:
                break
            buffer += octets
            at = 0
            while len(buffer) - at >= 6 and len(buffer) - at >= 2 + buffer[at + 1]:
                end = at + 2 + buffer[at + 1]
                if not buffer[at + 2] & 1:
                    received += 1
                    count.frame(buffer[at:end])
                    if received - confirmed >= w:
                        confirmed = received
                        connection.sendall(struct.pack("<BBHH", 0x68, 4, 1, received % 32768 << 1))
                elif buffer[at + 2] == 0x43:
                    connection.sendall(bytes.fromhex("680483000000"))
                at = end
            buffer = buffer[at:]
            if received > confirmed:
                confirmed = received
                connection.sendall(struct.pack("<BBHH", 0x68, 4, 1, received % 32768 << 1))
    return count


def main(argv: list[str]) -> int:
    """Count and print."""
    count = run(argv[0], (argv[1], int(argv[2])), int(argv[3]), float(argv[4]))
    span_s = max(count.last_s - count.first_s, 1e-9)
    print(
        json.dumps(
            {
                "objects": count.objects,
                "frames": count.frames,
                "objects_per_s": round(count.objects / span_s),
                "numbering_gaps": count.gaps,
                "out_of_order": count.disorder,
            }
        )
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
