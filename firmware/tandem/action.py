"""What a node asks of the outside, as data: the supervisor carries these out one by one, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tandem.codec.heart import Request
from tandem.point import Say


@dataclass(slots=True, frozen=True)
class Dial:
    """Connect `channel` to host:port, from the group address or the member's own on that LAN."""

    channel: str
    lan: str
    host: str
    port: int
    source: Literal["group", "own"] = "own"
    tls: bool = False


@dataclass(slots=True, frozen=True)
class OpenLine:
    """Open the serial line of that name for `channel`."""

    channel: str
    line: str


@dataclass(slots=True, frozen=True)
class CloseChannel:
    """Close a connection or a line; `reset`: without a farewell, what is buffered is dropped."""

    channel: str
    reason: str
    reset: bool = False


@dataclass(slots=True, frozen=True)
class Listen:
    """Bind the addresses of a slave (group and own), or unbind them."""

    slave: str
    on: bool


@dataclass(slots=True, frozen=True)
class Persist:
    """Write a file of the state folder, atomically and through to the flash; the answer is `Node.persisted`."""

    name: str
    text: str


@dataclass(slots=True, frozen=True)
class Store:
    """Append octets to a log on flash and sync them; the answer is `Keeping.stored`.

    `begin`: in a new file. `keep_octets`: afterwards the oldest of the files before this one go while they hold more
    than that together; None: all stay.
    """

    log: str
    octets: bytes
    begin: bool = False
    keep_octets: int | None = None


@dataclass(slots=True, frozen=True)
class ToHeart:
    """A request to the heart."""

    request: Request


@dataclass(slots=True, frozen=True)
class AskWitness:
    """A datagram for the witness; its answer is `Node.witness_says`."""

    octets: bytes


@dataclass(slots=True, frozen=True)
class Probe:
    """Ask whether `host` on that LAN is there, from the own address; an answer is `Node.probed(key)`."""

    key: str
    lan: str
    host: str


@dataclass(slots=True, frozen=True)
class Restart:
    """End this process in order, to be started again with what was persisted."""

    reason: str


@dataclass(slots=True, frozen=True)
class Stage:
    """Verify a packed configuration, or ("") configuration `name` of the state folder, and put it on flash.

    `given`: it comes from the active with the ids of its points. The answer is `Node.commit.staged`.
    """

    pack: str
    name: str
    given: bool


_Asked = AskWitness | Probe
Action = Dial | OpenLine | CloseChannel | Listen | Persist | Store | ToHeart | Restart | Stage | _Asked | Say
