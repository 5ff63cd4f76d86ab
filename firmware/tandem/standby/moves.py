"""When an active that works gives its role away by itself: to the preferred member, or to the healthier one."""

from __future__ import annotations

from tandem.point import MS, SECOND
from tandem.standby.peer import NEVER, PeerView

MOVE_PAUSE_NS = 10 * SECOND
"""No move for health's sake so soon after any takeover."""
HEALTH_SETTLE_NS = 500 * MS
HOUR_NS = 3600 * SECOND
UNCLEAN_PER_HOUR_MAX = 3
WAITS_MAX = 64
"""A revert waits at most so many times `revert_after_s`."""


class Moves:
    """Memory of what was moved and undone, so that nothing swings."""

    def __init__(self, member: str, preferred: str, revert_after_s: int) -> None:
        self.peer_preferred = preferred not in ("none", member)
        self.revert_after_ns = revert_after_s * SECOND
        self.waits = 1
        """How many times `revert_after_s` a revert waits now."""
        self.stopped = ""
        """Why nothing reverts any more until an operator re-arms it; "" while reverts may happen."""
        self._well_since = NEVER
        self._worse_since = NEVER
        self._worse_health = 0
        self._moved_ns = NEVER
        self._reverted_ns = NEVER
        self._unclean: list[int] = []

    def became_active(self, first: bool, clean: bool, now: int) -> None:
        """A takeover; not `first`: from a peer that served. Three that were not `clean` in an hour end reverting."""
        self._well_since = self._worse_since = NEVER
        if first:
            return
        self._moved_ns = now
        if not clean:
            self._unclean = [*(at for at in self._unclean if now - at < HOUR_NS), now]
            if len(self._unclean) >= UNCLEAN_PER_HOUR_MAX:
                self.stopped = f"{len(self._unclean)} unclean failovers in an hour"
                self._unclean = self._unclean[-UNCLEAN_PER_HOUR_MAX:]
        if self._reverted_ns != NEVER:
            undone = now - self._reverted_ns < HOUR_NS
            self.waits = min(self.waits * 2, WAITS_MAX) if undone else 1
        self._reverted_ns = NEVER

    def rearm(self) -> None:
        """An operator says that reverts may happen again."""
        self._unclean.clear()
        self.stopped = ""
        self.waits = 1

    def wish(self, view: PeerView, health: int, now: int) -> str:
        """Why the role should go to the peer now; "" while it should stay."""
        able = view.hears_me and view.in_sync and not view.serving
        return self._healthier(view, health, able, now) or self._preferred(view, health, able, now)

    def moved(self, now: int) -> None:
        """The release has begun."""
        self._moved_ns, self._well_since = now, NEVER
        if self.peer_preferred:
            self._reverted_ns = now

    def due(self) -> int | None:
        """When a wish may come true by time alone."""
        times = []
        if self._worse_since != NEVER:
            times.append(self._worse_since + HEALTH_SETTLE_NS)
        if self.peer_preferred and self._well_since != NEVER and not self.stopped:
            times.append(self._well_since + self.revert_after_ns * self.waits)
        return min(times, default=None)

    def _healthier(self, view: PeerView, health: int, able: bool, now: int) -> str:
        """The peer's statement must be younger than the settled own loss: a shared fault moves nothing."""
        if health >= view.health or not able:
            self._worse_since = NEVER
            return ""
        if self._worse_since == NEVER or self._worse_health != health:
            self._worse_since, self._worse_health = now, health
        settled_ns = self._worse_since + HEALTH_SETTLE_NS
        if view.echo_sent_ns < settled_ns or (self._moved_ns != NEVER and now - self._moved_ns < MOVE_PAUSE_NS):
            return ""
        return f"the peer's health is {view.health}, ours {health}"

    def _preferred(self, view: PeerView, health: int, able: bool, now: int) -> str:
        if not self.peer_preferred or not able or view.health < health:
            self._well_since = NEVER
            return ""
        if self._well_since == NEVER:
            self._well_since = now
        if self.stopped or now - self._well_since < self.revert_after_ns * self.waits:
            return ""
        return "the preferred member is healthy and in sync again"
