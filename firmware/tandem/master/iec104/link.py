"""The controlling side of the 104 link (IEC 60870-5-104 clause 5): the states of one connection to a device.

    STOPPED --start()--> STARTING --STARTDT con--> STARTED --stop()--> STOPPING --STOPDT con--> STOPPED

CLOSED is reached from everywhere by a fault of the peer, with a sentence; nothing leaves it. What is received while
STARTED or STOPPING is acknowledged when it was freed, and not before.
"""

from __future__ import annotations

import enum
from typing import Protocol

from tandem.codec.iec60870 import apci
from tandem.codec.iec60870.window import Timing, Window, WindowUser
from tandem.point import SECOND


class State(enum.Enum):
    """Where a connection stands."""

    STOPPED = "stopped"
    STARTING = "starting"  # STARTDT is not confirmed yet
    STARTED = "started"
    STOPPING = "stopping"  # STOPDT is not confirmed yet
    CLOSED = "closed"


_UNSAID_MOST = 16_384
"""I frames that a device may send without an acknowledgement, whatever its k: half of the numbers there are."""
_ASKS = {  # state after the request, by request
    apci.STARTDT_ACT: State.STARTING,
    apci.STOPDT_ACT: State.STOPPING,
}
_ANSWERS = {  # (state, confirmation): next state
    (State.STARTING, apci.STARTDT_CON): State.STARTED,
    (State.STOPPING, apci.STOPDT_CON): State.STOPPED,
}


class LinkUser(WindowUser, Protocol):
    """Who stands above a link."""

    def started_now(self, now: int) -> None:
        """STARTDT is confirmed: data flows."""

    def stopped_now(self, now: int) -> None:
        """STOPDT is confirmed: no data any more."""


class Link(Window):
    """One connection to a device."""

    def __init__(self, user: LinkUser, timing: Timing) -> None:
        super().__init__(user, timing)
        self._above = user
        self.state = State.STOPPED
        self.said = 0
        """How many I frames were acknowledged to the device over this connection."""
        self._answer_due: int | None = None  # t1 of STARTDT or STOPDT

    @property
    def room(self) -> int:
        """How many I frames may be sent now."""
        return super().room if self.state is State.STARTED else 0

    def start(self, now: int) -> None:
        """Ask for data transfer."""
        self._ask(apci.STARTDT_ACT, now)

    def stop(self, now: int) -> None:
        """Acknowledge what may be, and ask that data transfer stops."""
        if self.unsaid:
            self._send_s()
        self._ask(apci.STOPDT_ACT, now)

    def _ask(self, function: int, now: int) -> None:
        self.state = _ASKS[function]
        self.out.append(apci.u_frame(function))
        self._answer_due = now + self.timing.t1_ns

    def free(self, frames: int) -> None:
        """So many more of the received I frames, the oldest, may be acknowledged."""
        self._free = self._free + frames & apci.MASK
        if self.state is State.STOPPING:
            self._send_s()  # the device confirms STOPDT when everything is acknowledged
        else:
            self.acknowledge()

    def gone(self) -> None:
        """The connection is no more."""
        self.state = State.CLOSED
        super().gone()

    def tick(self, now: int) -> None:
        """Timers."""
        if self._answer_due is not None and now >= self._answer_due:
            what = "STARTDT" if self.state is State.STARTING else "STOPDT"
            self.close(f"the device did not confirm {what} within t1 = {self.timing.t1_ns / SECOND:g} s")
        super().tick(now)

    def due(self) -> int | None:
        """The earliest of t1, t2 and t3."""
        due = super().due()
        return due if due is None or self._answer_due is None else min(due, self._answer_due)

    def _took(self, now: int) -> None:
        """Nothing may be acknowledged before `free`."""

    def _say(self) -> None:
        self.said += self.unsaid
        super()._say()

    def _no_data(self) -> str:
        if self._vr - self._said & apci.MASK >= _UNSAID_MOST:
            return f"the device sent {_UNSAID_MOST} I frames without waiting for an acknowledgement"
        if self.state in (State.STARTED, State.STOPPING):
            return ""
        return f"an I frame came while the connection is {self.state.value}; the device must confirm STARTDT first"

    def _start_stop(self, function: int, now: int) -> None:
        after = _ANSWERS.get((self.state, function))
        if after is not None:
            self.state, self._answer_due = after, None
            if after is State.STARTED:
                self._above.started_now(now)
            else:
                self._above.stopped_now(now)
        elif function in (apci.STARTDT_ACT, apci.STOPDT_ACT):
            self.close(f"{apci.U_NAMES[function]} came, which only a controlling station sends")
