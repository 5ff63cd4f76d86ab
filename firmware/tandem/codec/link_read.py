"""The hot-standby link, read: takes any octets and raises nothing but FrameError. Layout: `codec.link`."""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct, error, unpack

from tandem.codec.link import (
    ACK_LAYOUT,
    CLAIM_LAYOUT,
    CLAIMS_MAX,
    CONTROL_LAYOUT,
    CURSOR_LAYOUT,
    HELLO_LAYOUT,
    REPORT_LAYOUT,
    SLICE_LAYOUT,
    TAIL_LAYOUT,
    VERSION,
    Ack,
    Begin,
    Claim,
    ControlFrame,
    CursorAt,
    End,
    FrameError,
    Hello,
    Message,
    Order,
    Refuse,
    RegistryText,
    ReportFrame,
    Resume,
    Rows,
    Salvage,
    Slice,
    State,
    Tail,
)
from tandem.codec.link_commit import HEAD_LAYOUT, PIECE_MAX, WORD_MAX, CommitWord, Piece
from tandem.codec.link_time import ASKED_LAYOUT, TOLD_LAYOUT, TimeAsked, TimeTold
from tandem.codec.record import SIZE

RECORDS_MAX = 16_384
"""In one frame, over both rings."""
STATE_MAX = 65_536
REGISTRY_MAX = 8 << 20
_RECORDS = RECORDS_MAX * SIZE + 64
_SMALL = 4096


def _take(data: bytes, at: int, width: int = 1) -> tuple[str, int]:
    """(text, place behind it) of a str8 (width 1) or str16 (width 2) at `at`."""
    start = at + width
    end = start + int.from_bytes(data[at:start], "little")
    if end > len(data) or start > len(data):
        raise FrameError("a text is longer than its frame")
    return data[start:end].decode(), end


def _text(data: bytes, at: int, width: int = 1) -> str:
    """The text that ends the payload."""
    text, end = _take(data, at, width)
    if end != len(data):
        raise FrameError(f"{len(data) - end} octets too many")
    return text


def _letter(octet: int) -> str:
    if octet not in b"ab":
        raise FrameError(f"member 0x{octet:02X}; there are a and b")
    return chr(octet)


def _hello(data: bytes) -> Hello:
    version = int.from_bytes(data[:2], "little")
    if version != VERSION:
        raise FrameError(f"the peer speaks version {version} of the link, this member {VERSION}: update one of them")
    _, member, role, *fixed, head = HELLO_LAYOUT.unpack_from(data)
    nonce, session, echo, table, config = fixed
    group, at = _take(data, HELLO_LAYOUT.size)
    claims, cursors = [], []
    size = at + 1 + data[at] * CLAIM_LAYOUT.size
    for place in range(at + 1, size, CLAIM_LAYOUT.size):
        claims.append(Claim(*CLAIM_LAYOUT.unpack_from(data, place)))
    at = size + 1
    for _ in range(data[size]):
        center, place = _take(data, at)
        cursors.append(CursorAt(center, *CURSOR_LAYOUT.unpack_from(data, place)))
        at = place + CURSOR_LAYOUT.size
    if at != len(data) or role > 1 or len(claims) > CLAIMS_MAX:
        raise FrameError(f"a hello of {len(data)} octets, role {role}, {len(claims)} claims")
    ours = (_letter(member), bool(role), nonce, session, echo, table, config, head, group)
    return Hello(*ours, tuple(claims), tuple(cursors))


def _split(data: bytes, layout: Struct) -> tuple[int, ...]:
    """The fixed part of a slice or a tail, verified: both rings' octets follow it as whole records."""
    fields: tuple[int, ...] = layout.unpack_from(data)
    rest = len(data) - layout.size
    if fields[-1] > rest or rest % SIZE or fields[-1] % SIZE:
        raise FrameError(f"{fields[-1]} of {rest} octets are soe records; a record has {SIZE}")
    return fields


def _slice(data: bytes) -> Slice:
    epoch, base, head, soe = _split(data, SLICE_LAYOUT)
    at = SLICE_LAYOUT.size + soe
    return Slice(epoch, base, head, data[SLICE_LAYOUT.size : at], data[at:])


def _tail(data: bytes) -> Tail:
    base, head, soe = _split(data, TAIL_LAYOUT)
    at = TAIL_LAYOUT.size + soe
    return Tail(base, head, data[TAIL_LAYOUT.size : at], data[at:])


def _cursor(data: bytes) -> CursorAt:
    epoch, number = CURSOR_LAYOUT.unpack_from(data)
    return CursorAt(_text(data, CURSOR_LAYOUT.size), epoch, number)


def _control(data: bytes) -> ControlFrame:
    return ControlFrame._make((*CONTROL_LAYOUT.unpack_from(data), _text(data, CONTROL_LAYOUT.size)))


def _report(data: bytes) -> ReportFrame:
    return ReportFrame._make((*REPORT_LAYOUT.unpack_from(data), _text(data, REPORT_LAYOUT.size, 2)))


def _order(data: bytes) -> Order:
    word, at = _take(data, 0)
    return Order(word, _text(data, at))


def _state(data: bytes) -> State:
    key, at = _take(data, 0)
    return State(key, data[at:])


def _piece(data: bytes) -> Piece:
    (at,) = unpack("<I", data[:4])
    return Piece(at, data[4:])


def _whole(data: bytes) -> bytes:
    if len(data) % SIZE:
        raise FrameError(f"{len(data)} octets are not whole records of {SIZE}")
    return data


_KINDS: dict[int, tuple[int, Callable[[bytes], Message]]] = {
    1: (131_072, _hello),
    2: (_SMALL, lambda data: Refuse(_text(data, 0, 2))),
    3: (REGISTRY_MAX, lambda data: RegistryText(data.decode())),
    4: (8, lambda data: Resume(*unpack("<Q", data))),
    5: (24, lambda data: Begin(*unpack("<QQQ", data))),
    6: (_RECORDS, lambda data: Rows(_whole(data))),
    7: (_RECORDS, _tail),
    8: (8, lambda data: End(*unpack("<Q", data))),
    9: (_RECORDS, _slice),
    10: (ACK_LAYOUT.size, lambda data: Ack(*ACK_LAYOUT.unpack(data))),
    11: (_SMALL, _cursor),
    12: (_SMALL, _control),
    13: (_SMALL, _report),
    14: (_SMALL, _order),
    15: (STATE_MAX + 256, _state),
    16: (_RECORDS, lambda data: Salvage(_whole(data))),
    17: (ASKED_LAYOUT.size, lambda data: TimeAsked(*ASKED_LAYOUT.unpack(data))),
    18: (TOLD_LAYOUT.size, lambda data: TimeTold(*TOLD_LAYOUT.unpack(data))),
    24: (WORD_MAX, lambda data: CommitWord(data.decode())),
    25: (4 + PIECE_MAX, _piece),
}
"""By type: the most octets of its payload, and what takes it apart."""


def decode(kind: int, payload: bytes) -> Message:
    """One frame's meaning. Raises FrameError with a sentence when it has none."""
    try:
        return _KINDS[kind][1](payload)
    except FrameError as fault:
        raise FrameError(f"link frame of type {kind}: {fault}") from None
    except (error, IndexError, KeyError, ValueError) as fault:
        raise FrameError(f"link frame of type {kind} with {len(payload)} octets: {fault}") from None


class Splitter:
    """Cuts a stream into messages; holds at most one unfinished frame."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are whole now. Raises FrameError, after which the stream cannot go on."""
        buffer = self._buffer
        buffer += data
        at, messages, end = 0, [], len(buffer)
        while end - at >= HEAD_LAYOUT.size:
            size, kind = HEAD_LAYOUT.unpack_from(buffer, at)
            limit = _KINDS[kind][0] if kind in _KINDS else 0
            if not limit or not 1 <= size <= limit + 1:
                raise FrameError(f"a link frame of type {kind} with {size} octets; is this another protocol?")
            if end - at < size + 4:
                break
            messages.append(decode(kind, bytes(buffer[at + HEAD_LAYOUT.size : at + 4 + size])))
            at += 4 + size
        del buffer[:at]
        return messages
