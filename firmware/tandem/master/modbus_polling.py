"""Who is read next: polling groups that keep their phase, devices in turn, and dead ones only now and then."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from functools import partial

from tandem.codec.modbus import pdu as modbus
from tandem.master.inputs import Inputs
from tandem.master.modbus_device import Device, Group, Health, Request
from tandem.master.modbus_points import Poll
from tandem.master.saying import Mouth
from tandem.master.timers import Timers
from tandem.point import MS, SECOND

_BUSY_NS = 50 * MS
"""A device that says it is busy is left alone for so long."""


class Polling:
    """The rota of one channel's devices. Each turn takes one request of the next device that has work."""

    def __init__(
        self, devices: list[Device], inputs: Inputs, mouth: Mouth, timers: Timers, comm_points: bool = False
    ) -> None:
        """`comm_points`: a lost device marks each of its points, not only its own."""
        self._devices = [device for device in devices if device.enabled and device.groups]
        self._inputs = inputs
        self._mouth = mouth
        self._timers = timers
        self._comm_points = comm_points
        self._ready: deque[Device] = deque()

    @property
    def all_lost(self) -> bool:
        """No device of the channel answers."""
        return bool(self._devices) and all(device.health is Health.LOST for device in self._devices)

    def start(self, now: int, integrity: bool) -> None:
        """The channel is ours: nothing is known of the devices; old values hold unless `integrity`."""
        for device in self._devices:
            device.health = Health.UNKNOWN
            device.fails = 0
            device.hold_ns = device.control_hold_ns = device.owes_ns = 0
            if integrity and device.state.answers:
                device.state.put(False, now)
            device.unread = set() if device.state.answers else set(device.polls)
            for poll in device.polls:
                poll.forget()
                poll.refused = False

    def begin(self, now: int) -> None:
        """The stream is up: every group at once, lost devices with one request."""
        self.end()
        for device in self._devices:
            if device.health is Health.LOST:
                device.probe_ns = now
                self._probe(device, now)
            for group in device.groups:
                group.next_ns = now
                self._due(group, now)

    def end(self) -> None:
        """The stream is gone: nothing is to be asked."""
        self._ready.clear()
        for device in self._devices:
            self._rest(device)
            device.listed = False

    def pick(self, now: int) -> Request | None:
        """The next read, or None when nobody has work that may be done now."""
        ready = self._ready
        for _ in range(len(ready)):
            device = ready.popleft()
            if not device.retries and not device.pending:
                device.listed = False
                continue
            if device.hold_ns > now:
                ready.append(device)
                continue
            if device.retries:
                request = device.retries.popleft()
            else:
                group = device.pending.popleft()
                poll = group.queue.popleft()
                if group.queue:
                    device.pending.append(group)
                request = Request(device, poll.pdu, poll, group, None)
            ready.append(device)
            return request
        return None

    @property
    def wants(self) -> bool:
        """Somebody has work, be it that it may not be done yet."""
        return any(device.retries or device.pending for device in self._ready)

    def answered(self, request: Request, now: int) -> None:
        """A read was answered, be it with a refusal."""
        device = request.device
        device.fails = 0
        if device.health is not Health.ANSWERS:
            lost, device.health = device.health is Health.LOST, Health.ANSWERS
            if lost:
                for group in device.groups:
                    self._launch(group)
        if request.poll is not None and device.unread:
            device.unread.discard(request.poll)
            if not device.unread and device.state.put(True, now):
                self._mouth.say(f"{device.title} answers")
        self._finish(request)

    def failed(self, request: Request, why: str, now: int) -> bool:
        """A read was not answered; True when that made the device lost."""
        device = request.device
        device.fails += 1
        if device.health is Health.LOST:
            self._ask_again(device, now)
            return False
        if request.attempt < device.terms.retries:
            self._again(request)
            return False
        if device.fails >= device.terms.offline_after:
            self.lose(device, why, now)
            return True
        self._finish(request)
        return False

    def broken(self, device: Device, why: str, now: int) -> None:
        """The stream broke while the device was being asked."""
        device.fails += 1
        if device.health is not Health.LOST and device.fails >= device.terms.offline_after:
            self.lose(device, why, now, probe=False)

    def lose(self, device: Device, why: str, now: int, probe: bool = True) -> None:
        """The device does not answer: one event, and one request every `retry_offline_s` from now on."""
        terms = device.terms
        device.health = Health.LOST
        device.counts.losses += 1
        device.unread = set(device.polls)
        self._rest(device)
        for poll in device.polls:
            poll.forget()
        self._inputs.forget(device.inputs)
        if self._comm_points:
            self._inputs.not_topical(device.inputs, now)
        device.state.put(False, now)
        every = f"it is asked again every {terms.retry_offline_ns // SECOND} s"
        self._mouth.say(f"{device.title} does not answer ({why}); {every}", "warning")
        if probe:
            self._ask_again(device, now)

    def lose_all(self, why: str, now: int) -> None:
        """The stream did not come up in time: no device can answer."""
        for device in self._devices:
            if device.health is not Health.LOST:
                self.lose(device, why, now, probe=False)

    def refused(self, request: Request, code: int, now: int) -> None:
        """A read got an exception: busy is asked again, a wrong address narrowed down, the rest marked invalid."""
        device, poll, group = request.device, request.poll, request.group
        assert poll is not None, "a control's exception is the control's"
        if code in (modbus.ACKNOWLEDGE, modbus.BUSY) and request.attempt < device.terms.retries:
            self.hold(device, now + _BUSY_NS)
            self._again(request)
            return
        pieces = poll.split(device.limits) if code == modbus.ILLEGAL_ADDRESS else [poll]
        if group is None or poll not in group.polls:
            pass  # the first request to a lost device: its groups follow and find out
        elif pieces != [poll]:
            self._replace(group, poll, pieces)
        elif not poll.refused:
            self._invalid(device, poll, code, now)
        self.answered(request, now)

    def _invalid(self, device: Device, poll: Poll, code: int, now: int) -> None:
        poll.refused = True
        poll.forget()
        names = ", ".join(want.point.name for want in poll.wanted[:5]) + (" ..." if len(poll.wanted) > 5 else "")
        self._inputs.forget(poll.inputs)
        self._inputs.invalid(poll.inputs, now)
        self._mouth.say(
            f"{device.title} refuses to {poll.title} with {modbus.exception_name(code)}: {names} invalid; correct "
            f"the addresses in its point list",
            "warning",
        )

    def hold(self, device: Device, until: int) -> None:
        """No read of this device before `until`; the timer only wakes the channel."""
        device.hold_ns = max(device.hold_ns, until)
        self._timers.at(until, _wake)

    def _replace(self, group: Group, poll: Poll, pieces: list[Poll]) -> None:
        device = group.device
        position = group.polls.index(poll)
        group.polls[position : position + 1] = pieces
        if poll in device.unread:
            device.unread |= set(pieces)
        group.queue.extend(pieces)
        group.open += len(pieces)
        if group not in device.pending:
            device.pending.append(group)
        self._enlist(device)

    def _due(self, group: Group, now: int) -> None:
        missed = (now - group.next_ns) // group.period_ns
        group.next_ns += (missed + 1) * group.period_ns
        self._timers.at(group.next_ns, self._action(group))
        if group.device.health is not Health.LOST:
            self._launch(group)

    def _action(self, group: Group) -> Callable[[int], None]:
        return partial(self._due, group)

    def _launch(self, group: Group) -> None:
        if group.open:
            group.again = True
            group.device.counts.late_scans += 1
            return
        group.queue.extend(group.polls)
        group.open = len(group.polls)
        group.device.pending.append(group)
        self._enlist(group.device)

    def _finish(self, request: Request) -> None:
        group = request.group
        if group is None or not group.open or request.rests != group.rests:
            return
        group.open -= 1
        if not group.open and group.again:
            group.again = False
            self._launch(group)

    def _again(self, request: Request) -> None:
        request.attempt += 1
        request.device.counts.retries += 1
        request.device.retries.append(request)
        self._enlist(request.device)

    def _ask_again(self, device: Device, now: int) -> None:
        device.probe_ns = now + device.terms.retry_offline_ns
        self._timers.at(device.probe_ns, partial(self._probe, device))

    def _probe(self, device: Device, now: int) -> None:
        if device.health is Health.LOST and not device.retries and now >= device.probe_ns:
            group = device.groups[0]
            device.retries.append(Request(device, group.polls[0].pdu, group.polls[0], None, None))
            self._enlist(device)

    def _enlist(self, device: Device) -> None:
        if not device.listed:
            device.listed = True
            self._ready.append(device)

    @staticmethod
    def _rest(device: Device) -> None:
        device.retries.clear()
        device.pending.clear()
        for group in device.groups:
            group.rest()


def _wake(now: int) -> None:
    """The owner's turn is all that was wanted."""
