"""Select before operate: who has reserved which output, for which command, and until when."""

from __future__ import annotations

from dataclasses import dataclass

from tandem.engine import earliest
from tandem.point import MS, Command


@dataclass(slots=True, frozen=True)
class Selection:
    """One output reserved by one center for one value; `until` is monotonic ns."""

    center: str
    value: float
    pulse_ms: int
    until: int


class Selects:
    """At most one selection an output; it ends by its execute, a cancel, a wrong execute of its owner, or time."""

    def __init__(self) -> None:
        self._by_point: dict[int, Selection] = {}

    def _find(self, point_id: int, now: int) -> Selection | None:
        held = self._by_point.get(point_id)
        if held is not None and held.until <= now:
            del self._by_point[point_id]
            return None
        return held

    def foreign(self, command: Command, now: int) -> str:
        """Why another center's selection stands in the way; empty when none does."""
        held = self._find(command.point_id, now)
        if held is None or held.center == command.center:
            return ""
        left_ms = -(-(held.until - now) // MS)
        return f"{held.center} has selected it for another {left_ms} ms; wait, or have it cancelled there"

    def select(self, command: Command, now: int) -> str:
        """Reserve the output, again from the start if this center holds it; the refusal if another one does."""
        if refusal := self.foreign(command, now):
            return refusal
        until = now + max(1, command.select_timeout_ms) * MS
        self._by_point[command.point_id] = Selection(command.center, command.value, command.pulse_ms, until)
        return ""

    def take(self, command: Command, now: int) -> str:
        """Use the selection up for an execute; the refusal where none matches in center, value and pulse."""
        if refusal := self.foreign(command, now):
            return refusal
        held = self._find(command.point_id, now)
        if held is None:
            return "it is not selected, or no longer; select it first"
        del self._by_point[command.point_id]
        if (held.value, held.pulse_ms) != (command.value, command.pulse_ms):
            return "the select was for another value; the selection is dropped, select again"
        return ""

    def cancel(self, command: Command, now: int) -> str:
        """Give the selection back; the refusal where this center holds none."""
        if refusal := self.foreign(command, now):
            return refusal
        if self._find(command.point_id, now) is None:
            return "there is nothing to cancel: it is not selected, or no longer"
        del self._by_point[command.point_id]
        return ""

    def drop(self, point_id: int) -> None:
        """The selection of this output, if there is one, is over."""
        self._by_point.pop(point_id, None)

    def clear(self) -> None:
        """All selections are over: they never survive the right to drive the lines."""
        self._by_point.clear()

    def tick(self, now: int) -> None:
        """Forget what has expired."""
        for point_id in [i for i, held in self._by_point.items() if held.until <= now]:
            del self._by_point[point_id]

    def due(self) -> int | None:
        """When the next selection expires (monotonic ns)."""
        return earliest(*(held.until for held in self._by_point.values()))

    def __len__(self) -> int:
        return len(self._by_point)
