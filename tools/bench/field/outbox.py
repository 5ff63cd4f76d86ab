"""What a device has not yet had confirmed: the events that wait, those that c104 has, those in a frame on its way.

c104's queue is not ours to look into: around a reconnection it keeps an event that it should drop or drops one that it
should keep. So a frame's events are known by what stands in it, and what c104 dropped is offered again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from tandem.codec.iec60870 import apci, asdu

MOST_IN_FRAME = 16
_STILL_NS = 1_000_000_000
"""c104 has events, no frame of it waits for its confirm, and for so long none has left: it dropped them."""
_NEAR = 1000
"""What c104 kept of a former connection is among so many oldest."""
_US, _MINUTE_MS = 1000, 60_000

Key = tuple[int, int, int, int]
"""(common address, object address, ms of the minute, minute): what an event is known by in a frame."""


@dataclass(slots=True, eq=False)
class Event:
    """A change with its own time. `sort`: events of one sort may share an ASDU. `given`: it was in a frame once."""

    point: str
    sort: object
    ca: int
    ioa: int
    value: float
    utc_us: int
    given: bool = False

    @property
    def key(self) -> Key:
        """As `keys` reads it."""
        ms = self.utc_us // _US
        return self.ca, self.ioa, ms % _MINUTE_MS, ms // _MINUTE_MS % 60


def keys(frame: bytes) -> list[Key]:
    """Of the objects with a CP56Time2a in an I frame, each with its own address or in a sequence (SQ = 1)."""
    amount, in_sequence, ca = frame[7] & 0x7F, frame[7] & asdu.SQ, int.from_bytes(frame[10:12], "little")
    first, body = int.from_bytes(frame[12:15], "little"), frame[15:] if in_sequence else frame[12:]
    size = len(body) // amount
    found = []
    for number in range(amount):
        one = body[number * size : number * size + size]
        ioa = first + number if in_sequence else int.from_bytes(one[:3], "little")
        found.append((ca, ioa, int.from_bytes(one[-7:-5], "little"), one[-5] & 0x3F))
    return found


class Outbox:
    """The buffer of one device. Not thread-safe: its owner has a lock."""

    def __init__(self) -> None:
        self._waiting: deque[Event] = deque()
        self._handed: deque[Event] = deque()
        self._frames: deque[tuple[int, list[Event]]] = deque()  # N(S), its events
        self._moved_ns = 0

    def __len__(self) -> int:
        """Events that are not confirmed."""
        return len(self._waiting) + len(self._handed) + sum(len(events) for _, events in self._frames)

    @property
    def handed(self) -> int:
        """Events that c104 has, not yet in a frame."""
        return len(self._handed)

    def add(self, event: Event) -> None:
        """One more."""
        self._waiting.append(event)

    def begin(self) -> None:
        """A connection has started: everything that was not confirmed is offered again, oldest first."""
        framed = [event for _, events in self._frames for event in events]
        self._waiting.extendleft(reversed([*framed, *self._handed]))
        self._handed.clear()
        self._frames.clear()

    def take_batch(self, now_ns: int) -> list[Event]:
        """The next events that one ASDU may hold, for c104: of one sort, each of another point, in their order."""
        if self._handed and not self._frames and now_ns - self._moved_ns > _STILL_NS:
            self.put_back(list(self._handed))
        batch: list[Event] = []
        while self._waiting and len(batch) < MOST_IN_FRAME:
            event = self._waiting[0]
            if batch and (event.sort != batch[0].sort or any(event.point == other.point for other in batch)):
                break
            batch.append(self._waiting.popleft())
        if batch:
            self._handed.extend(batch)
            self._moved_ns = now_ns
        return batch

    def put_back(self, events: list[Event]) -> None:
        """c104 has not taken these, or has dropped them. What meanwhile left in a frame stays where it is."""
        back = [event for event in events if event in self._handed]
        for event in back:
            self._handed.remove(event)
        self._waiting.extendleft(reversed(back))

    def sent(self, number: int, found: Iterable[Key], now_ns: int) -> list[Event]:
        """A frame left with these: its events of which none was in a frame before."""
        events = [event for key in found if (event := self._find(key)) is not None]
        self._frames.append((number, events))
        self._moved_ns = now_ns
        first = [event for event in events if not event.given]
        for event in first:
            event.given = True
        return first

    def _find(self, key: Key) -> Event | None:
        """Take the event out of what c104 has; those before it were dropped. None: confirmed long ago."""
        for place, event in enumerate(self._handed):
            if event.key == key:
                self.put_back([self._handed[n] for n in range(place)])
                return self._handed.popleft()
        for event in islice(self._waiting, _NEAR):
            if event.key == key:
                self._waiting.remove(event)
                return event
        return None

    def confirm(self, acknowledged: int) -> None:
        """N(R): every frame before this number is confirmed."""
        while self._frames and (acknowledged - self._frames[0][0] - 1 & apci.MASK) < apci.MODULUS // 2:
            self._frames.popleft()
