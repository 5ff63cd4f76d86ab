"""What the kernel is told of a TCP connection, by its channel: how long it repeats, when it asks, how it ends."""

from __future__ import annotations

import socket
import struct
from typing import NamedTuple

from tandem.config.model import Config, Lan, Member

_LINGER, _RESET = struct.pack("ii", 0, 0), struct.pack("ii", 1, 0)
_PROBES = 3


class TcpRules(NamedTuple):
    """`user_timeout_ms`: data unacknowledged for so long ends it; `keepalive_s`: asked after so much silence; 0: not.

    `group`: it comes from a group address. Its end is a reset, whoever ends it: also the kernel, for a killed process.
    """

    user_timeout_ms: int = 0
    keepalive_s: int = 0
    group: bool = False

    def apply(self, connection: socket.socket) -> None:
        """Tell the kernel. Small messages leave at once in any case."""
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self.user_timeout_ms:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, self.user_timeout_ms)
        if self.keepalive_s:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, self.keepalive_s)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, max(1, self.keepalive_s // _PROBES))
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _PROBES)
        if self.group:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)

    def ends(self, connection: socket.socket, reset: bool) -> None:
        """Before it is closed in order: by a reset, or by what is still to be sent."""
        if reset or self.group:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET if reset else _LINGER)


PLAIN = TcpRules()


def field_rules(config: Config, channel: str, source: str) -> TcpRules:
    """Of a connection that is dialed: to a device of the master that the channel "master:NAME..." names."""
    name = channel.removeprefix("master:").partition("#")[0]
    for master in config.masters:
        if name == master.name or name.startswith(f"{master.name}."):
            return TcpRules(master.user_timeout_ms, 0, source == "group")
    return PLAIN


def center_rules(config: Config, slave: str, on_group: bool) -> TcpRules:
    """Of a connection that a control center opened to this slave."""
    keepalive_s = next((one.keepalive_s for one in config.slaves if one.name == slave), 0)
    return TcpRules(0, keepalive_s, on_group)


def source_address(lan: Lan, member: Member, source: str, host: str) -> str:
    """The group's or the member's own address on a LAN, of the family of the host that is dialed."""
    addresses = lan.group if source == "group" else lan.members[member].addresses
    return next((one.ip for one in addresses if (":" in one.ip) == (":" in host)), addresses[0].ip)
