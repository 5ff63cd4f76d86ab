"""`python -m tandem witness`: the granting witness, a small process for any third machine.

It gives the right to serve alone to one member of a group at a time. STATE holds for each group its key, NAME.key
(`--learn` makes it from a member's), and what was granted last, NAME.json.
"""

from __future__ import annotations

import argparse
import logging
import os
import secrets
import signal
import socket
import sys
import time
from pathlib import Path
from typing import Any

from tandem.codec.witness import SIZE, WitnessSeal, derive, group_of
from tandem.config.keys import NAME
from tandem.port.disk import StateFolder
from tandem.standby.granting import Granting, Held

PORT = 4722
_KEY_OCTETS = 32
_log = logging.getLogger("tandem.witness")


class Witness:
    """Every group of a state folder, on one socket."""

    def __init__(self, state: StateFolder, opened: socket.socket) -> None:
        """Raises ValueError for a folder without keys, or with one that is none."""
        self._state, self._socket = state, opened
        self._groups: dict[int, tuple[str, Granting]] = {}
        for file in sorted(state.path.glob("*.key")):
            key = bytes.fromhex(file.read_text(encoding="ascii").strip())
            if len(key) != _KEY_OCTETS:
                raise ValueError(f"{file} has {len(key)} octets, not {_KEY_OCTETS}: learn it again")
            seal = WitnessSeal(key)
            nonce = secrets.randbits(32) | 1
            self._groups[seal.group] = file.stem, Granting(seal, nonce, self._past(file.stem), time.monotonic_ns())
        if not self._groups:
            raise ValueError(f"{state.path} has no key: `python -m tandem witness --state DIR --learn STATE_OF_A`")

    @property
    def groups(self) -> list[str]:
        """Their names."""
        return [name for name, _ in self._groups.values()]

    def _past(self, name: str) -> Held:
        try:
            return Held.of(self._state.read(f"{name}.json"))
        except (ValueError, OSError) as error:
            _log.error("%s: %s; nothing is granted until every grant must be over", name, error)
            return Held()

    def serve(self) -> None:
        """Answer for ever, one datagram after the other."""
        while True:
            octets, sender = self._socket.recvfrom(SIZE + 1)
            self.answer(octets, sender)

    def answer(self, octets: bytes, sender: Any) -> None:
        """One datagram: what it changes is on flash before the answer leaves."""
        name, granting = self._groups.get(group_of(octets), ("", None))
        answer = granting.receive(octets, time.monotonic_ns()) if granting else None
        if granting is None or answer is None:
            return
        if answer.keep:
            if fault := self._state.write(f"{name}.json", answer.keep):
                _log.error("%s: %s; nothing is granted", name, fault)
                return
            granting.kept()
        if answer.said:
            _log.info("%s: %s", name, answer.said)
        try:
            self._socket.sendto(answer.octets, sender)
        except OSError as error:
            _log.warning("%s: no answer to %s: %s", name, sender[0], error.strerror)


def run(argv: list[str]) -> int:
    """Serve until it is stopped; exit code 2 for a start that was refused, with the reason in a sentence."""
    parser = argparse.ArgumentParser(prog="tandem witness", description="Grant one member at a time to serve alone.")
    parser.add_argument("--state", required=True, help="folder of the witness' own files")
    parser.add_argument("--listen", default="", help="address to listen at; the default is every one")
    parser.add_argument("--port", type=int, default=PORT, help=f"UDP port, {PORT}")
    parser.add_argument("--learn", metavar="STATE", default="", help="take the key from a member's folder, and end")
    parser.add_argument("--group", default="tandem", help="with --learn: the group's name here")
    try:
        asked = parser.parse_args(argv)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        state = StateFolder(asked.state)
        if asked.learn:
            return _learn(state, Path(asked.learn), asked.group)
        opened = _open(asked.listen, asked.port)
        witness = Witness(state, opened)
    except (OSError, ValueError) as error:
        print(f"tandem witness: {error}", file=sys.stderr)
        return 2
    shape = "%(asctime)s.%(msecs)03d %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=shape, datefmt="%T")
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: os._exit(0))  # what was granted is on flash
    _log.info("witness of %s at %s", ", ".join(witness.groups), opened.getsockname()[:2])
    witness.serve()
    return 0


def _open(listen: str, port: int) -> socket.socket:
    family = socket.AF_INET if (listen or not socket.has_dualstack_ipv6()) and ":" not in listen else socket.AF_INET6
    opened = socket.socket(family, socket.SOCK_DGRAM)
    if family == socket.AF_INET6:
        opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(bool(listen)))
    opened.bind((listen, port))
    return opened


def _learn(state: StateFolder, member: Path, group: str) -> int:
    if not NAME.fullmatch(group):
        raise ValueError(f'"{group}" is no name: begin with a letter, go on with letters, digits, - and _')
    beat_key = (member / "keys" / "beat.key").read_bytes()
    if fault := state.write(f"{group}.key", derive(beat_key).hex()):
        raise ValueError(fault)
    print(f"The witness knows {group} from now on: restart it. Keep {state.path} private.")
    return 0
