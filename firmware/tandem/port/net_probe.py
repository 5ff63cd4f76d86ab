"""Asks the LANs who has the group's addresses, and hears who claims one. Open only while there is something to ask."""

from __future__ import annotations

import socket
from typing import NamedTuple

from tandem.codec import neighbours

_READS_MAX = 256
_OCTETS = 128


class Asked(NamedTuple):
    """An interface with a carrier, and the group's addresses on it."""

    device: str
    mac: bytes
    ips: list[bytes]


class AddressProbe:
    """Raw sockets on some interfaces. No method raises."""

    def __init__(self) -> None:
        self._sockets: dict[tuple[str, int], socket.socket] = {}

    def close(self) -> None:
        """Nothing is asked any more."""
        for one in self._sockets.values():
            one.close()
        self._sockets.clear()

    def ask(self, lans: list[Asked]) -> bool:
        """One probe for each address; True when one left."""
        sent = False
        for lan in lans:
            for ip in lan.ips:
                ether_type = neighbours.ETHER_ARP if len(ip) == 4 else neighbours.ETHER_IP6
                try:
                    self._socket(lan.device, ether_type).send(neighbours.probe(lan.mac, ip))
                    sent = True
                except OSError:
                    pass  # no carrier at this moment, or no right: nothing was asked, and that is counted
        return sent

    def _socket(self, device: str, ether_type: int) -> socket.socket:
        found = self._sockets.get((device, ether_type))
        if found is None:
            kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            found = socket.socket(socket.AF_PACKET, kind, socket.htons(ether_type))
            found.bind((device, ether_type))
            self._sockets[device, ether_type] = found
        return found

    def claimed(self, lans: list[Asked]) -> bool:
        """Somebody else's frame said that it has one of the addresses, since the last call."""
        wanted = {ip for lan in lans for ip in lan.ips}
        own = {lan.mac for lan in lans}
        found = False
        for one in self._sockets.values():
            for _ in range(_READS_MAX):
                try:
                    claim = neighbours.claim(one.recv(_OCTETS))
                except OSError:
                    break  # nothing more is there, or the interface went
                found |= claim is not None and claim.ip in wanted and claim.mac not in own
        return found
