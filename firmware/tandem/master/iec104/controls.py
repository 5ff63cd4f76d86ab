"""Controls of one 104 connection: each sent once, each answered once and truthfully.

    queued --(select)--> selecting --confirmed--> queued --> executing --confirmed--> DONE, then running until its end
      |                      |                                   |
      |                      +-- refused, silent: FAILED         +-- refused: FAILED, silent: UNKNOWN
      +-- no room, right lost: NOT_SENT    (silent: the selection is cancelled too)

A device answers with the octets that it was sent, so an answer is found by type, object, and select bit.
"""

from __future__ import annotations

import enum
from collections import deque
from typing import Any

from tandem.clock import Clock
from tandem.codec.iec60870 import asdu
from tandem.codec.iec60870.types import CAUSES, COMMANDS
from tandem.master.iec104.points import Output
from tandem.master.iec104.station import Health, Station
from tandem.master.saying import Mouth
from tandem.point import Command, Outcome, Report, Stage

_MOST = 64
"""Controls in hand; more are refused."""
_ACT, _ACT_CON, _DEACT, _DEACT_CON, _ACT_TERM = 6, 7, 8, 9, 10
_NO_SELECT = 51  # a bitstring command has no select bit


class Phase(enum.Enum):
    """What a control does next, or waits for."""

    SELECT = "to be selected"
    SELECTING = "selected, not confirmed"
    EXECUTE = "to be executed"
    EXECUTING = "executed, not confirmed"
    RUNNING = "confirmed, not ended"
    CANCEL = "to be cancelled"
    CANCELLING = "cancelled, not confirmed"


_SENDS = {  # phase: (phase after sending, cause, S/E)
    Phase.SELECT: (Phase.SELECTING, _ACT, True),
    Phase.EXECUTE: (Phase.EXECUTING, _ACT, False),
    Phase.CANCEL: (Phase.CANCELLING, _DEACT, True),
}


class Task:
    """One control under way. `left`: octets of its execution may be with the device."""

    __slots__ = ("command", "deadline", "left", "output", "phase", "reported", "station", "values")

    def __init__(self, command: Command, output: Output, station: Station, values: dict[str, Any]) -> None:
        self.command = command
        self.output = output
        self.station = station
        self.values = values
        self.phase = Phase.SELECT if output.select and output.type != _NO_SELECT else Phase.EXECUTE
        self.deadline = 0
        self.left = False
        self.reported = False

    @property
    def waits(self) -> bool:
        """It waits for the device."""
        return self.phase not in _SENDS


class Controls:
    """The controls of all devices behind one connection."""

    def __init__(self, stations: list[Station], clock: Clock, mouth: Mouth) -> None:
        self._places = {point_id: (s, output) for s in stations for point_id, output in s.outputs.items()}
        self._clock = clock
        self._mouth = mouth
        self._tasks: list[Task] = []
        self._queue: deque[Task] = deque()
        self._held: dict[tuple[int, int], int] = {}
        """(common address, object) of a control that ended unknown -> until when its answer may still come."""

    @property
    def busy(self) -> bool:
        """A control is not answered yet."""
        return any(not task.reported for task in self._tasks)

    @property
    def open(self) -> bool:
        """A control is in hand, answered or not."""
        return bool(self._tasks)

    def submit(self, command: Command, blocked: str, now: int) -> None:
        """Take a command; `blocked` is the sentence that keeps the channel from sending anything, or ""."""
        place = self._places.get(command.point_id)
        if place is None:
            self._report(command, Outcome.REFUSED, f"point {command.point_id} is no output of this master")
            return
        station, output = place
        try:
            values = output.check(command)
        except ValueError as error:
            self._report(command, Outcome.REFUSED, str(error))
            return
        if not blocked and station.health is Health.LOST:
            blocked = f"{station.title} does not answer"
        if not blocked and len(self._tasks) >= _MOST:
            blocked = f"{_MOST} controls are waiting already"
        if not blocked and self._held.get((output.ca, output.ioa), now) > now:
            blocked = "an answer to the control before it may still come; give it again in a moment"
        if blocked:
            self._report(command, Outcome.NOT_SENT, blocked)
            return
        self._held.pop((output.ca, output.ioa), None)
        station.counts.controls += 1
        task = Task(command, output, station, values)
        task.deadline = now + station.terms.command_ns
        self._tasks.append(task)
        self._queue.append(task)

    def pick(self, now: int) -> bytes | None:
        """The next ASDU to send."""
        if not self._queue:
            return None
        task = self._queue.popleft()
        task.phase, cause, select = _SENDS[task.phase]
        terms, output = task.station.terms, task.output
        values = {**task.values, "select": select}
        if terms.timed_commands:
            values["time_us"], flag = self._clock.stamp(now)
            values["time_invalid"] = bool(flag)
        task.deadline = now + terms.command_ns
        number = output.asdu_type(terms.timed_commands)
        return asdu.encode(number, cause, output.ca, [(output.ioa, values)], originator=terms.originator)

    def sent(self) -> None:
        """What was picked has left."""
        for task in self._tasks:
            if task.phase is Phase.EXECUTING:
                task.left = True

    def reply(self, octets: bytes, now: int) -> None:
        """An ASDU of a command's type. Raises FrameError where it is broken."""
        found = asdu.decode(octets)
        base = COMMANDS[found.type]
        for ioa, values in found.objects or ():
            task = self._find(base, found.ca, ioa, bool(values.get("select")), found.cause)
            if task is not None and _same(task, values):
                negative = found.negative or found.cause >= 44
                self._answered(task, found.cause, negative, now)

    def _find(self, base: int, ca: int, ioa: int, select: bool, cause: int) -> Task | None:
        """The control that waits for this answer."""
        for task in self._tasks:
            output = task.output
            if (output.type, output.ca, output.ioa) != (base, ca, ioa):
                continue
            expects = {
                Phase.SELECTING: select and cause in (_ACT_CON, 44, 45, 46, 47),
                Phase.EXECUTING: not select and cause in (_ACT_CON, _ACT_TERM, 44, 45, 46, 47),
                Phase.RUNNING: not select and cause == _ACT_TERM,
                Phase.CANCELLING: cause in (_DEACT_CON, 44, 45, 46, 47),
            }
            if expects.get(task.phase, False):
                return task
        return None

    def _answered(self, task: Task, cause: int, negative: bool, now: int) -> None:
        station = task.station
        station.counts.answers += 1
        station.counts.exceptions += negative
        why = f"{station.title} says no ({CAUSES[cause]})"
        if task.phase is Phase.CANCELLING:
            self._drop(task)
        elif task.phase is Phase.SELECTING:
            if negative:
                self._close(task, Outcome.FAILED, f"{why} to the selection; nothing was executed")
            else:
                task.phase = Phase.EXECUTE
                self._queue.append(task)
        elif task.phase is Phase.RUNNING:
            if negative:
                self._mouth.event(Report(task.command.ref, Stage.END, Outcome.FAILED, f"{why} at the control's end"))
            self._drop(task)
        elif negative:
            self._close(task, Outcome.FAILED, why)
        else:
            self._confirm(task, Outcome.DONE, "")
            task.phase, task.deadline = Phase.RUNNING, now + station.terms.command_ns
            if cause == _ACT_TERM:
                self._drop(task)

    def tick(self, now: int) -> None:
        """Controls without an answer in time."""
        for task in [task for task in self._tasks if task.deadline <= now]:
            self._late(task, now)

    def _late(self, task: Task, now: int) -> None:
        title, seconds = task.station.title, task.station.terms.command_ns / 1e9
        if task.phase in (Phase.RUNNING, Phase.CANCELLING, Phase.CANCEL):
            self._drop(task)
            return
        task.station.counts.timeouts += 1
        if task.phase is Phase.EXECUTING:
            self._held[task.output.ca, task.output.ioa] = now + task.station.terms.command_ns
            sentence = f"{title} did not answer within {seconds:g} s; whether it acted is not known"
            self._close(task, Outcome.UNKNOWN, sentence)
        elif task.phase is Phase.SELECTING:
            self._confirm(task, Outcome.FAILED, f"{title} did not answer the selection; nothing was executed")
            task.phase, task.deadline = Phase.CANCEL, now + task.station.terms.command_ns
            self._queue.append(task)
        else:
            self._close(task, Outcome.NOT_SENT, f"{title} took nothing for {seconds:g} s")

    def due(self) -> int | None:
        """When the first one is out of time."""
        return min((task.deadline for task in self._tasks), default=None)

    def end_all(self, why: str) -> None:
        """The connection or the right to it is gone: every control ends with what is known of it."""
        for task in list(self._tasks):
            if task.left:
                sentence = f"sent and not answered: {why}; whether it acted is not known"
                self._close(task, Outcome.UNKNOWN, sentence)
            else:
                self._close(task, Outcome.NOT_SENT, f"not executed: {why}")

    def end_unsent(self, why: str) -> None:
        """Of the controls in hand, those of which nothing was sent yet end."""
        for task in [task for task in self._queue if task.phase in (Phase.SELECT, Phase.EXECUTE)]:
            self._close(task, Outcome.NOT_SENT, why)

    def _drop(self, task: Task) -> None:
        self._tasks.remove(task)
        if task in self._queue:
            self._queue.remove(task)

    def _close(self, task: Task, outcome: Outcome, sentence: str) -> None:
        self._confirm(task, outcome, sentence)
        self._drop(task)

    def _confirm(self, task: Task, outcome: Outcome, sentence: str) -> None:
        if not task.reported:
            task.reported = True
            self._report(task.command, outcome, sentence)

    def _report(self, command: Command, outcome: Outcome, sentence: str) -> None:
        self._mouth.event(Report(command.ref, Stage.CONFIRM, outcome, sentence))


def _same(task: Task, values: dict[str, Any]) -> bool:
    """The answer names the state that was commanded; of numbers a device may keep fewer digits."""
    return task.output.type > 47 or int(values["value"]) == int(task.values["value"])
