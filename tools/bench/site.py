"""Any station as a lab: a copy of its configuration on loopback addresses, and a bench board with its serial ports."""

from __future__ import annotations

import re
from pathlib import Path

from tandem.config.load import load
from tandem.config.model import Config
from tools.bench.group import relocate
from tools.bench.plan import BOARD

_IPV4 = re.compile(r"(?<![\d.])(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(/\d{1,2})?(?![\d.])")
_HOSTS = re.compile(r"^(\s*hosts\s*=\s*)\[.*\]", re.MULTILINE)
PROBE_HOST, FOREIGN_HOST = "254.31", "127.0.0.1/32"


def prepare(source: str | Path, run: Path, octet: int) -> tuple[Path, Path]:
    """(configuration, board) folders in the run folder, on 127.OCTET.x.y. Raises ConfigError, OSError, ValueError."""
    load(str(source))  # refuse what is wrong in the user's own words, before anything is rewritten
    config = relocate(source, run / "config", octet)
    files = {f: f.read_text(encoding="utf-8-sig") for f in sorted(config.iterdir()) if f.suffix in (".toml", ".csv")}
    if _needs_moving(load(str(config))):
        _move(files, octet)
    board = run / "board"
    board.mkdir(exist_ok=True)
    (board / "board.toml").write_text(board_with_ports(config), encoding="utf-8")
    return config, board


def _needs_moving(config: Config) -> bool:
    ips = [a.ip for lan in config.lans for port in lan.members.values() for a in (*port.addresses, *lan.group)]
    ips += [device.host for master in config.masters for device in master.devices if device.host]
    return any(not ip.startswith("127.") for ip in ips)


def _move(files: dict[Path, str], octet: int) -> None:
    """Give every address that is not loopback a loopback one with the same end, and let the bench's centers in."""
    moved: dict[str, str] = {}
    taken: set[str] = set()

    def place(match: re.Match[str]) -> str:
        ip, prefix = ".".join(match.group(1, 2, 3, 4)), match[5] or ""
        if match[1] in ("127", "0"):
            return match[0]
        if ip not in moved:
            third, fourth = int(match[3]), int(match[4])
            while f"{third}.{fourth}" in taken:
                third = (third + 1) % 254
            taken.add(f"{third}.{fourth}")
            moved[ip] = f"127.{octet}.{third}.{fourth}"
        return moved[ip] + prefix

    number = -1

    def hosts(match: re.Match[str]) -> str:
        nonlocal number
        number += 1
        host = (f"127.{octet}.{PROBE_HOST}/32", FOREIGN_HOST)[number] if number < 2 else f"127.{octet}.253.{number}/32"
        return f'{match[1]}["{host}"]'

    for file, text in files.items():
        text = _IPV4.sub(place, text)
        file.write_text(_HOSTS.sub(hosts, text) if file.suffix == ".toml" else text, encoding="utf-8")


def board_with_ports(config: Path) -> str:
    """The bench's board.toml, with every serial port that the configuration names."""
    text = (BOARD / "board.toml").read_text(encoding="utf-8")
    ports = {port for line in load(str(config)).serials for port in line.ports.values()}
    known = set(re.findall(r"^([\w-]+) = \"\$TANDEM_BENCH", text, re.MULTILINE))
    more = "".join(f'{port} = "$TANDEM_BENCH/{port}"\n' for port in sorted(ports - known))
    return re.sub(r"(?m)^\[serial\].*\n", lambda header: header[0] + more, text, count=1)
