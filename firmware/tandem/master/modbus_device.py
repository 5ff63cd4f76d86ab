"""A Modbus device as its channel sees it: units, polling groups, what is waiting, and how it has been answering."""

from __future__ import annotations

import enum
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tandem.master.inputs import DeviceState, Input
from tandem.master.modbus_points import Limits, Output, Poll

if TYPE_CHECKING:
    from tandem.master.modbus_controls import Task


class Health(enum.Enum):
    """What is known of a device since the channel was started."""

    UNKNOWN = "not asked yet"
    ANSWERS = "answers"
    LOST = "does not answer"


class Group:
    """The polls of one device with one period. `queue`: not asked yet in this run; `open`: not finished in it.

    `rests` tells the requests of a run that was broken off from those of the present one.
    """

    __slots__ = ("again", "device", "name", "next_ns", "open", "period_ns", "polls", "queue", "rests")

    def __init__(self, device: Device, name: str, period_ns: int, polls: list[Poll]) -> None:
        self.device = device
        self.name = name
        self.period_ns = period_ns
        self.polls = polls
        self.next_ns = 0
        self.queue: deque[Poll] = deque()
        self.open = 0
        self.again = False
        self.rests = 0

    def rest(self) -> None:
        """Nothing of it is to be asked until it is due again."""
        self.rests += 1
        self.queue.clear()
        self.open = 0
        self.again = False


class Request:
    """One request on its way: a read of a poll, or a step of a control's task."""

    __slots__ = (
        "attempt", "deadline", "device", "frame", "group", "key", "left", "pdu", "poll", "rests", "sent_ns", "task",
    )  # fmt: skip

    def __init__(self, device: Device, pdu: bytes, poll: Poll | None, group: Group | None, task: Task | None) -> None:
        self.device = device
        self.pdu = pdu
        self.poll = poll
        self.group = group
        self.rests = group.rests if group is not None else 0
        self.task = task
        self.attempt = 0
        self.key = 0
        self.frame = b""
        self.sent_ns = 0
        self.deadline = 0
        self.left = False
        """Its octets were drained by the owner: the device may have it."""


@dataclass(slots=True)
class Counts:
    """What `statistics` tells of a device."""

    requests: int = 0
    answers: int = 0
    timeouts: int = 0
    retries: int = 0
    crc_errors: int = 0
    exceptions: int = 0
    bad_replies: int = 0
    late_replies: int = 0
    late_scans: int = 0
    controls: int = 0
    losses: int = 0


@dataclass(slots=True)
class Terms:
    """A device's patience, in ns and counts."""

    timeout_ns: int
    retries: int
    offline_after: int
    """Requests without an answer until it is lost; never before a request's last retry."""
    retry_offline_ns: int


@dataclass(slots=True, eq=False)
class Device:
    """One unit of a channel. Compared by identity."""

    name: str
    unit: int
    place: str
    terms: Terms
    limits: Limits
    state: DeviceState
    enabled: bool = True
    verify: bool = False
    groups: list[Group] = field(default_factory=list)
    outputs: dict[int, Output] = field(default_factory=dict)
    counts: Counts = field(default_factory=Counts)
    health: Health = Health.UNKNOWN
    fails: int = 0
    """Requests without an answer, one after the other."""
    unread: set[Poll] = field(default_factory=set)
    """Polls that must be read before the device's stored state says that it answers."""
    retries: deque[Request] = field(default_factory=deque)
    pending: deque[Group] = field(default_factory=deque)
    listed: bool = False
    """It stands in the rota."""
    owes_ns: int = 0
    """Until then the answer to a request that ran out of time may still come."""
    hold_ns: int = 0
    """No read before: an answer to an older one, which could be mistaken, may still be under way."""
    control_hold_ns: int = 0
    probe_ns: int = 0
    """When a lost one is asked again."""
    answer_ns: int = 0
    """How long the newest answer took."""

    @property
    def polls(self) -> list[Poll]:
        """All of its polls."""
        return [poll for group in self.groups for poll in group.polls]

    @property
    def inputs(self) -> list[Input]:
        """All of its inputs."""
        return [point for poll in self.polls for point in poll.inputs]

    @property
    def title(self) -> str:
        """The device in a sentence."""
        return f"{self.name} (unit {self.unit} at {self.place})"

    def statistics(self) -> dict[str, float]:
        """Its counters by name."""
        counts = self.counts
        return {name: float(getattr(counts, name)) for name in Counts.__slots__} | {
            "last_answer_ms": self.answer_ns / 1e6,
            "online": float(self.health is Health.ANSWERS),
        }
