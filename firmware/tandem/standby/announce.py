"""When the group's addresses are announced: at once, again while neighbours may have missed it, then seldom."""

from __future__ import annotations

MS = 1_000_000
NEVER = 1 << 62
SCHEDULE_MS = (0, 20, 100, 400, 1_000, 2_000, 5_000)
"""After the addresses came: one lost frame costs tens of milliseconds, a neighbour that slept some seconds."""
AFTERWARDS_NS = 60_000 * MS


class Announcements:
    """The schedule of one member; `now` is monotonic ns."""

    def __init__(self) -> None:
        self.due = NEVER
        """When `take` is to be asked next."""
        self._began = 0
        self._place = 0

    def begin(self, now: int) -> None:
        """The addresses are ours from now on, or a LAN came back on which nobody heard of it."""
        self._began, self._place, self.due = now, 0, now

    def end(self) -> None:
        """They are ours no longer."""
        self.due = NEVER

    def take(self, now: int) -> bool:
        """True when it is time to announce; those that were slept over are not made up for."""
        if now < self.due:
            return False
        while self._place < len(SCHEDULE_MS) and self._began + SCHEDULE_MS[self._place] * MS <= now:
            self._place += 1
        if self._place < len(SCHEDULE_MS):
            self.due = self._began + SCHEDULE_MS[self._place] * MS
        else:
            self.due = now + AFTERWARDS_NS
        return True
