"""What a member and a witness tell each other: 48 octets in a datagram, both ways the same shape.

    offset size  field         little-endian
         0    2  magic         B7 57
         2    1  version       1
         3    1  kind          `Kind`
         4    1  member        0 is a, 1 is b: who asks, and whom an answer is for
         5    1  holder        of an answer: `Holder`
         6    2  ttl_ms        of a TAKE: for so long; of an answer: what is left of the holder's time
         8    4  group         mark of the key, so that one witness serves many groups
        12    4  nonce         drawn by the sender at its start, never 0
        16    4  counter       of the sender's frames, from 1
        20    4  echo nonce    what the sender last heard of the other; 0: nothing yet
        24    4  echo counter
        28    4  epoch         of a TAKE: the claim's; of an answer: the highest that was ever granted
        32   16  MAC           HMAC-SHA256 over octets 0..31, the first 16 octets
"""

from __future__ import annotations

import enum
import hmac
import struct
from typing import NamedTuple

MAGIC = b"\xb7\x57"
VERSION = 1
BODY = struct.Struct("<2sBBBBHIIIIII")
SIZE = BODY.size + 16
TTL_MOST_MS = 10_000
"""Nothing is granted for longer, so a witness that has forgotten everything knows when it may grant again."""
_U32, _U16 = 0xFFFF_FFFF, 0xFFFF


class Kind(enum.IntEnum):
    """ASK wants an answer and nothing else; TAKE and RELEASE must echo a young answer."""

    ASK = 0
    TAKE = 1
    RELEASE = 2
    HERE = 3  # answers ASK and RELEASE, and what echoes nothing young
    GRANTED = 4
    REFUSED = 5


class Holder(enum.IntEnum):
    """Whose time is not over. NOT_KNOWN: the witness was restarted and waits until it must be."""

    NOBODY = 0
    A = 1
    B = 2
    NOT_KNOWN = 3


_KINDS, _HOLDERS = frozenset(Kind), frozenset(Holder)


class Frame(NamedTuple):
    """A frame without its group and MAC."""

    kind: int
    member: int
    holder: int
    ttl_ms: int
    nonce: int
    counter: int
    echo_nonce: int
    echo_counter: int
    epoch: int


class WitnessSeal:
    """Signs and verifies for one group."""

    def __init__(self, key: bytes) -> None:
        """`key`: see `derive`."""
        self._key = key
        self.group = int.from_bytes(hmac.digest(key, b"group", "sha256")[:4], "little")

    def pack(self, frame: Frame) -> bytes:
        """The 48 octets; values too large for their field are cut to its width."""
        kind, member, holder, ttl_ms, nonce, counter, echo_nonce, echo_counter, epoch = frame
        body = BODY.pack(
            MAGIC, VERSION, kind, member, holder, min(ttl_ms, _U16), self.group, nonce & _U32, counter & _U32,
            echo_nonce & _U32, echo_counter & _U32, epoch & _U32,
        )  # fmt: skip
        return body + self._mac(body)

    def verify(self, octets: bytes) -> Frame | None:
        """The frame, if these octets are one of this version that the key signed; never raises."""
        if len(octets) != SIZE or group_of(octets) != self.group:
            return None
        body = octets[: BODY.size]
        if not hmac.compare_digest(self._mac(body), octets[BODY.size :]):
            return None
        _, _, kind, member, holder, ttl_ms, _, *rest = BODY.unpack(body)
        if kind not in _KINDS or holder not in _HOLDERS or member > 1:
            return None
        return Frame(kind, member, holder, ttl_ms, *rest)

    def _mac(self, body: bytes) -> bytes:
        return hmac.digest(self._key, body, "sha256")[:16]


def group_of(octets: bytes) -> int:
    """The mark of the key that should have signed this; -1 for octets that are no frame."""
    if len(octets) != SIZE or octets[:2] != MAGIC or octets[2] != VERSION:
        return -1
    return int.from_bytes(octets[8:12], "little")


def derive(beat_key: bytes) -> bytes:
    """The key of a group's witness, from the key that the pair signs its beats with: a witness cannot sign beats."""
    return hmac.digest(beat_key, b"witness", "sha256")
