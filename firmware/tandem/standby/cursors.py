"""Cursors of control centers as the members tell them to each other: merged by maximum, never above what is here."""

from __future__ import annotations

from tandem.codec.link import CursorAt
from tandem.point import CURSORS_MAX
from tandem.standby.histories import History


class Cursors:
    """Center -> highest number confirmed, in the numbering of the own history."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self._unsent: set[str] = set()

    def moved(self, center: str, number: int) -> None:
        """A session of this member had a confirmation."""
        if self._raise(center, number):
            self._unsent.add(center)

    def told(self, cursor: CursorAt, history: History, head: int) -> int | None:
        """The peer's cursor: its number in the own history when that is news, else None."""
        number = history.clamp(cursor.epoch, cursor.number, head)
        return number if number is not None and self._raise(cursor.center, number) else None

    @property
    def unsent(self) -> bool:
        """The peer was not told everything yet."""
        return bool(self._unsent)

    def covered(self, history: History, number: int) -> list[CursorAt]:
        """Drain what the peer is to be told, as far as it has the records up to `number`."""
        if not self._unsent:
            return []
        ready = sorted(center for center in self._unsent if self.numbers[center] <= number)
        self._unsent.difference_update(ready)
        return [CursorAt(center, history.epoch_at(self.numbers[center]), self.numbers[center]) for center in ready]

    def every(self, history: History) -> tuple[CursorAt, ...]:
        """All of them, for a hello."""
        return tuple(CursorAt(center, history.epoch_at(n), n) for center, n in sorted(self.numbers.items()))

    def tell_again(self) -> None:
        """A new session: everything is to be said once more."""
        self._unsent = set(self.numbers)

    def clamp(self, head: int) -> None:
        """None may stand above the own head: at a claim, and when the image was replaced."""
        for center, number in self.numbers.items():
            self.numbers[center] = min(number, head)

    def lowest(self, head: int) -> int:
        """What the rings must still hold for the slowest center; `head` when there is none."""
        return min(self.numbers.values(), default=head)

    def _raise(self, center: str, number: int) -> bool:
        known = self.numbers.get(center)
        if (known is None and len(self.numbers) >= CURSORS_MAX) or (known is not None and number <= known):
            return False
        self.numbers[center] = number
        return True
