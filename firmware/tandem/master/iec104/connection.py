"""One TCP connection to a place with 104 devices, as a channel; see `master.base.Confirming`."""

from __future__ import annotations

from tandem.codec.iec60870.window import Timing
from tandem.engine import Close, earliest
from tandem.master.base import SerialTarget, TcpTarget
from tandem.master.iec104.endpoint import Endpoint
from tandem.master.iec104.link import Link
from tandem.point import Command


class Connection:
    """The first one of an endpoint speaks for it: rights, controls, confirms; a second one only carries octets."""

    def __init__(
        self, name: str, target: TcpTarget, endpoint: Endpoint, timing: Timing,
        point_ids: frozenset[int], output_ids: frozenset[int],
    ) -> None:  # fmt: skip
        self.name = name
        self.target: SerialTarget | TcpTarget = target
        self.point_ids = point_ids
        self.output_ids = output_ids
        self.link: Link | None = None
        self._endpoint = endpoint
        self._timing = timing
        self._first = not endpoint.connections
        self._closes: list[Close] = []
        endpoint.connections.append(self)

    # --- rights ------------------------------------------------------------------------------------------------

    def start(self, now: int, integrity: bool, listen_until: int = 0) -> None:
        """The right to talk is ours."""
        if self._first:
            self._endpoint.start(now, integrity)

    def drain(self, now: int) -> None:
        """Ask nothing new, acknowledge, stop the device."""
        if self._first:
            self._endpoint.drain(now)

    @property
    def drained(self) -> bool:
        """Nothing is open at the endpoint."""
        return self._endpoint.drained

    def stop(self, now: int, reason: str) -> None:
        """The right is lost."""
        if self._first:
            self._endpoint.stop(reason)
        self.link = None

    def control(self, command: Command, now: int) -> None:
        """Carry out one control."""
        self._endpoint.control(command, now)

    def statistics(self) -> dict[str, dict[str, float]]:
        """Counters by device name."""
        return self._endpoint.statistics() if self._first else {}

    # --- confirms ----------------------------------------------------------------------------------------------

    @property
    def released(self) -> int:
        """The highest journal number that the devices were, or are being, answered for."""
        return self._endpoint.confirms.released

    @property
    def alarm(self) -> str:
        """What somebody has to look at."""
        return self._endpoint.alarm if self._first else ""

    def release(self, number: int, now: int) -> None:
        """The records up to `number` are safe."""
        if self._first:
            self._endpoint.release(number, now)

    def told(self) -> int | None:
        """Drain the number up to which the devices were told."""
        return self._endpoint.told() if self._first else None

    def resume(self, number: int) -> None:
        """What a predecessor had confirmed."""
        if self._first:
            self._endpoint.confirms.resume(number)

    # --- the five verbs ----------------------------------------------------------------------------------------

    def opened(self, now: int) -> None:
        """The connection is up; it is started where no other one is."""
        self.link = Link(self, self._timing)
        self.link.opened(now)
        self._endpoint.opened(now)

    def closed(self, now: int, reason: str) -> None:
        """The connection is gone."""
        if self.link is not None:
            self.link.gone()
            self.link = None
            self._endpoint.lost(self, reason, now)

    def receive(self, data: bytes, now: int) -> None:
        """Octets of the devices."""
        if self.link is not None:
            self.link.receive(data, now)
            self._endpoint.pump(now)

    def tick(self, now: int) -> None:
        """Timers of the connection, and those of the endpoint."""
        if self.link is not None:
            self.link.tick(now)
        if self._first:
            self._endpoint.tick(now)
            self._endpoint.pump(now)

    def due(self) -> int | None:
        """The earliest of all."""
        own = self.link.due() if self.link is not None else None
        return earliest(own, self._endpoint.due()) if self._first else own

    def outgoing(self) -> bytes:
        """Drain the octets to send."""
        link = self.link
        if link is None or not link.out:
            return b""
        octets = b"".join(link.out)
        link.out.clear()
        self._endpoint.left(self)
        return octets

    def events(self) -> list[object]:
        """Drain reports, sentences and the wish to close."""
        closes, self._closes = self._closes, []
        return [*self._endpoint.mouth.drain(), *closes]

    # --- for the link ------------------------------------------------------------------------------------------

    def asdu(self, octets: bytes, now: int) -> None:
        """An I frame in order."""
        self._endpoint.asdu(octets, now)

    def confirmed(self, frames: int) -> None:
        """The device has some of our I frames; what counts is what it answers."""

    def started_now(self, now: int) -> None:
        """STARTDT is confirmed."""
        self._endpoint.started_now(now)

    def stopped_now(self, now: int) -> None:
        """STOPDT is confirmed."""
        self._endpoint.stopped_now(now)

    def broken(self, reason: str) -> None:
        """The device broke a rule or is silent."""
        self._endpoint.mouth.say(f"{self._endpoint.place}: {reason}", "warning")
        self._closes.append(Close(reason))
