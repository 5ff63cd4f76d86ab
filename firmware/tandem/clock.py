"""UTC from monotonic time: the offset comes from the port, the stamp says whether it may be trusted."""

from __future__ import annotations

from tandem.point import Quality

_TIME_INVALID = int(Quality.TIME_INVALID)


class Clock:
    """Turns the monotonic `now` of a turn into a UTC stamp."""

    def __init__(self, offset_us: int = 0, synced: bool = False) -> None:
        self.offset_us = offset_us
        self.synced = synced

    def set(self, now: int, utc_us: int, synced: bool) -> None:
        """At monotonic `now` (ns) the wall clock reads `utc_us`."""
        self.offset_us = utc_us - now // 1000
        self.synced = synced

    def stamp(self, now: int) -> tuple[int, int]:
        """(UTC microseconds, 0 or Quality.TIME_INVALID) at monotonic `now` (ns)."""
        return now // 1000 + self.offset_us, 0 if self.synced else _TIME_INVALID
