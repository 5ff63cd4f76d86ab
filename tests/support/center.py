"""A control center in the test's own thread: one blocking connection, for what the probe does not do."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tandem.codec.iec60870.asdu import Asdu
from tandem.show import time_text
from tools.bench.conversation import Conversation
from tools.bench.served import Served


class Center:
    """A started connection."""

    def __init__(self, sock: socket.socket, common_address: int) -> None:
        self.sock = sock
        self.talk = Conversation(common_address)
        self.asdus: list[Asdu] = []
        self.until(lambda: self.talk.started)

    def until(self, done: Any, seconds: float = 15.0) -> None:
        """Listen until it holds. Raises TimeoutError, ConnectionError."""
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise TimeoutError(f"not within {seconds:g} s")
            if out := self.talk.outgoing():
                self.sock.sendall(out)
            try:
                octets = self.sock.recv(65536)
            except TimeoutError:
                continue
            if not octets:
                raise ConnectionError("closed by the gateway")
            self.asdus += [came for came in self.talk.receive(octets) if isinstance(came, Asdu)]
            assert not self.talk.fault, self.talk.fault

    def command(self, type_name: str, ioa: int, values: Mapping[str, Any], cause: int = 6) -> Asdu:
        """Send a command and wait for the answer to its activation."""
        before = len(self.answers(type_name, ioa))
        self.talk.ask(type_name, ioa, values, cause)
        self.until(lambda: len(self.answers(type_name, ioa)) > before)
        return self.answers(type_name, ioa)[before]

    def answers(self, type_name: str, ioa: int) -> list[Asdu]:
        """Those to the activations and deactivations of a command so far, without the ends of what was activated."""
        mine = [a for a in self.asdus if a.name == type_name and a.objects and a.objects[0][0] == ioa]
        return [answer for answer in mine if answer.cause != 10]

    def ended(self, type_name: str) -> list[Asdu]:
        """The terminations that came."""
        return [answer for answer in self.asdus if answer.name == type_name and answer.cause == 10]

    def events(self) -> list[tuple[int, str]]:
        """(address, time as text) of every spontaneous object with a time, in the order in which they came."""
        objects = [(ioa, values) for a in self.asdus if a.cause in (3, 11) for ioa, values in a.objects or ()]
        return [(ioa, time_text(values["time_us"])) for ioa, values in objects if values.get("time_us")]


def dial(host: str, port: int, source: str, timeout_s: float = 0.2) -> socket.socket:
    """A TCP connection from `source`. Raises OSError."""
    sock = socket.create_connection((host, port), 5, (source, 0))
    sock.settimeout(timeout_s)
    return sock


@contextmanager
def center_at(host: str, served: Served, source: str, port: int = 0) -> Iterator[Center]:
    """A started connection to that address, at `port` or where the served slave listens."""
    with dial(host, port or served.port, source) as sock:
        yield Center(sock, served.common_address)
