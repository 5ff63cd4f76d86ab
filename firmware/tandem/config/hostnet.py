"""What the operating system is told of a group's configuration: interfaces, doors, time sources. Pure texts."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from tandem.config.model import Config, Lan, Member

_KEPT = """\
LinkLocalAddressing=no
IPv6AcceptRA=no
ConfigureWithoutCarrier=yes
IgnoreCarrierLoss=yes
KeepConfiguration=yes
"""
"""An address stays over a pulled cable, and what the heart adds is not networkd's to take away."""
_HEAD = "# Made from the group's configuration at each start and after each commit; a change here does not last.\n"
_ADDRESS = "\n[Address]\nAddress={}/{}\nDuplicateAddressDetection=none\n"
_ROUTE = "\n[Route]\nDestination={}\nGateway={}\n"
TABLE = "inet tandem_doors"


def networkd(config: Config, member: Member) -> dict[str, str]:
    """Files of systemd-networkd, name to text: this member's own addresses and routes. The group's are its heart's."""
    files: dict[str, str] = {}
    by_interface: dict[str, list[Lan]] = {}
    for lan in config.lans:
        by_interface.setdefault(lan.members[member].interface, []).append(lan)
    for interface, lans in sorted(by_interface.items()):
        text = f"{_HEAD}[Match]\nName={interface}\n\n[Network]\n{_KEPT}"
        plain = [lan for lan in lans if not lan.vlan]
        for lan in lans:
            if lan.vlan:
                name = f"{interface}.{lan.vlan}"
                text += f"VLAN={name}\n"
                device = f"[NetDev]\nName={name}\nKind=vlan\n\n[VLAN]\nId={lan.vlan}\n"
                files[f"10-tandem-{name}.netdev"] = _HEAD + device
                match = f"{_HEAD}[Match]\nName={name}\n\n[Network]\n{_KEPT}"
                files[f"10-tandem-{name}.network"] = match + _lan(lan, member)
        files[f"10-tandem-{interface}.network"] = text + "".join(_lan(lan, member) for lan in plain)
    return files


def _lan(lan: Lan, member: Member) -> str:
    addresses = "".join(_ADDRESS.format(a.ip, a.prefix) for a in lan.members[member].addresses)
    everywhere = "::/0" if ":" in lan.router else "0.0.0.0/0"
    routes = [(everywhere, lan.router)] if lan.router else []
    return addresses + "".join(_ROUTE.format(to, via) for to, via in [*routes, *lan.routes])


def doors(config: Config, member: Member, people: bool) -> str:
    """The elements of the firewall's sets, for `nft -f`; `people`: SSH from the LANs' own networks is enabled."""
    peer: Member = "b" if member == "a" else "a"
    others = [a.ip for lan in config.lans for a in lan.members[peer].addresses]
    hosts = sorted(set(_hosts(config)))
    rows: dict[str, list[str]] = {
        "peer": [ip for ip in others if ":" not in ip],
        "peer6": [ip for ip in others if ":" in ip],
        "doors": [f"{net} . {port}" for net, port in hosts if ":" not in net],
        "doors6": [f"{net} . {port}" for net, port in hosts if ":" in net],
        "people": sorted({a.network for lan in config.lans for a in lan.members[member].addresses if ":" not in a.ip})
        if people
        else [],
    }
    lines = [f"flush set {TABLE} {name}" for name in rows]
    lines += [f"add element {TABLE} {name} {{ {', '.join(row)} }}" for name, row in rows.items() if row]
    return _HEAD + "\n".join(lines) + "\n"


def _hosts(config: Config) -> Iterator[tuple[str, int]]:
    for slave in config.slaves:
        for center in slave.centers:
            yield from ((str(ipaddress.ip_network(host, strict=False)), slave.tcp_port) for host in center.hosts)


def group_addresses(config: Config, member: Member) -> str:
    """A line "ADDRESS/PREFIX DEVICE" for each address that a dead heart may have left behind."""
    rows = [
        f"{a.ip}/{a.prefix} {lan.members[member].interface}{f'.{lan.vlan}' if lan.vlan else ''}\n"
        for lan in config.lans
        for a in lan.held(member)
    ]
    return "".join(rows)


def time_sources(config: Config) -> str:
    """chrony's sources: the servers of [time] ntp."""
    servers = config.time.ntp if "ntp" in config.time.sources or not config.time.sources else ()
    return _HEAD + "".join(f"server {server} iburst\n" for server in servers)
