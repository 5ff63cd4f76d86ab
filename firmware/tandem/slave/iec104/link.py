"""The controlled side of the 104 link (IEC 60870-5-104 clause 5): one connection's states, window and timers.

    STOPPED --STARTDT--> WAITING --serve()--> STARTED --STOPDT--> STOPPING --all acknowledged--> STOPPED
                            |  (the station has      ^  |             |
                            |   no values yet)       |  +--expel()----|----> STOPPED (no confirmation)
                            +--STOPDT--> STOPPED     +----STARTDT-----+

CLOSED is reached from everywhere by a fault of the peer, with a sentence; nothing leaves it.
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tandem.codec.iec60870 import apci
from tandem.engine import earliest
from tandem.point import SECOND


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


@dataclass(slots=True, frozen=True)
class Timing:
    """t1, t2, t3 in nanoseconds, k and w in APDUs; the defaults are the standard's (table 18)."""

    t1_ns: int = 15 * SECOND
    t2_ns: int = 10 * SECOND
    t3_ns: int = 20 * SECOND
    k: int = 12
    w: int = 8

    @classmethod
    def from_options(cls, options: Mapping[str, object]) -> Timing:
        """Of a slave's options `t1_s t2_s t3_s k w`; a missing one is the standard's."""

        def option(name: str, default: int) -> int:
            return int(str(options.get(name, default)))

        def seconds(name: str, default: int) -> int:
            return int(float(str(options.get(name, default))) * SECOND)

        return cls(seconds("t1_s", 15), seconds("t2_s", 10), seconds("t3_s", 20), option("k", 12), option("w", 8))


class LinkUser(Protocol):
    """Who stands above a link."""

    def may_start(self, now: int) -> bool:
        """True when STARTDT may be confirmed at once."""

    def started_now(self, now: int) -> None:
        """Data may flow; called after the confirmation went out."""

    def stopped(self, now: int) -> None:
        """No data any more: STOPDT is confirmed, or another connection took over."""

    def asdu(self, octets: bytes, now: int) -> None:
        """The ASDU of an I frame in order."""

    def confirmed(self, frames: int) -> None:
        """The peer acknowledged the `frames` oldest I frames."""

    def broken(self, reason: str) -> None:
        """The peer broke a rule or is silent: the connection must be closed."""


class Link:
    """One connection's APCI. `out` collects the octets to send."""

    def __init__(self, user: LinkUser, timing: Timing) -> None:
        self.user = user
        self.timing = timing
        self.state = State.STOPPED
        self.out: list[bytes] = []
        self._splitter = apci.Splitter()
        self._sent_at: deque[int] = deque()  # of I frames without acknowledgement, at most k
        self._vs = self._vr = self._acknowledged = 0
        self._unanswered = 0  # I frames received since we last sent N(R)
        self._ack_due: int | None = None  # t2
        self._test_due: int | None = None  # t1 of a TESTFR
        self._idle_due = 0  # t3

    @property
    def room(self) -> int:
        """How many I frames may be sent now."""
        return self.timing.k - len(self._sent_at) if self.state is State.STARTED else 0

    @property
    def closed(self) -> bool:
        """True once the peer broke a rule, or the connection is gone."""
        return self.state is State.CLOSED

    def opened(self, now: int) -> None:
        """The connection is there: t3 begins to run."""
        self._idle_due = now + self.timing.t3_ns

    def send(self, asdu: bytes, now: int) -> None:
        """Send an I frame; `room` must be above 0."""
        self.out.append(apci.i_frame(asdu, self._vs, self._vr))
        self._vs = self._vs + 1 & apci.MASK
        self._sent_at.append(now)
        self._unanswered, self._ack_due = 0, None

    def receive(self, data: bytes, now: int) -> None:
        """Octets of the peer, in any pieces."""
        if self.closed:
            return
        for frame in self._splitter.feed(data):
            self._idle_due = now + self.timing.t3_ns
            self._frame(frame, now)
        if self._splitter.fault:
            self.close(self._splitter.fault)

    def acknowledge(self) -> None:
        """Send an S frame if w I frames wait for one; call after the answers to them went out."""
        if self._unanswered >= self.timing.w:
            self._send_s()

    def serve(self, now: int) -> None:
        """The station has its values: confirm a STARTDT that waited."""
        if self._cue(Cue.SERVE):
            self.user.started_now(now)

    def expel(self, now: int) -> None:
        """Another connection of the center started: this one stops without a word of the peer."""
        if self._cue(Cue.EXPEL):
            self.user.stopped(now)

    def close(self, reason: str) -> None:
        """Give the connection up; `reason` is a sentence."""
        if not self.closed:
            self.state = State.CLOSED
            self.user.broken(reason)

    def tick(self, now: int) -> None:
        """Timers."""
        if self.closed:
            return
        t1_s = self.timing.t1_ns / SECOND
        if self._sent_at and now >= self._sent_at[0] + self.timing.t1_ns:
            self.close(f"the peer did not acknowledge an I frame within t1 = {t1_s:g} s")
        elif self._test_due is not None and now >= self._test_due:
            self.close(f"the peer did not answer TESTFR within t1 = {t1_s:g} s")
        else:
            if self._ack_due is not None and now >= self._ack_due:
                self._send_s()
            if now >= self._idle_due and self._test_due is None:
                self.out.append(apci.u_frame(apci.TESTFR_ACT))
                self._test_due = now + self.timing.t1_ns

    def due(self) -> int | None:
        """The earliest of t1, t2 and t3."""
        if self.closed:
            return None
        sent = self._sent_at[0] + self.timing.t1_ns if self._sent_at else None
        idle = self._idle_due if self._test_due is None else None
        return earliest(sent, self._ack_due, self._test_due, idle)

    def _cue(self, cue: Cue) -> bool:
        change = _CHANGES.get((self.state, cue))
        if change is None:
            return False
        self.state, answer = change
        if answer:
            self.out.append(apci.u_frame(answer))
        return True

    def _send_s(self) -> None:
        self.out.append(apci.s_frame(self._vr))
        self._unanswered, self._ack_due = 0, None

    def _frame(self, frame: bytes, now: int) -> None:
        if self.closed:
            return
        form, number, nr = apci.control_of(frame)
        if form == "U":
            self._u_frame(number, now)
        elif form == "?":
            self.close(f"the control octets {frame[2:6].hex()} are not defined")
        elif self._acknowledge_to(nr):
            if form == "I":
                self._i_frame(frame, number, now)
            elif self.state is State.STOPPING:
                self._drained(now)

    def _i_frame(self, frame: bytes, ns: int, now: int) -> None:
        if self.state is not State.STARTED:
            self.close(f"an I frame came while the connection is {self.state.value}; STARTDT must be confirmed first")
        elif ns != self._vr:
            self.close(f"an I frame has N(S) = {ns}, expected is {self._vr}")
        elif len(frame) == 6:
            self.close("an I frame came without an ASDU")
        else:
            self._vr = self._vr + 1 & apci.MASK
            self._unanswered += 1
            if self._ack_due is None:
                self._ack_due = now + self.timing.t2_ns
            self.user.asdu(frame[6:], now)

    def _acknowledge_to(self, nr: int) -> bool:
        frames = nr - self._acknowledged & apci.MASK
        if frames > len(self._sent_at):
            lowest, highest = self._acknowledged, self._vs
            self.close(f"N(R) = {nr} is outside of what may be acknowledged, {lowest} to {highest}")
            return False
        if frames:
            self._acknowledged = nr
            for _ in range(frames):
                self._sent_at.popleft()
            self.user.confirmed(frames)
        return True

    def _u_frame(self, function: int, now: int) -> None:
        if function == apci.TESTFR_ACT:
            self.out.append(apci.u_frame(apci.TESTFR_CON))
        elif function == apci.TESTFR_CON:
            self._test_due = None
        elif function == apci.STARTDT_ACT:
            was = self.state
            self._cue(Cue.STARTDT)
            if self.state is State.WAITING and self.user.may_start(now):
                self.serve(now)
            elif was is State.STOPPING:
                self.user.started_now(now)
        elif function == apci.STOPDT_ACT:
            if self._unanswered:
                self._send_s()
            self._cue(Cue.STOPDT)
            self._drained(now)
        else:
            self.close(f"{apci.U_NAMES[function]} came, which only a controlled station sends")

    def _drained(self, now: int) -> None:
        if not self._sent_at and self._cue(Cue.DRAINED):
            self.user.stopped(now)
