"""The hot-standby link, octet by octet: frames over one ordered stream (TLS ends below). All numbers little-endian.

    frame     u32 size of what follows, u8 type, payload; a size above the type's limit ends the stream
    str8      u8 size, UTF-8            str16    u16 size, UTF-8
    records   32-octet records of `codec.record`, one after the other

     1 HELLO     u16 version 1, u8 member "a"|"b", u8 role (1 active, 0 any other), u64 boot nonce, u32 session of the
                 sender, u32 echo of the receiver's session (0: not heard yet), 32 point-table digest, 32 digest of the
                 configuration, u64 head, str8 group, u8 claims (at most 64) of 36 octets: u32 epoch, 8 claim id, u64
                 first number, 8 id of the parent claim, u64 the parent's last number; u8 cursors: str8 center, u32
                 epoch, u64 number
     2 REFUSE    str16 sentence; the sender closes
     3 REGISTRY  UTF-8 JSON of the point ids: the standby may adopt it
     4 RESUME    u64 number after which slices follow
     5 BEGIN     a whole snapshot follows: u64 fork (records of the receiver above it are not part of this history),
                 u64 and u64 numbers of the newest records that the soe and the analog tail leave out
     6 ROWS      records: present values of a part of the points, each with its own number
     7 TAIL      u64 base, u64 head, u32 octets of soe, soe records, analog records: numbers base < n <= head
     8 END       u64 head: the image is whole up to this number
     9 SLICE     u32 epoch, u64 base, u64 head, u32 octets of soe, soe records, analog records; may be empty
    10 ACK       u32 epoch, u64 number applied, u32 count of the frames of types 4 to 9 taken in this session
    11 CURSOR    u32 epoch, u64 number, str8 center: confirmed up to there; travels behind what it covers
    12 CONTROL   u64 ref, u32 point id, f64 value, u8 step, u32 pulse ms, u32 select timeout ms, u64 newest beat counter
                 heard from the receiver, str8 center
    13 REPORT    u64 ref, u8 stage, u8 outcome, str16 sentence
    14 ORDER     u8 member that is to be active "a"|"b", str8 who asks
    15 STATE     str8 key, octets: soft state that the outside remembers
    16 SALVAGE   records that the sender released while alone and the receiver's history lacks
    17 TIME?     u64 the sender's monotonic time in ns, to be sent back
    18 TIME      u64 that time, i64 UTC in us when it was read, u8 1: the sender's clock is synchronised
    24 COMMIT    UTF-8 JSON: a word about a configuration that is rolled over both members
    25 PIECE     u32 at, octets: a part of that configuration's pack
"""

from __future__ import annotations

from struct import Struct, pack
from typing import NamedTuple

from tandem.codec.link_commit import HEAD_LAYOUT, CommitWord, Piece
from tandem.codec.link_time import TimeAsked, TimeTold
from tandem.point import CURSORS_MAX

VERSION = 1
CLAIMS_MAX = 64

HELLO_LAYOUT = Struct("<HBBQII32s32sQ")
CLAIM_LAYOUT = Struct("<I8sQ8sQ")
CURSOR_LAYOUT = Struct("<IQ")
TAIL_LAYOUT = Struct("<QQI")
SLICE_LAYOUT = Struct("<IQQI")
ACK_LAYOUT = Struct("<IQI")
CONTROL_LAYOUT = Struct("<QIdBIIQ")
REPORT_LAYOUT = Struct("<QBB")


class FrameError(ValueError):
    """Octets that are no frame of this link; the sentence says why."""


class Claim(NamedTuple):
    """A member became active: its records from `first` on belong to `epoch`. An empty parent id: the first of all."""

    epoch: int
    claim_id: bytes
    first: int
    parent: bytes = bytes(8)
    parent_last: int = 0


class CursorAt(NamedTuple):
    """A control center has confirmed everything up to (epoch, number)."""

    center: str
    epoch: int
    number: int

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(11, CURSOR_LAYOUT.pack(self.epoch, self.number) + _str8(self.center))


class Hello(NamedTuple):
    """What a member says of itself before anything else, and again whenever its role or its journal was replaced."""

    member: str
    active: bool
    nonce: int
    session: int
    echo: int
    table: bytes
    config: bytes
    head: int
    group: str
    claims: tuple[Claim, ...] = ()
    cursors: tuple[CursorAt, ...] = ()
    version: int = VERSION

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        role = int(self.active)
        fixed = (self.nonce, self.session, self.echo, self.table, self.config, self.head)
        claims = self.claims[-CLAIMS_MAX:]
        cursors = self.cursors[:CURSORS_MAX]
        return _frame(
            1,
            HELLO_LAYOUT.pack(self.version, ord(self.member), role, *fixed) + _str8(self.group),
            pack("B", len(claims)) + b"".join(CLAIM_LAYOUT.pack(*claim) for claim in claims),
            pack("B", len(cursors)) + b"".join(_str8(c) + CURSOR_LAYOUT.pack(e, n) for c, e, n in cursors),
        )


class Refuse(NamedTuple):
    """The sender does not work with this peer, and closes; the sentence says why."""

    sentence: str

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(2, _str16(self.sentence))


class RegistryText(NamedTuple):
    """The active's point ids as JSON: a standby whose ids differ may adopt them."""

    text: str

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(3, self.text.encode())


class Resume(NamedTuple):
    """Slices follow from the record after `number`."""

    number: int

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(4, pack("<Q", self.number))


class Begin(NamedTuple):
    """A whole snapshot follows; `fork`: records of the receiver above it are not part of this history."""

    fork: int
    soe_gone: int
    analog_gone: int

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(5, pack("<QQQ", *self))


class Rows(NamedTuple):
    """Present values of a part of the points, as records with their own numbers."""

    octets: bytes

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(6, self.octets)


class Tail(NamedTuple):
    """Records of both rings with numbers base < n <= head, inside a snapshot."""

    base: int
    head: int
    soe: bytes
    analog: bytes

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(7, TAIL_LAYOUT.pack(self.base, self.head, len(self.soe)), self.soe, self.analog)


class End(NamedTuple):
    """The snapshot is whole up to `head`."""

    head: int

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(8, pack("<Q", self.head))


class Slice(NamedTuple):
    """New records of both rings, base < n <= head, in `epoch`."""

    epoch: int
    base: int
    head: int
    soe: bytes
    analog: bytes

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(9, SLICE_LAYOUT.pack(self.epoch, self.base, self.head, len(self.soe)), self.soe, self.analog)


class Ack(NamedTuple):
    """Everything up to `number` is applied; `taken` frames were counted in this session."""

    epoch: int
    number: int
    taken: int

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(10, ACK_LAYOUT.pack(*self))


class ControlFrame(NamedTuple):
    """A control that the standby forwards; `beat` is the newest of our beat counters that it had heard."""

    ref: int
    point_id: int
    value: float
    step: int
    pulse_ms: int
    select_timeout_ms: int
    beat: int
    center: str

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(12, CONTROL_LAYOUT.pack(*self[:7]) + _str8(self.center))


class ReportFrame(NamedTuple):
    """The answer to a forwarded control."""

    ref: int
    stage: int
    outcome: int
    sentence: str

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(13, REPORT_LAYOUT.pack(*self[:3]) + _str16(self.sentence))


class Order(NamedTuple):
    """An order to the receiver, in the words of `standby.orders`; `origin`: who gave it."""

    word: str
    origin: str

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(14, _str8(self.word) + _str8(self.origin))


class State(NamedTuple):
    """Soft state that the outside remembers, by key."""

    key: str
    octets: bytes

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(15, _str8(self.key), self.octets)


class Salvage(NamedTuple):
    """Records that the sender released while alone and the receiver's history lacks."""

    octets: bytes

    def encode(self) -> bytes:
        """The whole frame, its head before it."""
        return _frame(16, self.octets)


Message = (
    Hello | Refuse | RegistryText | Resume | Begin | Rows | Tail | End | Slice | Ack
    | CursorAt | ControlFrame | ReportFrame | Order | State | Salvage | CommitWord | Piece
    | TimeAsked | TimeTold
)  # fmt: skip


def _frame(kind: int, *parts: bytes) -> bytes:
    return b"".join((HEAD_LAYOUT.pack(1 + sum(map(len, parts)), kind), *parts))


def _str8(text: str) -> bytes:
    octets = _cut(text, 255)
    return pack("B", len(octets)) + octets


def _str16(text: str) -> bytes:
    octets = _cut(text, 2000)
    return pack("<H", len(octets)) + octets


def _cut(text: str, most: int) -> bytes:
    return text.encode()[:most].decode(errors="ignore").encode()
