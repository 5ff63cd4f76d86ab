"""Any station as a laboratory: loopback addresses become 10.OCTET.x.y, interfaces are real, centers are outside."""

from __future__ import annotations

import re
from pathlib import Path

from tandem.config.load import load
from tandem.config.model import Config
from tools.bench.group import relocate
from tools.bench.site import board_with_ports

_HOSTS = re.compile(r"^(\s*hosts\s*=\s*)\[.*\]", re.MULTILINE)
_SECTION = re.compile(r"^\[lan\.([\w-]+)\]", re.MULTILINE)
_RELAYS = re.compile(r"^\[(?:relay|watchdog|sockets)\][^\[]*", re.MULTILINE)
_CENTER_NET, _CENTER_NET6, _FIRST_CENTER = 9, "fd00:9::", 30


def prepare(source: str | Path, run: Path, octet: int, relays: bool) -> tuple[Path, Path]:
    """(configuration, board) folders in the run folder. `relays`: played by the bench; else software arbitrates.

    Raises ConfigError, OSError, ValueError.
    """
    six = any(":" in address.ip for lan in load(str(source)).lans for address in lan.group)
    folder = relocate(source, run / "config", octet)
    for file in sorted(folder.iterdir()):
        if file.suffix in (".toml", ".csv"):
            text = file.read_text(encoding="utf-8-sig")
            if file.name == "gateway.toml":
                text = _toml(text, relays, _numbered(octet, six))
            file.write_text(text.replace(f"127.{octet}.", f"10.{octet}."), encoding="utf-8")
    board = run / "board"
    board.mkdir(exist_ok=True)
    text = board_with_ports(folder).replace('guardian = "bench"', _GUARDIAN[relays])
    if not relays:
        text = _RELAYS.sub("", text)
    (board / "board.toml").write_text(re.sub(r"(?m)^([ab]) = (100|200)$", r"\1 = 0", text), encoding="utf-8")
    return folder, board


_GUARDIAN = {True: 'guardian = "bench"\nnetwork = "kernel"', False: 'guardian = "none"\nnetwork = "kernel"'}


def _toml(text: str, relays: bool, centers: _numbered) -> str:
    """The group's file: interfaces, a router, centers, arbitration."""
    octet = centers.octet
    if f'"127.{octet}.' in text:
        parts = _SECTION.split(text)
        for place in range(1, len(parts), 2):
            name, body = parts[place], parts[place + 1].replace('interface = "lo"', f'interface = "{parts[place]}"')
            if place == len(parts) - 2 and not re.search(r"(?m)^router\s*=", body):
                net = re.search(r"127\.\d+\.(\d+)\.", body)
                body = f'\nrouter = "10.{octet}.{net[1] if net else 2}.1"' + body
            parts[place] = f"[lan.{name}]"
            parts[place + 1] = body
        text = "".join(parts)
        text = _HOSTS.sub(centers, text)
    if not relays:
        text = text.replace('arbitration = "relays"', 'arbitration = "software"')
        text = text.replace('switched = "role-relay"', 'switched = "own"       ')
    return text


class _numbered:
    """One host of the centers' network for each center, in the order of the file; `six`: an IPv6 one beside it."""

    def __init__(self, octet: int, six: bool) -> None:
        self.octet, self._six, self._next = octet, six, _FIRST_CENTER

    def __call__(self, match: re.Match[str]) -> str:
        host, self._next = self._next, self._next + 1
        hosts = [f'"10.{self.octet}.{_CENTER_NET}.{host}/32"']
        if self._six:
            hosts.append(f'"{_CENTER_NET6}{host}/128"')
        return f"{match[1]}[{', '.join(hosts)}]"


def center_hosts(config: Config) -> tuple[str, str]:
    """(the probe's address, c104's or ""): of the center named probe, else of the last; and of another one."""
    slave = next((s for s in config.slaves if s.protocol == "iec104"), None)
    hosts = {c.name: c.hosts[0].partition("/")[0] for c in slave.centers if c.hosts} if slave else {}
    if not hosts:
        raise ValueError("no [[slave.center]] of an iec104 slave names its hosts: nobody could call")
    probe = "probe" if "probe" in hosts else list(hosts)[-1]
    return hosts[probe], next((host for name, host in hosts.items() if name != probe), "")
