"""The devices behind one place, over one or two connections of which one is started.

    connections --I frames--> values, station, controls; behind each, `confirms` notes the journal's head
                <--I frames-- controls first, then what stations ask

When the started connection fails, another one that is up is started at once.
"""

from __future__ import annotations

from typing import Protocol

from tandem.clock import Clock
from tandem.codec.iec60870 import FrameError, asdu
from tandem.codec.iec60870.monitor import KINDS
from tandem.codec.iec60870.types import COMMANDS
from tandem.engine import earliest
from tandem.master.iec104 import asks
from tandem.master.iec104.confirms import Confirms
from tandem.master.iec104.controls import Controls
from tandem.master.iec104.link import Link, State
from tandem.master.iec104.station import Station
from tandem.master.iec104.values import Values
from tandem.master.inputs import Inputs
from tandem.master.saying import Mouth
from tandem.point import Command

_END_OF_INIT = 70
_HEADER = 6


class Wire(Protocol):
    """One connection, as the endpoint sees it."""

    name: str
    link: Link | None
    """None while it is not up."""


class Endpoint:
    """Everything that its connections share."""

    def __init__(
        self, place: str, stations: list[Station], inputs: Inputs, values: Values, confirms: Confirms, clock: Clock,
        mouth: Mouth, patience_ns: int,
    ) -> None:  # fmt: skip
        """`patience_ns`: without a started connection for so long, the devices are lost."""
        self.place = place
        self.mouth = mouth
        self.confirms = confirms
        self.controls = Controls(stations, clock, mouth)
        self.connections: list[Wire] = []
        self.alarm = ""
        """What somebody has to look at: a confirm could not be given."""
        self.starts = self.confirm_timeouts = self.window_full = 0
        self._stations = stations
        self._by_ca = {ca: station for station in reversed(stations) for ca in reversed(station.cas)}
        self._inputs = inputs
        self._values = values
        self._patience_ns = patience_ns
        self._right = self._draining = False
        self._current: Wire | None = None  # started, or about to be
        self._lost_ns: int | None = None

    # --- rights ------------------------------------------------------------------------------------------------

    def start(self, now: int, integrity: bool) -> None:
        """The right to talk is ours, or a drain came to nothing."""
        was, self._right, self._draining = self._right, True, False
        if not was:
            self._lost_ns = now + self._patience_ns
        link = self._current.link if self._current is not None else None
        for station in self._stations:
            station.start(now, integrity)
            if link is not None and link.state is State.STARTED:
                station.begin(now)
        self._choose(now)

    def drain(self, now: int) -> None:
        """Ask nothing new; what was received is acknowledged, then the device is told to stop."""
        self._draining = True
        self.controls.end_unsent("the connection is being handed over")
        for station in self._stations:
            station.rest()
        self._wind_up(now)

    @property
    def drained(self) -> bool:
        """No control is open, and the device has stopped with everything acknowledged."""
        link = self._current.link if self._current is not None else None
        return not self.controls.busy and (link is None or link.state in (State.STOPPED, State.CLOSED))

    def stop(self, reason: str) -> None:
        """The right is lost."""
        self._right = self._draining = False
        self._lost_ns = None
        self._end(reason)

    def blocked(self) -> str:
        """Why no control can be sent now; "" when one can."""
        if not self._right:
            return f"this member does not talk to {self.place}"
        if self._draining:
            return "the connection is being handed over"
        if self._current is None or self._current.link is None or self._current.link.state is not State.STARTED:
            return f"{self.place} is not connected"
        return ""

    # --- connections -------------------------------------------------------------------------------------------

    def opened(self, now: int) -> None:
        """A connection came up."""
        self._choose(now)

    def lost(self, wire: Wire, reason: str, now: int) -> None:
        """A connection is gone."""
        if wire is self._current:
            if self._right:
                self._lost_ns = now + self._patience_ns
            self._end(f"the connection closed: {reason}")
            self._choose(now)

    def _end(self, reason: str) -> None:
        self._current = None
        self.controls.end_all(reason)
        self.confirms.end()
        self._inputs.settling.clear()
        for station in self._stations:
            station.end()

    def _choose(self, now: int) -> None:
        """Start the first connection that is up, unless one is started."""
        if not self._right or self._draining:
            return
        if self._current is None:
            self._current = next((w for w in self.connections if w.link is not None and not w.link.closed), None)
            self.confirms.connected()
        link = self._current.link if self._current is not None else None
        if link is not None and link.state is State.STOPPED:
            link.start(now)

    def started_now(self, now: int) -> None:
        """Data flows."""
        self.starts += 1
        self._lost_ns = None
        self.confirms.begin(now)
        for station in self._stations:
            station.begin(now)
        if self._draining:
            self.drain(now)

    def stopped_now(self, now: int) -> None:
        """The device has stopped: for a hand-over, or that came to nothing."""
        for station in self._stations:
            station.end()
        self._choose(now)

    def _wind_up(self, now: int) -> None:
        """While draining: stop the device once nothing waits for its confirm."""
        link = self._current.link if self._current is not None else None
        if link is not None and link.state is State.STARTED and not self.confirms.waiting and not self.controls.busy:
            link.stop(now)

    # --- what comes in -----------------------------------------------------------------------------------------

    def asdu(self, octets: bytes, now: int) -> None:
        """The ASDU of an I frame. Never raises."""
        try:
            self._take(octets, now)
        except FrameError as error:
            station = self._by_ca.get(int.from_bytes(octets[4:6], "little"), self._stations[0])
            station.counts.bad_replies += 1
            self.mouth.say_rarely((station.name, "asdu"), f"{station.title} sends a broken ASDU: {error}", now)
        self.confirms.received(now)

    def _take(self, octets: bytes, now: int) -> None:
        if len(octets) < _HEADER:
            raise FrameError(f"{len(octets)} octets are no ASDU")
        number, cot, ca = octets[0], octets[2], octets[4] | octets[5] << 8
        station = self._by_ca.get(ca)
        if station is None:
            text = f"{self.place} sends type {number} of common address {ca}, which no device here has"
            self.mouth.say_rarely((self.place, "station"), text, now)
        elif cot & asdu.TEST:
            station.counts.test_asdus += 1
        elif number in KINDS:
            self._values.take(octets, station, ca, now)
            station.heard(cot & 0x3F, now)
        elif number in asks.TYPES:
            station.reply(number, ca, cot & 0x3F, bool(cot & asdu.NEGATIVE), now)
        elif number in COMMANDS:
            self.controls.reply(octets, now)
        elif number == _END_OF_INIT:
            self._values.offered.end()
            station.restarted(ca, now)
        else:
            station.counts.unknown_objects += 1
            self.mouth.say_rarely((station.name, "type"), f"{station.title} sends type {number}: ignored", now)

    def control(self, command: Command, now: int) -> None:
        """Carry out one control, ahead of everything else."""
        self.controls.submit(command, self.blocked(), now)
        self.pump(now)

    # --- confirms ----------------------------------------------------------------------------------------------

    def release(self, number: int, now: int) -> None:
        """The records up to `number` are safe."""
        frames = self.confirms.release(number)
        if frames and self._current is not None and self._current.link is not None:
            self.alarm = ""
            self._current.link.free(frames)
            if self._draining:
                self._wind_up(now)

    # --- time --------------------------------------------------------------------------------------------------

    def tick(self, now: int) -> None:
        """What is due but the connections' own timers."""
        if not self._right:
            return
        self._inputs.tick(now)
        self._values.offered.tick(now)
        self.controls.tick(now)
        for station in self._stations:
            due = station.due()
            if due is not None and due <= now:
                station.tick(now)
        if self._lost_ns is not None and now >= self._lost_ns:
            self._lost_ns = None
            for station in self._stations:
                station.lose(f"{self.place} is not connected", now)
        if self.confirms.overdue(now) and self._current is not None and self._current.link is not None:
            self.confirm_timeouts += 1
            waited = self.confirms.wait_ns // 1_000_000
            self.alarm = f"{self.place}: a confirm waited {waited} ms for the standby; the device is to offer again"
            self.mouth.say(self.alarm, "error")
            self._current.link.close(f"a confirm could not be given within {waited} ms")

    def due(self) -> int | None:
        """When `tick` is needed next."""
        if not self._right:
            return None
        confirms, controls, lost = self.confirms, self.controls, self._lost_ns
        due = lost if not controls.open else earliest(lost, controls.due())
        if confirms.waiting or self._inputs.settling or self._values.offered.active:
            due = earliest(due, confirms.due(), self._inputs.due(), self._values.offered.due())
        for station in self._stations:
            own = station.due()
            if own is not None and (due is None or own < due):
                due = own
        return due

    def pump(self, now: int) -> None:
        """Send what waits, as far as the window allows: controls first."""
        link = self._current.link if self._current is not None else None
        if link is None or link.state is not State.STARTED:
            return
        room = link.room
        while link.room:
            octets = self.controls.pick(now)
            if octets is None:
                station = next((s for s in self._stations if s.waiting), None)
                octets = station.pick(now) if station is not None else None
            if octets is None:
                break
            link.send(octets, now)
        else:
            self.window_full += room > 0
        if self._draining:
            self._wind_up(now)

    def left(self, wire: Wire) -> None:
        """What the connection had to send has left."""
        if wire is self._current and wire.link is not None:
            self.controls.sent()

    def told(self) -> int | None:
        """Drain the number up to which the devices are told, by octets that may still wait to leave."""
        if self._current is not None and self._current.link is not None:
            self.confirms.acknowledged(self._current.link.said)
        return self.confirms.told()

    def statistics(self) -> dict[str, dict[str, float]]:
        """Counters by device name; those of the place itself stand with each."""
        shared = {
            "starts": float(self.starts),
            "window_full": float(self.window_full),
            "connected": float(sum(w.link is not None for w in self.connections)),
            "unconfirmed": float(self.confirms.waiting),
            "confirm_timeouts": float(self.confirm_timeouts),
        }
        return {station.name: station.statistics() | shared for station in self._stations}
