"""`python -m tandem network`: writes what the operating system must know of the configuration that runs.

Files of systemd-networkd, the elements of the firewall's sets, and chrony's sources; whoever calls it has them read.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tandem.config import hostnet
from tandem.config.finding import ConfigError
from tandem.manage.choose import peek
from tandem.port.board import BoardError, load_board
from tandem.port.disk import StateFolder

_OURS = "10-tandem-*"


def run(argv: list[str]) -> int:
    """Write; exit code 1 with a sentence where there is no configuration to go by, and then nothing is changed."""
    parser = argparse.ArgumentParser(prog="tandem network", description="Tell the operating system of the group.")
    parser.add_argument("--config", required=True, help="folder with gateway.toml and its lists")
    parser.add_argument("--state", required=True, help="the member's state folder")
    parser.add_argument("--member", required=True, choices=("a", "b"))
    parser.add_argument("--board", required=True, help="a board's name or folder")
    parser.add_argument("--networkd", type=Path, required=True, help="folder for systemd-networkd's files")
    parser.add_argument("--out", type=Path, required=True, help="folder for doors.nft, group.addresses and chrony")
    parser.add_argument("--ssh", type=Path, help="a file that is there while people may come by SSH")
    asked = parser.parse_args(argv)
    try:
        board = load_board(asked.board, asked.member)
        config = peek(asked.config, StateFolder(asked.state), board.relay, frozenset(board.serial_ports))
        _replace(asked.networkd, hostnet.networkd(config, asked.member))
        people = asked.ssh is not None and asked.ssh.exists()
        write_new(asked.out / "doors.nft", hostnet.doors(config, asked.member, people))
        write_new(asked.out / "group.addresses", hostnet.group_addresses(config, asked.member))
        write_new(asked.out / "chrony" / "tandem.sources", hostnet.time_sources(config))
    except (ConfigError, BoardError, OSError) as error:
        print(f"tandem network: {error}", file=sys.stderr)
        return 1
    return 0


def _replace(folder: Path, files: dict[str, str]) -> None:
    """These files and no other of ours; one that says the same is not touched, so that nobody acts on it."""
    for name, text in files.items():
        write_new(folder / name, text)
    for old in folder.glob(_OURS):
        if old.name not in files:
            old.unlink()


def write_new(file: Path, text: str) -> None:
    """Write a file whole, unless it says that already. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    if file.exists() and file.read_text(encoding="utf-8") == text:
        return
    fresh = file.with_name(f".{file.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(file)
