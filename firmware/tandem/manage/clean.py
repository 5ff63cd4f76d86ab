"""`python -m tandem clean`: takes away what a heart that was killed left: group addresses, the lease, lines and lamps.

For ExecStopPost= of whatever service manager runs the gateway. Addresses are known by the mark that a heart puts on
them (kernel 5.18 and later); with a configuration also by what it says. A GPIO line keeps the level that a dead driver
gave it: the relays do not trust it, and people who read the lamps must not have to.
"""

from __future__ import annotations

import argparse
import ipaddress
import os
import sys

from tandem.codec import lease, netlink
from tandem.config.finding import ConfigError
from tandem.config.load import load
from tandem.port.board import load_board
from tandem.port.netlink import NETFILTER, ROUTE, Netlink
from tandem.port.pins import open_pins


def run(argv: list[str]) -> int:
    """Clean; exit code 1 with a sentence where the kernel refuses, 0 also where there was nothing."""
    parser = argparse.ArgumentParser(prog="tandem clean", description="Remove what a killed gateway left behind.")
    parser.add_argument("--config", help="folder with gateway.toml: its group addresses go, marked or not")
    parser.add_argument("--board", help="board folder or name: its GPIO outputs go low")
    asked = parser.parse_args(argv)
    try:
        if asked.board:
            print(_darken(asked.board))
        config = load(asked.config) if asked.config else None
        group = {ipaddress.ip_address(a.ip).packed for lan in config.lans for a in lan.group} if config else set()
        for sentence in _addresses(group):
            print(sentence)
        _lease()
    except (ConfigError, OSError) as error:
        print(f"tandem clean: {error}", file=sys.stderr)
        return 1
    return 0


def _darken(board: str) -> str:
    """Outputs are low as soon as they are claimed, and stay so when they are given back. Raises PinsError."""
    plan = load_board(board, "a").pins
    if plan.get("driver") != "gpio":
        return f"board {board} has no GPIO outputs of its own"
    open_pins(plan).close()
    return f"the GPIO outputs of board {board} are low"


def _addresses(group: set[bytes]) -> list[str]:
    kernel = Netlink(ROUTE)
    told = []
    try:
        for kind, body in kernel.dump(netlink.list_addresses(kernel.next())):
            found = netlink.read_address(kind, body)
            if found is None or not (found.ours or found.ip in group):
                continue
            name = str(ipaddress.ip_address(found.ip))
            (code,) = kernel.ask([netlink.remove_address(found.number, found.ip, found.prefix, kernel.next())])
            if code:
                raise OSError(code, f"{name}/{found.prefix} cannot be removed: {os.strerror(code)}")
            told.append(f"{name}/{found.prefix} is removed")
    finally:
        kernel.close()
    return told


def _lease() -> None:
    """A kernel without nf_tables has no lease to take away."""
    try:
        kernel = Netlink(NETFILTER)
    except OSError:
        return
    try:
        kernel.transact(lease.no_tables())
    finally:
        kernel.close()
