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


class Doors:
    """The listening sockets of a member, by slave name; "" is the hot-standby link."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        config: Config,
        member: Member,
        board: Board,
        accepted: Accepted,
        trouble: Callable[[str], None],
    ) -> None:
        self._loop, self._config, self._member, self._board = loop, config, member, board
        self._accepted = accepted
        self._trouble = trouble
        self._open: dict[str, list[Listener]] = {}

    def listen(self, slave: str, on: bool) -> None:
        """Bind a slave's port on the group's and the member's own addresses of its LAN, or close them."""
        for listener in self._open.pop(slave, []):
            listener.close()
        if not on:
            return
        self._open[slave] = []
        config = next(s for s in self._config.slaves if s.name == slave)
        lans = [self._config.lan(config.lan)] if config.lan else list(self._config.lans)
        for lan in lans:
            for address in lan.group:
                self._bind(slave, f"slave:{slave}", address.ip, config.tcp_port, True)
            for address in lan.members[self._member].addresses:
                self._bind(slave, f"slave:{slave}", address.ip, config.tcp_port, False)

    def open_link(self, port: int) -> None:
        """Bind the hot-standby port on the member's own address of each LAN."""
        self._open[""] = []
        for lan in self._config.lans:
            for address in lan.members[self._member].addresses:
                self._bind("", f"link:{lan.name}", address.ip, port, False)

    def close(self) -> None:
        """Close every door."""
        for listeners in self._open.values():
            for listener in listeners:
                listener.close()
        self._open.clear()

    def _bind(self, owner: str, prefix: str, ip: str, port: int, on_group: bool, told: bool = False) -> None:
        def accepted(connection: socket.socket, host: str, local: str) -> None:
            self._accepted(prefix, connection, host, on_group)

        if owner not in self._open:
            return
        try:
            self._open[owner].append(Listener(self._loop, (self._board.plane(ip), port), accepted))
        except OSError as error:
            if not told:
                self._trouble(f"{prefix} cannot listen: {error.strerror}; it is tried again every {_AGAIN_S:.0f} s")
            self._loop.call_later(_AGAIN_S, self._bind, owner, prefix, ip, port, on_group, True)
