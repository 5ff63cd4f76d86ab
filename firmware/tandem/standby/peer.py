"""What is known of the peer, as data: made by `heartbeat`, read by the role machine, the mirror and the panel."""

from __future__ import annotations

from typing import NamedTuple

from tandem.codec.beat import (
    DRAINED,
    GRANTING,
    IN_SYNC,
    LAST_IN_SYNC,
    LINES_HELD,
    WITHDRAWN,
    Beat,
    Kind,
    Role,
)

NEVER = -1
"""A time that has not been."""
_SETTLED_BEATS = 5  # fresh ones in a row: no count of the role machine's is below that


class PathView(NamedTuple):
    """One heartbeat path. `alive`: a fresh beat came over it within D. Times are monotonic ns or NEVER."""

    name: str
    alive: bool
    fresh_ns: int
    refused_ns: int
    carrier: bool


class PeerView(NamedTuple):
    """The peer as of one moment; what it said is from its newest fresh beat."""

    now: int = 0
    known: bool = False  # a fresh beat came since our start
    heard: bool = False  # and it is neither suspect nor silent now
    role: int = Role.STARTING
    epoch: int = 0
    highest_epoch: int = 0  # that any fresh beat or release ever named
    health: int = 0
    flags: int = 0
    head: int = 0
    released_seq: int = 0
    nonce: int = 0
    reboots: int = 0  # how often a fresh beat came with a new nonce
    fresh_beats: int = 0  # in a row, without a suspicion between them
    fresh_ns: int = NEVER  # when the last fresh beat came
    echo_sent_ns: int = NEVER  # when our frame that it echoed was sent: what it says is younger than this
    silent_ns: int = 0
    suspect: bool = False  # two beats are missing
    silent: bool = False  # on every path for D, the own lateness left out
    settled: bool = True  # False: silence counts for nothing yet (a carrier came back within the last second)
    isolated: bool = False  # no own LAN has a carrier
    deaf: bool = False  # it is heard, and does not hear us
    missed_q_ms: int = 0  # it says that it has not heard us for so long
    disowned: bool = False  # and our proof of the contrary did not come in time
    dead: str = ""  # proven: why
    dead_ns: int = NEVER
    service_released_ns: int = NEVER  # signed, for its newest epoch and our nonce
    lines_released_ns: int = NEVER
    lines_drained: bool = False
    last_granting_ns: int = NEVER
    last_released_seq: int = 0  # the highest it ever named
    paths: tuple[PathView, ...] = ()

    def repeats(self, beat: Beat) -> bool:
        """A beat that says again what is known of a peer that is well: no decision waits for it."""
        return (
            self.heard
            and self.fresh_beats >= _SETTLED_BEATS
            and beat.kind == Kind.BEAT
            and not (beat.flags ^ self.flags) & ~DRAINED  # which comes and goes with each poll
            and (beat.role, beat.nonce, beat.epoch, beat.suspect_q_ms, beat.health)
            == (self.role, self.nonce, self.epoch, self.missed_q_ms, self.health)
        )

    @property
    def arriving(self) -> dict[str, bool]:
        """By path: what people are told of it. One that refuses, or whose peer is not heard any more, brings nothing,
        though the time in which a beat may still come is not over.
        """
        return {p.name: self.heard and p.alive and p.refused_ns <= p.fresh_ns for p in self.paths}

    @property
    def hears_me(self) -> bool:
        """Its beats echo ours: what we send arrives."""
        return self.heard and not self.missed_q_ms

    @property
    def serving(self) -> bool:
        """Its last word was of a role that owns, claims or is giving away the service."""
        return self.role in (Role.ACTIVE, Role.TAKING_OVER, Role.RELEASING)

    @property
    def granting(self) -> bool:
        """It says that we are in sync."""
        return bool(self.flags & GRANTING)

    @property
    def withdrawn(self) -> bool:
        """It says that it grants no more."""
        return bool(self.flags & WITHDRAWN)

    @property
    def in_sync(self) -> bool:
        """It says that it has all of ours."""
        return bool(self.flags & IN_SYNC)

    @property
    def last_in_sync(self) -> bool:
        """It ended its last run in sync."""
        return bool(self.flags & LAST_IN_SYNC)

    @property
    def lines_held(self) -> bool:
        """It holds the field lines."""
        return bool(self.flags & LINES_HELD)

    @property
    def drained(self) -> bool:
        """It has no request outstanding."""
        return bool(self.flags & DRAINED)


class BeatNowWanted(NamedTuple):
    """Send a beat on every path at once: it proves that we live."""

    reason: str


class ProbeWanted(NamedTuple):
    """Probe every path at once."""

    reason: str


class SayMissed(NamedTuple):
    """Tell the peer in every beat that it was not heard for so long; 0: it is heard again."""

    q_ms: int
