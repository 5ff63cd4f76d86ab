"""The ports beside a supervisor, to the witness and to who is on the LANs: at the end no socket of them is left."""

from __future__ import annotations

import asyncio
import gc
import os
import warnings
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tandem.action import Action, AskWitness, Probe
from tandem.config.load import load
from tandem.manage.gateway import _open_beside
from tandem.node import Node
from tandem.past import Past
from tandem.port import clock
from tandem.port.board import Board
from tandem.supervisor import Supervisor
from tests.support.configs import EXAMPLE

HERE = "127.0.0.1"


def supervisor() -> Any:
    """As much of one as the ports need."""
    config = load(EXAMPLE)
    config = replace(config, standby=replace(config.standby, witness=f"{HERE}:9"))
    node = Node(config, "a", None, Past({}), bytes, False, clock.monotonic_ns())
    return SimpleNamespace(
        loop=asyncio.get_running_loop(), config=config, member="a", node=node, carry_out={}, turn_soon=lambda: None,
        enter=clock.monotonic_ns, heart=SimpleNamespace(keep=lambda fd: None),
    )  # fmt: skip


def sockets() -> set[str]:
    """This process's, by what the kernel calls them."""
    found = set()
    for fd in os.listdir("/proc/self/fd"):
        try:
            found.add(os.readlink(f"/proc/self/fd/{fd}"))
        except FileNotFoundError:
            pass  # the descriptor that listed them
    return {name for name in found if name.startswith("socket:")}


def test_a_supervisor_that_ended_leaves_no_socket_to_witness_and_lans() -> None:
    async def story() -> None:
        made = supervisor()
        before = sockets()
        with _open_beside(cast(Supervisor, made), Board("none", "", {}), bytes(32)):
            asks: list[Action] = [AskWitness(b"hello"), Probe("device:M1", "station", HERE)]
            for ask in asks:
                made.carry_out[type(ask)](ask)
            await asyncio.sleep(0.01)
            opened = len(sockets() - before)
        del made
        gc.collect()
        assert opened >= 1 and sockets() == before

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always", ResourceWarning)
        asyncio.run(story())
        gc.collect()
    assert not [str(one.message) for one in seen if one.category is ResourceWarning]


@pytest.mark.parametrize(("octet", "witness", "which"), [(100, "", []), (0, "", [Probe]), (100, "x:1", [AskWitness])])
def test_who_has_no_use_for_a_port_has_none(octet: int, witness: str, which: list[type]) -> None:
    async def story() -> None:
        made = supervisor()
        made.config = replace(made.config, standby=replace(made.config.standby, witness=witness))
        with _open_beside(cast(Supervisor, made), Board("none", "", {}, plane_octet=octet), bytes(32)):
            assert list(made.carry_out) == which

    asyncio.run(story())
