"""Sentences for the log, each kind of them rarely: a device that babbles must not flood it."""

from __future__ import annotations

from tandem.point import SECOND, Say

QUIET_NS = 60 * SECOND
"""The same kind of sentence is said at most this often; what was held back is counted."""
_MOST_KINDS = 1024
_MOST_EVENTS = 4096


class Mouth:
    """Collects a channel's events, and says each kind of sentence at most once a minute."""

    def __init__(self) -> None:
        self._events: list[object] = []
        self._said: dict[tuple[str, str], tuple[int, int]] = {}  # (when, held back since)
        self.dropped = 0
        """Events lost because nobody drained them."""

    def event(self, event: object) -> None:
        """An event for the owner. The oldest gives way where nobody drains them."""
        if len(self._events) >= _MOST_EVENTS:
            del self._events[0]
            self.dropped += 1
        self._events.append(event)

    def say(self, text: str, level: str = "info") -> None:
        """A sentence that is always said: it tells of a change."""
        self.event(Say(text, level))

    def say_rarely(self, kind: tuple[str, str], text: str, now: int, level: str = "warning") -> None:
        """A sentence of a (device, kind) that may come with every octet."""
        said, held = self._said.get(kind, (now - QUIET_NS, 0))
        if now - said < QUIET_NS:
            self._said[kind] = (said, held + 1)
            return
        if len(self._said) >= _MOST_KINDS:
            self._said.clear()
        self._said[kind] = (now, 0)
        self.event(Say(f"{text} ({held} more like it before)" if held else text, level))

    def drain(self) -> list[object]:
        """The events since the last call, in order."""
        events, self._events = self._events, []
        return events
