"""The heart's network: the group's addresses on real interfaces, their announcements, carriers, the kernel lease.

The plan (plain data, made by `port.net_plan`) names each LAN's interface, the group's addresses there and the ways out.
Nothing here decides: what to add, remove, acquire or renew are the guard's words, and what is seen is told to it.
"""

from __future__ import annotations

import errno
import os
import socket
from typing import Any

from tandem.codec import lease, neighbours, netlink
from tandem.port.kernel_lease import KernelLease
from tandem.port.net_probe import Asked
from tandem.port.netlink import ROUTE, Events, Netlink
from tandem.standby.announce import Announcements

_TABLE = 0x5400  # routing table of the first LAN's group addresses
_OURS_ALREADY = (0, errno.EEXIST)
_GONE_ALREADY = (0, errno.EADDRNOTAVAIL, errno.ENODEV, errno.ENOENT, errno.ESRCH)
_UNMARKED = (errno.EINVAL, errno.EOPNOTSUPP)
_GROUPS = netlink.GROUP_LINK | netlink.GROUP_ADDRESS4 | netlink.GROUP_ADDRESS6


class _Lan:
    """One LAN: what the plan says, and its interface as it is now."""

    def __init__(self, plan: dict[str, Any], place: int) -> None:
        self.name: str = plan["name"]
        self.device: str = plan["device"]
        self.parent: str = plan["parent"]
        self.vlan: int = plan["vlan"]
        self.group: list[tuple[bytes, int]] = plan["group"]
        self.askers: list[bytes] = plan["askers"]
        self.peer: list[bytes] = plan["peer"]
        self.peer_macs: dict[bytes, bytes] = {}
        self.routes: list[tuple[bytes, int, bytes]] = plan["routes"]
        self.table = _TABLE + place
        self.index = 0
        self.carrier = False
        self.mac = b""


class Network:
    """What the heart has of this machine's network. Every method returns at once, and none raises."""

    def __init__(self, plan: dict[str, Any]) -> None:
        self.lans = [_Lan(one, place) for place, one in enumerate(plan["lans"])]
        self.faults: list[str] = []
        """Sentences for the log, to be drained."""
        self._announcements = Announcements()
        self._held = False
        self._marks = True
        self._frames: socket.socket | None = None
        self._route: Netlink | None = None
        self._events: Events | None = None
        self.lease: KernelLease | None = None
        if plan["lease"]:
            devices = tuple(lan.device for lan in self.lans)
            group = tuple(ip for lan in self.lans for ip, _ in lan.group)
            self.lease = KernelLease(lease.Gates(devices, group, tuple(plan["field"])), plan["lease_ms"])

    def open(self) -> None:
        """Sockets, interfaces, leftovers away, the lease's tables; what fails is in `faults`."""
        try:
            self._events = Events(ROUTE, _GROUPS)
            self._route = Netlink(ROUTE)
            kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            self._frames = socket.socket(socket.AF_PACKET, kind, 0)
        except OSError as error:
            self.faults.append(f"addresses cannot be announced: {error.strerror}; the heart needs CAP_NET_RAW")
        self._look()
        for lan in self.lans:
            if not lan.index and lan.vlan:
                self._make_vlan(lan)
        self.clear()
        self.load_lease()

    def load_lease(self) -> str:
        """Load the tables anew; returns why there is no lease, "" when there is one."""
        if self.lease is not None:
            self.lease.load()
        return self.trouble

    @property
    def trouble(self) -> str:
        """Why there is no lease, "" when there is one."""
        return self.lease.trouble if self.lease is not None else "the configuration wants no kernel lease"

    @property
    def due(self) -> int:
        """When `tick` wants to be called (monotonic ns)."""
        return self._announcements.due

    @property
    def carriers(self) -> int:
        """One bit a LAN, the first is bit 0."""
        return sum(1 << place for place, lan in enumerate(self.lans) if lan.carrier)

    def filenos(self) -> list[int]:
        """Readable when `read` has something."""
        found = [self._events.fileno() if self._events else -1, self.lease.fileno() if self.lease else -1]
        return [fd for fd in found if fd >= 0]

    def asked(self) -> list[Asked]:
        """The LANs that have a carrier, and whose addresses can be asked for there."""
        return [
            Asked(place, lan.device, lan.index, lan.mac, [ip for ip, _ in lan.group], lan.askers)
            for place, lan in enumerate(self.lans)
            if lan.carrier and lan.mac
        ]

    def macs(self) -> set[bytes]:
        """Of both members, on every LAN: the peer's as the kernel knows them, or knew them last."""
        for lan in self.lans:
            for ip in lan.peer:
                if mac := self._neighbour(lan, ip):
                    lan.peer_macs[ip] = mac
        return {mac for lan in self.lans for mac in (lan.mac, *lan.peer_macs.values())}

    # --- words --------------------------------------------------------------------------------------------------------

    def hold(self, on: bool, now: int) -> None:
        """Add the group's addresses and announce them, or remove them."""
        self._held = on
        if on:
            for lan in self.lans:
                self._add(lan)
            self._announcements.begin(now)
            self.tick(now)
            for lan in self.lans:
                self._add_routes(lan)
        else:
            self._announcements.end()
            for lan in self.lans:
                self._remove(lan)

    def tick(self, now: int) -> None:
        """Announce, when it is time."""
        if self._announcements.take(now):
            for lan in self.lans:
                if lan.carrier and lan.mac:
                    for ip, _ in lan.group:
                        self._announce(lan, ip)

    def clear(self) -> None:
        """Remove every group address that is found here, and whatever another heart left."""
        if self._route is None:
            return
        group = {ip for lan in self.lans for ip, _ in lan.group}
        for kind, body in self._dump(netlink.list_addresses(self._route.next())):
            found = netlink.read_address(kind, body)
            if found and (found.ours or found.ip in group):
                self._ask([netlink.remove_address(found.number, found.ip, found.prefix, self._route.next())])

    def close(self) -> None:
        """Everything back, and closed."""
        self.hold(False, 0)
        for one in (self.lease, self._events, self._route, self._frames):
            if one is not None:
                one.close()

    # --- what is seen -------------------------------------------------------------------------------------------------

    def read(self, now: int) -> bool:
        """Take in what the kernel tells; True when the lease's tables were changed by somebody."""
        if self._events is not None:
            told, missed = self._events.read()
            for kind, body in told:
                self._told(kind, body, now)
            if missed:
                self._look()
        return self.lease is not None and self.lease.changed()

    def _told(self, kind: int, body: bytes, now: int) -> None:
        if link := netlink.read_link(kind, body):
            self._seen(link, now)
        elif self._held and (address := netlink.read_address(kind, body)) and address.gone:
            for lan in self.lans:
                if lan.index == address.number and (address.ip, address.prefix) in lan.group:
                    self.faults.append(f"somebody took a group address off {lan.device}: it is added again")
                    self._add(lan)

    def _seen(self, link: netlink.Link, now: int = 0) -> None:
        for lan in self.lans:
            if lan.device != link.name and lan.index != link.number:
                continue
            back = link.carrier and not lan.carrier
            lan.index = 0 if link.gone or lan.device != link.name else link.number
            lan.carrier, lan.mac = link.carrier and bool(lan.index), link.mac
            if back and self._held and lan.carrier:
                self._add(lan)
                self._add_routes(lan)
                self._announcements.begin(now)

    def _look(self) -> None:
        """Every interface anew."""
        if self._route is not None:
            for kind, body in self._dump(netlink.list_links(self._route.next())):
                if link := netlink.read_link(kind, body):
                    self._seen(link)

    # --- asking the kernel --------------------------------------------------------------------------------------------

    def _add(self, lan: _Lan) -> None:
        if self._route is None or not lan.index:
            self.faults.append(f"lan {lan.name}: there is no interface {lan.device}: its group address is nowhere")
            return
        wanted = [netlink.add_address(lan.index, ip, n, self._route.next(), self._marks) for ip, n in lan.group]
        codes = self._ask(wanted)
        if self._marks and any(code in _UNMARKED for code in codes):
            self._marks = False  # a kernel that knows no marks on addresses
            self._add(lan)
            return
        for code in codes:
            if code not in _OURS_ALREADY:
                why = f"a group address cannot be added to {lan.device}: {os.strerror(code)}"
                self.faults.append(f"lan {lan.name}: {why}")

    def _remove(self, lan: _Lan) -> None:
        if self._route is not None and lan.index:
            asked = [netlink.remove_address(lan.index, ip, n, self._route.next()) for ip, n in lan.group]
            for code in self._ask(asked):
                if code not in _GONE_ALREADY:
                    self.faults.append(f"lan {lan.name}: a group address stays on {lan.device}: {os.strerror(code)}")

    def _add_routes(self, lan: _Lan) -> None:
        """What is sent from a group address leaves by its own LAN, whatever the others' routers are."""
        route = self._route
        if route is None or not lan.index or not lan.routes:
            return
        asked = [
            netlink.add_route(lan.index, to, size, via, b"", lan.table, route.next()) for to, size, via in lan.routes
        ]
        asked += [netlink.rule(True, ip, lan.table, route.next()) for ip, _ in lan.group]
        for code in self._ask(asked):
            if code not in _OURS_ALREADY:
                self.faults.append(f"lan {lan.name}: a route of the group's address is refused: {os.strerror(code)}")

    def _make_vlan(self, lan: _Lan) -> None:
        parent = next((index for index, name in self._names() if name == lan.parent), 0)
        if self._route is None or not parent:
            return
        asked = [netlink.link_up(parent, self._route.next())]
        asked.append(netlink.add_vlan(parent, lan.device, lan.vlan, self._route.next()))
        code = self._ask(asked)[1]
        if code not in _OURS_ALREADY:
            self.faults.append(f"lan {lan.name}: VLAN {lan.vlan} on {lan.parent}: {os.strerror(code)}")
        self._look()

    def _names(self) -> list[tuple[int, str]]:
        found = []
        if self._route is not None:
            for kind, body in self._dump(netlink.list_links(self._route.next())):
                if link := netlink.read_link(kind, body):
                    found.append((link.number, link.name))
        return found

    def _announce(self, lan: _Lan, ip: bytes) -> None:
        if self._frames is None:
            return
        for frame in neighbours.announcements(lan.mac, ip):
            try:
                self._frames.sendto(frame, (lan.device, 0))
            except OSError:
                pass  # an interface that went away this moment: its carrier is told of

    def _ask(self, requests: list[bytes]) -> list[int]:
        if self._route is None or not requests:
            return []
        try:
            return self._route.ask(requests)
        except OSError as error:
            return [error.errno or errno.EIO]

    def _neighbour(self, lan: _Lan, ip: bytes) -> bytes:
        if self._route is None or not lan.index:
            return b""
        try:
            return netlink.read_neighbour(*self._route.get(netlink.get_neighbour(lan.index, ip, self._route.next())))
        except OSError:
            return b""  # told of nothing: whoever claims is a stranger, then

    def _dump(self, request: bytes) -> list[tuple[int, bytes]]:
        try:
            return self._route.dump(request) if self._route is not None else []
        except OSError as error:
            self.faults.append(f"the kernel does not say what interfaces there are: {error.strerror}")
            return []
