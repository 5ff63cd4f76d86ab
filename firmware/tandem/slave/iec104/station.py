"""One `[[slave]]` of protocol iec104: who may connect, and what its connections share."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterable

from tandem.clock import Clock
from tandem.codec.iec60870.window import Timing
from tandem.config.model import Slave
from tandem.database import Database
from tandem.point import SECOND, Command, Quality, Report
from tandem.registry import PointTable
from tandem.slave.iec104.center import Center
from tandem.slave.iec104.memory import Page
from tandem.slave.iec104.rows import Rows
from tandem.slave.iec104.session import Session
from tandem.slave.iec104.setting import Setting

MOST_SESSIONS = 4
"""Connections of one center at a time, where `max_connections` does not say otherwise."""
MOST_COMMANDS = 4096
"""Commands that nobody has fetched yet; more are dropped, which their centers see as no answer."""
VALID_WAIT_S = 60
"""`serve_after = "valid"` waits so long at most: one point that is never read must not keep a center out for ever."""
_NEVER_READ = int(Quality.NEVER_READ)

_Prefix = tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, Center]


class Station:
    """The controlled station.

    With `serve_after = "valid"` connections are accepted at once and their TESTFR answered, but STARTDT is confirmed
    only when each served input was read or its device is known dead (at most VALID_WAIT_S after the first `pump`).
    """

    def __init__(
        self,
        slave: Slave,
        table: PointTable,
        database: Database,
        clock: Clock,
        next_ref: Callable[[], int],
        disabled: frozenset[int] = frozenset(),
    ) -> None:
        """`disabled`: ids of points that nobody will read, for which `serve_after` does not wait.

        Raises ValueError for rows or host prefixes that the loader should have refused."""
        self.name = slave.name
        self._commands: list[Command] = []
        rows = Rows(slave, table)
        timing = Timing.from_options(slave.options)
        self._setting = Setting(slave, rows, database, clock, timing, next_ref, self._emit)
        self._table = table
        self._most_sessions = int(str(slave.options.get("max_connections", MOST_SESSIONS)))
        returns = bool(slave.options.get("return_information", True))
        self._centers = {config.name: Center(config, rows, database, returns, timing.k) for config in slave.centers}
        self._shared = [center for center in self._centers.values() if center.config.session == "group"]
        self._hosts: list[_Prefix] = [
            (ipaddress.ip_network(host, strict=False), self._centers[config.name])
            for config in slave.centers
            for host in config.hosts
        ]
        self._hosts.sort(key=lambda known: -known[0].prefixlen)
        self._sessions: list[Session] = []
        self._by_point: frozenset[int] = frozenset(rows.locals)
        self._tells_init = bool(slave.options.get("end_of_init", True))
        if not self._tells_init:
            for center in self._centers.values():
                center.init_reason = None
        self._overlay = (False, False)
        self._serving = slave.serve_after == "at-once"
        self._pumped_first: int | None = None
        self._unread = sorted({row.point_id for row in rows.monitors} - disabled)  # looked at from the end

    def accept(self, host: str, on_group: bool, now: int) -> Session | str:
        """A session for a connection from `host`, or the sentence with which it is refused."""
        center = self._center_of(host)
        if center is None:
            return (
                f'{host} is no host of a [[slave.center]] of {self.name}: refused; add it to "hosts" if it may connect'
            )
        if sum(session.center == center.name for session in self._sessions) >= self._most_sessions:
            return f"control center {center.name} has {self._most_sessions} connections already: {host} is refused"
        session = Session(self._setting, center, host, on_group, self._sessions.remove)
        session.serving = self._serving
        self._sessions.append(session)
        return session

    def pump(self, limit: int, now: int) -> None:
        """Give the sessions what they may have: nothing numbered above `limit` leaves."""
        if not self._serving and self._ready(now):
            self._serving = True
            for session in self._sessions:
                session.serving = True
        database = self._setting.database
        overlay = database.mirroring, database.mirror_silent
        if overlay != self._overlay:
            self._overlaid(overlay, now)
        for session in list(self._sessions):
            session.fill(limit, now)

    def _overlaid(self, overlay: tuple[bool, bool], now: int) -> None:
        """What this member serves became, or is no longer, not topical without an event: each connection is told."""
        by_id = self._table.by_id
        hot, cold = overlay[1] != self._overlay[1], overlay[0] != self._overlay[0]
        self._overlay = overlay
        ids = {row.point_id for row in self._setting.rows.monitors}
        points = [i for i in sorted(ids) if not by_id[i].local and (hot if by_id[i].hot else cold)]
        for session in self._sessions:
            session.overlaid(points, now)

    def local_changed(self, point_ids: Iterable[int]) -> None:
        """Member-local points that changed."""
        served = [point_id for point_id in point_ids if point_id in self._by_point]
        if served:
            for session in self._sessions:
                session.local_changed(served)

    def commands(self) -> list[Command]:
        """Drain the commands that came in."""
        commands, self._commands = self._commands, []
        return commands

    def report(self, report: Report, now: int) -> None:
        """The answer to a command, for the session that asked, if it still lives."""
        for session in self._sessions:
            session.report(report, now)

    def cursors(self) -> dict[str, int]:
        """Drain: by center, the number up to which everything is newly confirmed here.

        A center that just started is told of too: its number, old or new, says to the peer that it knows this image.
        """
        moved: dict[str, int] = {}
        for center in self._centers.values():
            if center.confirmed > center.told or center.just_started:
                moved[center.name] = center.told = center.confirmed
                center.just_started = False
        return moved

    def set_cursor(self, center: str, number: int) -> None:
        """What the peer knows of a center: merged by maximum; an "each-member" center leads its own.

        A center of which only a guess is known goes back to it.
        """
        known = self._centers.get(center)
        if known is None:
            return
        if known.assumed and number < known.confirmed:
            known.reset(number)
        elif known.config.session == "group":
            known.advance(number)
        elif not known.assumed:
            return
        known.assumed, known.init_reason = False, None

    def flights(self) -> list[tuple[str, bool, bool, int]]:
        """Drain, of the centers with session = "group": (name, just started, is started, objects unconfirmed)."""
        moved = []
        for center in self._shared:
            before, state = center.flights_told, (center.starts, center.session is not None, center.unconfirmed)
            if state != before:
                center.flights_told = state
                moved.append((center.name, state[0] != before[0], state[1], state[2]))
        return moved

    def elsewhere(self, center: str, started: bool, unconfirmed: int, now: int) -> None:
        """The other member's session of a center was `started` now, or told how many objects it has unconfirmed."""
        known = self._centers.get(center)
        if known is not None and known.config.session == "group":
            known.elsewhere(started, unconfirmed, now)

    def remembered(self) -> list[tuple[str, Page, bytes]]:
        """Drain, by center: pages of its memory that it changed here."""
        memories = [(name, center.packer.memory) for name, center in self._centers.items()]
        written = [(name, memory) for name, memory in memories if memory.changed]
        return [(name, *page) for name, memory in written for page in memory.pages()]

    def remember(self, center: str, page: Page, octets: bytes) -> None:
        """What the other member knows of a page of a center's memory."""
        if known := self._centers.get(center):
            known.packer.memory.restore(page, octets)

    def page_shared(self, center: str, page: Page, now: int) -> None:
        """The other member has such a page as it was drained last, or need not have it: what waits may be confirmed."""
        if known := self._centers.get(center):
            known.packer.memory.shared(page)
            for session in self._sessions:
                if session.center == center:
                    session.shared(now)

    def restore_cursors(self, numbers: dict[str, int], head: int) -> None:
        """Set every cursor as history says, clamped to `head`; a center that is not named starts at `head`."""
        for name, center in self._centers.items():
            center.reset(min(numbers.get(name, head), head))
            center.assumed = name not in numbers
            if name in numbers:
                center.init_reason = None

    def initialised(self, reason: int, now: int) -> None:
        """The process image began anew: every center is told by M_EI_NA_1 with `reason` as its COI."""
        for center in self._centers.values() if self._tells_init else ():
            if center.session is None:
                center.init_reason = reason
            else:
                center.session.initialise(reason)

    def lowest_cursor(self) -> int:
        """The lowest confirmed number; the journal's head where there is no center."""
        return min((c.confirmed for c in self._centers.values()), default=self._setting.database.journal.head)

    def released(self) -> int:
        """The highest number that was made ready for any session."""
        return max((c.packer.released for c in self._centers.values()), default=0)

    def progress(self) -> list[tuple[str, int, int]]:
        """By center: (name, highest number written to a session, highest number confirmed on one)."""
        return [(name, center.delivered, center.answered) for name, center in self._centers.items()]

    def owed(self, since: int) -> bool:
        """A started session was sent events since then, and has not confirmed all of its events."""
        return any(c.session is not None and c.unconfirmed and c.sent_ns >= since for c in self._centers.values())

    def serves(self, point_id: int) -> bool:
        """Whether the point's events go to the centers."""
        return bool(self._setting.rows.routes[point_id])

    def statistics(self) -> dict[str, dict[str, float]]:
        """Counters by center."""
        found: dict[str, dict[str, float]] = {}
        for name, center in self._centers.items():
            counts, sessions = center.counts, [s for s in self._sessions if s.center == name]
            found[name] = {
                "sent": counts.sent,
                "confirmed": counts.confirmed,
                "repeated": counts.repeated,
                "overflowed": counts.overflowed,
                "deadband": center.packer.too_small,
                "connections": counts.connections,
                "connected": len(sessions),
                "started": sum(session.started for session in sessions),
                "refused": counts.refused,
                "malformed": counts.malformed,
                "broken": counts.broken,
                "starts": center.starts,
                "window_full": counts.window_full,
                "unconfirmed": center.unconfirmed,
                "cursor": center.confirmed,
            }
        return found

    def _emit(self, command: Command) -> None:
        if len(self._commands) < MOST_COMMANDS:
            self._commands.append(command)

    def _center_of(self, host: str) -> Center | None:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return None
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        return next((center for network, center in self._hosts if address in network), None)

    def _ready(self, now: int) -> bool:
        """True once the station serves, for good."""
        if self._pumped_first is None:
            self._pumped_first = now
        waited, after = now - self._pumped_first, self._setting.slave.serve_after
        if after != "valid":
            return waited >= int(after) * SECOND
        if waited >= VALID_WAIT_S * SECOND:
            return True
        while self._unread and not self._unknown(self._unread[-1]):
            self._unread.pop()
        return not self._unread

    def _unknown(self, point_id: int) -> bool:
        """True for an input that was never read, though it could be: its device is not known dead."""
        present, point = self._setting.database.present, self._table.by_id[point_id]
        if point.kind.is_output or not present[point_id][4] & _NEVER_READ:
            return False
        if self._setting.database.mirroring and not point.hot:
            return False  # nobody tells a standby of it
        device = present[point.device_ok]
        return not (point.device_ok and not device[2] and not device[4] & _NEVER_READ)
