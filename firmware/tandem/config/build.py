"""From verified tables to the model: the sections that are no protocol's."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable

from tandem.config import schema
from tandem.config.keys import NAME, NAME_CURE, shown
from tandem.config.locate import Path
from tandem.config.model import Address, Archive, Condition, Group, Lan, LanPort, SerialLine, Standby, Time
from tandem.config.read import Reader, Values, named_tables, rows_of

MEMBERS = ("a", "b")


def top(reader: Reader) -> Values:
    """The tables of the file's top level."""
    return reader.table(reader.raw, schema.TOP, (), schema.MAIN_FILE)


def group(reader: Reader, raw: Values) -> Group:
    """[group]."""
    return Group(**{"name": "", **reader.table(raw, schema.GROUP, ("group",), "[group]")})


def lans(reader: Reader, raw: object) -> tuple[Lan, ...]:
    """Every [lan.NAME], in the order of the file."""
    return tuple(_lan(reader, name, table) for name, table in named_tables(reader, raw, ("lan",), "LAN"))


def _lan(reader: Reader, name: str, raw: Values) -> Lan:
    path: Path = ("lan", name)
    what = f"lan {shown(name)}"
    _name(reader, path, name)
    values = reader.table(raw, schema.LAN, path, what)
    ports = {}
    for member in MEMBERS:
        if not isinstance(values.get(member), dict):
            continue
        inner = reader.table(values[member], schema.LAN_PORT, (*path, member), f"{what}, member {member}")
        own = addresses(reader, (*path, member, "address"), inner.get("address", ()))
        ports[member] = LanPort(inner.get("interface", ""), own)
    routes = []
    for index, row in enumerate(rows_of(values["routes"])):
        route = reader.table(row, schema.ROUTE, (*path, "routes", index), f"a route of {what}")
        _network(reader, (*path, "routes", index, "to"), route.get("to", ""))
        host(reader, (*path, "routes", index, "via"), route.get("via", ""))
        routes.append((route.get("to", ""), route.get("via", "")))
    for key in ("router", "reference"):
        host(reader, (*path, key), values[key])
    shared = addresses(reader, (*path, "group"), values.get("group", ()))
    return Lan(name, shared, ports, values["router"], tuple(routes), values["vlan"], values["reference"])


def addresses(reader: Reader, path: Path, texts: Iterable[str]) -> tuple[Address, ...]:
    """Interface addresses with their prefix lengths; the ones that are none are noted and left out."""
    found = []
    for text in texts:
        try:
            interface = ipaddress.ip_interface(text)
            if "/" not in text or "%" in text:
                reader.add(path, f"{shown(text)} has no prefix length", f"write it, such as {interface.ip}/24")
                continue
            found.append(Address(str(interface.ip), interface.network.prefixlen))
        except ValueError:
            reader.add(
                path, f"{shown(text)} is no IP address", 'write one with its prefix length, such as "10.1.2.10/24"'
            )
    if not found and path not in reader.bad and texts != ():
        reader.add(path, "there is no address", 'write one with its prefix length, such as "10.1.2.10/24"')
    return tuple(found)


def host(reader: Reader, path: Path, text: str) -> None:
    """An IP address without prefix length, or ""; anything else is noted."""
    if fault := bad_host(text):
        reader.add(path, *fault)


def bad_host(text: str) -> tuple[str, str] | None:
    """What is wrong with an address, and what would be right; None for a good one or none at all."""
    try:
        ipaddress.ip_address(text or "::")
    except ValueError:
        return f"{shown(text)} is no IP address", 'write one such as "10.1.2.1"; names are not resolved'
    return None


def _network(reader: Reader, path: Path, text: str) -> None:
    try:
        if text and text != "default":
            ipaddress.ip_network(text)
    except ValueError:
        reader.add(path, f"{shown(text)} is no network", 'write one with its prefix length, such as "10.9.0.0/16"')


def _name(reader: Reader, path: Path, name: str) -> None:
    if not NAME.fullmatch(name) or "." in name or len(name) > 32:
        reader.add(path, f"{shown(name)} is not a name", f"{NAME_CURE.split(';')[0]}, 32 letters at most")


def serials(reader: Reader, raw: object) -> tuple[SerialLine, ...]:
    """Every [serial.NAME], in the order of the file."""
    lines = []
    for name, table in named_tables(reader, raw, ("serial",), "line"):
        _name(reader, ("serial", name), name)
        values = reader.table(table, schema.SERIAL, ("serial", name), f"serial {shown(name)}")
        ports = {member: values.pop(member, "") for member in MEMBERS}
        lines.append(SerialLine(name=name, ports=ports, **values))
    return tuple(lines)


def standby(reader: Reader, raw: Values, lan_names: tuple[str, ...]) -> Standby:
    """[standby], with the defaults that its profile brings."""
    profile = raw.get("profile")
    defaults = schema.PROFILES.get(profile, {}) if isinstance(profile, str) else {}
    values = reader.table(raw, schema.STANDBY, ("standby",), "[standby]", defaults=defaults)
    conditions = []
    for index, row in enumerate(rows_of(values.pop("condition"))):
        inner = reader.table(row, schema.CONDITION, ("standby", "condition", index), "[[standby.condition]]")
        conditions.append(Condition(inner.get("when", ""), inner["for_ms"]))
    values["paths"] = values["paths"] or tuple(f"lan.{name}" for name in lan_names)
    return Standby(**values, conditions=tuple(conditions))


def time(reader: Reader, raw: Values) -> Time:
    """[time]."""
    return Time(**reader.table(raw, schema.TIME, ("time",), "[time]"))


def archive(reader: Reader, raw: Values) -> Archive:
    """[archive]: its files must leave room for the one that is written."""
    found = Archive(**reader.table(raw, schema.ARCHIVE, ("archive",), "[archive]"))
    bad = {("archive", "keep_mib"), ("archive", "segment_mib")} & reader.bad
    if found.keep_mib < 2 * found.segment_mib and not bad:
        wrong = f"keep_mib = {found.keep_mib} is less than two files of segment_mib = {found.segment_mib}"
        reader.add(("archive", "keep_mib"), wrong, f"write {2 * found.segment_mib} or more, or smaller files")
    return found
