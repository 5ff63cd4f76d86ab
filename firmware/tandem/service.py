"""The control-center side as one: stations, their sessions, and which of them move with the group address."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tandem.action import Action, CloseChannel, Listen
from tandem.config.model import Slave
from tandem.engine import Close, earliest
from tandem.point import Command, Report, Say
from tandem.slave.base import Session, Station


class Service:
    """All slave instances of a member. Events other than `Say` and `Close` go to `on_event(slave, event, now)`."""

    def __init__(
        self, stations: Mapping[str, tuple[Slave, Station]], on_event: Callable[[str, object, int], None], member: str
    ) -> None:
        self.stations = stations
        self._on_event = on_event
        self._sessions: dict[str, tuple[str, Session]] = {}
        self._stations_of = {
            f"{name}.{center.name}": (station, center.name)
            for name, (slave, station) in stations.items()
            for center in slave.centers
        }
        self._keys = {
            f"{name}.{center.name}": ("" if center.session == "group" else f"{member}@") + f"{name}.{center.name}"
            for name, (slave, _) in stations.items()
            for center in slave.centers
        }
        self._by_key = {self._keys[center]: found for center, found in self._stations_of.items()}
        self._listening: set[str] = set()
        self._active = False
        self._actions: list[Action] = []
        self.intruders: dict[str, int] = dict.fromkeys(stations, 0)
        self.doors_shut: dict[str, str] = {}
        """By slave: why an address of it cannot be listened at."""

    # --- where it listens -----------------------------------------------------------------------------------------

    def listen(self, active: bool, now: int) -> None:
        """Bind what this role serves: a slave with hot standby `disabled` on the active alone."""
        self._active = active
        wanted = {name for name, (slave, _) in self.stations.items() if active or slave.hot_standby != "disabled"}
        for name in sorted(wanted ^ self._listening):
            self._actions.append(Listen(name, name in wanted))
        for name in sorted(self._listening - wanted):
            self._drop(lambda slave, _, gone=name: slave == gone, "this member no longer serves it", now)  # type: ignore[misc]
        self._listening = wanted

    def drop_group(self, reason: str, now: int) -> None:
        """The group address is no longer ours: its sessions end with a reset, those at our own addresses stay."""
        self._drop(lambda _, session: session.on_group, reason, now)

    def _drop(self, which: Callable[[str, Session], bool], reason: str, now: int) -> None:
        for stream, (slave, session) in list(self._sessions.items()):
            if which(slave, session):
                self._actions.append(CloseChannel(stream, reason, reset=True))
                self._end(stream, session, reason, now)

    # --- sessions -------------------------------------------------------------------------------------------------

    def accepted(self, stream: str, slave: str, host: str, on_group: bool, now: int) -> None:
        """A connection from `host` to one of our addresses.

        The group address may outlive for a moment the process that owned it: who is not active takes nobody there.
        """
        if on_group and not self._active:
            self._actions.append(CloseChannel(stream, "the group address is not this member's", reset=True))
            return
        session = self.stations[slave][1].accept(host, on_group, now)
        if isinstance(session, str):
            self.intruders[slave] += 1
            self._actions.append(CloseChannel(stream, session, reset=True))
            if self.intruders[slave] < 10 or self.intruders[slave] % 100 == 0:
                self._actions.append(Say(f"{slave}: {session}", "warning"))
            return
        self._sessions[stream] = (slave, session)
        session.opened(now)
        self._collect(stream, slave, session, now)

    def receive(self, stream: str, data: bytes, now: int) -> None:
        """Octets of a control center."""
        if found := self._sessions.get(stream):
            found[1].receive(data, now)
            self._collect(stream, *found, now)

    def closed(self, stream: str, reason: str, now: int) -> None:
        """A center hung up, or its connection broke."""
        if found := self._sessions.get(stream):
            self._end(stream, found[1], reason, now)

    def _end(self, stream: str, session: Session, reason: str, now: int) -> None:
        del self._sessions[stream]
        session.closed(now, reason)
        for event in session.events():
            if isinstance(event, Say):
                self._actions.append(event)

    def _collect(self, stream: str, slave: str, session: Session, now: int) -> None:
        for event in session.events():
            if isinstance(event, Say):
                self._actions.append(event)
            elif isinstance(event, Close):
                if stream in self._sessions:
                    self._actions.append(CloseChannel(stream, event.reason, event.reset))
                    self._end(stream, session, event.reason, now)
            else:
                self._on_event(slave, event, now)

    # --- the turn ---------------------------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Timers of the sessions."""
        for stream, (slave, session) in list(self._sessions.items()):
            due = session.due()
            if due is not None and due <= now:
                session.tick(now)
                self._collect(stream, slave, session, now)

    def pump(self, limit: int, local: set[int], now: int) -> None:
        """Give every center what it may have: records up to `limit`, and the member-local points that changed."""
        for _, station in self.stations.values():
            if local:
                station.local_changed(local)
            station.pump(limit, now)
        for stream, (slave, session) in list(self._sessions.items()):
            self._collect(stream, slave, session, now)

    def due(self) -> int | None:
        """The earliest timer of all sessions."""
        return earliest(*(session.due() for _, session in self._sessions.values()))

    def outgoing(self) -> list[tuple[str, bytes]]:
        """Octets by stream."""
        return [(stream, octets) for stream, (_, s) in self._sessions.items() if (octets := s.outgoing())]

    def commands(self) -> list[tuple[Slave, Command]]:
        """Drain the commands of all centers."""
        return [(slave, command) for slave, station in self.stations.values() for command in station.commands()]

    def report(self, report: Report, now: int) -> None:
        """Each station looks whether the answer is for one of its sessions."""
        for _, station in self.stations.values():
            station.report(report, now)

    def actions(self) -> list[Action]:
        """Drain what the outside has to do."""
        drained, self._actions = self._actions, []
        return drained

    # --- cursors of the control centers: "slave.center" of a group's, "a@slave.center" of a member's own -------

    def cursors(self) -> dict[str, int]:
        """Drain the cursors that moved."""
        return {
            self._keys[f"{name}.{center}"]: number
            for name, (_, station) in self.stations.items()
            for center, number in station.cursors().items()
        }

    def is_shared(self, center: str) -> bool:
        """Whether "slave.center" has one cursor for both members."""
        return self._keys.get(center) == center

    def shared(self) -> list[str]:
        """The centers, as "slave.center", that have one cursor for both members."""
        return [center for center, key in self._keys.items() if key == center]

    def flights(self) -> list[tuple[str, bool, bool, int]]:
        """Drain of the stations' flights, by "slave.center"."""
        return [
            (f"{name}.{center}", anew, started, unconfirmed)
            for name, (_, station) in self.stations.items()
            for center, anew, started, unconfirmed in station.flights()
        ]

    def elsewhere(self, center: str, started: bool, unconfirmed: int, now: int) -> None:
        """The other member's session of "slave.center" was `started` now, or told what it has unconfirmed."""
        if found := self._stations_of.get(center):
            found[0].elsewhere(found[1], started, unconfirmed, now)

    def set_cursor(self, key: str, number: int) -> None:
        """What the peer knows of a center."""
        if found := self._by_key.get(key):
            found[0].set_cursor(found[1], number)

    def remembered(self) -> list[tuple[str, tuple[int, int], bytes]]:
        """Drain, by the key of the center's cursor: pages of what it made its station remember."""
        return [
            (self._keys[f"{name}.{center}"], page, octets)
            for name, (_, station) in self.stations.items()
            for center, page, octets in station.remembered()
        ]

    def remember(self, key: str, page: tuple[int, int], octets: bytes) -> None:
        """What the other member knows of such a page."""
        if found := self._by_key.get(key):
            found[0].remember(found[1], page, octets)

    def page_shared(self, key: str, page: tuple[int, int], now: int) -> None:
        """The other member has such a page as it was drained last, or need not have it."""
        if found := self._by_key.get(key):
            found[0].page_shared(found[1], page, now)

    def restore_cursors(self, cursors: dict[str, int], head: int) -> None:
        """All cursors as a history or snapshot says, clamped to `head`."""
        for _, station in self.stations.values():
            known = {c: cursors[key] for key, (s, c) in self._by_key.items() if s is station and key in cursors}
            station.restore_cursors(known, head)

    def lowest_cursor(self, head: int) -> int:
        """The lowest number that some center has not confirmed yet."""
        return min((station.lowest_cursor() for _, station in self.stations.values()), default=head)

    def released(self) -> int:
        """The highest number that any center was given."""
        return max((station.released() for _, station in self.stations.values()), default=0)

    def owed(self, since: int) -> bool:
        """A started center was sent events since then, and has not confirmed all of its events."""
        return any(station.owed(since) for _, station in self.stations.values())

    def served(self, point_id: int) -> list[str]:
        """The centers, as "slave.center", that a point's events go to."""
        return [key for key, (station, _) in self._stations_of.items() if station.serves(point_id)]

    def serves_group(self) -> bool:
        """A center that came to the group address has its data transfer started."""
        return any(session.on_group and session.started for _, session in self._sessions.values())

    def connected(self) -> dict[str, bool]:
        """By center: True while one of its connections is started here."""
        return {session.center: True for _, session in self._sessions.values() if session.started}

    def fronts(self) -> set[str]:
        """The centers of which a front end is connected here."""
        return {session.center for _, session in self._sessions.values()}

    def statistics(self) -> dict[str, dict[str, float]]:
        """Counters by "slave.center"."""
        return {
            f"{name}.{center}": row
            for name, (_, station) in self.stations.items()
            for center, row in station.statistics().items()
        }
