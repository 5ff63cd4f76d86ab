"""A control center in the test's own thread: one blocking connection, for what the probe does not do."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from tandem.codec.iec60870.asdu import Asdu
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
        self.talk.ask(type_name, ioa, values, cause)

        def answers() -> list[Asdu]:
            return [a for a in self.asdus if a.name == type_name and a.objects and a.objects[0][0] == ioa]

        self.until(lambda: [a for a in answers() if a.cause != 10])
        return next(a for a in answers() if a.cause != 10)


def dial(host: str, port: int, source: str, timeout_s: float = 0.2) -> socket.socket:
    """A TCP connection from `source`. Raises OSError."""
    sock = socket.create_connection((host, port), 5, (source, 0))
    sock.settimeout(timeout_s)
    return sock


@contextmanager
def center_at(host: str, served: Served, source: str) -> Iterator[Center]:
    """A started connection to that address."""
    with dial(host, served.port, source) as sock:
        yield Center(sock, served.common_address)
