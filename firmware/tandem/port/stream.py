"""Octet streams on the loop: TCP connections, listeners and serial lines, without threads and without copies kept.

Every stream calls back with `opened()`, `received(octets)` and `closed(reason)`; `write` never blocks: what does not
fit the kernel waits in a bounded buffer, and a peer that lets it overflow is disconnected.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from typing import Protocol

from tandem.port.tcp_rules import PLAIN, TcpRules

READ_OCTETS = 1 << 16  # of more the allocator maps and unmaps pages at each read
MOST_BUFFERED = 1 << 22
"""A peer that leaves more than this unread is disconnected."""


class Owner(Protocol):
    """Who is told what happens on a stream."""

    def opened(self, stream: Stream) -> None:
        """It is connected."""

    def received(self, stream: Stream, octets: bytes) -> None:
        """Octets came."""

    def closed(self, stream: Stream, reason: str) -> None:
        """It ended, for whatever reason but the owner's own `close`."""


class Stream:
    """A non-blocking file descriptor that octets go to and come from."""

    def __init__(self, loop: asyncio.AbstractEventLoop, channel: str, owner: Owner) -> None:
        self.loop = loop
        self.channel = channel
        self.owner = owner
        self.fd = -1
        self.ready = False
        self._pending = bytearray()

    def attach(self, fd: int) -> None:
        """The descriptor is connected: read from now on."""
        self.fd = fd
        self.ready = True
        self.loop.add_reader(fd, self._readable)
        self.owner.opened(self)

    def _read(self) -> bytes:
        return os.read(self.fd, READ_OCTETS)

    def _send(self, octets: bytes | bytearray) -> int:
        return os.write(self.fd, octets)

    def _readable(self) -> None:
        try:
            octets = self._read()
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.fail(_words(error))
            return
        if octets:
            self.owner.received(self, octets)
        else:
            self.fail("closed by the other side")

    def write(self, octets: bytes) -> None:
        """Send now what the kernel takes and keep the rest."""
        if not self.ready or self.fd < 0:
            return
        if self._pending:
            self._keep(octets)
            return
        try:
            sent = self._send(octets)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            self.loop.call_soon(self.fail, _words(error))
            return
        if sent < len(octets):
            self._keep(octets[sent:])
            self.loop.add_writer(self.fd, self._writable)

    def _keep(self, octets: bytes) -> None:
        self._pending += octets
        if len(self._pending) > MOST_BUFFERED:
            self.loop.call_soon(self.fail, f"it left more than {MOST_BUFFERED} octets unread")

    def _writable(self) -> None:
        try:
            sent = self._send(self._pending)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            self.fail(_words(error))
            return
        del self._pending[:sent]
        if not self._pending:
            self.loop.remove_writer(self.fd)

    def drop_pending(self) -> None:
        """Forget what the kernel did not take: the right to say it is gone."""
        if self._pending:
            self._pending.clear()
            self.loop.remove_writer(self.fd)

    def fail(self, reason: str) -> None:
        """The stream ended by itself."""
        if self.fd >= 0:
            self.close()
            self.owner.closed(self, reason)

    def close(self, reset: bool = False) -> None:
        """End it; the owner is not told."""
        fd, self.fd = self.fd, -1
        self.ready = False
        if fd < 0:
            return
        self.loop.remove_reader(fd)
        self.loop.remove_writer(fd)
        self._pending.clear()
        self._shut(fd, reset)

    def _shut(self, fd: int, reset: bool) -> None:
        os.close(fd)


class TcpStream(Stream):
    """A TCP connection, accepted or dialed."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, channel: str, owner: Owner, rules: TcpRules = PLAIN
    ) -> None:
        super().__init__(loop, channel, owner)
        self.rules = rules
        self.socket: socket.socket | None = None

    def adopt(self, connected: socket.socket) -> None:
        """Take an accepted connection."""
        connected.setblocking(False)
        self.rules.apply(connected)
        self.socket = connected
        self.attach(connected.fileno())

    def dial(self, address: tuple[str, int], source: str) -> None:
        """Connect from `source`; `opened` or `closed` follows."""
        self.socket = connecting = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        connecting.setblocking(False)
        self.rules.apply(connecting)
        self.fd = connecting.fileno()
        try:
            if source:
                connecting.bind((source, 0))
            code = connecting.connect_ex(address)
        except OSError as error:
            code = error.errno or errno.EIO
        if code in (0, errno.EINPROGRESS):
            self.loop.add_writer(self.fd, self._connected)
        else:
            self.loop.call_soon(self.fail, f"{address[0]}:{address[1]}: {os.strerror(code)}")

    def _connected(self) -> None:
        assert self.socket is not None
        self.loop.remove_writer(self.fd)
        code = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self.fail(os.strerror(code))
        else:
            self.attach(self.fd)

    def _read(self) -> bytes:
        assert self.socket is not None
        return self.socket.recv(READ_OCTETS)

    def _send(self, octets: bytes | bytearray) -> int:
        assert self.socket is not None
        return self.socket.send(octets)

    def _shut(self, fd: int, reset: bool) -> None:
        if self.socket is not None:
            self.rules.ends(self.socket, reset)
            self.socket.close()


class Listener:
    """A listening TCP socket; `accepted(connection, peer host, local host)` for each connection."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        address: tuple[str, int],
        accepted: Callable[[socket.socket, str, str], None],
    ) -> None:
        """Bind and listen. Raises OSError with the address in its text."""
        self.loop = loop
        self._accepted = accepted
        self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.socket.setsockopt(socket.IPPROTO_IP, _IP_FREEBIND, 1)
            self.socket.bind(address)
            self.socket.listen(64)
        except OSError as error:
            self.socket.close()
            raise OSError(error.errno, f"{address[0]}:{address[1]}: {_words(error)}") from error
        self.socket.setblocking(False)
        loop.add_reader(self.socket.fileno(), self._readable)

    def _readable(self) -> None:
        while True:
            try:
                connection, peer = self.socket.accept()
            except (BlockingIOError, InterruptedError):
                return
            except OSError:
                return  # a connection that was reset before we took it, or no descriptor left: the next one tries again
            self._accepted(connection, peer[0], connection.getsockname()[0])

    def close(self) -> None:
        """Stop listening; accepted connections go on."""
        self.loop.remove_reader(self.socket.fileno())
        self.socket.close()


_IP_FREEBIND = 15  # linux/in.h: the group address may be bound before it is ours


def _words(error: OSError) -> str:
    return error.strerror or str(error)
