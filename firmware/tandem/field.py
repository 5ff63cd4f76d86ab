"""The field side as one: every master channel's life (right, connection, back-off), whatever its protocol.

IP devices belong to the *service* right and move with the addresses; serial lines belong to the *lines* right and
wait for the role relay's contact. `Field` starts, drains and stops each kind, and dials again what closed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tandem.action import Action, CloseChannel, Dial, OpenLine
from tandem.engine import Close, earliest
from tandem.field_link import REDIAL_FIRST_NS, FieldLink, Right
from tandem.master.base import Channel, Confirming, Pulsing, SerialTarget
from tandem.point import MS, Command, Outcome, Report, Say, Stage

_REDIAL_MOST_NS = 5_000 * MS
_CURSOR = "@"
"""Before a channel's name in the mirrored cursors; no control center's name has it."""


class Field:
    """All master channels of a member."""

    def __init__(
        self, channels: Iterable[Channel], answer_ns: Mapping[str, int], cold: frozenset[str] = frozenset(),
        connected: frozenset[str] = frozenset(),
    ) -> None:  # fmt: skip
        """`answer_ns`: by channel, how long an answer to a previous owner's request may still come.

        `cold` channels are without hot standby: what this member knows of their points is old, so they read everything.
        Those that a standby keeps `connected` are not started before the right is won.
        """
        self._answer_ns = answer_ns
        self._cold = cold
        self._connected = connected
        self._keeps = False
        self.listened_ns = 0
        """How long the lines were listened to before the first request, when they were won last."""
        rights: dict[bool, Right] = {True: "lines", False: "service"}
        self._links = {c.name: FieldLink(c, rights[isinstance(c.target, SerialTarget)]) for c in channels}
        self._confirming = [link.channel for link in self._links.values() if isinstance(link.channel, Confirming)]
        self._actions: list[Action] = []
        self._reports: list[Report] = []

    def owner_of(self) -> dict[int, str]:
        """By output's point id: the channel that carries out its controls."""
        return {point: name for name, link in self._links.items() for point in link.channel.output_ids}

    # --- rights ---------------------------------------------------------------------------------------------

    def start(self, right: Right, now: int, integrity: bool, drained: bool) -> None:
        """The right is ours: its channels open their streams at once.

        Unless the previous owner said that its lines were `drained`, a serial line is listened to first.
        """
        if right == "lines":
            self.listened_ns = 0
        for link in self._of(right):
            if not link.wanted or link.draining:
                link.backoff_ns = REDIAL_FIRST_NS
                listens = right == "lines" and not drained and not link.wanted
                listen_ns = self._answer_ns.get(link.channel.name, 0) * listens
                self.listened_ns = max(self.listened_ns, listen_ns)
                cold = link.channel.name in self._cold and not link.wanted
                link.channel.start(now, integrity or cold, now + listen_ns)
                if not link.wanted:
                    link.wanted = True
                    if not link.open and link.give_up_at is None:
                        self._dial(link, now)
                link.draining = False

    def keep(self, on: bool, now: int) -> None:
        """A member that may take over keeps its connections open; asked often."""
        if on is self._keeps:
            return
        self._keeps = on
        for name in sorted(self._connected):
            link = self._links[name]
            link.kept = on
            if on and not link.wanted:
                link.backoff_ns = REDIAL_FIRST_NS
                self._dial(link, now)
            elif not link.lives:
                link.channel.stop(now, "this member is not to take over")
                self._hang_up(link, "this member is not to take over", reset=False)

    def drain(self, now: int) -> None:
        """No channel opens a new request. `start` works on, after a drain that came to nothing."""
        for link in self._links.values():
            if link.wanted:
                link.draining = True
                link.channel.drain(now)

    @property
    def drained(self) -> bool:
        """True when no started channel has anything outstanding."""
        return all(link.channel.drained for link in self._links.values() if link.wanted and link.open)

    @property
    def lines_drained(self) -> bool:
        """True when no serial line has anything outstanding."""
        return all(link.channel.drained for link in self._of("lines") if link.wanted and link.open)

    def stop(self, right: Right, now: int, reason: str) -> None:
        """The right is gone: streams are reset, what was outstanding ends, late replies find nobody."""
        for link in self._of(right):
            if link.wanted:
                link.wanted = link.draining = False
                link.channel.stop(now, reason)
                self._hang_up(link, reason, reset=True)
                self._collect(link, now)
                self._later(link, now)

    def _of(self, right: Right) -> list[FieldLink]:
        return [link for link in self._links.values() if link.right == right]

    # --- streams --------------------------------------------------------------------------------------------

    def opened(self, stream: str, now: int) -> None:
        """The stream is up."""
        if (link := self._find(stream)) and link.lives:
            link.open, link.give_up_at, link.backoff_ns = True, None, REDIAL_FIRST_NS
            link.channel.opened(now)

    def closed(self, stream: str, reason: str, now: int) -> None:
        """The stream is gone: dial again after a pause that doubles."""
        if link := self._find(stream):
            if link.open:
                link.channel.closed(now, reason)
            elif link.backoff_ns == REDIAL_FIRST_NS:
                self._actions.append(Say(f"{link.channel.name}: {reason}; trying again", "warning"))
            link.open, link.give_up_at = False, None
            self._later(link, now)
            self._collect(link, now)

    def receive(self, stream: str, data: bytes, now: int) -> None:
        """Octets of a device."""
        if (link := self._find(stream)) and link.open:
            link.channel.receive(data, now)
            self._collect(link, now)

    def _find(self, stream: str) -> FieldLink | None:
        link = self._links.get(stream.removeprefix("master:").rpartition("#")[0])
        return link if link and link.stream == stream else None

    def _dial(self, link: FieldLink, now: int) -> None:
        link.dial_at = None
        link.attempts += 1
        target = link.channel.target
        if isinstance(target, SerialTarget):
            self._actions.append(OpenLine(link.stream, target.line))
        else:
            link.give_up_at = now + target.connect_ms * MS
            self._actions.append(Dial(link.stream, target.lan, target.host, target.port, target.source))

    def _later(self, link: FieldLink, now: int) -> None:
        if link.lives:
            link.dial_at = now + link.backoff_ns
            link.backoff_ns = min(link.backoff_ns * 2, _REDIAL_MOST_NS)

    def _hang_up(self, link: FieldLink, reason: str, reset: bool) -> None:
        if link.open or link.give_up_at is not None or isinstance(link.channel.target, SerialTarget):
            self._actions.append(CloseChannel(link.stream, reason, reset))
        link.open, link.give_up_at, link.dial_at = False, None, None
        link.attempts += 1

    # --- the five verbs, for all of them together ---------------------------------------------------------------

    def tick(self, now: int) -> None:
        """Each channel's own work, then redials and attempts that hang."""
        for link in self._links.values():
            if not link.lives:
                continue
            due = link.channel.due()
            if due is not None and due <= now:
                link.channel.tick(now)
                self._collect(link, now)
            if link.dial_at is not None and link.dial_at <= now:
                self._dial(link, now)
            if link.give_up_at is not None and link.give_up_at <= now:
                self._hang_up(link, "no answer to the connection attempt", reset=True)
                self._later(link, now)

    def due(self) -> int | None:
        """The earliest of all."""
        return earliest(
            *(
                earliest(link.channel.due(), link.dial_at, link.give_up_at)
                for link in self._links.values()
                if link.lives
            )
        )

    def outgoing(self) -> list[tuple[str, bytes]]:
        """Octets by stream."""
        return [
            (link.stream, octets) for link in self._links.values() if link.open and (octets := link.channel.outgoing())
        ]

    def _collect(self, link: FieldLink, now: int) -> None:
        for event in link.channel.events():
            if isinstance(event, Report):
                self._reports.append(event)
            elif isinstance(event, Close):
                if link.open:
                    link.channel.closed(now, event.reason)
                self._hang_up(link, event.reason, event.reset)
                self._later(link, now)
            elif isinstance(event, Say):
                self._actions.append(event)

    # --- confirms -----------------------------------------------------------------------------------------------

    def release(self, number: int, now: int) -> int:
        """Devices may be told that the records up to `number` are safe; returns the highest one they are told of."""
        highest = 0
        for channel in self._confirming:
            channel.release(number, now)
            highest = max(highest, channel.released)
        return highest

    def connect_anew(self, reason: str, now: int) -> None:
        """Another master may have drawn the devices' data to a connection of its own, and they do not say so."""
        for link in self._of("service"):
            if link.wanted and link.open and link.channel in self._confirming:
                link.channel.closed(now, reason)
                self._hang_up(link, reason, reset=True)
                self._later(link, now)
                self._collect(link, now)

    def cursors(self) -> dict[str, int]:
        """Drain, by key of the mirrored cursors, what was confirmed to the devices."""
        told = [(channel.name, channel.told()) for channel in self._confirming]
        return {_CURSOR + name: number for name, number in told if number is not None}

    def confirms(self, point_id: int) -> str:
        """The key of the cursor of what was confirmed to a point's device; "" where devices want no confirm."""
        return next((_CURSOR + channel.name for channel in self._confirming if point_id in channel.point_ids), "")

    def alarms(self) -> list[str]:
        """What somebody has to look at."""
        return [channel.alarm for channel in self._confirming if channel.alarm]

    def resume(self, cursors: Mapping[str, int]) -> None:
        """This member becomes active: what its predecessor had confirmed to the devices."""
        for channel in self._confirming:
            if (number := cursors.get(_CURSOR + channel.name)) is not None:
                channel.resume(number)

    # --- controls -----------------------------------------------------------------------------------------------

    def control(self, channel: str, command: Command, now: int) -> None:
        """Hand a command to its channel; one that has no right to talk answers NOT_SENT."""
        link = self._links[channel]
        if link.wanted:
            link.channel.control(command, now)
            self._collect(link, now)
        else:
            sentence = f"{channel} is not driven by this member now"
            self._reports.append(Report(command.ref, Stage.CONFIRM, Outcome.NOT_SENT, sentence))

    def let_go(self, channel: str, command: Command, now: int) -> bool:
        """End the pulse that a predecessor began with this command; False while the channel is not open."""
        link = self._links[channel]
        if not (link.wanted and link.open):
            return False
        if isinstance(link.channel, Pulsing):
            link.channel.let_go(command, now)
            self._collect(link, now)
        return True

    def reports(self) -> list[Report]:
        """Drain the devices' answers to controls."""
        drained, self._reports = self._reports, []
        return drained

    def actions(self) -> list[Action]:
        """Drain what the outside has to do."""
        drained, self._actions = self._actions, []
        return drained

    def statistics(self) -> dict[str, dict[str, float]]:
        """By device: the counters of its channel."""
        return {name: row for link in self._links.values() for name, row in link.channel.statistics().items()}

    def streams(self) -> dict[str, tuple[bool, bool]]:
        """By channel: whether its stream is open, and whether this member has the right to talk there too."""
        return {name: (link.open, link.open and link.wanted) for name, link in self._links.items()}
