"""What a device is asked by itself, one request after the other: interrogations, counters, its clock.

    queued --pick--> sent --confirmation--> (GENERAL, COUNTERS: running --termination-->) done
                      |                          |
                      +-- no answer in time -----+--> sent again, at most `retries` times, then given up
"""

from __future__ import annotations

import enum
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from tandem.point import SECOND

ACT, ACT_CON, ACT_TERM = 6, 7, 10
GENERAL_TYPE, COUNTER_TYPE, CLOCK_TYPE = 100, 101, 103
TYPES = frozenset({GENERAL_TYPE, COUNTER_TYPE, CLOCK_TYPE})
_RUNNING_NS = 10 * SECOND
"""An interrogation that runs may be silent for so long between two values."""
_MOST = 256
"""Requests that wait; a device with more common addresses than that is no device."""


class What(enum.Enum):
    """A request, in words."""

    CLOCK = "clock synchronisation"
    GENERAL = "station interrogation"
    FREEZE = "counter freeze"
    COUNTERS = "counter interrogation"


_TYPE = {
    What.CLOCK: CLOCK_TYPE,
    What.GENERAL: GENERAL_TYPE,
    What.FREEZE: COUNTER_TYPE,
    What.COUNTERS: COUNTER_TYPE,
}
_RUNS = frozenset({What.GENERAL, What.COUNTERS})


@dataclass(slots=True, frozen=True)
class Period:
    """What is asked at the start, and every so often; 0: at the start only."""

    what: What
    every_ns: int


@dataclass(slots=True, eq=False)
class Ask:
    """One request to one common address, and how it fares."""

    what: What
    ca: int
    attempts: int = 0
    sent_ns: int = 0
    deadline: int = 0
    running: bool = False
    refused: bool = False
    ended: bool = False
    given_up: bool = False


class Asks:
    """The queue of one device; at most one request is open."""

    def __init__(self, answer_ns: int, retries: int, asdu_of: Callable[[Ask, int], bytes | None]) -> None:
        """`asdu_of` gives a request's octets, or None where it cannot be made now (a clock that is not set)."""
        self._answer_ns = answer_ns
        self._retries = retries
        self._asdu_of = asdu_of
        self._queue: deque[Ask] = deque()
        self._open: Ask | None = None

    @property
    def waiting(self) -> bool:
        """A request may be sent."""
        return self._open is None and bool(self._queue)

    def add(self, ask: Ask) -> None:
        """To the end of the queue, unless the same waits there already."""
        if len(self._queue) < _MOST and not any(a.what is ask.what and a.ca == ask.ca for a in self._queue):
            self._queue.append(ask)

    def pick(self, now: int) -> bytes | None:
        """The next request; it is open from now on."""
        while self.waiting:
            ask = self._queue.popleft()
            asdu = self._asdu_of(ask, now)
            if asdu is not None:
                ask.attempts += 1
                ask.sent_ns, ask.deadline, ask.running = now, now + self._answer_ns, False
                self._open = ask
                return asdu
        return None

    def heard(self, cause: int, now: int) -> None:
        """A value with a cause of interrogations (20 to 41) came."""
        ask = self._open
        if ask is not None and ask.running and 20 <= cause <= 41:
            ask.deadline = now + _RUNNING_NS

    def reply(self, number: int, ca: int, cause: int, negative: bool, now: int) -> Ask | None:
        """The open request that this answers, with `ended` where nothing more is to come; None for a stray answer."""
        ask = self._open
        if ask is None or ask.ca != ca or _TYPE[ask.what] != number:
            return None
        if negative or cause >= 44:
            ask.refused = True
        elif cause == ACT_CON and ask.what in _RUNS:
            ask.running, ask.deadline = True, now + _RUNNING_NS
            return ask
        elif cause not in (ACT_CON, ACT_TERM) or (ask.what is What.COUNTERS and not ask.running):
            return None  # a termination before the confirmation is that of the freeze
        ask.ended, self._open = True, None
        return ask

    def late(self, now: int) -> Ask | None:
        """The open request when it is out of time: it waits again, or is `given_up`."""
        ask = self._open
        if ask is None or now < ask.deadline:
            return None
        self._open = None
        if ask.attempts <= self._retries:
            self._queue.appendleft(ask)
        else:
            ask.given_up = True
        return ask

    def due(self) -> int | None:
        """When the open request is out of time."""
        return self._open.deadline if self._open is not None else None

    def clear(self) -> None:
        """Forget everything."""
        self._queue.clear()
        self._open = None
