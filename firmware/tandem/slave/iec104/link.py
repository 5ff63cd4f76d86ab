"""The controlled side of the 104 link (IEC 60870-5-104 clause 5): the states of one connection.

    STOPPED --STARTDT--> WAITING --serve()--> STARTED --STOPDT--> STOPPING --all acknowledged--> STOPPED
                            |  (the station has      ^  |             |
                            |   no values yet)       |  +--expel()----|----> STOPPED (no confirmation)
                            +--STOPDT--> STOPPED     +----STARTDT-----+

CLOSED is reached from everywhere by a fault of the peer, with a sentence; nothing leaves it.
"""

from __future__ import annotations

import enum
from typing import Protocol

from tandem.codec.iec60870 import apci
from tandem.codec.iec60870.window import Timing, Window, WindowUser


class State(enum.Enum):
    """Where a connection stands."""

    STOPPED = "stopped"
    WAITING = "waiting"  # STARTDT came and is confirmed as soon as the station serves
    STARTED = "started"
    STOPPING = "stopping"  # STOPDT came and is confirmed as soon as everything sent is acknowledged
    CLOSED = "closed"


class Cue(enum.Enum):
    """What moves the state."""

    STARTDT = "STARTDT act"
    STOPDT = "STOPDT act"
    SERVE = "the station serves"
    DRAINED = "everything is acknowledged"
    EXPEL = "another connection of the center started"


_CHANGES: dict[tuple[State, Cue], tuple[State, int]] = {
    # (state, cue): (next state, U frame that answers or 0). A pair that is not listed changes nothing.
    (State.STOPPED, Cue.STARTDT): (State.WAITING, 0),
    (State.STOPPED, Cue.STOPDT): (State.STOPPED, apci.STOPDT_CON),
    (State.WAITING, Cue.SERVE): (State.STARTED, apci.STARTDT_CON),
    (State.WAITING, Cue.STOPDT): (State.STOPPED, apci.STOPDT_CON),
    (State.STARTED, Cue.STARTDT): (State.STARTED, apci.STARTDT_CON),
    (State.STARTED, Cue.STOPDT): (State.STOPPING, 0),
    (State.STARTED, Cue.EXPEL): (State.STOPPED, 0),
    (State.STOPPING, Cue.STARTDT): (State.STARTED, apci.STARTDT_CON),
    (State.STOPPING, Cue.DRAINED): (State.STOPPED, apci.STOPDT_CON),
    (State.STOPPING, Cue.EXPEL): (State.STOPPED, apci.STOPDT_CON),
}


class LinkUser(WindowUser, Protocol):
    """Who stands above a link."""

    def may_start(self, now: int) -> bool:
        """True when STARTDT may be confirmed at once."""

    def started_now(self, now: int) -> None:
        """Data may flow; called after the confirmation went out."""

    def stopped(self, now: int) -> None:
        """No data any more: STOPDT is confirmed, or another connection took over."""


class Link(Window):
    """One connection of a control center."""

    def __init__(self, user: LinkUser, timing: Timing) -> None:
        super().__init__(user, timing)
        self.user = user
        self.state = State.STOPPED

    @property
    def room(self) -> int:
        """How many I frames may be sent now."""
        return super().room if self.state is State.STARTED else 0

    def serve(self, now: int) -> None:
        """The station has its values: confirm a STARTDT that waited."""
        if self._cue(Cue.SERVE):
            self.user.started_now(now)

    def expel(self, now: int) -> None:
        """Another connection of the center started: this one stops without a word of the peer."""
        if self._cue(Cue.EXPEL):
            self.user.stopped(now)

    def gone(self) -> None:
        """The connection is no more."""
        self.state = State.CLOSED
        super().gone()

    def _cue(self, cue: Cue) -> bool:
        change = _CHANGES.get((self.state, cue))
        if change is None:
            return False
        self.state, answer = change
        if answer:
            self.out.append(apci.u_frame(answer))
        return True

    def _no_data(self) -> str:
        if self.state is State.STARTED:
            return ""
        return f"an I frame came while the connection is {self.state.value}; STARTDT must be confirmed first"

    def _heard_s(self, now: int) -> None:
        if self.state is State.STOPPING:
            self._drained(now)

    def _start_stop(self, function: int, now: int) -> None:
        if function == apci.STARTDT_ACT:
            was = self.state
            self._cue(Cue.STARTDT)
            if self.state is State.WAITING and self.user.may_start(now):
                self.serve(now)
            elif was is State.STOPPING:
                self.user.started_now(now)
        elif function == apci.STOPDT_ACT:
            if self.unsaid:
                self._send_s()
            self._cue(Cue.STOPDT)
            self._drained(now)
        else:
            self.close(f"{apci.U_NAMES[function]} came, which only a controlled station sends")

    def _drained(self, now: int) -> None:
        if not self._sent_at and self._cue(Cue.DRAINED):
            self.user.stopped(now)
