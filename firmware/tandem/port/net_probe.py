"""Asks the LANs who has the group's addresses, and hears who claims one. Its sockets are opened when first used.

The kernel passes only what claims one of the addresses, wakes nobody for it and keeps little: a flood costs nothing. So
the sockets stay open: to close one takes the kernel milliseconds, which a heart does not have.
"""

from __future__ import annotations

import socket
from typing import NamedTuple

from tandem.codec import bpf, neighbours
from tandem.codec.heart import Claimed
from tandem.port.packet import packet_socket

_READS_MAX = 256
_KEPT_OCTETS = 16_384


class Asked(NamedTuple):
    """A LAN with a carrier, its interface, the group's addresses there; `askers`: the own one that asks for each."""

    place: int
    device: str
    number: int
    mac: bytes
    ips: list[bytes]
    askers: list[bytes]


class AddressProbe:
    """Raw sockets on some interfaces. No method raises."""

    def __init__(self) -> None:
        self._sockets: dict[tuple[int, int], tuple[int, socket.socket]] = {}
        """By the LAN's place and the Ethernet type: the number of the interface, which a new card has anew."""

    def close(self) -> None:
        """Nothing is asked any more."""
        for _, one in self._sockets.values():
            one.close()
        self._sockets.clear()

    def ask(self, lans: list[Asked], openly: bool = False) -> bool:
        """One question for each address; True when one left.

        `openly`: from the own address, the answer comes to it alone; else from nobody, as who wants to take it asks.
        """
        sent = False
        for lan in lans:
            for ip, asker in zip(lan.ips, lan.askers, strict=True):
                asks = neighbours.ask(lan.mac, asker, ip) if openly else neighbours.probe(lan.mac, ip)
                try:
                    self._socket(lan, len(ip)).send(asks)
                    sent = True
                except OSError:
                    pass  # no carrier at this moment, or no right: nothing was asked, and that is counted
        return sent

    def _socket(self, lan: Asked, size: int) -> socket.socket:
        ether_type = neighbours.ETHER_ARP if size == 4 else neighbours.ETHER_IP6
        number, found = self._sockets.get((lan.place, ether_type), (0, None))
        if found is None or number != lan.number:
            if found is not None:
                found.close()
            ips = [ip for ip in lan.ips if len(ip) == size]
            found = packet_socket(lan.device, ether_type, bpf.arp_claims(ips) if size == 4 else bpf.advert_claims(ips))
            found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _KEPT_OCTETS)
            self._sockets[lan.place, ether_type] = lan.number, found
        return found

    def claims(self, lans: list[Asked]) -> list[Claimed]:
        """Who else said since the last call that it has one of the addresses, each once."""
        own = {lan.mac for lan in lans}
        wanted = {(lan.place, ip) for lan in lans for ip in lan.ips}
        found: dict[Claimed, None] = {}
        for (place, _), (_, one) in self._sockets.items():
            for _ in range(_READS_MAX):
                try:
                    claim = neighbours.claim(one.recv(bpf.FRAME_OCTETS))
                except OSError:
                    break  # nothing more is there, or the interface went
                if claim is not None and claim.mac not in own and (place, claim.ip) in wanted:
                    found[Claimed(place, claim.mac, claim.ip)] = None
        return list(found)
