"""From a folder to a verified configuration, or to every fault in it."""

from __future__ import annotations

import os

from tandem.config import build, schema
from tandem.config.draft import Draft
from tandem.config.files import decode, read_folder
from tandem.config.finding import ConfigError, Finding, Findings
from tandem.config.masters import Masters
from tandem.config.model import Config, Place
from tandem.config.read import Reader
from tandem.config.references import verify_remote
from tandem.config.slaves import Slaves
from tandem.config.timing import RelayTimes, verify_timing
from tandem.config.verify_counts import verify_cursors
from tandem.config.verify_group import (
    verify_conditions,
    verify_masters,
    verify_slaves,
    verify_standby,
    verify_time,
    verify_windows,
)
from tandem.config.verify_net import verify_board_ports, verify_lans, verify_ports, verify_serials
from tandem.system import system_points

__all__ = ["ConfigError", "Finding", "RelayTimes", "load", "parse_group", "parse_octets", "verify"]


def load(
    folder: str | os.PathLike[str], relay: RelayTimes | None = None, ports: frozenset[str] | None = None
) -> Config:
    """The configuration of a folder. Raises ConfigError with every finding."""
    config, findings = verify(folder, relay, ports)
    if config is None:
        raise ConfigError(findings)
    return config


def verify(
    folder: str | os.PathLike[str], relay: RelayTimes | None = None, ports: frozenset[str] | None = None
) -> tuple[Config | None, list[Finding]]:
    """(configuration, findings): None where there is an error; warnings may stand beside a configuration."""
    name = os.fspath(folder)
    try:
        files = read_folder(name)
    except OSError as error:
        what = error.strerror or str(error)
        return None, [
            Finding(Place(name, 1), f"the folder cannot be read: {what}", "name a folder with a gateway.toml")
        ]
    return parse_octets(files, relay, name, ports)


def parse_octets(
    files: dict[str, bytes], relay: RelayTimes | None = None, folder: str = "", ports: frozenset[str] | None = None
) -> tuple[Config | None, list[Finding]]:
    """As `parse_group`, over the files' octets; one that is not UTF-8 is a fault only where it is used."""
    texts: dict[str, str] = {}
    damaged: dict[str, Finding] = {}
    for name, octets in files.items():
        try:
            texts[name] = decode(octets)
        except UnicodeDecodeError as error:
            line = octets.count(b"\n", 0, error.start) + 1
            wrong = f"octet {octets[error.start]:#04x} is not UTF-8"
            damaged[name] = Finding(Place(name, line), wrong, "save the file as UTF-8")
            texts[name] = decode(octets.decode("utf-8", "replace").encode())
    return _parse(texts, damaged, relay, folder, ports)


def parse_group(
    files: dict[str, str], relay: RelayTimes | None = None, folder: str = "", ports: frozenset[str] | None = None
) -> tuple[Config | None, list[Finding]]:
    """(configuration, findings) of a group's files, name -> text: pure, and never raises for any text.

    `relay` and the names of serial `ports` come from the board; without them the rules that need them are left out.
    """
    texts = {
        name: text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n") for name, text in files.items()
    }
    return _parse(texts, {}, relay, folder, ports)


def _parse(
    texts: dict[str, str],
    damaged: dict[str, Finding],
    relay: RelayTimes | None,
    folder: str,
    ports: frozenset[str] | None,
) -> tuple[Config | None, list[Finding]]:
    findings = Findings()
    if schema.MAIN_FILE not in texts:
        wrong = f"there is no {schema.MAIN_FILE}"
        findings.add(Place(schema.MAIN_FILE, 1), wrong, "one file of that name describes the group")
        return None, findings.all()
    reader = Reader(schema.MAIN_FILE, texts[schema.MAIN_FILE], findings)
    draft = Draft(texts, reader, findings)
    config = _build(draft, relay, folder) if reader.readable and _readable_format(reader) else None
    if config is not None and ports is not None:
        verify_board_ports(config, ports, reader)
    for name in draft.used & damaged.keys():
        fault = damaged[name]
        findings.add(fault.place, fault.wrong, fault.right)
    return (None if findings.failed else config), findings.all()


def _readable_format(reader: Reader) -> bool:
    """A newer format is refused by name, and nothing else of it is judged."""
    number = reader.raw.get("format", schema.FORMAT)
    if isinstance(number, int) and not isinstance(number, bool) and number > schema.FORMAT:
        wrong = f"format = {str(number)[:20]} is newer than this gateway's format {schema.FORMAT}"
        reader.add(("format",), wrong, "update the gateway, or take a configuration written for this version")
        return False
    return True


def _build(draft: Draft, relay: RelayTimes | None, folder: str) -> Config:
    reader = draft.reader
    raw = build.top(reader)
    group = build.group(reader, raw.get("group", {"name": "unnamed"}))
    lans = build.lans(reader, raw.get("lan"))
    serials = build.serials(reader, raw["serial"])
    standby = build.standby(reader, raw["standby"], tuple(lan.name for lan in lans))
    time, archive = build.time(reader, raw["time"]), build.archive(reader, raw["archive"])
    masters, slaves = Masters(draft), Slaves(draft)
    masters.read(raw["master"])
    slaves.read(raw["slave"])
    config = Config(group, lans, serials, standby, time, tuple(masters.masters), tuple(slaves.slaves))
    for point in system_points(config):
        draft.kinds[point.name] = point.kind
    verify_lans(config, reader)
    verify_serials(config, reader)
    verify_ports(config, reader)
    verify_standby(config, reader)
    verify_conditions(config, draft)
    verify_time(config, reader)
    verify_masters(config, masters.paths, reader)
    verify_slaves(config, slaves.paths, reader)
    verify_cursors(config, reader)
    verify_windows(zip(masters.masters, masters.paths, strict=True), reader)
    verify_timing(config, relay, reader)
    with_points, with_rows = masters.finish(), slaves.finish()
    verify_remote(config, slaves.paths, draft)
    digest = draft.digest()
    return Config(group, lans, serials, standby, time, with_points, with_rows, folder, digest, archive)
