"""What the role machine decides, as data with the reason in words; to be carried out one by one, in order."""

from __future__ import annotations

from typing import Literal, NamedTuple

from tandem.codec import heart as say


class ClaimService(NamedTuple):
    """Lease, group addresses and their announcement; listen there; the history goes on in `epoch`."""

    epoch: int
    reason: str


class LinesOn(NamedTuple):
    """Energize the role coil."""

    epoch: int
    reason: str


class LinesOff(NamedTuple):
    """Coil low; `announce`: the peer is told when the contact is read open, and whether the lines were drained."""

    announce: bool
    drained: bool
    reason: str


class TripPeer(NamedTuple):
    """One pulse on the peer-trip output: the feed of the peer's role coil is cut for a moment."""

    reason: str


class Drop(NamedTuple):
    """In one turn: lease deleted, coil low, field and group sockets reset, address off, controls ended.

    `announce`: the peer is told at once that the service is free.
    """

    announce: bool
    reason: str


class StartMasters(NamedTuple):
    """The masters of IP devices, or those of serial lines, may talk. `drained`: the old owner had no request open."""

    which: Literal["ip", "serial"]
    drained: bool
    reason: str


class StopMasters(NamedTuple):
    """The right is lost: nothing may be sent any more."""

    which: Literal["ip", "serial"]
    reason: str


class Drain(NamedTuple):
    """Open no new request, refuse new controls; `on` False: work on as before."""

    on: bool
    reason: str


class ReserveEpoch(NamedTuple):
    """Put this epoch on flash: the next claim will use it."""

    epoch: int
    reason: str


class Beat(NamedTuple):
    """A beat on every path at once."""

    reason: str


class Alarm(NamedTuple):
    """Somebody should look."""

    reason: str


Action = (
    ClaimService
    | LinesOn
    | LinesOff
    | TripPeer
    | Drop
    | StartMasters
    | StopMasters
    | Drain
    | ReserveEpoch
    | Beat
    | Alarm
)


def to_heart_after(action: Action) -> tuple[say.Request, ...]:
    """What the heart does when the supervisor has done its share: sessions are reset from addresses that are there."""
    return (say.ServiceOff(action.announce),) if isinstance(action, Drop) else ()


def to_heart(action: Action, permit: int) -> tuple[say.Request, ...]:
    """The heart's share of an action; `permit` is the newest that the heart named (`Ready`, `Lost`)."""
    match action:
        case ClaimService(epoch):
            return (say.ServiceOn(epoch, permit),)
        case LinesOn(epoch):
            return (say.LinesOn(epoch, permit),)
        case LinesOff(announce, drained):
            return (say.LinesOff(announce, drained),)
        case TripPeer():
            return (say.Trip(permit),)
        case Drop():
            return (say.LinesOff(False, False),)
        case Beat():
            return (say.BeatNow(),)
        case _:
            return ()
