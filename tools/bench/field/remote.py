"""A 104 device made of c104's server and an event buffer that forgets nothing before N(R) says so.

c104's server alone drops its queue with the connection, as no device that promises its events may. So an outbox keeps
each event until an acknowledgement covers its frame, which is seen in the raw octets, and c104 gets what is left again
when the next connection has started. c104 reads its callbacks' annotations, so this file has no postponed ones.
"""

import datetime
import threading
import time
from collections.abc import Callable
from typing import Any

import c104

from tandem.codec.iec60870 import apci
from tandem.codec.iec60870.address import parse
from tandem.config.model import Device, Point
from tandem.point import Double, Kind
from tools.bench.field.ledger import Ledger
from tools.bench.field.outbox import Event, Outbox, keys

MOST_UNDER_WAY = 300
"""Events in c104's own queue: far less than it drops at."""
_SPONTANEOUS = 3
_BUFFER_MOST = 500_000
_TICK_MS = 50
_TYPES = {
    Kind.BINARY: c104.Type.M_SP_TB_1,
    Kind.DOUBLE: c104.Type.M_DP_TB_1,
    Kind.STEP: c104.Type.M_ST_TB_1,
    Kind.BITSTRING: c104.Type.M_BO_TB_1,
    Kind.ANALOG: c104.Type.M_ME_TF_1,
    Kind.COUNTER: c104.Type.M_IT_TB_1,
}
_COMMANDS = {
    Kind.BINARY_OUTPUT: "C_SC_NA_1",
    Kind.DOUBLE_OUTPUT: "C_DC_NA_1",
    Kind.STEP_OUTPUT: "C_RC_NA_1",
    Kind.ANALOG_OUTPUT: "C_SE_NC_1",
}
Written = Callable[[str, Point, float], None]


class RemotePoint:
    """A monitored point; `value` is in engineering units."""

    def __init__(self, point: Point, made: c104.Point, ca: int) -> None:
        self.point = point
        self.made = made
        self.ca = ca
        self.value = 0.0

    def info(self, value: float, utc_us: int) -> Any:
        """c104's words for a value."""
        at = datetime.datetime.fromtimestamp(utc_us / 1e6, datetime.UTC)
        raw = (value - self.point.offset) / (self.point.scale or 1.0)
        match self.point.kind:
            case Kind.BINARY:
                return c104.SingleInfo(on=bool(value), recorded_at=at)
            case Kind.DOUBLE:
                return c104.DoubleInfo(state=_DOUBLES[Double(int(value))], recorded_at=at)
            case Kind.STEP:
                return c104.StepInfo(c104.Int7(int(value)), False, c104.Quality(), at)
            case Kind.BITSTRING:
                return c104.BinaryInfo(blob=c104.Byte32(int(value).to_bytes(4, "little")), recorded_at=at)
            case Kind.COUNTER:
                return c104.BinaryCounterInfo(int(raw), c104.UInt5(0), c104.BinaryCounterQuality(), at)
            case _:
                return c104.ShortInfo(actual=raw, recorded_at=at)


_DOUBLES = {
    Double.INTERMEDIATE: c104.Double.INTERMEDIATE,
    Double.OFF: c104.Double.OFF,
    Double.ON: c104.Double.ON,
    Double.INDETERMINATE: c104.Double.INDETERMINATE,
}


class Remote:
    """All devices of one host and port."""

    def __init__(
        self, host: str, port: int, devices: list[Device], ledger: Ledger, written: Written, k: int = 12, w: int = 8,
        sessions: int = 1,
    ) -> None:  # fmt: skip
        """`written(device, point, value)` is called, from a thread of c104, when a control was executed.

        Of two `sessions` c104 fills the queue of each, started or not: nothing is to happen while both are connected.
        """
        self.server = c104.Server(ip=host, port=port, tick_rate_ms=_TICK_MS, max_connections=sessions)
        self.server.protocol_parameters.send_window_size = k
        self.server.protocol_parameters.receive_window_size = w
        self.points: dict[str, RemotePoint] = {}
        self.ledger = ledger
        self.overflowed = self.connections = 0
        self._written = written
        self._outputs: dict[int, tuple[str, Point]] = {}
        self._lock = threading.RLock()
        self._outbox = Outbox()
        self._open = False  # the newest connection has started
        self._thread = 0  # c104 gives each connection one: what a dead one's still says is not of the newest
        self._stations: dict[int, c104.Station] = {}
        for device in devices:
            for point in device.points:
                self._add(device, point)
        self.server.on_send_raw(self._sent)
        self.server.on_receive_raw(self._received)
        self.server.on_connect(self._connect)

    def _station(self, ca: int) -> c104.Station:
        if ca not in self._stations:
            made = self.server.add_station(ca)
            assert made is not None
            self._stations[ca] = made
        return self._stations[ca]

    def _add(self, device: Device, point: Point) -> None:
        ca, ioa = parse(point.address, device.address)
        station = self._station(ca)
        if point.kind.is_output:
            name = str(point.options.get("type") or _COMMANDS[point.kind])
            made = station.add_point(ioa, getattr(c104.Type, name), command_mode=c104.CommandMode.DIRECT)
            assert made is not None
            if point.options.get("select") == "yes":
                made.command_mode = c104.CommandMode.SELECT_AND_EXECUTE
            made.on_receive(self._commanded)
            self._outputs[ioa] = (device.name, point)
        else:
            made = station.add_point(ioa, _TYPES[point.kind])
            assert made is not None
            remote = self.points[point.name] = RemotePoint(point, made, ca)
            self.put(remote, float(Double.OFF) if point.kind is Kind.DOUBLE else 0.0, time.time_ns() // 1000)

    def start(self) -> None:
        """Listen."""
        self.server.start()

    def stop(self) -> None:
        """No more."""
        self.server.stop()

    def put(self, point: RemotePoint, value: float, utc_us: int) -> None:
        """A present value; no event."""
        point.value = value
        point.made.info = point.info(value, utc_us)

    def event(self, name: str, value: float) -> None:
        """A point changed now: the event stands in the buffer until it is acknowledged."""
        point = self.points[name]
        stamp = time.time_ns() // 1_000_000 * 1000
        with self._lock:
            if len(self._outbox) >= _BUFFER_MOST:
                self.overflowed += 1
                return
            point.value = value
            self._outbox.add(Event(name, point.made.type, point.ca, point.made.io_address, value, stamp))

    @property
    def unconfirmed(self) -> int:
        """Events in the buffer."""
        return len(self._outbox)

    def pump(self) -> None:
        """Hand events to c104, as many as it takes without dropping any."""
        while self.server.has_active_connections:
            with self._lock:
                if not self._open or self._outbox.handed >= MOST_UNDER_WAY:
                    return
                batch = self._outbox.take_batch(time.monotonic_ns())
                connection = self.connections
            if not batch:
                return
            if not self._transmit(batch):
                with self._lock:
                    if connection == self.connections:
                        self._outbox.put_back(batch)
                return

    def _transmit(self, batch: list[Event]) -> bool:
        """Without the lock: c104 holds one of its own here, and while it calls back."""
        points = [self.points[event.point] for event in batch]
        for event, point in zip(batch, points, strict=True):
            point.made.info = point.info(event.value, event.utc_us)
        taken = self.server.transmit_batch(c104.Batch(c104.Cot.SPONTANEOUS, [point.made for point in points]))
        for event, point in zip(batch, points, strict=True):
            if event.value != point.value:  # an old one: the present value is what interrogations tell
                point.made.info = point.info(point.value, time.time_ns() // 1000)
        return taken

    # --- c104's threads ----------------------------------------------------------------------------------------

    def _connect(self, server: c104.Server, ip: str) -> bool:
        with self._lock:
            self._open = self._open and server.max_connections > 1
        self.ledger.write("connect", ip=ip)
        return True

    def _sent(self, server: c104.Server, data: bytes) -> None:
        form, number, _ = apci.control_of(data)
        with self._lock:
            if form == "U" and number == apci.STARTDT_CON:
                self._begin()
            elif form == "I" and data[8] & 0x3F == _SPONTANEOUS and self._thread == threading.get_ident():
                for event in self._outbox.sent(number, keys(data), time.monotonic_ns()):
                    self.ledger.write("sent", point=event.point, value=event.value, utc_us=event.utc_us)

    def _received(self, server: c104.Server, data: bytes) -> None:
        form, _, acknowledged = apci.control_of(data)
        if form not in ("I", "S"):
            return
        with self._lock:
            if self._thread == threading.get_ident():
                self._outbox.confirm(acknowledged)

    def _begin(self) -> None:
        """A connection has started: everything that was not acknowledged is offered again."""
        self.connections += 1
        self._thread = threading.get_ident()
        self._open = True
        self._outbox.begin()
        self.ledger.write("started", again=len(self._outbox))

    def _commanded(
        self, point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage
    ) -> c104.ResponseState:
        if message.is_select_command or message.cot != c104.Cot.ACTIVATION:
            return c104.ResponseState.SUCCESS
        device, output = self._outputs[point.io_address]
        raw: Any = point.value
        value = _engineering(output, raw)
        self.ledger.write("control", device=device, point=output.name, value=value)
        self._written(device, output, value)
        return c104.ResponseState.SUCCESS


def _engineering(output: Point, raw: Any) -> float:
    if isinstance(raw, c104.Double):
        return float({c104.Double.OFF: Double.OFF, c104.Double.ON: Double.ON}[raw])
    if isinstance(raw, c104.Step):
        return 1.0 if raw == c104.Step.HIGHER else -1.0
    value = float(raw)
    return value * output.scale + output.offset if output.kind is Kind.ANALOG_OUTPUT else value
