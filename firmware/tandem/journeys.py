"""Where an event is: when it came, was mirrored, left for each control center and was confirmed by it.

Nothing is kept for an event. Every stage goes up the numbers, so a stage is a bounded ring of marks (number, when):
once a turn the number that it has reached is looked at, and a mark is made where that moved. The time at which an event
passed is that of the first mark at or above its number; it is as true as a turn is short.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable

from tandem.codec.record import Record
from tandem.database import Database
from tandem.field import Field
from tandem.point import DEVICE_TIME
from tandem.service import Service
from tandem.show import show_record, time_text
from tandem.standby.mirror import Mirror

MARKS_MOST = 4096
"""Of one stage; the oldest are forgotten, half of so many at a time."""
_PENDING, _DONE, _FORGOTTEN = "pending", "done", "done, when is not known here"


class Marks:
    """The numbers that a stage had reached, and when (monotonic ns). Both rise."""

    __slots__ = ("_numbers", "_times", "reached")

    def __init__(self, reached: int = 0) -> None:
        """Everything up to `reached` passed at a time that nobody knows."""
        self.reached = reached
        self._numbers = array("Q")
        self._times = array("q")

    def mark(self, number: int, now: int) -> None:
        """Everything up to `number` has passed; nothing happens unless that is news."""
        if number <= self.reached:
            return
        if len(self._numbers) >= MARKS_MOST:
            del self._numbers[: MARKS_MOST // 2], self._times[: MARKS_MOST // 2]
        if not self._numbers:
            self._numbers.append(self.reached)
            self._times.append(-1)
        self.reached = number
        self._numbers.append(number)
        self._times.append(now)

    def at(self, number: int) -> int | None:
        """When it passed; -1 where that is forgotten, None where it has not."""
        if number > self.reached:
            return None
        place = bisect_left(self._numbers, number)
        return self._times[place] if 0 < place < len(self._times) else -1

    def skip(self, number: int) -> None:
        """Everything up to `number` has passed, and nobody knows when."""
        self.mark(number, -1)

    def cut(self, number: int) -> None:
        """What is above `number` names other records from now on."""
        if number < self.reached:
            at = self.at(number)
            place = bisect_left(self._numbers, number)
            del self._numbers[place:], self._times[place:]
            self.reached = number
            self._numbers.append(number)
            self._times.append(-1 if at is None else at)


class Journeys:
    """The stages of one member; `tick` once a turn, behind everything that moves them."""

    def __init__(self, member: str, database: Database, mirror: Mirror, service: Service, field: Field) -> None:
        self._member, self._peer = member, "b" if member == "a" else "a"
        self._database = database
        self._journal = database.journal
        self._mirror = mirror
        self._service = service
        self._field = field
        self._here, self._both = Marks(), Marks()
        self._left: dict[str, Marks] = {}  # by "slave.center": written to a session of this member
        self._answered: dict[str, Marks] = {}  # confirmed on it
        self._pairs = [
            (station, [self._pair(f"{name}.{center}", *reached) for center, *reached in station.progress()])
            for name, (_, station) in service.stations.items()
        ]
        self._cursors: dict[str, Marks] = {}  # by key of the mirrored cursors: confirmed, on whichever member
        self._swaps = -1
        self._drives = False
        self._turned: dict[str, int] = {}  # by key: where a cursor stood when this member last took or lost the role

    def tick(self, now: int) -> None:
        """Look at every stage."""
        mirror = self._mirror
        if mirror.sink.swaps != self._swaps:
            if self._swaps < 0:  # what a durable journal brought along came at a time that nobody knows
                self._here.skip(self._journal.head)
            self._swaps = mirror.sink.swaps
            for marks in (self._here, *self._left.values(), *self._answered.values(), *self._cursors.values()):
                marks.cut(mirror.sink.common)
            self._both.cut(mirror.sink.common)
            for station, pairs in self._pairs:
                for (_, left, answered), (left_marks, answered_marks) in zip(station.progress(), pairs, strict=True):
                    left_marks.skip(left)
                    answered_marks.skip(answered)
        if self._journal.head > self._here.reached:
            self._here.mark(self._journal.head, now)
        granter = mirror.granter
        if granter.acknowledged > self._both.reached and granter.granting:
            self._both.mark(granter.acknowledged, now)
        for station, pairs in self._pairs:
            for (_, left, answered), (left_marks, answered_marks) in zip(station.progress(), pairs, strict=True):
                if left > left_marks.reached:
                    left_marks.mark(left, now)
                if answered > answered_marks.reached:
                    answered_marks.mark(answered, now)
        if granter.active is not self._drives:
            self._drives = granter.active
            self._turned = {key: marks.reached for key, marks in self._cursors.items()}
        for key, number in mirror.cursors.numbers.items():
            if key not in self._cursors:
                self._cursors[key] = Marks(number)
            elif number > self._cursors[key].reached:
                self._cursors[key].mark(number, now)

    def _pair(self, center: str, left: int, answered: int) -> tuple[Marks, Marks]:
        self._left[center], self._answered[center] = Marks(left), Marks(answered)
        return self._left[center], self._answered[center]

    def event(self, number: int, utc_us: Callable[[int], int]) -> dict[str, object]:
        """The journey of one event as plain data; `utc_us(ns)` is the wall clock at a monotonic time.

        Raises ValueError, with a sentence, for a number of which there is no record here.
        """
        record = self._find(number)
        here = self._here.at(number) or 0
        stages = [self._arrival(record, here, utc_us)]
        owner = self._member if self._is_ours(number) else self._peer
        stages.append(self._stage("arrived" if owner == self._member else "applied", self._member, here, here, utc_us))
        if owner == self._member:
            stages.append(self._stage("mirrored", self._peer, self._both.at(number), here, utc_us))
        channel = self._field.confirms(record[3])
        if channel:
            at, by = self._cursor(channel, number), owner
            if at is None or number > self._turned.get(channel, -1):
                by = self._member if self._drives else self._peer
            stages.append(self._stage("confirmed to the device", by, at, here, utc_us, channel=channel[1:]))
        for key in self._service.served(record[3]):
            stages += self._center(key, number, here, utc_us)
        return {**show_record(self._database, record), "member": owner, "stages": stages}

    def _find(self, number: int) -> Record:
        journal = self._journal
        if number > journal.head:
            raise ValueError(f"there is no event {number} yet; {journal.head} is the newest")
        records = journal.read(journal.cursor(max(0, number - 1)), number, 1)
        record = next((record for record in records if record[0] == number), None)
        if record is None:
            raise ValueError(
                f"event {number} is not in the rings of this member: it was overwritten, or its point is not mirrored"
            )
        return record

    def _is_ours(self, number: int) -> bool:
        """The epoch's parity says who claimed it: even a, odd b."""
        epoch = self._mirror.history.epoch_at(number)
        return not epoch or "ab"[epoch & 1] == self._member

    def _cursor(self, key: str, number: int) -> int | None:
        return self._cursors[key].at(number) if key in self._cursors else None

    def _center(self, key: str, number: int, here: int, utc_us: Callable[[int], int]) -> list[dict[str, object]]:
        left, answered = self._left[key].at(number), self._answered[key].at(number)
        shared = self._service.is_shared(key)
        by = self._member if self._drives or not shared or left is not None else self._peer
        told = self._cursor(key, number) if shared else None
        if told is not None and (left is None or told < left):  # it was delivered there: no more is known here
            by, left, answered = self._peer, -1, told
        stages = [
            self._stage("delivered", by, left, here, utc_us, center=key),
            self._stage("confirmed", by, answered, here, utc_us, center=key),
        ]
        if not shared:  # the peer's sessions have a cursor of their own
            theirs = self._cursor(f"{self._peer}@{key}", number)
            stages.append(self._stage("confirmed", self._peer, theirs, here, utc_us, center=key))
        return stages

    def _arrival(self, record: Record, here: int, utc_us: Callable[[int], int]) -> dict[str, object]:
        stage = "device time" if record[5] & DEVICE_TIME else "stamped"
        ms = round((record[1] - utc_us(here)) / 1e3, 1) if here > 0 else None
        return {"stage": stage, "member": "", "state": _DONE, "time": time_text(record[1]), "ms": ms}

    def _stage(
        self, stage: str, member: str, at: int | None, here: int, utc_us: Callable[[int], int], **more: str
    ) -> dict[str, object]:
        known = at is not None and at >= 0
        return {
            "stage": stage,
            "member": member,
            "state": _PENDING if at is None else _DONE if known else _FORGOTTEN,
            "time": time_text(utc_us(at)) if known and at is not None else "-",
            "ms": round((at - here) / 1e6, 3) if known and at is not None and here > 0 else None,
            **more,
        }
