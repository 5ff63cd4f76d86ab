"""Requests under way on one Modbus stream: how they are sent, and how each of them ends.

At most `window` requests are out (one on a serial line). Controls go before polls. Whatever the octets, a request
ends in one of four ways: answered, refused with an exception, out of time, or the stream is gone.
"""

from __future__ import annotations

from tandem.clock import Clock
from tandem.codec.modbus import pdu as modbus
from tandem.engine import Close
from tandem.master.inputs import Inputs
from tandem.master.modbus_controls import Controls
from tandem.master.modbus_device import Device, Request
from tandem.master.modbus_polling import Polling
from tandem.master.modbus_wire import Reply, Wire
from tandem.master.saying import Mouth
from tandem.master.timers import Timers
from tandem.point import Cause

_SCAN = int(Cause.SCAN)


class ModbusStream:
    """The half of a channel that knows the wire; `ModbusChannel` adds rights and the engine's verbs."""

    def __init__(
        self, wire: Wire, devices: list[Device], inputs: Inputs, clock: Clock, window: int, comm_points: bool
    ) -> None:
        self._wire = wire
        self._devices = devices
        self._inputs = inputs
        self._clock = clock
        self._window = 1 if wire.serial else window
        self._mouth = Mouth()
        self._timers = Timers()
        self._polling = Polling(devices, inputs, self._mouth, self._timers, comm_points)
        self._controls = Controls(devices, self._mouth, self._timers)
        self._waiting: dict[int, Request] = {}
        self._sole: Request | None = None  # the only read under way: the quick path
        self._out: list[bytes] = []
        self._unsent: list[Request] = []
        self._quiet_ns = 0  # no request before
        self._wake: int | None = None
        self._open = self._started = self._draining = False
        self._last: Device | None = None

    def outgoing(self) -> bytes:
        """Drain the octets to send: from here on the device may have them."""
        if not self._out:
            return b""
        octets = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        for request in self._unsent:
            request.left = True
            if request.task is not None:
                request.task.touched = True
        self._unsent.clear()
        return octets

    # --- sending -----------------------------------------------------------------------------------------------

    def _pump(self, now: int) -> None:
        """Send what may be sent now."""
        self._wake = None
        if not self._open or not self._started:
            return
        while len(self._waiting) < self._window:
            if now < self._quiet_ns:
                if self._controls.queued or self._polling.wants:
                    self._wake = self._quiet_ns
                return
            request = self._controls.pick(now) if self._controls.queued else None
            if request is None and not self._draining:
                request = self._polling.pick(now)
            if request is None:
                return
            self._send(request, now)

    def _send(self, request: Request, now: int) -> None:
        wire, device = self._wire, request.device
        request.key, request.frame = wire.request(device.unit, request.pdu)
        request.sent_ns = now
        request.deadline = now + device.terms.timeout_ns + wire.air_ns(request.frame, request.pdu)
        request.left = False
        device.counts.requests += 1
        self._last = device
        self._sole = None if self._waiting else request
        self._waiting[request.key] = request
        self._out.append(request.frame)
        self._unsent.append(request)

    # --- how requests end --------------------------------------------------------------------------------------

    def _settle(self, request: Request, now: int) -> None:
        """A reply to `request` came: book-keeping that all replies share."""
        device = request.device
        device.counts.answers += 1
        device.answer_ns = now - request.sent_ns
        self._sole = None
        wire = self._wire
        if wire.serial:
            self._quiet_ns = now + wire.quiet_ns
            if device.owes_ns > now and request.poll is not None:
                # the answer to the attempt before may still come, and RTU cannot tell it from the next reply
                self._polling.hold(device, device.owes_ns)

    def _take(self, request: Request) -> None:
        del self._waiting[request.key]
        self._sole = None

    def _reply(self, request: Request, reply: Reply, now: int) -> None:
        device, pdu = request.device, reply.pdu
        fault = modbus.reply_fault(request.pdu, pdu)
        if reply.unit != device.unit:
            fault = f"unit {reply.unit} answered, unit {device.unit} was asked"
        self._take(request)
        if fault:
            device.counts.bad_replies += 1
            self._mouth.say_rarely((device.name, "bad"), f"{device.title}: {fault}; it was discarded", now)
            self._unanswered(request, fault, now)
            return
        self._settle(request, now)
        if request.task is not None:
            device.counts.exceptions += pdu[0] >> 7
            self._controls.answered(request.task, pdu, now)
        elif pdu[0] & modbus.ERROR:
            self._exception(request, pdu[1], now)
        elif request.poll is not None:
            self._store(request, reply, now)

    def _store(self, request: Request, reply: Reply, now: int) -> None:
        poll = request.poll
        assert poll is not None, "only reads bring values"
        stamp_us, time_flag = self._clock.stamp(now)
        octets = reply.pdu[2:]
        if poll.refused:
            poll.refused = False
            self._mouth.say(f"{request.device.title} allows to {poll.title} again")
        for reader, point in poll.changed(octets):
            point.put(reader(octets), time_flag, stamp_us, now, _SCAN)
        poll.known = reply.known
        self._polling.answered(request, now)

    def _exception(self, request: Request, code: int, now: int) -> None:
        device = request.device
        device.counts.exceptions += 1
        name = modbus.exception_name(code)
        if code in (modbus.PATH_UNAVAILABLE, modbus.TARGET_SILENT):
            self._unanswered(request, name, now)
            return
        self._mouth.say_rarely((device.name, name), f"{device.title} answered {name}", now, "info")
        self._polling.refused(request, code, now)

    def _late(self, request: Request, now: int) -> None:
        """The time of a request is over."""
        device = request.device
        reply, why, wrong_sum = self._wire.last_look()
        if reply is not None:
            self._reply(request, reply, now)
            return
        self._take(request)
        if not request.left:
            self._withdraw(request, now)
            return
        device.counts.timeouts += 1
        device.owes_ns = now + device.terms.timeout_ns
        if wrong_sum:
            device.counts.crc_errors += 1
        elif why != "nothing came":
            device.counts.bad_replies += 1
        if why != "nothing came":
            self._mouth.say_rarely((device.name, "noise"), f"{device.title}: {why}", now)
        if self._wire.serial:
            self._wire.clear()
            self._quiet_ns = now + self._wire.quiet_ns
        self._unanswered(request, why, now)

    def _withdraw(self, request: Request, now: int) -> None:
        """Its time is over before the owner took its octets: they must not leave any more."""
        self._out.remove(request.frame)
        self._unsent.remove(request)
        if request.task is not None:
            self._controls.unsent(request.task, "its octets could not be sent in time")
        else:
            self._polling.failed(request, "the request could not be sent in time", now)

    def _unanswered(self, request: Request, why: str, now: int) -> None:
        if request.task is not None:
            self._controls.silent(request.task, why, now)
        elif self._polling.failed(request, why, now) and self._polling.all_lost and not self._wire.serial:
            # the peer may have vanished without a word: only a new connection finds out
            self._mouth.event(Close(f"{request.device.title} does not answer", reset=True))

    def _broken(self, why: str, now: int) -> None:
        """The stream is no Modbus TCP (any more)."""
        requests = list(self._waiting.values())
        device = requests[0].device if requests else self._last
        if device is not None:
            device.counts.bad_replies += 1
            self._mouth.say_rarely((device.name, "stream"), f"{device.title}: {why}; the connection is reset", now)
        self._wire.clear()
        self._mouth.event(Close(why, reset=True))

    def _stray(self, octets: int, now: int) -> None:
        """Nobody asked for these octets: a late reply, or noise."""
        if self._wire.serial:
            self._quiet_ns = max(self._quiet_ns, now + self._wire.quiet_ns)
        device = self._last
        if device is not None:
            device.counts.late_replies += 1
            self._mouth.say_rarely((device.name, "late"), f"{device.title}: {octets} octets nobody waits for", now)
