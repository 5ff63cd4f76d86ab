"""Is the group's address unanswered? What a heart without a lease asks the LAN before its supervisor takes the address.

Where the kernel has no lease, a frozen owner goes on answering, and its silence on the heartbeat paths proves nothing.
"""

from __future__ import annotations

NEVER = 1 << 62


class Vacancy:
    """Probes of one heart; `now` is monotonic ns."""

    def __init__(self, lease_ns: int) -> None:
        self._each_ns = lease_ns // 3
        self.due = NEVER
        """When `take` is to be asked next; NEVER while nothing is to be asked."""
        self._since = NEVER

    def want(self, wanted: bool, now: int) -> None:
        """Ask from now on, or no more."""
        if wanted != (self.due != NEVER):
            self.due, self._since = (now, NEVER) if wanted else (NEVER, NEVER)

    def take(self, now: int) -> bool:
        """True when a probe is due."""
        if now < self.due:
            return False
        self.due = now + self._each_ns
        return True

    def asked(self, sent: bool, now: int) -> None:
        """The probe that was due left on some LAN, or there is none that has a carrier."""
        self._since = min(self._since, now) if sent else NEVER

    def answered(self, now: int) -> None:
        """Somebody has the address."""
        self._since = now

    def unanswered_ns(self, now: int) -> int:
        """For how long it was asked for without an answer."""
        return max(0, now - self._since)
