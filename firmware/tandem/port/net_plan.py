"""The plan of the heart's network out of a configuration: plain data, since the heart reads no configuration."""

from __future__ import annotations

import ipaddress
from typing import Any

from tandem.config.model import Address, Config, Lan, Member


def net_plan(config: Config, member: Member) -> dict[str, Any]:
    """What `port.net.Network` takes: the LANs, what only the active asks in the field, whether a lease is wanted."""
    return {
        "lans": [_lan(lan, member) for lan in config.lans],
        "field": _field(config),
        "lease": config.standby.lease != "none",
        "lease_ms": config.standby.lease_ms,
    }


def device(lan: Lan, member: Member) -> str:
    """The name of a LAN's interface, a VLAN's own where it has a tag."""
    interface = lan.members[member].interface
    return f"{interface}.{lan.vlan}" if lan.vlan else interface


def _lan(lan: Lan, member: Member) -> dict[str, Any]:
    routes: list[tuple[bytes, int, bytes]] = []
    if lan.router or lan.routes:
        routes = [_route(str(ipaddress.ip_interface(f"{a.ip}/{a.prefix}").network), "") for a in lan.group]
        routes += [_route("::/0" if ":" in lan.router else "0.0.0.0/0", lan.router)] if lan.router else []
        routes += [_route(to, via) for to, via in lan.routes]
    return {
        "name": lan.name,
        "device": device(lan, member),
        "parent": lan.members[member].interface,
        "vlan": lan.vlan,
        "group": [(_packed(address.ip), address.prefix) for address in lan.held(member)],
        "askers": [_asker(lan, member, address) for address in lan.group],
        "peer": [_packed(address.ip) for address in lan.members["b" if member == "a" else "a"].addresses],
        "routes": routes,
    }


def _asker(lan: Lan, member: Member, group: Address) -> bytes:
    """The own address from which a group address is asked for: one of its network, as is verified."""
    return _packed(next(a.ip for a in lan.members[member].addresses if a.network == group.network))


def _packed(ip: str) -> bytes:
    return ipaddress.ip_address(ip).packed


def _route(to: str, via: str) -> tuple[bytes, int, bytes]:
    network = ipaddress.ip_network(to, strict=False)
    return network.network_address.packed, network.prefixlen, _packed(via) if via else b""


def _field(config: Config) -> list[tuple[bytes, int]]:
    """Devices that a member asks from its own address, and only while it is active."""
    found = {
        (_packed(host), device.tcp_port)
        for master in config.masters
        if master.lan and master.source == "own" and master.on_standby == "none"
        for device in master.devices
        for host in (device.host, str(device.options.get("second_host", "")))
        if host and device.tcp_port
    }
    return sorted(found)
