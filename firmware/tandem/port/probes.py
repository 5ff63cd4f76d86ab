"""Asks who is there on the LANs, from the own address: ARP where the machine permits a packet socket, else a ping.

An IPv4 address of the LAN's own network is asked by ARP, which every device answers; what lies behind a router, and
IPv6, by an echo request. Answers are told by key; a machine that permits neither says so once.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import struct
from collections.abc import Callable
from typing import cast

from tandem.action import Action, Probe
from tandem.codec import bpf, neighbours
from tandem.config.model import Config, Member
from tandem.port.net_plan import device
from tandem.port.packet import packet_socket

_READS_MAX = 64
_ECHO4, _ECHO6 = 8, 128
_REPLY4, _REPLY6 = 0, 129
_ECHO = struct.Struct(">BBHHH8s")
_OPEN_AGAIN_S = 5.0


class _Lan:
    """The sockets of one LAN, opened when they are needed."""

    def __init__(self, prober: Prober, name: str, interface: str, own: list[tuple[str, int]]) -> None:
        self._prober, self._name, self._interface = prober, name, interface
        self._own = [ipaddress.ip_interface(f"{ip}/{prefix}") for ip, prefix in own]
        self._arp: socket.socket | None = None
        self._mac = b""
        self._pings: dict[int, socket.socket] = {}
        self._refused: dict[str, float] = {}

    def ask(self, host: str) -> str:
        """Send one question. Returns "" or what the machine did not permit."""
        ip = ipaddress.ip_address(host)
        own = next((o for o in self._own if o.version == ip.version and ip in o.network), None)
        if own is not None and ip.version == 4 and self._open_arp():
            assert self._arp is not None
            with contextlib.suppress(OSError):  # no carrier: nobody answers, which is what counts
                self._arp.send(neighbours.ask(self._mac, own.ip.packed, ip.packed))
            return ""
        source = own or next((o for o in self._own if o.version == ip.version), None)
        return self._ping(host, ip.version, str(source.ip) if source else "")

    def close(self) -> None:
        """Close what is open."""
        for opened in (*self._pings.values(), *([self._arp] if self._arp else ())):
            self._prober.loop.remove_reader(opened.fileno())
            opened.close()
        self._pings.clear()
        self._arp = None

    def _may_open(self, what: str) -> bool:
        return self._prober.loop.time() >= self._refused.get(what, 0.0)

    def _open_arp(self) -> bool:
        if self._arp is not None or not self._may_open("arp"):
            return self._arp is not None
        self._refused["arp"] = self._prober.loop.time() + _OPEN_AGAIN_S
        try:
            opened = packet_socket(self._interface, neighbours.ETHER_ARP, bpf.arp_replies())
        except OSError:
            return False
        self._mac = opened.getsockname()[4]
        if len(self._mac) != 6 or not any(self._mac):  # no Ethernet: nobody there would answer
            opened.close()
            return False
        self._arp = opened
        self._prober.keep(opened.fileno())
        self._prober.loop.add_reader(opened.fileno(), self._read_arp)
        return True

    def _read_arp(self) -> None:
        for _ in range(_READS_MAX):
            try:
                frame = self._arp.recv(128) if self._arp else b""
            except BlockingIOError:
                return
            except OSError:
                self.close()  # the interface is gone: opened anew when it is back
                return
            if found := neighbours.claim(frame):
                self._prober.heard(self._name, str(ipaddress.ip_address(found.ip)))

    def _ping(self, host: str, version: int, source: str) -> str:
        opened = self._pings.get(version)
        if opened is None:
            if not self._may_open(f"ping{version}"):
                return ""
            self._refused[f"ping{version}"] = self._prober.loop.time() + _OPEN_AGAIN_S
            try:
                opened = _ping_socket(version, source)
            except PermissionError:
                return "neither raw sockets (CAP_NET_RAW) nor ping sockets (net.ipv4.ping_group_range) are permitted"
            except OSError:
                return ""  # the own address is not there yet
            self._pings[version] = opened
            self._prober.loop.add_reader(opened.fileno(), self._read_ping, version)
        kind = _ECHO4 if version == 4 else _ECHO6
        with contextlib.suppress(OSError):
            opened.sendto(_echo(kind), (host, 0))
        return ""

    def _read_ping(self, version: int) -> None:
        for _ in range(_READS_MAX):
            opened = self._pings.get(version)
            try:
                octets, sender = opened.recvfrom(256) if opened else (b"", ("",))
            except BlockingIOError:
                return
            except OSError:
                continue  # somebody's word that it cannot be delivered
            if not octets:
                return
            if opened and opened.type == socket.SOCK_RAW and not _is_reply(octets, version):
                continue
            self._prober.heard(self._name, str(sender[0]).partition("%")[0])


class Prober:
    """All LANs of a member. `answered(key)` and `unable(key, why)` are called from the loop, `keep` with the packet
    sockets that somebody else should hold too.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        config: Config,
        member: Member,
        answered: Callable[[str], None],
        unable: Callable[[str, str], None],
        keep: Callable[[int], None],
    ) -> None:
        self.loop, self.keep = loop, keep
        self._answered, self._unable = answered, unable
        self._keys: dict[tuple[str, str], set[str]] = {}
        self._lans = {
            lan.name: _Lan(
                self, lan.name, device(lan, member), [(a.ip, a.prefix) for a in lan.members[member].addresses]
            )
            for lan in config.lans
        }

    def send(self, action: Action) -> None:
        """Ask what a `Probe` asks."""
        probe = cast(Probe, action)
        try:
            host = str(ipaddress.ip_address(probe.host))
        except ValueError:
            return
        self._keys.setdefault((probe.lan, host), set()).add(probe.key)
        if why := self._lans[probe.lan].ask(host):
            self._unable(probe.key, why)

    def heard(self, lan: str, host: str) -> None:
        """An address answered on a LAN."""
        for key in self._keys.get((lan, host), ()):
            self._answered(key)

    def close(self) -> None:
        """Close every socket."""
        for lan in self._lans.values():
            lan.close()


def _ping_socket(version: int, source: str) -> socket.socket:
    family, protocol = (
        (socket.AF_INET, socket.IPPROTO_ICMP) if version == 4 else (socket.AF_INET6, socket.IPPROTO_ICMPV6)
    )
    try:
        opened = socket.socket(family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK, protocol)
    except PermissionError:
        opened = socket.socket(family, socket.SOCK_RAW | socket.SOCK_NONBLOCK, protocol)
    try:
        if source:
            opened.bind((source, 0))
    except OSError:
        opened.close()
        raise
    return opened


def _echo(kind: int) -> bytes:
    """An echo request; its checksum counts on raw IPv4 sockets alone, elsewhere the kernel makes it."""
    octets = _ECHO.pack(kind, 0, 0, 0, 1, b"tandem  ")
    total = sum(struct.unpack(">8H", octets))
    total = (total & 0xFFFF) + (total >> 16)
    return octets[:2] + struct.pack(">H", ~total & 0xFFFF) + octets[4:]


def _is_reply(octets: bytes, version: int) -> bool:
    """Of what a raw socket brings: an echo reply; IPv4 comes with its header."""
    at = (octets[0] & 15) * 4 if version == 4 else 0
    return len(octets) > at and octets[at] == (_REPLY4 if version == 4 else _REPLY6)
