"""What every master channel is: one octet stream towards the field, with the devices behind it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from tandem.engine import Engine
from tandem.point import Command


@dataclass(slots=True, frozen=True)
class SerialTarget:
    """The channel is the serial line of that name."""

    line: str


@dataclass(slots=True, frozen=True)
class TcpTarget:
    """The channel is a TCP connection, dialed from the group address or the member's own on that LAN."""

    lan: str
    host: str
    port: int
    source: Literal["group", "own"]
    connect_ms: int = 3000
    """An attempt that hangs (a cut cable answers nothing) is given up after so long."""


class Channel(Engine, Protocol):
    """An engine that polls devices and writes their points through `Database.update`.

    Its owner opens the stream after `start` and opens it again, with back-off, whenever it closed.
    """

    name: str
    target: SerialTarget | TcpTarget
    point_ids: frozenset[int]
    output_ids: frozenset[int]

    def start(self, now: int, integrity: bool, listen_until: int = 0) -> None:
        """The right to talk is ours; `integrity`: old values are not topical until read.

        Until `listen_until` what is heard is discarded, it answers the previous owner, and nothing is sent.
        """

    def drain(self, now: int) -> None:
        """Open no new request: the line is to be given away."""

    @property
    def drained(self) -> bool:
        """True when nothing is outstanding on the stream."""

    def stop(self, now: int, reason: str) -> None:
        """The right is lost: forget what was outstanding; controls end NOT_SENT or UNKNOWN, truthfully."""

    def control(self, command: Command, now: int) -> None:
        """Carry out one control, never twice; its `Report` (stage CONFIRM) comes with `events()`."""

    def statistics(self) -> dict[str, dict[str, float]]:
        """Counters by device name, those of `system.COUNTERS` among them, and last_answer_ms."""


@runtime_checkable
class Pulsing(Channel, Protocol):
    """A channel that ends pulses itself, because its devices do not."""

    def let_go(self, command: Command, now: int) -> None:
        """Write the end of the pulse that a predecessor began with this command; nothing is reported of it."""


@runtime_checkable
class Confirming(Channel, Protocol):
    """A channel whose devices keep an event until it is confirmed to them: a confirm means both members have it.

    For what it received it notes the journal's head, and confirms only what was released up to there.
    """

    @property
    def released(self) -> int:
        """The highest journal number that a device was, or is being, answered for."""

    @property
    def alarm(self) -> str:
        """What somebody has to look at, as a sentence; "" when all is well."""

    def release(self, number: int, now: int) -> None:
        """Both members have the records up to `number`, or this one goes on alone; called each turn: be quick."""

    def told(self) -> int | None:
        """Drain the number up to which its devices' events are confirmed to them; asked before the octets leave.

        So a successor never takes a new event for one that was confirmed: rather it has one repeated.
        """

    def resume(self, number: int) -> None:
        """Before `start`, on a successor: its predecessor had confirmed up to `number`; what is above comes again."""
