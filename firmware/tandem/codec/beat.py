"""The beat: what the two hearts tell each other, 58 octets, the same on a LAN and on a serial path.

    offset size  field         little-endian
         0    2  magic         B7 54
         2    1  version       1
         3    1  kind          `Kind`
         4    1  member        0 is a, 1 is b: who sends
         5    1  role          `Role`
         6    1  health        0 worst .. 255 nothing wrong
         7    1  flags         GRANTING IN_SYNC LINES_HELD WITHDRAWN DRAINED LAST_IN_SYNC CONTACT ALONE
         8    4  nonce         drawn by the sender's heart at its start
        12    4  counter       of the sender's frames, from 1
        16    4  echo nonce    what the sender last heard of the other's; 0: nothing yet
        20    4  echo counter
        24    4  epoch         of the history that the sender works in
        28    2  suspect_q_ms  "I have not heard you for q ms"; 0: I do hear you
        30    6  head          number of the sender's newest record
        36    6  released      highest number that any device or center was answered for
        42   16  MAC           HMAC-SHA256 over octets 0..41 with the pairing key, the first 16 octets

Only this module and its importers make up the heart: it stays clear of heavy imports.
"""

from __future__ import annotations

import enum
import struct
from _operator import _compare_digest as equal_in_constant_time
from typing import Any, NamedTuple

try:  # the interpreter's own SHA-256: `hashlib` would keep 4 MB of OpenSSL resident in the heart's locked memory
    from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore]
except ImportError:
    try:
        from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from hashlib import sha256

MAGIC = b"\xb7\x54"
VERSION = 1
BODY = struct.Struct("<2sBBBBBBIIIIIHHIHI")
MAC_SIZE = 16
SIZE = BODY.size + MAC_SIZE
_SHA256_BLOCK = 64
_U32 = 0xFFFF_FFFF
_U48 = 0xFFFF_FFFF_FFFF

assert SIZE == 58, "a beat takes 5 ms at 115200 baud: its size is part of the timing"


class Kind(enum.IntEnum):
    """What a frame is for."""

    BEAT = 0
    PROBE = 1  # answer with a beat at once
    RELEASED_SERVICE = 2  # the sender gave up addresses and sessions of this epoch
    RELEASED_LINES = 3  # its role contact is read open; DRAINED says whether a request was outstanding


class Role(enum.IntEnum):
    """The six states of the role machine; DEAD is a heart without a supervisor."""

    STARTING = 0
    STANDBY = 1
    TAKING_OVER = 2
    ACTIVE = 3
    RELEASING = 4
    OUT_OF_SERVICE = 5
    DEAD = 6

    @property
    def word(self) -> str:
        """The role as people read it."""
        return self.name.lower().replace("_", "-")


GRANTING = 0x01
IN_SYNC = 0x02
LINES_HELD = 0x04
WITHDRAWN = 0x08  # no grant any more: the sender is about to go on alone
DRAINED = 0x10
LAST_IN_SYNC = 0x20  # what the sender's flash says of its last run
CONTACT = 0x40  # the sender reads its own role contact closed
ALONE = 0x80  # released without waiting for the other

_ROLES = frozenset(Role)
_KINDS = frozenset(Kind)


class BeatBody(NamedTuple):
    """The part of a beat that the supervisor publishes; the heart adds the rest."""

    role: int = Role.STARTING
    health: int = 255
    flags: int = 0
    epoch: int = 0
    head: int = 0
    released: int = 0


class Beat(NamedTuple):
    """A frame, taken apart."""

    kind: int
    member: int
    role: int
    health: int
    flags: int
    nonce: int
    counter: int
    echo_nonce: int
    echo_counter: int
    epoch: int
    suspect_q_ms: int
    head: int
    released: int


def pack_body(beat: Beat) -> bytes:
    """The 42 octets before the MAC; values too large for their field are cut to its width."""
    kind, member, role, health, flags, nonce, counter, echo_nonce, echo_counter, epoch, q_ms, head, released = beat
    return BODY.pack(
        MAGIC, VERSION, kind, member, role, health, flags, nonce & _U32, counter & _U32, echo_nonce, echo_counter,
        epoch & _U32, q_ms if q_ms < 0xFFFF else 0xFFFF, head & 0xFFFF, (head & _U48) >> 16, released & 0xFFFF,
        (released & _U48) >> 16,
    )  # fmt: skip


def unpack_body(octets: bytes) -> Beat | None:
    """Take 42 octets apart without looking at a MAC; None when they are no beat of this version."""
    if len(octets) != BODY.size:
        return None
    (magic, version, kind, member, role, health, flags, nonce, counter, echo_nonce, echo_counter, epoch, q_ms,
     head_low, head_high, released_low, released_high) = BODY.unpack(octets)  # fmt: skip
    if magic != MAGIC or version != VERSION or kind not in _KINDS or role not in _ROLES or member > 1:
        return None
    return Beat(
        kind, member, role, health, flags, nonce, counter, echo_nonce, echo_counter, epoch, q_ms,
        head_high << 16 | head_low, released_high << 16 | released_low,
    )  # fmt: skip


class Seal:
    """Signs and verifies with one pairing key."""

    def __init__(self, key: bytes) -> None:
        """Raises ValueError for a key below 16 octets: it would be guessed."""
        if len(key) < 16:
            raise ValueError(f"the beat key has {len(key)} octets; pair the members again to get one of 32")
        block = (key if len(key) <= _SHA256_BLOCK else sha256(key).digest()).ljust(_SHA256_BLOCK, b"\0")
        self._inner: Any = sha256(bytes(octet ^ 0x36 for octet in block))  # RFC 2104, the key hashed in beforehand
        self._outer: Any = sha256(bytes(octet ^ 0x5C for octet in block))
        self._last: tuple[bytes, Beat | None] = b"", None
        """What was verified last: the same frame comes over every path."""

    def _mac(self, body: bytes) -> bytes:
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(body)
        outer.update(inner.digest())
        return bytes(outer.digest()[:MAC_SIZE])

    def pack(self, beat: Beat) -> bytes:
        """The frame of 58 octets."""
        body = pack_body(beat)
        return body + self._mac(body)

    def verify(self, octets: bytes) -> Beat | None:
        """The beat, if these octets are exactly one that the key signed; never raises."""
        if octets == self._last[0]:
            return self._last[1]
        if len(octets) != SIZE or octets[:2] != MAGIC:
            return None
        body = octets[: BODY.size]
        if not equal_in_constant_time(self._mac(body), octets[BODY.size :]):
            return None
        self._last = octets, unpack_body(body)
        return self._last[1]


class Splitter:
    """Finds beats in a serial octet stream; noise costs itself and never the frame behind it."""

    def __init__(self, seal: Seal) -> None:
        self._seal = seal
        self._buffer = b""
        self.garbage = 0
        """Octets that belonged to no beat."""

    def feed(self, octets: bytes) -> list[Beat]:
        """The beats completed by these octets, in order."""
        found = []
        buffer = self._buffer + octets
        while True:
            start = buffer.find(MAGIC)
            if start < 0:
                start = len(buffer) - (buffer[-1:] == MAGIC[:1])
            self.garbage += start
            buffer = buffer[start:]
            if len(buffer) < SIZE:
                break
            beat = self._seal.verify(buffer[:SIZE])
            if beat is not None:
                found.append(beat)
            else:
                self.garbage += 1
            buffer = buffer[SIZE:] if beat is not None else buffer[1:]
        self._buffer = buffer
        return found
