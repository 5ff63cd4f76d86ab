"""Controls of one channel: ahead of every poll, each sent once, each answered once and truthfully."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from functools import partial

from tandem.codec.modbus import pdu as modbus
from tandem.master.modbus_device import Device, Health, Request
from tandem.master.modbus_points import Output
from tandem.master.modbus_writes import Write, writes
from tandem.master.saying import Mouth
from tandem.master.timers import Timers
from tandem.point import Command, Outcome, Report, Stage

_MOST = 64
"""Controls in hand; more are refused."""


class Task:
    """One control under way. `touched`: octets of it may be with the device."""

    __slots__ = ("command", "device", "output", "releases", "reported", "step", "steps", "touched", "verifying")

    def __init__(self, command: Command, output: Output, device: Device, steps: list[Write]) -> None:
        self.command = command
        self.output = output
        self.device = device
        self.steps = steps
        self.step = 0
        self.touched = False
        self.reported = False
        self.verifying = False
        self.releases = 0

    @property
    def write(self) -> Write:
        """The step in hand."""
        return self.steps[self.step]


class Controls:
    """The queue of controls, and the pulses that wait for their end."""

    def __init__(self, devices: list[Device], mouth: Mouth, timers: Timers) -> None:
        self._places = {point_id: (d, out) for d in devices for point_id, out in d.outputs.items()}
        self._mouth = mouth
        self._timers = timers
        self._queue: deque[Task] = deque()
        self._tasks: set[Task] = set()

    @property
    def busy(self) -> bool:
        """A control is queued, sent, or in the middle of its pulse."""
        return bool(self._tasks)

    @property
    def queued(self) -> bool:
        """A step of a control waits to be sent."""
        return bool(self._queue)

    def submit(self, command: Command, blocked: str) -> None:
        """Take a command; `blocked` is the sentence that keeps the channel from sending anything, or ""."""
        place = self._places.get(command.point_id)
        if place is None:
            self._report(command, Outcome.REFUSED, f"point {command.point_id} is no output of this master")
            return
        device, output = place
        if not device.enabled:
            self._report(command, Outcome.REFUSED, f"{device.title} is disabled in the configuration")
            return
        try:
            steps = writes(output, command, device.verify)
        except ValueError as error:
            self._report(command, Outcome.REFUSED, str(error))
            return
        if not blocked and device.health is Health.LOST:
            blocked = f"{device.title} does not answer"
        if not blocked and len(self._tasks) >= _MOST:
            blocked = f"{_MOST} controls are waiting already"
        if blocked:
            self._report(command, Outcome.NOT_SENT, blocked)
            return
        device.counts.controls += 1
        task = Task(command, output, device, steps)
        self._tasks.add(task)
        self._queue.append(task)

    def let_go(self, command: Command) -> None:
        """The end of a pulse that was begun elsewhere, as a control of its own that nobody hears of."""
        place = self._places.get(command.point_id)
        ends = [write for write in writes(place[1], command, False) if write.releases] if place else []
        if place and ends and len(self._tasks) < _MOST:
            task = Task(command, place[1], place[0], [replace(write, delay_ns=0) for write in ends])
            task.touched = task.reported = True
            self._tasks.add(task)
            self._queue.append(task)

    def pick(self, now: int) -> Request | None:
        """The next step to send, or None."""
        for place, task in enumerate(self._queue):
            if task.device.control_hold_ns > now:
                continue
            del self._queue[place]
            pdu = task.write.verify if task.verifying else task.write.pdu
            return Request(task.device, pdu, None, None, task)
        return None

    def answered(self, task: Task, reply: bytes, now: int) -> None:
        """The device answered the step in hand; `reply` is a PDU that fits it, exceptions included."""
        write = task.write
        if reply[0] & modbus.ERROR:
            name = modbus.exception_name(reply[1])
            if task.verifying:
                self._close(task, Outcome.UNKNOWN, f"written, but reading it back got {name}")
            else:
                self._failed(task, f"{task.device.title} answered {name}")
            return
        if write.verify and not task.verifying:
            task.verifying = True
            self._queue.append(task)
            return
        if task.verifying and reply[2:] != write.expected:
            self._close(task, Outcome.FAILED, f"{task.device.title} took the write and kept {reply[2:].hex(' ')}")
            return
        task.verifying = False
        if write.confirms:
            self._confirm(task, Outcome.DONE, "")
        self._next(task, now)

    def _next(self, task: Task, now: int) -> None:
        task.step += 1
        if task.step >= len(task.steps):
            self._tasks.discard(task)
        elif task.write.delay_ns:
            self._timers.at(now + task.write.delay_ns, partial(self._resume, task))
        else:
            self._queue.append(task)

    def _resume(self, task: Task, now: int) -> None:
        if task in self._tasks:
            self._queue.append(task)

    def silent(self, task: Task, why: str, now: int) -> None:
        """No answer in time: nobody knows. The end of a pulse alone is sent again, to let go of the output."""
        device = task.device
        if task.write.releases:
            task.releases += 1
            if task.releases <= device.terms.retries:
                self._queue.append(task)
            else:
                self._held(task, why)
            return
        # its late answer must not be taken for that of an equal control that follows
        device.control_hold_ns = now + device.terms.timeout_ns
        self._timers.at(device.control_hold_ns, _wake)
        self._close(task, Outcome.UNKNOWN, f"{device.title} did not answer ({why}); whether it acted is not known")

    def unsent(self, task: Task, why: str) -> None:
        """The step in hand never left; what left before it decides what is known."""
        if task.reported:
            self._held(task, why)
        else:
            self._close(task, Outcome.UNKNOWN if task.touched else Outcome.NOT_SENT, why)

    def _failed(self, task: Task, sentence: str) -> None:
        if task.reported:
            self._held(task, sentence)
        else:
            self._close(task, Outcome.FAILED, sentence)

    def _held(self, task: Task, why: str) -> None:
        name = task.output.point.name
        self._tasks.discard(task)
        self._mouth.say(f"{name}: the end of its pulse failed ({why}); {task.output.address} may still be on", "error")

    def end_all(self, why: str) -> None:
        """The stream or the right to it is gone: every control in hand ends with what is known of it."""
        for task in list(self._tasks):
            if task.reported:
                self._held(task, why)
            elif task.touched:
                self._close(task, Outcome.UNKNOWN, f"sent and not answered: {why}; whether it acted is not known")
            else:
                self._close(task, Outcome.NOT_SENT, why)
        self._queue.clear()

    def end_unsent(self, why: str) -> None:
        """Of the controls in hand, those of which nothing was sent yet end."""
        for task in [task for task in self._queue if not task.touched]:
            self._queue.remove(task)
            self._close(task, Outcome.NOT_SENT, why)

    def _close(self, task: Task, outcome: Outcome, sentence: str) -> None:
        self._tasks.discard(task)
        self._confirm(task, outcome, sentence)

    def _confirm(self, task: Task, outcome: Outcome, sentence: str) -> None:
        if not task.reported:
            task.reported = True
            self._report(task.command, outcome, sentence)

    def _report(self, command: Command, outcome: Outcome, sentence: str) -> None:
        self._mouth.event(Report(command.ref, Stage.CONFIRM, outcome, sentence))


def _wake(now: int) -> None:
    """The owner's turn is all that was wanted."""
