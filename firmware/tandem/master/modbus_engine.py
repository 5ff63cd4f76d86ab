"""The engine of a Modbus channel, RTU or TCP by its wire: the right to talk, and the five verbs."""

from __future__ import annotations

from tandem.clock import Clock
from tandem.codec.modbus.pdu import FrameError
from tandem.engine import earliest
from tandem.master.base import SerialTarget, TcpTarget
from tandem.master.inputs import Inputs
from tandem.master.modbus_device import Device
from tandem.master.modbus_stream import ModbusStream
from tandem.master.modbus_wire import Wire
from tandem.point import SECOND, Command

_PATIENCE_NS = SECOND
"""A stream that does not come up within this, or its slowest device's last retry, loses its devices."""


class ModbusChannel(ModbusStream):
    """One serial line with many devices, or one TCP connection with the units behind it; see `master.base.Channel`."""

    def __init__(
        self,
        name: str,
        target: SerialTarget | TcpTarget,
        wire: Wire,
        devices: list[Device],
        inputs: Inputs,
        clock: Clock,
        window: int = 1,
        comm_points: bool = False,
    ) -> None:
        super().__init__(wire, devices, inputs, clock, window, comm_points)
        self.name = name
        self.target = target
        self.output_ids = frozenset(point_id for device in devices for point_id in device.outputs)
        self.point_ids = self.output_ids | {point.point_id for device in devices for point in device.inputs}

    # --- rights ------------------------------------------------------------------------------------------------

    def start(self, now: int, integrity: bool, listen_until: int = 0) -> None:
        """The right to talk is ours. Until `listen_until` octets are discarded: they answer the previous owner."""
        self._started, self._draining = True, False
        self._quiet_ns = max(listen_until, now)
        self._polling.start(now, integrity)
        if self._open:
            self._begin(now)
        else:
            self._timers.clear()
            self._timers.at(now + self._patience(), self._not_up)

    def drain(self, now: int) -> None:
        """Open no new request; a pulse that runs is ended, and what was not sent ends so."""
        self._draining = True
        self._polling.end()
        self._controls.end_unsent("the line is being handed over")

    @property
    def drained(self) -> bool:
        """Nothing is outstanding, no pulse waits for its end."""
        return not self._waiting and not self._controls.busy

    def stop(self, now: int, reason: str) -> None:
        """The right is lost: controls end truthfully, reads are forgotten."""
        self._end(reason)
        self._started = False

    def control(self, command: Command, now: int) -> None:
        """Carry out one control, ahead of every poll."""
        if not self._started:
            blocked = "this member does not drive the line"
        elif self._draining:
            blocked = "the line is being handed over"
        else:
            blocked = "" if self._open else f"{self.name} is not connected"
        self._controls.submit(command, blocked)
        self._pump(now)

    def let_go(self, command: Command, now: int) -> None:
        """Write the end of the pulse that a predecessor began with this command; nothing is reported of it."""
        self._controls.let_go(command)
        self._pump(now)

    def statistics(self) -> dict[str, dict[str, float]]:
        """Counters by device name; `last_answer_ms` is how long the newest answer took."""
        return {device.name: device.statistics() for device in self._devices}

    # --- the five verbs ----------------------------------------------------------------------------------------

    def opened(self, now: int) -> None:
        """The stream is up: everything is polled at once."""
        self._open = True
        if self._started:
            self._begin(now)

    def closed(self, now: int, reason: str) -> None:
        """The stream is gone; devices are lost when it does not come back in time."""
        was_open, self._open = self._open, False
        if not was_open or not self._started:
            return
        asked = {request.device for request in self._waiting.values() if request.poll is not None}
        self._end(f"the connection closed: {reason}")
        for device in asked:
            self._polling.broken(device, f"the connection closed: {reason}", now)
        self._timers.at(now + self._patience(), self._not_up)

    def receive(self, data: bytes, now: int) -> None:
        """Octets came. A reply equal to the one before costs next to nothing."""
        sole = self._sole
        if (
            sole is not None
            and (poll := sole.poll) is not None
            and poll.known
            and self._wire.same(data, sole.key, poll.known)
        ):
            del self._waiting[sole.key]
            self._settle(sole, now)
            self._polling.answered(sole, now)
            self._pump(now)
            return
        if not self._started or not data:
            return
        if not self._waiting and self._wire.serial:
            self._stray(len(data), now)
            return
        try:
            replies = self._wire.replies(data)
        except FrameError as error:
            self._broken(str(error), now)
            return
        for reply in replies:
            request = self._waiting.get(reply.key)
            if request is None:
                self._stray(len(reply.pdu), now)
            else:
                self._reply(request, reply, now)
        self._pump(now)

    def tick(self, now: int) -> None:
        """Polls that are due, requests out of time, pulses that end."""
        if not self._started:
            return
        self._timers.run(now)
        self._inputs.tick(now)
        if self._waiting:
            for request in list(self._waiting.values()):
                if request.deadline <= now:
                    self._late(request, now)
        self._pump(now)

    def due(self) -> int | None:
        """When `tick` is needed next."""
        if not self._started:
            return None
        if not self._waiting:
            return earliest(self._timers.due, self._inputs.due(), self._wake)
        first = min([request.deadline for request in self._waiting.values()])
        return earliest(first, self._timers.due, self._inputs.due(), self._wake)

    def events(self) -> list[object]:
        """Drain reports, sentences and the wish to close."""
        return self._mouth.drain()

    # --- the stream comes and goes ---------------------------------------------------------------------------

    def _begin(self, now: int) -> None:
        self._wire.clear()
        self._timers.clear()
        if self._wire.serial:
            self._quiet_ns = max(self._quiet_ns, now + self._wire.quiet_ns)
        self._polling.begin(now)
        self._pump(now)

    def _end(self, why: str) -> None:
        self._controls.end_all(why)
        self._waiting.clear()
        self._sole = None
        self._out.clear()
        self._unsent.clear()
        self._wire.clear()
        self._timers.clear()
        self._inputs.settling.clear()
        self._polling.end()
        self._wake = None

    def _patience(self) -> int:
        terms = [device.terms for device in self._devices if device.enabled]
        return max([_PATIENCE_NS, *(t.timeout_ns * (t.retries + 1) for t in terms)])

    def _not_up(self, now: int) -> None:
        if not self._open:
            self._polling.lose_all(f"{self.name} is not connected", now)
