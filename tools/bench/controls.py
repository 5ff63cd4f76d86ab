"""An operator at the probe: numbered setpoints at a steady pace, and one after the other while nothing is executed."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

from tools.bench.client import JsonLines
from tools.bench.served import Served

_PACE_S = 1.0
_HURRY_S = 0.005
_NUMBERS = 30_000


class Operator:
    """A thread that commands. `hurry` until `calm`: the next control follows the last one's answer by 5 ms."""

    def __init__(self, run: Path, target: Served) -> None:
        self.answers: list[dict[str, Any]] = []
        self._run_folder = run
        self._row = _setpoint(target)
        self._hurry = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._number = 0

    @property
    def point(self) -> str:
        """The output that is commanded; "" where the configuration serves none."""
        return self._row[1] if self._row else ""

    def start(self) -> None:
        """Begin; without an output there is nothing to do."""
        if self._row is not None:
            self._thread = threading.Thread(target=self._work, daemon=True)
            self._thread.start()

    def hurry(self) -> None:
        """The fault is there: command until one is executed."""
        self._hurry.set()

    def calm(self) -> None:
        """Back to the steady pace."""
        self._hurry.clear()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join(15)
            self._thread = None

    def _work(self) -> None:
        assert self._row is not None
        probe = JsonLines(self._run_folder / "probe.sock", timeout_s=20, wait_s=5)
        ioa, _, sbo, values = self._row
        waited = 0.0
        while not self._stop.is_set():
            if waited < _PACE_S and not self._hurry.is_set():
                waited += 0.05 if not self._hurry.wait(0.05) else 0
                continue
            waited = 0.0
            value = values[self._number % len(values)]
            self._number += 1
            sent = time.monotonic_ns()
            try:
                answer = probe.ask({"do": "command", "ioa": ioa, "value": value, "select": sbo})
            except ValueError as error:
                answer = {"error": str(error)}
            except OSError:
                return
            self.answers.append({"t": sent, "value": value, **answer})
            if self._hurry.is_set():
                self._stop.wait(_HURRY_S)
        probe.close()


def _setpoint(target: Served) -> tuple[int, str, bool, list[float]] | None:
    """(address, point, select first, values): a setpoint, of which each value is unique; else the first command."""
    for ioa, row in sorted(target.outputs.items()):
        if "_SE_" in row.type and not row.type.startswith(("C_SE_NA", "C_SE_TA")):
            scale = abs(row.scale) or 1.0
            return ioa, row.point, row.control == "sbo", [float(n) for n in range(1, int(_NUMBERS / max(1.0, scale)))]
    for ioa, row in sorted(target.outputs.items()):
        return ioa, row.point, row.control == "sbo", [1.0, 2.0] if "_DC_" in row.type else [0.0, 1.0]
    return None
