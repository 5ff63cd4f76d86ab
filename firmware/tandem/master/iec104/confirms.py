"""Which of a device's events are confirmed to it: received, released, acknowledged, and told to the other member.

    received --release()--> freed --N(R) made--> confirmed --told()--> mirrored as a cursor, ahead of the N(R) itself:
        |                     |                  whoever dies in between has the device repeat, and loses nothing
        +--- the connection ended: the device offers them again, and they are matched (`master.again`)
"""

from __future__ import annotations

from collections import deque

from tandem.journal import Journal
from tandem.master.again import Offered

_IDLE_RECORDS = 4096
"""Without anything unconfirmed the cursor follows in steps of so many records: a successor looks at no more."""


class Confirms:
    """Of one connection's I frames, by the journal's head after each was applied."""

    def __init__(self, journal: Journal, offered: Offered, points: frozenset[int], wait_ns: int) -> None:
        """`points`: ids of the inputs that the connection feeds; `wait_ns`: how long a confirm may wait."""
        self.released = 0
        """The highest journal number that the device was, or is being, answered for."""
        self.wait_ns = wait_ns
        self._journal = journal
        self._offered = offered
        self._points = points
        self._received: deque[tuple[int, int]] = deque()  # (journal number, when); bounded by what the device sends
        self._freed: deque[int] = deque()
        self._said = 0  # frames of this connection that were seen to be acknowledged
        self._confirmed = self._last = 0
        self._untold = False
        self._owed = False  # the device may offer again what it offered before

    @property
    def waiting(self) -> int:
        """Frames received and not released."""
        return len(self._received)

    def resume(self, number: int) -> None:
        """A predecessor had confirmed up to `number`."""
        self._confirmed, self._owed = number, True

    def begin(self, now: int) -> None:
        """Data transfer starts on a new connection or after a stop."""
        if self._owed:
            self._owed = False
            self._offered.begin(self._journal, self._confirmed, self._points, now)
        else:
            self._confirm(self._journal.head)

    def connected(self) -> None:
        """A connection with frames of its own."""
        self._said = 0

    def end(self) -> None:
        """The connection is gone, or the right to it."""
        self._owed = self._owed or bool(self._said or self._received or self._freed) or self._offered.owed
        self._received.clear()
        self._freed.clear()
        self._offered.end()

    def received(self, now: int) -> None:
        """An I frame was applied."""
        self._received.append((self._journal.head, now))

    def release(self, number: int) -> int:
        """How many more frames may be acknowledged."""
        received = self._received
        frames = 0
        while received and received[0][0] <= number:
            self.released = received.popleft()[0]
            self._freed.append(self.released)
            frames += 1
        if not received and not self._freed and number - self._confirmed > _IDLE_RECORDS:
            self._settle(number)
        return frames

    def acknowledged(self, said: int) -> None:
        """`said` frames of the connection are acknowledged by what it has sent, or is about to."""
        if said == self._said:
            return
        for _ in range(said - self._said):
            self._last = self._freed.popleft()
        self._said = said
        self._settle(self._last)

    def _settle(self, number: int) -> None:
        if not self._owed and not self._offered.owed:
            self._confirm(number)

    def _confirm(self, number: int) -> None:
        if number > self._confirmed:
            self._confirmed, self._untold = number, True

    def told(self) -> int | None:
        """Drain the cursor when it moved."""
        if not self._untold:
            return None
        self._untold = False
        return self._confirmed

    def overdue(self, now: int) -> bool:
        """The oldest confirm has waited too long."""
        return bool(self._received) and now - self._received[0][1] >= self.wait_ns

    def due(self) -> int | None:
        """When that will be."""
        return self._received[0][1] + self.wait_ns if self._received else None
