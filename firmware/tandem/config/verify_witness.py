"""Rules of the granting witness: is it named, is it asked, and does its time leave room."""

from __future__ import annotations

import re

from tandem.config.keys import shown
from tandem.config.model import Standby
from tandem.config.read import Reader

_HOST_PORT = re.compile(r"(?:([A-Za-z0-9.-]+)|\[([0-9A-Fa-f:.]+)\]):([0-9]{1,5})", re.ASCII)
_RENEWALS = 4
_UNANSWERED_MS = 300


def host_port(text: str) -> tuple[str, int]:
    """(host, UDP port) of a witness. Raises ValueError for a text that is none."""
    match = _HOST_PORT.fullmatch(text)
    if match is None or not 1 <= int(match[3]) <= 65535:
        raise ValueError(f"{shown(text)} is no host and port")
    return match[1] or match[2], int(match[3])


def verify_witness(standby: Standby, reader: Reader) -> None:
    """[standby]: witness, its time to live, and what arbitration and partition make of it."""
    at, arbitration = ("standby", "witness"), standby.arbitration
    try:
        if standby.witness:
            host_port(standby.witness)
    except ValueError as error:
        reader.add(at, f"witness = {error}", 'write host:port, such as "10.1.2.9:4722"')
        return
    if arbitration == "witness" and not standby.witness:
        cure = 'write witness = "host:port" of a machine that runs `tandem witness`, or arbitration = "software"'
        reader.add(("standby", "arbitration"), "there is no witness to ask", cure)
    if standby.partition == "stop" and not standby.witness and arbitration == "software":
        cure = 'name a witness, or write partition = "serve"'
        reader.warn(("standby", "partition"), "a member alone would always stop: there is no witness", cure)
    if not standby.witness:
        return
    if arbitration == "relays":
        cure = "take it out, or let it arbitrate where there are no relays"
        reader.warn(at, "the witness is never asked: the relays arbitrate", cure)
    elif arbitration == "software" and standby.partition == "serve":
        cure = 'write arbitration = "witness", or partition = "stop"'
        reader.warn(at, "the witness is never asked: both members may serve alone", cure)
    least = _RENEWALS * _UNANSWERED_MS
    if standby.witness_ttl_ms < least:
        wrong = f"witness_ttl_ms = {standby.witness_ttl_ms} leaves less than {_UNANSWERED_MS} ms for each renewal"
        reader.warn(("standby", "witness_ttl_ms"), wrong, f"write {least} or more")
