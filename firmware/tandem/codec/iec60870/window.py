"""What both ends of a 104 connection share (IEC 60870-5-104 clause 5): numbers, windows, the timers t1 to t3.

Who starts and stops differs between the ends, and so does when a received I frame may be acknowledged: each end
derives its link from `Window` and says so.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from tandem.codec.iec60870 import apci
from tandem.point import SECOND


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
        """Of the options `t1_s t2_s t3_s k w`; a missing one is the standard's."""

        def option(name: str, default: int) -> int:
            return int(str(options.get(name, default)))

        def seconds(name: str, default: int) -> int:
            return int(float(str(options.get(name, default))) * SECOND)

        return cls(seconds("t1_s", 15), seconds("t2_s", 10), seconds("t3_s", 20), option("k", 12), option("w", 8))


class WindowUser(Protocol):
    """Who stands above a connection."""

    def asdu(self, octets: bytes, now: int) -> None:
        """The ASDU of an I frame in order."""

    def confirmed(self, frames: int) -> None:
        """The peer acknowledged the `frames` oldest I frames."""

    def broken(self, reason: str) -> None:
        """The peer broke a rule or is silent: the connection must be closed."""


class Window:
    """One connection's numbers and timers. `out` collects the octets to send."""

    def __init__(self, user: WindowUser, timing: Timing) -> None:
        self._user = user
        self.timing = timing
        self.out: list[bytes] = []
        self.closed = False
        """The peer broke a rule, or the connection was given up."""
        self._splitter = apci.Splitter()
        self._sent_at: deque[int] = deque()  # of I frames without acknowledgement, at most k
        self._vs = self._vr = self._acknowledged = 0
        self._free = 0  # up to where received I frames may be acknowledged
        self._said = 0  # N(R) as it left last
        self._ack_due: int | None = None  # t2
        self._test_due: int | None = None  # t1 of a TESTFR
        self._idle_due = 0  # t3

    @property
    def room(self) -> int:
        """How many I frames may be sent now."""
        return self.timing.k - len(self._sent_at)

    @property
    def unsaid(self) -> int:
        """How many I frames may be acknowledged and are not yet."""
        return self._free - self._said & apci.MASK

    def opened(self, now: int) -> None:
        """The connection is there: t3 begins to run."""
        self._idle_due = now + self.timing.t3_ns

    def send(self, asdu: bytes, now: int) -> None:
        """Send an I frame; `room` must be above 0."""
        self.out.append(apci.i_frame(asdu, self._vs, self._free))
        self._vs = self._vs + 1 & apci.MASK
        self._sent_at.append(now)
        self._say()

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
        if self.unsaid >= self.timing.w:
            self._send_s()

    def close(self, reason: str) -> None:
        """Give the connection up; `reason` is a sentence."""
        if not self.closed:
            self.gone()
            self._user.broken(reason)

    def gone(self) -> None:
        """The connection is no more: nothing is sent or taken."""
        self.closed = True

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
            if self._ack_due is not None and now >= self._ack_due and self.unsaid:
                self._send_s()
            if now >= self._idle_due and self._test_due is None:
                self.out.append(apci.u_frame(apci.TESTFR_ACT))
                self._test_due = now + self.timing.t1_ns

    def due(self) -> int | None:
        """The earliest of t1, t2 and t3."""
        if self.closed:
            return None
        due = self._idle_due if self._test_due is None else self._test_due
        if self._sent_at:
            due = min(due, self._sent_at[0] + self.timing.t1_ns)
        if self._ack_due is not None and self.unsaid:
            due = min(due, self._ack_due)
        return due

    # --- what the two ends do in their own way -----------------------------------------------------------------

    def _no_data(self) -> str:
        """Why an I frame must not come now, as the sentence to close with; "" where it may."""
        raise NotImplementedError

    def _took(self, now: int) -> None:
        """An I frame was counted; unless an end holds it back, it may be acknowledged."""
        self._free = self._vr

    def _start_stop(self, function: int, now: int) -> None:
        """A U frame that is not TESTFR."""
        raise NotImplementedError

    def _heard_s(self, now: int) -> None:
        """An S frame was taken."""

    # --- frames ------------------------------------------------------------------------------------------------

    def _say(self) -> None:
        """An N(R) left."""
        self._said = self._free
        if self._free == self._vr:
            self._ack_due = None

    def _send_s(self) -> None:
        self.out.append(apci.s_frame(self._free))
        self._say()

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
            else:
                self._heard_s(now)

    def _i_frame(self, frame: bytes, ns: int, now: int) -> None:
        if fault := self._no_data():
            self.close(fault)
        elif ns != self._vr:
            self.close(f"an I frame has N(S) = {ns}, expected is {self._vr}")
        elif len(frame) == 6:
            self.close("an I frame came without an ASDU")
        else:
            self._vr = self._vr + 1 & apci.MASK
            if self._ack_due is None:
                self._ack_due = now + self.timing.t2_ns
            self._took(now)
            self._user.asdu(frame[6:], now)

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
            self._user.confirmed(frames)
        return True

    def _u_frame(self, function: int, now: int) -> None:
        if function == apci.TESTFR_ACT:
            self.out.append(apci.u_frame(apci.TESTFR_CON))
        elif function == apci.TESTFR_CON:
            self._test_due = None
        else:
            self._start_stop(function, now)
