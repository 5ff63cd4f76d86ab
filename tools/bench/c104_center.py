"""`python -m tools.bench.c104_center --config DIR --dir RUN`: lib60870's client (c104) as a control center.

A foreign implementation, so what it hears is evidence that ours is understood. It connects from 127.0.0.1 (it cannot
bind), pauses a second by itself between connections, and calls back from threads of its own. It reads the callbacks'
annotations, so this file does without postponed ones. RUN/c104.jsonl:

    {"t": monotonic ns, "what": "state", "state": NAME}      {"t", "what": "event", "ioa", "point", "value", "cause"}
"""

import argparse
import json
import signal
import sys
import threading
import time
from pathlib import Path
from typing import IO, Any

import c104

from tandem.config.load import load
from tools.bench.processes import end_with_parent
from tools.bench.served import Served, served

_TICK_MS = 50


class Center:
    """One client with one connection; a lock guards the ledger, c104's callbacks come from several threads."""

    def __init__(self, target: Served, ledger: IO[str]) -> None:
        self.target = target
        self._ledger = ledger
        self._lock = threading.Lock()
        self.client = c104.Client(tick_rate_ms=_TICK_MS, command_timeout_ms=2000)
        connection = self.client.add_connection(target.host, target.port, init=c104.Init.INTERROGATION)
        if connection is None:
            raise ValueError(f"c104 takes no connection to {target.host}:{target.port}")
        self.connection = connection
        station = connection.add_station(target.common_address)
        if station is None:
            raise ValueError(f"c104 takes no station {target.common_address}")
        connection.on_state_change(self._state_changed)
        self._points: list[c104.Point] = []
        for ioa, row in target.inputs.items():
            point = station.add_point(ioa, getattr(c104.Type, row.type))
            if point is not None:
                point.on_receive(self._received)
                self._points.append(point)

    def note(self, what: str, **fields: Any) -> None:
        """One line of the ledger."""
        line = json.dumps({"t": time.monotonic_ns(), "what": what, **fields}) + "\n"
        with self._lock:
            self._ledger.write(line)

    def _state_changed(self, connection: c104.Connection, state: c104.ConnectionState) -> None:
        self.note("state", state=state.name)

    def _received(
        self, point: c104.Point, previous_info: c104.Information, message: c104.IncomingMessage
    ) -> c104.ResponseState:
        del previous_info  # c104 insists on the parameter and on its name
        try:
            raw: Any = point.value
            wire = float(getattr(raw, "value", raw) if not isinstance(raw, bool | int | float) else raw)
            value = self.target.value(point.io_address, wire)
            self.note("event", ioa=point.io_address, point=self.target.name(point.io_address), value=value,
                      cause=message.cot.value)  # fmt: skip
        except (TypeError, ValueError) as error:
            self.note("trouble", ioa=point.io_address, text=str(error))
        return c104.ResponseState.SUCCESS


def main() -> int:
    """Run until a signal; exit code 2 with a sentence where the configuration gives nothing to call."""
    parser = argparse.ArgumentParser(prog="c104_center")
    parser.add_argument("--config", required=True, help="folder with gateway.toml and its lists")
    parser.add_argument("--dir", required=True, type=Path, help="run folder")
    asked = parser.parse_args()
    end_with_parent()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with (asked.dir / "c104.jsonl").open("w", encoding="utf-8", buffering=1) as ledger:
        try:
            center = Center(served(load(asked.config)), ledger)
        except (OSError, ValueError) as error:
            print(f"c104 center: {error}", file=sys.stderr)
            return 2
        center.client.start()
        print("c104 center ready", flush=True)
        while not stop.wait(0.02):
            if center.connection.is_connected and center.connection.is_muted:
                center.connection.unmute()
        center.client.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
