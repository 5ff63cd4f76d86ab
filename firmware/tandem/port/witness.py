"""The way to the granting witness: one connected UDP socket. What is lost is asked again by who asks."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
from collections.abc import Callable
from typing import cast

from tandem.action import Action, AskWitness
from tandem.config.verify_witness import host_port

_READS_MAX = 16
_AGAIN_S = 5.0  # between two tries to find a name's address


class WitnessPort:
    """`where`: host:port, verified; `heard` gets every datagram that comes from there."""

    def __init__(self, loop: asyncio.AbstractEventLoop, where: str, heard: Callable[[bytes], None]) -> None:
        self._loop, self._heard = loop, heard
        self._host, self._port = host_port(where)
        self._socket: socket.socket | None = None
        self._find_at = 0.0
        self._finding: asyncio.Task[None] | None = None
        with contextlib.suppress(ValueError):
            self._open(str(ipaddress.ip_address(self._host)))

    def send(self, action: Action) -> None:
        """Send one datagram; a name's address is sought meanwhile."""
        if self._socket is None:
            self._find()
            return
        with contextlib.suppress(OSError):  # refused, no route: it does not answer, which is what counts
            self._socket.send(cast(AskWitness, action).octets)

    def close(self) -> None:
        """Close what is open."""
        if self._finding is not None:
            self._finding.cancel()
        if self._socket is not None:
            self._loop.remove_reader(self._socket.fileno())
            self._socket.close()
            self._socket = None

    def _find(self) -> None:
        now = self._loop.time()
        if now >= self._find_at:
            self._find_at = now + _AGAIN_S
            self._finding = self._loop.create_task(self._resolve())

    async def _resolve(self) -> None:
        with contextlib.suppress(OSError):
            found = await self._loop.getaddrinfo(self._host, self._port, type=socket.SOCK_DGRAM)
            if self._socket is None:
                self._open(str(found[0][4][0]))

    def _open(self, address: str) -> None:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            opened.connect((address, self._port))
        except OSError:
            opened.close()
            return
        self._socket = opened
        self._loop.add_reader(opened.fileno(), self._read)

    def _read(self) -> None:
        for _ in range(_READS_MAX):
            if self._socket is None:
                return
            try:
                octets = self._socket.recv(512)
            except BlockingIOError:
                return
            except OSError:
                continue  # a refusal of an earlier datagram
            self._heard(octets)
