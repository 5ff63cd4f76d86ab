"""Where others may connect: the slaves' addresses and the hot-standby port. A port in use is tried again."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from tandem.config.model import Config, Member
from tandem.port.board import Board
from tandem.port.stream import Listener

_AGAIN_S = 2.0

Accepted = Callable[[str, socket.socket, str, bool], None]
"""(channel prefix "slave:NAME" or "link:LAN", connection, peer's host, whether it came to the group address)."""


class _Way:
    """One slave's addresses, while it is wanted: what listens, and what cannot yet."""

    def __init__(self) -> None:
        self.listeners: list[Listener] = []
        self.shut: set[str] = set()
        self.closed = False

    def close(self) -> None:
        """Listen no more, also nowhere that is still to be tried."""
        self.closed = True
        for listener in self.listeners:
            listener.close()


class Doors:
    """The listening sockets of a member, by slave name; "" is the hot-standby link.

    `told(slave, fault)` says once that an address cannot be listened at, and with "" that all of the slave's can again.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        config: Config,
        member: Member,
        board: Board,
        accepted: Accepted,
        told: Callable[[str, str], None],
    ) -> None:
        self._loop, self._config, self._member, self._board = loop, config, member, board
        self._accepted = accepted
        self._told = told
        self._ways: dict[str, _Way] = {}

    def listen(self, slave: str, on: bool) -> None:
        """Bind a slave's port on the group's and the member's own addresses of its LAN, or close them."""
        way = self._fresh(slave)
        if not on:
            return
        config = next(s for s in self._config.slaves if s.name == slave)
        lans = [self._config.lan(config.lan)] if config.lan else list(self._config.lans)
        for lan in lans:
            for address in lan.group:
                self._bind(slave, way, f"slave:{slave}", address.ip, config.tcp_port, True)
            for address in lan.members[self._member].addresses:
                self._bind(slave, way, f"slave:{slave}", address.ip, config.tcp_port, False)

    def open_link(self, port: int) -> None:
        """Bind the hot-standby port on the member's own address of each LAN."""
        way = self._fresh("")
        for lan in self._config.lans:
            for address in lan.members[self._member].addresses:
                self._bind("", way, f"link:{lan.name}", address.ip, port, False)

    def close(self) -> None:
        """Close every door."""
        for way in self._ways.values():
            way.close()

    def _fresh(self, slave: str) -> _Way:
        if slave in self._ways:
            self._ways[slave].close()
        self._ways[slave] = way = _Way()
        return way

    def _bind(self, slave: str, way: _Way, prefix: str, ip: str, port: int, on_group: bool) -> None:
        def accepted(connection: socket.socket, host: str, local: str) -> None:
            self._accepted(prefix, connection, host, on_group)

        if way.closed:
            return
        try:
            way.listeners.append(Listener(self._loop, (self._board.plane(ip), port), accepted))
        except OSError as error:
            if ip not in way.shut:
                way.shut.add(ip)
                self._told(slave, f"{prefix} cannot listen: {error.strerror}; it is tried again every {_AGAIN_S:.0f} s")
            self._loop.call_later(_AGAIN_S, self._bind, slave, way, prefix, ip, port, on_group)
            return
        if ip in way.shut:
            way.shut.discard(ip)
            if not way.shut:
                self._told(slave, "")
