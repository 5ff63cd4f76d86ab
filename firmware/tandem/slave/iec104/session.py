"""One connection of a control center: the queues between its link, its requests, and its center's events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from tandem.codec.iec60870 import FrameError
from tandem.codec.iec60870 import asdu as codec
from tandem.codec.iec60870.asdu import MOST_OBJECTS
from tandem.engine import Close
from tandem.point import Report, Say
from tandem.slave.base import ClockMessage
from tandem.slave.iec104.center import Center
from tandem.slave.iec104.commands import Commands
from tandem.slave.iec104.link import Link, State
from tandem.slave.iec104.packer import Events
from tandem.slave.iec104.requests import Requests
from tandem.slave.iec104.setting import Setting
from tandem.slave.iec104.writes import Writes

MOST_ANSWERS = 512
"""Answers that wait for the window; a center that asks more without acknowledging is cut off."""
MOST_EVENTS = 256
"""What the owner has not fetched yet; sentences beyond are dropped and counted."""
END_OF_INITIALISATION, INITIALISED = 70, 4


class Session:
    """The engine of one connection. `ended` is called once, when the connection is closed."""

    def __init__(
        self, setting: Setting, center: Center, host: str, on_group: bool, ended: Callable[[Session], None]
    ) -> None:
        self.center = center.name
        self.host = host
        self.on_group = on_group
        self.serving = False
        """Whether the station has its values; the station keeps it up to date."""
        self._setting = setting
        self._center = center
        self._ended = ended
        self._link = Link(self, setting.timing)
        self._commands = Commands(setting.slave, setting.clock, center.name, setting.next_ref, setting.emit)
        writes = Writes(setting.rows, center.packer)
        self._requests = Requests(setting, self._commands, writes, center.counts, self._tell)
        self._answers: deque[bytes] = deque()
        self._ready: deque[Events] = deque()
        self._flying: deque[Events] = deque()  # what the window holds, oldest first
        self._locals: dict[int, None] = {}  # member-local points to be told, in order
        self._overlays: deque[int] = deque()  # points whose quality changed without an event
        self._overlaid_us = 0, 0  # when, as a stamp
        self._told: list[object] = []
        self._jobs_first = False  # in turns, so that neither a long interrogation nor many events starve the other
        self._owner = False  # this is the center's started session
        self._waits = False  # for the window to open

    # --- the five verbs ------------------------------------------------------------------------------------------

    def opened(self, now: int) -> None:
        """The connection is there; the center speaks first."""
        self._center.counts.connections += 1
        self._link.opened(now)
        self.say(f"control center {self.center} connected from {self.host}")

    def closed(self, now: int, reason: str) -> None:
        """The connection is gone: what was not acknowledged is offered to the next one."""
        self._link.gone()
        self._leave(now)
        self._ended(self)

    def receive(self, data: bytes, now: int) -> None:
        """Octets of the center."""
        self._link.receive(data, now)
        self.push(now)

    def tick(self, now: int) -> None:
        """Timers of the link."""
        self._link.tick(now)

    def due(self) -> int | None:
        """When `tick` is next due."""
        return self._link.due()

    def outgoing(self) -> bytes:
        """Drain the octets to send."""
        octets = b"".join(self._link.out)
        self._link.out.clear()
        return octets

    def events(self) -> list[object]:
        """Drain `Say`, `Close` and `ClockMessage`."""
        told, self._told = self._told, []
        return told

    # --- for the station ------------------------------------------------------------------------------------------

    @property
    def started(self) -> bool:
        """True while data flow."""
        return self._link.state is State.STARTED

    def fill(self, limit: int, now: int) -> None:
        """Take what may leave: member-local changes, a step of each request, events; then send what fits."""
        if self.serving and self._link.state is State.WAITING:
            self._link.serve(now)
        if not self.started:
            return
        if self._locals and len(self._ready) < self._setting.timing.k:
            points = list(self._locals)
            self._locals.clear()
            self._queue(self._center.packer.local_events(points))
        while self._overlays and len(self._ready) < self._setting.timing.k:
            points = [self._overlays.popleft() for _ in range(min(MOST_OBJECTS, len(self._overlays)))]
            self._queue(self._center.packer.overlays(points, *self._overlaid_us, limit))
        self._jobs_first = not self._jobs_first
        if self._jobs_first:
            self._step_jobs(limit)
        self._take_events(limit, now)
        self._step_jobs(limit)
        self.push(now)

    def local_changed(self, point_ids: Iterable[int]) -> None:
        """These member-local points of the list changed."""
        if self._owner:
            self._locals.update(dict.fromkeys(point_ids))

    def overlaid(self, points: list[int], now: int) -> None:
        """The served quality of these points may have changed without an event: told in steps, unless asked before."""
        if self._owner:
            self._overlays = deque(dict.fromkeys([*self._overlays, *points]))
            self._overlaid_us = self._setting.clock.stamp(now)

    def shared(self, now: int) -> None:
        """The other member has more of what the center wrote: nothing is confirmed to it before."""
        self._confirm_written()
        self.push(now)

    def report(self, report: Report, now: int) -> None:
        """An answer from `control`, whoever it is for."""
        self._answers.extend(self._commands.report(report))
        self.push(now)

    def push(self, now: int) -> None:
        """Send what the window has room for, answers first."""
        link, center = self._link, self._center
        answers, ready, flying = self._answers, self._ready, self._flying
        for _ in range(link.room):
            if answers:
                link.send(answers.popleft(), now)
                flying.append(_ANSWER)
            elif ready and (not ready[0].objects or link.room > center.ahead):
                events = ready.popleft()
                link.send(events.asdu, now)
                flying.append(events)
                if events.objects:
                    center.sent(events.reaches, events.objects, now)
            else:
                break
        waits = bool(answers or ready)
        if waits is not self._waits:
            self._waits = waits
            center.counts.window_full += waits
        link.acknowledge()

    # --- for the center ------------------------------------------------------------------------------------------

    def say(self, text: str, level: str = "info") -> None:
        """One sentence for the log."""
        self._tell(Say(text, level, {"slave": self._setting.slave.name, "center": self.center, "host": self.host}))

    def void(self) -> None:
        """The numbering changed: queued events are dropped, those on their way confirm nothing."""
        self._ready = deque(events for events in self._ready if not events.objects)
        self._flying = deque([_ANSWER] * len(self._flying))

    def expel(self, now: int) -> None:
        """Another connection of this center started."""
        self.say(f"another connection of control center {self.center} started: this one stops")
        self._link.expel(now)

    def initialise(self, reason: int) -> None:
        """Tell every common address that the process began anew, before anything else."""
        for ca in reversed(self._setting.rows.addresses):
            self._answers.appendleft(codec.encode(END_OF_INITIALISATION, INITIALISED, ca, [(0, {"reason": reason})]))

    # --- for the link ----------------------------------------------------------------------------------------------

    def may_start(self, now: int) -> bool:
        """True when the station has its values."""
        if not self.serving:
            self.say(
                f"control center {self.center} is not started before every point was read or its device is known dead"
            )
        return self.serving

    def started_now(self, now: int) -> None:
        """Data may flow."""
        self._owner = True
        self._center.attach(self, now)
        self._locals = dict.fromkeys(self._setting.rows.locals)
        if self._center.init_reason is not None:
            self.initialise(self._center.init_reason)
            self._center.init_reason = None
        self.say(f"control center {self.center} started")

    def stopped(self, now: int) -> None:
        """No data any more on this connection."""
        self._leave(now)

    def asdu(self, octets: bytes, now: int) -> None:
        """A request or a command."""
        try:
            self._answers.extend(self._requests.take(octets, now))
        except FrameError as error:
            self._center.counts.malformed += 1
            self.say(f"an ASDU of {self.host} was ignored: {error} ({octets[:32].hex()})", "warning")
        self._confirm_written()
        if len(self._answers) + len(self._requests.written) > MOST_ANSWERS:
            self._link.close(f"{self.host} asks without acknowledging the answers: {MOST_ANSWERS} of them wait")

    def confirmed(self, frames: int) -> None:
        """The oldest frames of the window were acknowledged."""
        for _ in range(frames):
            events = self._flying.popleft()
            if events.objects:
                self._center.confirm(events)

    def broken(self, reason: str) -> None:
        """The connection must be closed."""
        self._center.counts.broken += 1
        self.say(f"the connection of control center {self.center} is closed: {reason}", "warning")
        self._told.append(Close(reason))

    # --- own -------------------------------------------------------------------------------------------------------

    def _leave(self, now: int) -> None:
        if not self._owner:
            return
        self._owner = False
        unconfirmed = sum(events.objects for events in self._flying)
        self.void()
        self._ready.clear()
        self._answers.clear()
        self._locals.clear()
        self._overlays.clear()
        self._requests.jobs.clear()
        self._requests.written.clear()
        self._commands.end(now)
        self._center.detach(self, unconfirmed)

    def _confirm_written(self) -> None:
        if not self._center.packer.memory.unshared:
            self._answers.extend(self._requests.written)
            self._requests.written.clear()

    def _take_events(self, limit: int, now: int) -> None:
        while len(self._ready) < self._setting.timing.k:
            events = self._center.batch(limit)
            if not events:
                return
            self._ready.extend(events)
            self.push(now)

    def _step_jobs(self, limit: int) -> None:
        jobs = self._requests.jobs
        for job in list(jobs):
            while len(self._ready) < self._setting.timing.k and not job.done:
                waited = job.waits
                self._queue(job.step(self._center.packer, self._setting.database, limit))
                if waited:
                    break
            if job.done:
                jobs.remove(job)

    def _queue(self, asdus: list[bytes]) -> None:
        self._ready.extend([Events(asdu, 0, 0) for asdu in asdus])

    def _tell(self, event: Say | ClockMessage) -> None:
        if len(self._told) < MOST_EVENTS:
            self._told.append(event)


_ANSWER = Events(b"", 0, 0)
