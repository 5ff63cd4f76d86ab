"""Rules that join sections: references, the standby's paths and conditions, masters, slaves and their centers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tandem.config import when
from tandem.config.draft import Draft
from tandem.config.finding import nearest
from tandem.config.keys import shown
from tandem.config.locate import Path
from tandem.config.model import Config, Master, Slave
from tandem.config.read import Reader
from tandem.config.schema_iec import TYPES_101
from tandem.config.verify_witness import verify_witness
from tandem.point import Kind

_ZONE = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+){0,2}", re.ASCII)


def verify_standby(config: Config, reader: Reader) -> None:
    """[standby]: heartbeat paths, rings, witness."""
    standby = config.standby
    lans, serials = [lan.name for lan in config.lans], [line.name for line in config.serials]
    known = [f"lan.{name}" for name in lans] + [f"serial.{name}" for name in serials]
    for index, path in enumerate(standby.paths):
        key: Path = ("standby", "paths", index)
        if path not in known:
            reader.add(key, f"there is no heartbeat path {shown(path)}", nearest(path, known, "the paths are"))
        elif path in standby.paths[:index]:
            reader.add(key, f"heartbeat path {path} stands twice", "keep one of them")
    if len(standby.paths) == 1:
        cure = "add another LAN or a serial.NAME: one cut cable must not look like a dead peer"
        reader.warn(("standby", "paths"), f"{standby.paths[0]} is the only heartbeat path", cure)
    for ring in ("soe_records", "analog_records"):
        size = getattr(standby, ring)
        if size & (size - 1):
            cure = f"write a power of two, such as {1 << size.bit_length()}"
            reader.add(("standby", ring), f"{ring} = {size} is no power of two", cure)
    verify_witness(standby, reader)


def verify_conditions(config: Config, draft: Draft) -> None:
    """[[standby.condition]]: what each `when` names must exist."""
    reader = draft.reader
    names: dict[str, list[str]] = {
        "lan": [lan.name for lan in config.lans],
        "master": [master.name for master in config.masters],
        "center": [center.name for slave in config.slaves for center in slave.centers],
    }
    for index, condition in enumerate(config.standby.conditions):
        path: Path = ("standby", "condition", index, "when")
        if path in reader.bad or not condition.when:
            continue
        try:
            term = when.parse(condition.when)
        except ValueError as error:
            wrong, _, right = str(error).partition("; ")
            reader.add(path, wrong, right)
            continue
        if term.subject != "point":
            if term.name not in names[term.subject]:
                reader.add(
                    path, f"there is no {term.subject} {shown(term.name)}", nearest(term.name, names[term.subject])
                )
        elif term.name not in draft.kinds:
            if draft.whole:
                near = [name for name in draft.kinds if name[:2] == term.name[:2]][:2000]
                reader.add(path, f"there is no point {shown(term.name)}", nearest(term.name, near, "points there are"))
        elif draft.kinds[term.name] not in (Kind.BINARY, None):
            reader.add(path, f"{term.name} is not a binary point", "a condition looks at one that is 0 or 1")


def verify_time(config: Config, reader: Reader) -> None:
    """[time], and who may set the clock."""
    time = config.time
    slaves = {slave.name: slave for slave in config.slaves}
    for index, source in enumerate(time.sources):
        path: Path = ("time", "sources", index)
        if source in ("ptp", "pps", "ntp"):
            continue
        if not source.startswith("slave:"):
            reader.add(
                path, f"time source {shown(source)} is unknown", 'the sources are "ptp", "pps", "ntp", "slave:NAME"'
            )
        elif source[6:] not in slaves:
            reader.add(path, f"there is no slave {shown(source[6:])}", nearest(source[6:], slaves, "the slaves are"))
        elif slaves[source[6:]].clock_sync != "accept":
            cure = f'write clock_sync = "accept" in slave "{source[6:]}"'
            reader.add(path, f'slave "{source[6:]}" is a time source and does not accept the time', cure)
    for slave in config.slaves:
        if slave.clock_sync == "accept" and f"slave:{slave.name}" not in time.sources:
            cure = f'write sources = ["slave:{slave.name}"] in [time], or clock_sync = "answer"'
            reader.findings.add(slave.place, f'slave "{slave.name}" accepts the time and is no time source', cure)
    if "ntp" in time.sources and not time.ntp:
        reader.add(("time", "ntp"), "ntp is a time source, and no server is named", 'write ntp = ["10.1.2.9"]')
    if not _ZONE.fullmatch(time.zone):
        reader.add(("time", "zone"), f"zone = {shown(time.zone)} is no time zone", 'write one such as "Europe/Berlin"')


def _unique(items: Iterable[tuple[str, Path]], what: str, reader: Reader) -> None:
    seen: set[str] = set()
    for name, path in items:
        if name and name in seen:
            reader.add(path, f"there are two {what}s named {shown(name)}", f"give each {what} a name of its own")
        seen.add(name)


def _refer(name: str, known: list[str], path: Path, what: str, reader: Reader) -> None:
    if name and name not in known:
        reader.add(path, f"there is no {what} {shown(name)}", nearest(name, known, f"the {what}s are"))


def verify_masters(config: Config, paths: list[Path], reader: Reader) -> None:
    """[[master]] and its devices."""
    masters = list(zip(config.masters, paths, strict=True))
    lans, serials = [lan.name for lan in config.lans], [line.name for line in config.serials]
    _unique(((m.name, (*p, "name")) for m, p in masters), "master", reader)
    owners: dict[str, str] = {}
    for master, path in masters:
        _refer(master.lan, lans, (*path, "lan"), "LAN", reader)
        _refer(master.serial, serials, (*path, "serial"), "serial line", reader)
        _on_standby(master, (*path, "on_standby"), reader)
        for device in master.devices:
            if device.name in owners and device.name:
                wrong = f'device "{device.name}" exists already, under master "{owners[device.name]}"'
                reader.findings.add(device.place, wrong, "its name begins its points' names: give it one of its own")
            owners[device.name] = master.name
    _stations(config, reader)


def _on_standby(master: Master, path: Path, reader: Reader) -> None:
    """What a standby does with devices that are another member's to ask."""
    what = f'on_standby = "{master.on_standby}"'
    if master.on_standby == "polling":
        reader.add(path, f"{what}: not in this version yet", 'write "none"', "not-yet")
    elif master.on_standby == "connected" and master.protocol != "iec104":
        reader.add(path, f"{what} of a {master.protocol} master: not in this version yet", 'write "none"', "not-yet")
    elif master.on_standby == "connected" and master.source == "group":
        cure = 'write source = "own", and let the devices accept both members'
        reader.add(path, f'{what} with source = "group": a standby does not have the group address', cure)


def _stations(config: Config, reader: Reader) -> None:
    """No two devices at one address of a line, or of a host's port."""
    taken: dict[tuple[str, int, int, str], str] = {}
    for master in config.masters:
        for device in master.devices:
            if not (device.host or master.serial):
                continue
            link = str(device.options.get("link_address", ""))
            key = (device.host or master.serial, device.tcp_port, device.address, link)
            other = taken.setdefault(key, device.name)
            if other != device.name:
                where = f"address {device.address} of {device.host or master.serial}"
                wrong = f'device "{device.name}" has {where}, as "{other}" has'
                reader.findings.add(device.place, wrong, "give each its own: two answers at once destroy each other")


def verify_slaves(config: Config, paths: list[Path], reader: Reader) -> None:
    """[[slave]] and its control centers."""
    slaves = list(zip(config.slaves, paths, strict=True))
    lans, serials = [lan.name for lan in config.lans], [line.name for line in config.serials]
    _unique(((s.name, (*p, "name")) for s, p in slaves), "slave", reader)
    centers = [(c.name, (*p, "center", i, "name")) for s, p in slaves for i, c in enumerate(s.centers)]
    _unique(centers, "control center", reader)
    for slave, path in slaves:
        _refer(slave.lan, lans, (*path, "lan"), "LAN", reader)
        _refer(slave.serial, serials, (*path, "serial"), "serial line", reader)
        _hosts(slave, path, reader)
        _windows(slave, path, reader)
        types = slave.options.get("class2_types", ())
        for name in types if isinstance(types, tuple) else ():
            if name not in TYPES_101:
                reader.add((*path, "class2_types"), f"type {shown(name)} is unknown", nearest(name, TYPES_101))


def verify_windows(masters: Iterable[tuple[Master, Path]], reader: Reader) -> None:
    """t1, t2, k and w of IEC 104 masters."""
    for master, path in masters:
        _windows(master, path, reader)


def _hosts(slave: Slave, path: Path, reader: Reader) -> None:
    owners: dict[str, str] = {}
    for index, center in enumerate(slave.centers):
        for text in center.hosts:
            key: Path = (*path, "center", index, "hosts")
            other = owners.setdefault(text, center.name)
            if other is not center.name:
                wrong = f"{text} belongs to control center {shown(other)} already"
                reader.add(
                    key, wrong, "the longest prefix decides, so two of equal length cannot overlap: make one longer"
                )


def _windows(instance: Master | Slave, path: Path, reader: Reader) -> None:
    options = {key: value for key, value in instance.options.items() if isinstance(value, int)}
    if "t1_s" in options and options["t2_s"] >= options["t1_s"]:
        wrong = f"t2_s = {options['t2_s']} is not below t1_s = {options['t1_s']}"
        reader.add((*path, "t2_s"), wrong, "the peer would close before it is acknowledged: lower t2_s or raise t1_s")
    if "k" in options and options["w"] > options["k"]:
        wrong = f"w = {options['w']} is above k = {options['k']}"
        reader.add((*path, "w"), wrong, f"the peer would stop at k: write {max(1, options['k'] * 2 // 3)} or less")
    elif "k" in options and 3 * options["w"] > 2 * options["k"]:
        wrong = f"w = {options['w']} is above two thirds of k = {options['k']}"
        reader.warn((*path, "w"), wrong, f"write {max(1, options['k'] * 2 // 3)} or less")
