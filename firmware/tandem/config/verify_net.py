"""Rules of LANs, addresses, serial lines and ports."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterator

from tandem.config.build import MEMBERS
from tandem.config.finding import nearest
from tandem.config.locate import Path
from tandem.config.model import Address, Config, Lan
from tandem.config.read import Reader

LINK_PORT = 4720
BEAT_PORT = 4721
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def network(address: Address) -> Network:
    """The network that an interface address is in."""
    return ipaddress.ip_interface(f"{address.ip}/{address.prefix}").network


def verify_lans(config: Config, reader: Reader) -> None:
    """Every rule of [lan.NAME]."""
    if not config.lans and ("lan",) not in reader.bad:
        reader.add(("lan",), "there is no LAN", "write [lan.NAME] for each LAN that both members are attached to")
    for lan in config.lans:
        _group_addresses(lan, reader)
        _neighbours(lan, reader)
        for member, port in lan.members.items():
            if not port.interface and ("lan", lan.name, member, "interface") not in reader.bad:
                reader.add(
                    ("lan", lan.name, member),
                    f"member {member} has no interface on lan {lan.name}",
                    'write interface = "eth0" or another of the board',
                )
    _distinct(config, reader)
    _apart(config, reader)


def _own_networks(lan: Lan, member: str) -> list[Network]:
    port = lan.members.get(member)
    return [network(address) for address in port.addresses] if port else []


def _group_addresses(lan: Lan, reader: Reader) -> None:
    path: Path = ("lan", lan.name, "group")
    for address in lan.group:
        net = network(address)
        ip = ipaddress.ip_address(address.ip)
        if net.num_addresses > 2 and ip in (net.network_address, net.broadcast_address) and net.version == 4:
            reader.add(path, f"group address {ip} is the network's own or its broadcast", f"choose another in {net}")
        for member in MEMBERS:
            own = _own_networks(lan, member)
            if own and net not in own:
                near = next((str(n) for n in own if n.version == net.version), str(own[0]))
                reader.add(
                    path,
                    f"group address {address.ip}/{address.prefix} is not in member {member}'s network {near}",
                    f"choose one in {near}, with the same prefix length",
                )


def _neighbours(lan: Lan, reader: Reader) -> None:
    own = [*_own_networks(lan, "a"), *_own_networks(lan, "b")]
    wanted: list[tuple[Path, str]] = [(("lan", lan.name, "router"), lan.router)]
    wanted.append((("lan", lan.name, "reference"), lan.reference))
    wanted += [(("lan", lan.name, "routes", i, "via"), via) for i, (_, via) in enumerate(lan.routes)]
    for path, text in wanted:
        if text and own and path not in reader.bad and not any(ipaddress.ip_address(text) in net for net in own):
            reader.add(path, f"{text} is not in lan {lan.name}'s network {own[0]}", "write an address of this LAN")


def _addresses(config: Config) -> Iterator[tuple[Path, str, str]]:
    for lan in config.lans:
        for address in lan.group:
            yield ("lan", lan.name, "group"), address.ip, f"the group on lan {lan.name}"
        for member, port in lan.members.items():
            for address in port.addresses:
                yield ("lan", lan.name, member, "address"), address.ip, f"member {member} on lan {lan.name}"


def _distinct(config: Config, reader: Reader) -> None:
    owners: dict[str, str] = {}
    for path, ip, owner in _addresses(config):
        other = owners.setdefault(ip, owner)
        if other is not owner:
            reader.add(path, f"{ip} of {owner} belongs to {other} already", "give each an address of its own")
    for number, master in enumerate(config.masters):
        for device in master.devices:
            if device.host in owners and device.host:
                reader.findings.add(
                    device.place,
                    f"device {device.name} has the address of {owners[device.host]}",
                    f"write the device's own address (master {number + 1})",
                )


def _apart(config: Config, reader: Reader) -> None:
    """Two LANs with one network: the kernel could not tell by which to send."""
    seen: list[tuple[str, Network]] = []
    for lan in config.lans:
        for net in set(_own_networks(lan, "a")):
            for name, other in seen:
                if name != lan.name and net.overlaps(other):
                    reader.add(
                        ("lan", lan.name),
                        f"lan {lan.name} ({net}) overlaps lan {name} ({other})",
                        "give each LAN a network of its own",
                    )
            seen.append((lan.name, net))


def verify_serials(config: Config, reader: Reader) -> None:
    """One owner a line; a line of the field says who gives it away; one port a line."""
    users: dict[str, str] = {p[7:]: "heartbeat path" for p in config.standby.paths if p.startswith("serial.")}
    names = {line.name for line in config.serials}
    switched = {line.name: line.switched for line in config.serials}
    instances = [(m.serial, f'master "{m.name}"', m.place) for m in config.masters]
    instances += [(s.serial, f'slave "{s.name}"', s.place) for s in config.slaves]
    for line, user, place in instances:
        if not line or line not in names:
            continue
        other = users.setdefault(line, user)
        if other is not user:
            reader.findings.add(
                place,
                f"{user} is on serial line {line}, which {other} uses",
                "a line has one master: give it a line of its own, or put the devices under one master",
            )
        if switched[line] == "none":
            reader.findings.add(
                reader.place("serial", line),
                f"{user} is on line {line}, and nothing says who drives it",
                'write switched = "role-relay", or "own" where each member has a line of its own',
            )
        if switched[line] == "role-relay" and config.standby.arbitration == "software":
            reader.warn(
                ("standby", "arbitration"),
                f"line {line} is switched by the role relays, arbitration is not",
                'write arbitration = "relays", so that the contact is read before the line is driven',
            )
    for slave in config.slaves:
        if slave.serial and switched.get(slave.serial) == "role-relay" and slave.hot_standby != "disabled":
            reader.findings.add(
                slave.place,
                f'slave "{slave.name}" serves on the standby, line {slave.serial} is the active\'s',
                'write hot_standby = "disabled", or a line with switched = "own"',
            )
    _serial_ports(config, reader)


def _serial_ports(config: Config, reader: Reader) -> None:
    owners: dict[tuple[str, str], str] = {}
    for line in config.serials:
        for member, port in line.ports.items():
            other = owners.setdefault((member, port), line.name)
            if port and other != line.name:
                reader.add(
                    ("serial", line.name, member),
                    f"port {port} of member {member} carries line {other} already",
                    "a port has one line",
                )
        if line.rts != "keyed" and (line.rts_lead_ms or line.rts_tail_ms):
            reader.warn(
                ("serial", line.name, "rts"),
                f"line {line.name} has rts lead or tail times, its rts is not keyed",
                'write rts = "keyed", or take the times out',
            )
        if line.data_bits == 7 and any(m.serial == line.name and m.protocol == "modbus-rtu" for m in config.masters):
            reader.add(
                ("serial", line.name, "data_bits"), "modbus-rtu needs all 8 bits of an octet", "write data_bits = 8"
            )


def verify_board_ports(config: Config, ports: Collection[str], reader: Reader) -> None:
    """Every serial line stands on ports that the board has."""
    for line in config.serials:
        for member, port in line.ports.items():
            if port and port not in ports:
                cure = nearest(port, ports, "its ports are")
                reader.add(("serial", line.name, member), f'the board has no serial port "{port}"', cure)


def verify_ports(config: Config, reader: Reader) -> None:
    """No two slaves on one TCP port of a LAN, none on the group's own."""
    owners: dict[tuple[str, int], str] = {}
    for slave in config.slaves:
        if not slave.lan or not slave.tcp_port:
            continue
        if slave.tcp_port in (LINK_PORT, BEAT_PORT):
            reader.findings.add(
                slave.place,
                f'slave "{slave.name}" is on port {slave.tcp_port}, the hot-standby link\'s',
                f"choose another; {LINK_PORT} and {BEAT_PORT} are the group's own",
            )
        other = owners.setdefault((slave.lan, slave.tcp_port), slave.name)
        if other is not slave.name:
            reader.findings.add(
                slave.place,
                f'slave "{slave.name}" is on lan {slave.lan} port {slave.tcp_port}, as "{other}" is',
                "give each slave a port or LAN of its own",
            )
