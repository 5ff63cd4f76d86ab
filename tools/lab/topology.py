"""The laboratory's networks as data, made of a configuration: namespaces, bridges, legs, routes, and words of ip(8).

wires     one bridge a LAN, and one ("outside") between the router and the centers: all cables end here
a, b      the members, with the interfaces and own addresses of the configuration
field     the devices' addresses
router    one leg in each LAN, one outside; it forwards
center    the control centers' addresses, behind the router
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from tandem.config.model import Config, Lan
from tools.bench.plan import MEMBERS

OUTSIDE = "outside"
WIRES = "wires"
RIVALS = ("ka", "kb")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
_ROUTER_HOST, _RIVAL_HOST, _OUTSIDE_PREFIX, _OUTSIDE_PREFIX6 = 1, 100, 24, 64


@dataclass(slots=True, frozen=True)
class Leg:
    """One cable: from a namespace's `device` to the bridge of `lan`, where its end is called `port`."""

    who: str
    device: str
    lan: str
    port: str
    addresses: tuple[str, ...] = ()


@dataclass(slots=True)
class Topology:
    """`prefix` begins every namespace's name; `bridges` by LAN; `routes` by namespace as (to, via)."""

    prefix: str
    bridges: dict[str, str]
    legs: list[Leg] = field(default_factory=list)
    routes: dict[str, list[tuple[str, str]]] = field(default_factory=dict)

    def name(self, who: str) -> str:
        """The namespace of somebody."""
        return f"{self.prefix}{who}"

    @property
    def who(self) -> list[str]:
        """Everybody with a namespace."""
        return [WIRES, *dict.fromkeys(leg.who for leg in self.legs)]

    @property
    def has_ip6(self) -> bool:
        """Somebody has an IPv6 address."""
        return any(":" in address for leg in self.legs for address in leg.addresses)

    def port(self, who: str, lan: str) -> str:
        """The bridge's end of somebody's cable. Raises ValueError for a cable that is not there."""
        for leg in self.legs:
            if (leg.who, leg.lan) == (who, lan):
                return leg.port
        raise ValueError(f"{who} has no cable to {lan!r}; there are: {', '.join(self.bridges)}")

    def add(self, who: str, device: str, lan: str, addresses: Iterable[str] = ()) -> None:
        """Somebody gets a leg in a LAN."""
        place = list(self.bridges).index(lan)
        self.legs.append(Leg(who, device, lan, f"{who}-{place}", tuple(addresses)))

    def words(self) -> Iterator[tuple[str, list[str]]]:
        """(namespace or "", lines for `ip -batch`), in the order in which they are to be said."""
        wires = self.name(WIRES)
        yield "", [f"netns add {self.name(who)}" for who in self.who]
        yield (
            wires,
            [
                line
                for bridge in self.bridges.values()
                for line in (f"link add {bridge} type bridge forward_delay 0 mcast_snooping 0", f"link set {bridge} up")
            ],
        )
        yield (
            "",
            [
                f"link add {leg.port} netns {wires} type veth peer name {leg.device} netns {self.name(leg.who)}"
                for leg in self.legs
            ],
        )
        yield wires, [f"link set {leg.port} master {self.bridges[leg.lan]} up" for leg in self.legs]
        for who in self.who[1:]:
            yield self.name(who), list(self._inside(who))

    def _inside(self, who: str) -> Iterator[str]:
        yield "link set lo up"
        for leg in self.legs:
            if leg.who == who:
                yield f"link set {leg.device} up"
                for address in leg.addresses:
                    yield f"address add {address} dev {leg.device}" + (" nodad" if ":" in address else "")
        for to, via in self.routes.get(who, ()):
            yield f"route add {to} via {via}"


def topology(config: Config, prefix: str, centers: tuple[str, ...]) -> Topology:
    """The networks of a configuration; `centers` are IPv4 addresses outside of all LANs. Raises ValueError.

    Where a group has an IPv6 address, router and members have a way by IPv6 too, and the centers those of their
    configured hosts that are single IPv6 addresses.
    """
    found = Topology(prefix, {lan.name: f"br{n}" for n, lan in enumerate(config.lans)} | {OUTSIDE: "br-out"})
    for lan in config.lans:
        if lan.vlan or "lo" in {lan.members[m].interface for m in MEMBERS}:
            raise ValueError(f"lan {lan.name}: the laboratory's members have interfaces of their own, and no VLANs")
        for m in MEMBERS:
            own = lan.members[m]
            found.add(m, own.interface, lan.name, [f"{a.ip}/{a.prefix}" for a in own.addresses])
        found.add("router", f"lan{len(found.legs)}", lan.name, _routers(lan))
        hosts = list(_devices(config, lan))
        if hosts:
            found.add("field", f"field{len(found.legs)}", lan.name, hosts)
    _behind(found, config, centers)
    return found


def add_rivals(found: Topology, config: Config) -> str:
    """Two more hosts, ka and kb, in the centers' LAN, with a way to them; returns a free address for their group."""
    lan = next((lan for lan in config.lans if lan.router), config.lans[-1])
    network = _network(lan)
    for place, who in enumerate(RIVALS):
        found.add(who, "lan", lan.name, [f"{network[_RIVAL_HOST + 1 + place]}/{network.prefixlen}"])
        found.routes[who] = [("default", _routers(lan)[0].partition("/")[0])]
    return str(network[_RIVAL_HOST])


def _behind(found: Topology, config: Config, centers: tuple[str, ...]) -> None:
    """The centers behind the router, and everybody's way to them."""
    outside = ipaddress.ip_network(f"{centers[0]}/{_OUTSIDE_PREFIX}", strict=False)
    for lan in config.lans:
        if any(ipaddress.ip_address(ip) in net for ip in (*centers, *_centers6(config)) for net in _networks(lan)):
            raise ValueError(f"a center's host lies in lan {lan.name}: the laboratory's centers are behind a router")
    gate = str(outside[_ROUTER_HOST])
    gates, hosts = [f"{gate}/{_OUTSIDE_PREFIX}"], [f"{ip}/{_OUTSIDE_PREFIX}" for ip in centers]
    way = next((lan for lan in config.lans if lan.router), config.lans[-1])
    found.routes["center"] = [("default", gate)]
    for who in (*MEMBERS, "field"):
        if who != "field" or ("field", way.name) in {(leg.who, leg.lan) for leg in found.legs}:
            found.routes[who] = [("default", _routers(way)[0].partition("/")[0])]
    _behind6(found, config, gates, hosts)
    found.add("router", "outside", OUTSIDE, gates)
    found.add("center", "eth0", OUTSIDE, hosts)


def _behind6(found: Topology, config: Config, gates: list[str], hosts: list[str]) -> None:
    """The same by IPv6: more addresses of the router (`gates`) and of the centers (`hosts`), and ways."""
    ways = [routers[1].partition("/")[0] for lan in config.lans if len(routers := _routers(lan)) > 1]
    centers = _centers6(config)
    if not ways or not centers:
        return
    gate = str(ipaddress.ip_network(f"{centers[0]}/{_OUTSIDE_PREFIX6}", strict=False)[_ROUTER_HOST])
    gates.append(f"{gate}/{_OUTSIDE_PREFIX6}")
    hosts += [f"{ip}/{_OUTSIDE_PREFIX6}" for ip in centers]
    found.routes["center"].append(("::/0", gate))
    for who in MEMBERS:
        found.routes[who].append(("::/0", ways[0]))


def _centers6(config: Config) -> list[str]:
    """The centers' hosts that are single IPv6 addresses, of one network."""
    hosts = [host.partition("/") for slave in config.slaves for center in slave.centers for host in center.hosts]
    found = [ip for ip, _, prefix in hosts if ":" in ip and prefix == "128"]
    networks = [ipaddress.ip_network(f"{ip}/{_OUTSIDE_PREFIX6}", strict=False) for ip in found]
    return [ip for ip, network in zip(found, networks, strict=True) if network == networks[0]]


def _network(lan: Lan) -> Network:
    return _networks(lan)[0]


def _networks(lan: Lan) -> list[Network]:
    """Of the group's first IPv4 address on a LAN, and of its first IPv6 one where there is one."""
    firsts = [next((a for a in lan.group if mark in a.ip), None) for mark in (".", ":")]
    return [ipaddress.ip_network(f"{a.ip}/{a.prefix}", strict=False) for a in firsts if a is not None]


def _routers(lan: Lan) -> list[str]:
    """The router's address in each network of a LAN: the configured one where it is there, else the first."""
    found = []
    for network in _networks(lan):
        named = lan.router if lan.router and ipaddress.ip_address(lan.router) in network else network[_ROUTER_HOST]
        found.append(f"{named}/{network.prefixlen}")
    return found


def _devices(config: Config, lan: Lan) -> Iterator[str]:
    network = _network(lan)
    hosts = {d.host for m in config.masters if m.lan == lan.name for d in m.devices if d.host}
    yield from (f"{host}/{network.prefixlen}" for host in sorted(hosts) if ipaddress.ip_address(host) in network)
