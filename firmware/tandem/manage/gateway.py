"""`python -m tandem gateway`: one member, from its configuration to the running loop."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import os
import signal
import ssl
import sys
import time
from collections.abc import Callable
from pathlib import Path

from tandem.action import AskWitness, Probe, Stage
from tandem.codec.witness import WitnessSeal, derive
from tandem.config import stalls
from tandem.config.finding import ConfigError
from tandem.config.model import Config, Member
from tandem.config.stalls import refusal
from tandem.manage.api import LocalApi
from tandem.manage.choose import choose, is_on_trial
from tandem.manage.stager import Stager
from tandem.port import clock, notify
from tandem.port.again import begin_again
from tandem.port.board import Board, BoardError, load_board
from tandem.port.disk import StateFolder
from tandem.port.heart import HeartClient
from tandem.port.probes import Prober
from tandem.port.realtime import be_realtime
from tandem.port.tls import Keys, load_keys
from tandem.port.witness import WitnessPort
from tandem.supervisor import Supervisor

_SUPERVISOR_PRIORITY = 10
_HEART_PRIORITY = 20
_AGAIN = 3  # no exit code: the program begins anew
_log = logging.getLogger("tandem")


def run(argv: list[str], beside: Callable[[Supervisor], object] | None = None) -> int:
    """Run a member until it is stopped; exit code 2 for a start that was refused, with the reason in a sentence.

    A member that has to begin anew (another configuration, other point ids, a dead heart) does so by itself.
    `beside` is called once with the running supervisor: how a bench puts a load at the database's door.
    """
    parser = argparse.ArgumentParser(prog="tandem gateway", description="Run one member of a redundancy group.")
    parser.add_argument("--config", required=True, help="folder with gateway.toml and its lists")
    parser.add_argument("--member", required=True, choices=("a", "b"))
    parser.add_argument("--state", required=True, help="folder of this member's own files (keys, registry, histories)")
    parser.add_argument("--board", default="bench", help="a board's name or folder")
    parser.add_argument("--api", default="", help="the socket that people ask (api.sock in the state folder)")
    parser.add_argument("--unmeasured", action="store_true", help="for a bench: any profile, whatever was measured")
    asked = parser.parse_args(argv)
    began_s = time.monotonic()
    shape = "%(asctime)s.%(msecs)03d %(message)s"
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format=shape, datefmt="%T")
    try:
        board = load_board(asked.board, asked.member)
        state = StateFolder(asked.state)
        config = choose(asked.config, state, board.relay, frozenset(board.serial_ports))
        if refused := refusal(config.standby.profile, state.read(stalls.FILE), os.uname().release):
            if not asked.unmeasured:
                return _refuse(refused)
            _log.warning("%s; started all the same", refused)
        keys = load_keys(state.path / "keys")
        beat_key = (state.path / "keys" / "beat.key").read_bytes()
    except (ConfigError, BoardError) as error:
        return _refuse(str(error))
    except (OSError, ValueError, ssl.SSLError) as error:
        return _refuse(f"{error}; the members' keys are made with `tandem pair`, the state folder must be writable")
    try:
        code = asyncio.run(_main(config, asked, board, state, keys, beat_key, beside))
    except Exception:
        if not is_on_trial(state):
            raise
        _log.exception("the configuration on trial ended the gateway")
        code = _AGAIN
    if code == _AGAIN:
        begin_again(began_s)
    return code


def _open_beside(supervisor: Supervisor, board: Board, beat_key: bytes) -> contextlib.ExitStack:
    """The ports that not every supervisor has; what is returned closes them."""
    ports = contextlib.ExitStack()
    if supervisor.config.standby.witness:
        ports.callback(_ask_witness(supervisor, beat_key).close)
    if not board.plane_octet:  # the bench's LANs are played: whoever is asked there is this machine itself
        ports.callback(_probe(supervisor).close)
    return ports


def _ask_witness(supervisor: Supervisor, beat_key: bytes) -> WitnessPort:
    """Open the way to the granting witness, with the key that it shares with the pair."""

    def heard(octets: bytes) -> None:
        if supervisor.node.witness_says(octets, supervisor.enter()):
            supervisor.turn_soon()

    supervisor.node.ask_witness(WitnessSeal(derive(beat_key)), clock.monotonic_ns())
    port = WitnessPort(supervisor.loop, supervisor.config.standby.witness, heard)
    supervisor.carry_out[AskWitness] = port.send
    return port


def _probe(supervisor: Supervisor) -> Prober:
    """Open the way to ask who is there on the LANs."""
    node = supervisor.node

    def answered(key: str) -> None:
        if node.probed(key):
            supervisor.turn_soon()

    def unable(key: str, why: str) -> None:
        if sentence := node.reach.unable(key, why):
            _log.warning("%s", sentence)

    keep, member = supervisor.heart.keep, supervisor.member
    prober = Prober(supervisor.loop, supervisor.config, member, answered, unable, keep)
    supervisor.carry_out[Probe] = prober.send
    node.reach.begin(clock.monotonic_ns())
    return prober


def _refuse(reason: str) -> int:
    print(f"tandem gateway: {reason}", file=sys.stderr)
    return 2


async def _main(
    config: Config,
    asked: argparse.Namespace,
    board: Board,
    state: StateFolder,
    keys: Keys,
    beat_key: bytes,
    beside: Callable[[Supervisor], object] | None,
) -> int:
    member: Member = asked.member
    heart = HeartClient.spawn(config, member, board, beat_key, priority=_HEART_PRIORITY)
    state.write("pids.json", json.dumps({"supervisor": os.getpid(), "heart": heart.pid}))  # for who watches them
    try:
        supervisor = Supervisor(config, member, board, state, keys, heart)
    except Exception:
        heart.close()
        raise
    supervisor.carry_out[Stage] = Stager(supervisor, state, asked.board).start
    ports = _open_beside(supervisor, board, beat_key)
    api = LocalApi(supervisor, Path(asked.api) if asked.api else state.path / "api.sock")
    await api.open()
    for signum in (signal.SIGTERM, signal.SIGINT):
        supervisor.loop.add_signal_handler(signum, supervisor.end)
    if beside is not None:
        beside(supervisor)
    gc.collect()
    gc.freeze()  # what exists now lives as long as the process: a later collection need not walk it
    refused = be_realtime(_SUPERVISOR_PRIORITY)  # last: a start would hold up whoever else has it
    supervisor.node.realtime = not refused
    _log.info("member %s of %s is up%s", member, config.group.name, f" (not permitted: {refused})" if refused else "")
    notify.tell("READY=1")
    with ports:
        reason = await supervisor.run()
    _log.info("ending: %s", reason)
    await api.close()
    return 0 if reason == "stopped" else _AGAIN
