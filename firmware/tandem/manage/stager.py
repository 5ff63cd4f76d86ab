"""Carries `Stage` out beside the loop: a process verifies, this hands its answer to the node."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any, cast

from tandem import kept as keep
from tandem.action import Action, Stage
from tandem.past import Past
from tandem.port import clock
from tandem.port.disk import StateFolder
from tandem.supervisor import Supervisor

_MOST_S = 120.0
_ORDINARY = (
    "import contextlib, os, sys\n"
    "with contextlib.suppress(PermissionError): os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))\n"
    "with contextlib.suppress(PermissionError): os.nice(10)\n"
    "os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"
)
"""A child inherits the loop's real-time priority: this gives it back before anything large is loaded.

A service's manager has seen to it already, and may forbid to ask.
"""
_FIRMWARE = Path(__file__).resolve().parents[2]


class Stager:
    """One at a time is enough: a member takes part in one commit."""

    def __init__(self, supervisor: Supervisor, state: StateFolder, board: str) -> None:
        self._supervisor = supervisor
        self._state = state
        where = ["--state", str(self._state.path), "--board", board, "--member", supervisor.member]
        self._command = [sys.executable, "-I", "-S", "-c", _ORDINARY, "-m", "tandem.manage.stage", *where]
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self, action: Action) -> None:
        """Begin; the answer comes as a turn of its own."""
        task = self._supervisor.loop.create_task(self._stage(cast(Stage, action)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _stage(self, wanted: Stage) -> None:
        more = ["--given"] * wanted.given + (["--name", wanted.name] if wanted.name else [])
        try:
            answer = await asyncio.wait_for(self._run([*self._command, *more], wanted.pack.encode()), _MOST_S)
        except (OSError, ValueError, TimeoutError) as error:
            answer = {"why": f"it could not be verified: {error or 'that took too long'}"}
        self._supervisor.node.commit.staged(answer, clock.monotonic_ns())
        self._supervisor.turn_soon()

    async def _run(self, command: list[str], pack: bytes) -> dict[str, Any]:
        pipe = asyncio.subprocess.PIPE
        places = filter(None, (str(_FIRMWARE), os.environ.get("PYTHONPATH")))
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(places)}
        process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe, env=env)
        try:
            printed, _ = await process.communicate(pack)
        except asyncio.CancelledError:
            process.kill()
            raise
        answer: dict[str, Any] = json.loads(printed)
        if "why" not in answer:
            answer["pack"] = self._state.read(keep.pack_file(str(answer["id"])))
            answer["registry"] = self._state.read(Past.REGISTRY)
        return answer
