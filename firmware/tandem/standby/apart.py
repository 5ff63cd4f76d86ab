"""How far the members' wall clocks are apart, asked over the hot-standby link. Nothing is ever decided by it.

One member asks with its own monotonic time, the other answers with its wall clock at once. Half of the round trip is
what the answer may be wrong by, so of the newest samples the one with the shortest round trip counts.
"""

from __future__ import annotations

from collections import deque

from tandem.clock import Clock
from tandem.codec.link_time import TimeAsked, TimeTold
from tandem.point import SECOND

EACH_NS = 5 * SECOND
FIRST_NS = SECOND // 2
"""Until there are samples enough to choose among: the first ones fall into the bustle of a beginning."""
_KEPT = 8


class Apart:
    """One member's measurement; `offset_us` is the peer's clock less the own one's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.ask_at = 0
        """When the next question is due."""
        self._samples: deque[tuple[int, int]] = deque(maxlen=_KEPT)  # round trip in ns, offset in us
        self.peer_synced = False

    def ask(self, now: int) -> TimeAsked:
        """The next question."""
        self.ask_at = now + (EACH_NS if len(self._samples) == _KEPT else FIRST_NS)
        return TimeAsked(now)

    def answer(self, asked: TimeAsked, now: int) -> TimeTold:
        """The answer to the peer's question."""
        return TimeTold(asked.asked_ns, self._clock.stamp(now)[0], self._clock.synced)

    def told(self, answer: TimeTold, now: int) -> None:
        """The peer's answer; one to a question that cannot be ours is passed over."""
        round_trip_ns = now - answer.asked_ns
        if 0 <= round_trip_ns < EACH_NS:
            halfway_us, _ = self._clock.stamp(answer.asked_ns + round_trip_ns // 2)
            self._samples.append((round_trip_ns, answer.utc_us - halfway_us))
            self.peer_synced = answer.synced

    def forget(self) -> None:
        """The session ended: what was measured grows old."""
        self._samples.clear()
        self.ask_at = 0

    @property
    def known(self) -> bool:
        """Something was measured in this session."""
        return bool(self._samples)

    @property
    def offset_us(self) -> int:
        """Of the sample with the shortest round trip; 0 before the first."""
        return min(self._samples)[1] if self._samples else 0

    @property
    def round_trip_ns(self) -> int:
        """The shortest round trip; 0 before the first."""
        return min(self._samples)[0] if self._samples else 0
