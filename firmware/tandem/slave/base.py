"""What every slave instance is: a station that many sessions of several control centers talk to."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from tandem.engine import Engine
from tandem.point import Command, Report


@dataclass(slots=True, frozen=True)
class ClockMessage:
    """A session's event: its center set the time to `utc_us` (since 1970) at monotonic `received_ns`.

    Only where the slave says `clock_sync = "accept"`; whether it moves the clock is the owner's decision.
    """

    slave: str
    utc_us: int
    received_ns: int


class Session(Engine, Protocol):
    """One connection of a control center."""

    center: str
    on_group: bool

    @property
    def started(self) -> bool:
        """Data flow on it."""


class Station(Protocol):
    """One `[[slave]]`: its sessions, and one event cursor for each control center."""

    name: str

    def accept(self, host: str, on_group: bool, now: int) -> Session | str:
        """A session for a connection from `host`, or the sentence with which it is refused."""

    def pump(self, limit: int, now: int) -> None:
        """Give the sessions what they may have: nothing numbered above `limit` leaves."""

    def local_changed(self, point_ids: Iterable[int]) -> None:
        """Member-local points that changed: each connection reports them at once, without a cursor."""

    def commands(self) -> list[Command]:
        """Drain the commands that came in."""

    def report(self, report: Report, now: int) -> None:
        """The answer to a command, for the session that asked, if it still lives."""

    def cursors(self) -> dict[str, int]:
        """Drain: by center, the highest number confirmed since the last call."""

    def set_cursor(self, center: str, number: int) -> None:
        """What the peer knows of a center: merged by maximum where its session is "group"; a guess gives way to it."""

    def flights(self) -> list[tuple[str, bool, bool, int]]:
        """Drain what changed of "group" centers: (name, just started, is started, objects sent and not confirmed)."""

    def elsewhere(self, center: str, started: bool, unconfirmed: int, now: int) -> None:
        """The other member's session of a center was `started` now, or told how many objects it has unconfirmed."""

    def remembered(self) -> list[tuple[str, tuple[int, int], bytes]]:
        """Drain, by center: pages (two numbers name one) of what it made the station remember, as they are now."""

    def remember(self, center: str, page: tuple[int, int], octets: bytes) -> None:
        """What the other member knows of such a page."""

    def page_shared(self, center: str, page: tuple[int, int], now: int) -> None:
        """The other member has such a page as it was drained last, or need not have it: what waits may be confirmed."""

    def restore_cursors(self, numbers: dict[str, int], head: int) -> None:
        """Set every cursor as history says, clamped to `head`; a center that is not named starts at `head`."""

    def lowest_cursor(self) -> int:
        """The lowest confirmed number: what the rings should still hold."""

    def initialised(self, reason: int, now: int) -> None:
        """The process image began anew (cold start, takeover not in sync): every center is told.

        A station is due to tell so from its making on; `restore_cursors` ends that for the centers it names.
        """

    def released(self) -> int:
        """The highest number that any session was sent."""

    def progress(self) -> list[tuple[str, int, int]]:
        """By center: its name, up to which number events were written to a session, and confirmed on one, here."""

    def owed(self, since: int) -> bool:
        """A started session was sent events since then (ns), and has not confirmed all of its events."""

    def serves(self, point_id: int) -> bool:
        """Whether the point's events go to the centers."""

    def statistics(self) -> dict[str, dict[str, float]]:
        """Counters by center: sent, confirmed, repeated, overflowed, connections and the like."""
