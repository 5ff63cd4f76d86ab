"""What the supervisor asks of the heart and what the heart tells it: the whole message set, and its octets.

One datagram of the socket pair holds any number of messages, each a length (u16), a code (u8), fixed fields and at most
one tail (text, octets or a beat's body), little-endian. Both ends are the same release: there is no version.

A *permit* numbers the supervisor's permission to hold anything. The heart raises it whenever it took something back or
was away itself, so that a claim that was decided before the loss and arrives after it is void.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, NamedTuple

from tandem.codec.beat import Beat, pack_body, unpack_body

# --- requests: supervisor -> heart ------------------------------------------------------------------------------------


class ServiceOn(NamedTuple):
    """Acquire the lease, add the group addresses, announce them."""

    epoch: int
    permit: int


class ServiceOff(NamedTuple):
    """Drop the lease, remove the addresses; `announce`: tell the peer, signed, three times on every path."""

    announce: bool


class LinesOn(NamedTuple):
    """Energize the role coil; `epoch` is named in what is said when it is given back."""

    epoch: int
    permit: int


class LinesOff(NamedTuple):
    """Coil low; `announce`: tell the peer once the own contact is read open; `drained`: no request was open."""

    announce: bool
    drained: bool


class BeatNow(NamedTuple):
    """A beat on every path at once, with what was published last."""


class Probe(NamedTuple):
    """Ask the peer for a beat on every path; a path that refuses says so."""


class Suspect(NamedTuple):
    """Say "I have not heard you for q ms" in every beat from now on, the first at once; 0 ends it."""

    q_ms: int


class End(NamedTuple):
    """The supervisor ends in order: give everything back, say so, exit."""


class Leds(NamedTuple):
    """What the front panel shows from now on: an octet a LED."""

    octets: bytes


class Keep(NamedTuple):
    """A descriptor comes with it, which the heart holds too: what its last close costs, no death has to wait for."""


class Trip(NamedTuple):
    """One pulse on the peer-trip output."""

    permit: int


Request = ServiceOn | ServiceOff | LinesOn | LinesOff | BeatNow | Probe | Suspect | End | Leds | Keep | Trip

# --- messages: heart -> supervisor ------------------------------------------------------------------------------------


class Ready(NamedTuple):
    """The heart is up; `refused` names what the machine does not permit it, "" when nothing is missing."""

    nonce: int
    permit: int
    refused: str


class Heard(NamedTuple):
    """A verified frame. `echo_age_ns`: how long ago the counter it echoes was sent; -1: none of mine."""

    path: int
    at_ns: int
    echo_age_ns: int
    beat: Beat


class Refused(NamedTuple):
    """The peer's kernel says that nobody listens at this path's address."""

    path: int
    at_ns: int


class PinsRead(NamedTuple):
    """The contacts, as read: 1 closed. `lease`: 1 alive. `carriers`: one bit a LAN, the first is bit 0.

    `inputs`: PEER_WATCHDOG closed, KEY_LOCAL turned, LAMP_TEST pressed; BLIND: nothing can be read.
    """

    at_ns: int
    own: int
    peer: int
    watchdog: int
    lease: int
    carriers: int
    inputs: int = 0


class Lost(NamedTuple):
    """Permission is lost, `permit` is the new one. `held`: 1 the service, 2 the lines, 3 both; 0 nothing was held."""

    at_ns: int
    permit: int
    held: int
    reason: str


class Late(NamedTuple):
    """The heart itself woke `late_ns` after it should have."""

    at_ns: int
    late_ns: int


class Carried(NamedTuple):
    """A request was carried out. `what`: 1 service on, 2 service off, 3 lines on, 4 lines off (contact read open)."""

    at_ns: int
    what: int
    epoch: int


class Proof(NamedTuple):
    """The watchdog proof test of the start: its contact was read open before the first pulse and closed after it."""

    ok: bool
    sentence: str


class Said(NamedTuple):
    """A sentence for the log."""

    text: str


class Foreign(NamedTuple):
    """So many datagrams at the heartbeat paths were not signed by the peer, since the heart's start."""

    frames: int


class Fence(NamedTuple):
    """There is a kernel lease on this machine, or none: why. Told at the start and whenever it changes."""

    leased: bool
    sentence: str


class Unanswered(NamedTuple):
    """The group's addresses were asked for on the LANs, and nobody answered for so long. Told while it is asked."""

    at_ns: int
    for_ns: int


class Claimed(NamedTuple):
    """Another host, which is not the peer either, claims a group address that is held here. Told now and then.

    `lan`: its place in the configuration; `mac`: 6 octets; `ip`: 4 or 16.
    """

    lan: int
    mac: bytes
    ip: bytes


class HeartTurn(NamedTuple):
    """Not sent: the client adds it. The heart had drained its sockets at this time.

    `fresh`: by path, when the newest fresh beat came that said nothing new; 0: none did. May be shorter than the paths.
    """

    at_ns: int
    fresh: tuple[int, ...] = ()


class HeartGone(NamedTuple):
    """Not sent: the client adds it. The heart process has ended."""

    reason: str


Message = (
    Ready
    | Heard
    | Refused
    | PinsRead
    | Lost
    | Late
    | Carried
    | Proof
    | Said
    | Foreign
    | Fence
    | Unanswered
    | Claimed
    | HeartTurn
    | HeartGone
)
SERVICE_ON, SERVICE_OFF, LINES_ON, LINES_OFF = 1, 2, 3, 4
PEER_WATCHDOG, KEY_LOCAL, LAMP_TEST, BLIND = 1, 2, 4, 128

_HEAD = struct.Struct("<HB")
_SHAPES: list[tuple[type[Any], str, str]] = [  # class, fixed fields, tail; the code is the place in this list
    (ServiceOn, "<II", ""), (ServiceOff, "<?", ""), (LinesOn, "<II", ""), (LinesOff, "<??", ""), (BeatNow, "<", ""),
    (Probe, "<", ""), (Suspect, "<I", ""), (End, "<", ""), (Ready, "<II", "text"), (Heard, "<BQq", "beat"),
    (Refused, "<BQ", ""), (PinsRead, "<QBBBBIB", ""), (Lost, "<QIB", "text"), (Late, "<QQ", ""), (Carried, "<QBI", ""),
    (Proof, "<?", "text"), (Said, "<", "text"), (Foreign, "<I", ""),
    (Leds, "<", "octets"), (Fence, "<?", "text"), (Unanswered, "<QQ", ""), (Keep, "<", ""),
    (Trip, "<I", ""),
    (Claimed, "<B6s", "octets"),
]  # fmt: skip
_BY_CODE = [(cls, struct.Struct(fixed), tail) for cls, fixed, tail in _SHAPES]
_CODES = {cls: (code, struct.Struct(fixed), tail) for code, (cls, fixed, tail) in enumerate(_SHAPES)}
TEXT_OCTETS_MAX = 400


def pack(words: Sequence[Request | Message]) -> bytes:
    """Several messages as one datagram."""
    parts = []
    for word in words:
        code, fixed, tail = _CODES[type(word)]
        values: tuple[Any, ...] = word
        if tail == "text":
            octets = fixed.pack(*values[:-1]) + values[-1].encode()[:TEXT_OCTETS_MAX]
        elif tail == "beat":
            octets = fixed.pack(*values[:-1]) + pack_body(values[-1])
        elif tail == "octets":
            octets = fixed.pack(*values[:-1]) + values[-1]
        else:
            octets = fixed.pack(*values)
        parts.append(_HEAD.pack(len(octets), code) + octets)
    return b"".join(parts)


def unpack(octets: bytes) -> list[Any]:
    """The messages of a datagram; what cannot be read is left out."""
    words: list[Any] = []
    at = 0
    while at + _HEAD.size <= len(octets):
        size, code = _HEAD.unpack_from(octets, at)
        at += _HEAD.size + size
        if code >= len(_BY_CODE) or at > len(octets):
            continue
        cls, fixed, tail = _BY_CODE[code]
        content = octets[at - size : at]
        if size < fixed.size:
            continue
        values = fixed.unpack_from(content)
        if tail == "text":
            words.append(cls(*values, content[fixed.size :].decode(errors="replace")))
        elif tail == "beat":
            beat = unpack_body(content[fixed.size :])
            if beat is not None:
                words.append(cls(*values, beat))
        elif tail == "octets":
            words.append(cls(*values, content[fixed.size :]))
        else:
            words.append(cls(*values))
    return words
