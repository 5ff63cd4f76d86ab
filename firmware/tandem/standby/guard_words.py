"""What the guard is told at its start, and what it wants done, as data."""

from __future__ import annotations

from typing import NamedTuple

from tandem.codec.heart import BLIND as PINS_BLIND
from tandem.codec.heart import Heard, Message, PinsRead

_MS = 1_000_000


class PathRule(NamedTuple):
    """One heartbeat path. `delivery_ns`: how long a beat takes on it at most; `serial`: a stream that must be split."""

    name: str
    delivery_ns: int = 2 * _MS
    serial: bool = False


class Rules(NamedTuple):
    """The guard's share of the configuration; `member` is 0 for a, 1 for b."""

    member: int
    paths: tuple[PathRule, ...]
    heartbeat_ns: int = 20 * _MS
    dead_ns: int = 120 * _MS
    lease_ns: int = 60 * _MS
    stall_ns: int = 45 * _MS
    watchdog_ns: int = 120 * _MS
    settle_ns: int = 8 * _MS
    """A role contact that was closed for so long bounces no more: when it opens, it opens."""
    tick_ns: int = 5 * _MS
    exit_ns: int = 1000 * _MS
    has_pins: bool = True
    fenced: bool = True
    """There is a lease from the start; where it is the kernel's, it is told when its tables are loaded."""
    lease_needed: bool = False
    """Nothing is held without a lease."""
    lans: int = 0
    """LANs whose carrier the pins tell; 0: carriers are unknown and taken as up."""
    trip_ns: int = 0
    """A pulse on the peer-trip output; 0: it is not wired."""
    dead_leds: tuple[int, ...] = ()
    """What the panel shows when the supervisor is gone."""


class Send(NamedTuple):
    """Octets for a path."""

    path: int
    octets: bytes


class Pulse(NamedTuple):
    """One pulse for the watchdog relay."""


class Coil(NamedTuple):
    """The role relay's coil."""

    on: bool


class Trip(NamedTuple):
    """The peer-trip output: while it is on, the peer's role coil has no feed."""

    on: bool


class Lease(NamedTuple):
    """`word`: acquire, renew (only while alive) or drop."""

    word: str


class Addresses(NamedTuple):
    """The group addresses: add and announce, or remove."""

    on: bool


class Leds(NamedTuple):
    """The front panel: an octet a LED."""

    octets: bytes


class KillSupervisor(NamedTuple):
    """SIGKILL: its kernel resets its sessions."""


class Tell(NamedTuple):
    """A message for the supervisor."""

    message: Message


class Note(NamedTuple):
    """A fresh beat that says nothing new, for whoever looks: it wakes nobody."""

    heard: Heard


class Exit(NamedTuple):
    """The heart's work is done: both processes are to be started again."""


NO_PINS = PinsRead(0, 0, 0, 0, 0, 0)
BLIND = PinsRead(0, 0, 1, 0, 0, 0, PINS_BLIND)
"""Contacts that nobody reads: the own ones count as open, the peer's as closed."""
Output = Send | Pulse | Coil | Trip | Lease | Addresses | Leds | KillSupervisor | Tell | Note | Exit
PULSE, KILL, EXIT = Pulse(), KillSupervisor(), Exit()
COIL_HIGH, COIL_LOW = Coil(True), Coil(False)
TRIP_ON, TRIP_OFF = Trip(True), Trip(False)
ACQUIRE, RENEW, DROP = Lease("acquire"), Lease("renew"), Lease("drop")
ADDRESSES_ON, ADDRESSES_OFF = Addresses(True), Addresses(False)


def gives_back(output: Output) -> bool:
    """True for what stays right however late it is carried out: it takes no right, it gives one back or tells."""
    match output:  # by class: two empty tuples are equal whatever they are called
        case Tell() | Note() | Leds() | KillSupervisor() | Exit():
            return True
        case Coil(False) | Trip(False) | Addresses(False) | Lease("drop"):
            return True
    return False
