"""Frames between a gateway and its guardian: both ways 30 octets, found in any garbage by mark and MAC.

offset size  field (little-endian)
     0    2  mark          "Tg" to the guardian, "tG" from it
     2    1  kind          BEAT, BYE; REPORT, ABOUT
     3    1  flags         BEAT: PULSE, ROLE, TRIP; REPORT: what the guardian drives
     4    4  nonce         the guardian's, drawn at its start
     8    4  sequence      rises with every frame of a side
    12   10  payload       BEAT: an octet a LED; REPORT: see `report`; ABOUT: the version
    22    8  MAC           HMAC-SHA256 under the paired key, cut
"""

import hashlib
import struct

SIZE = 30
MAC_SIZE = 8
BAUD = 115200
TO_GUARDIAN, FROM_GUARDIAN = b"Tg", b"tG"
BEAT, BYE, REPORT, ABOUT = 1, 2, 3, 4
PULSE, ROLE, TRIP = 1, 2, 4  # flags of a beat
WATCHDOG_ON, ROLE_ON, LATCHED, TOO_FAST, RESET_PULLED, TRIP_ON = 1, 2, 4, 8, 16, 32  # flags of a report
OWN, PEER, OWN_WATCHDOG, PEER_WATCHDOG, LOCAL, LAMP = 1, 2, 4, 8, 16, 32  # inputs of a report
_HEAD = "<2sBBII10s"
_REPORT = "<IBBHBB"
_KEPT = 4 * SIZE  # octets that wait for the rest of their frame


class Seal:
    """HMAC-SHA256 cut to 8 octets, with the pads made once: the controller has no hmac module."""

    def __init__(self, key: bytes) -> None:
        padded = (key if len(key) <= 64 else hashlib.sha256(key).digest()) + bytes(64)
        self._inner = bytes(octet ^ 0x36 for octet in padded[:64])
        self._outer = bytes(octet ^ 0x5C for octet in padded[:64])

    def digest(self, octets: bytes) -> bytes:
        """The whole HMAC."""
        return hashlib.sha256(self._outer + hashlib.sha256(self._inner + octets).digest()).digest()

    def mac(self, octets: bytes) -> bytes:
        """The frame's share of it."""
        return self.digest(octets)[:MAC_SIZE]


def derive(beat_key: bytes, member: str) -> bytes:
    """The key of a member's guardian, from the key that the pair signs its beats with."""
    return Seal(beat_key).digest(b"guardian " + member.encode())


def pack(seal: Seal, mark: bytes, kind: int, flags: int, nonce: int, sequence: int, payload: bytes) -> bytes:
    """One frame."""
    head = struct.pack(_HEAD, mark, kind, flags, nonce, sequence & 0xFFFFFFFF, payload)
    return head + seal.mac(head)


def pack_report(echo: int, inputs: int, cause: int, bad: int, resets: int) -> bytes:
    """Payload of a REPORT: newest good beat's sequence, inputs, why it dropped last, bad frames, resets this hour."""
    return struct.pack(_REPORT, echo, inputs, cause, min(bad, 0xFFFF), min(resets, 255), 0)


def unpack_report(payload: bytes) -> tuple[int, int, int, int, int]:
    """(echo, inputs, cause, bad frames, resets this hour)."""
    echo, inputs, cause, bad, resets, _ = struct.unpack(_REPORT, payload)
    return echo, inputs, cause, bad, resets


class Frames:
    """Finds the frames of one direction in a stream of octets. `bad`: marks without a right MAC behind them."""

    def __init__(self, seal: Seal, mark: bytes) -> None:
        self._seal = seal
        self._mark = mark
        self._kept = b""
        self.bad = 0
        self.octets = 0

    def feed(self, octets: bytes) -> list[tuple[int, int, int, int, bytes]]:
        """(kind, flags, nonce, sequence, payload) of each whole frame, oldest first."""
        self.octets += len(octets)
        found = []
        kept = self._kept + octets
        at = 0
        while True:
            at = kept.find(self._mark, at)
            if at < 0:
                kept = kept[-1:]
                break
            if len(kept) - at < SIZE:
                kept = kept[at:]
                break
            if self._seal.mac(kept[at : at + SIZE - MAC_SIZE]) == kept[at + SIZE - MAC_SIZE : at + SIZE]:
                found.append(struct.unpack(_HEAD, kept[at : at + SIZE - MAC_SIZE])[1:])
                at += SIZE
            else:
                self.bad += 1
                at += 1
        self._kept = kept[-_KEPT:]
        return found
