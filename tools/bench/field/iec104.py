"""`python -m tools.bench.field.iec104 --config DIR --dir RUN`: the 104 devices of a configuration, with their process.

A child of `tools.bench.field`, since c104 is a program of its own licence and threads. It appends to RUN/field.jsonl,
takes the field's questions as JSON lines on stdin and answers each with one on stdout: rate, stir, set, state.
"""

from __future__ import annotations

import argparse
import heapq
import json
import re
import sys
import threading
import time
from collections import deque
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

from tandem.config.load import load
from tandem.config.model import Config, Point
from tandem.point import Double, Kind
from tools.bench.field.ledger import Ledger
from tools.bench.field.places import remote_places
from tools.bench.field.remote import Remote
from tools.bench.processes import end_with_parent

TRAVEL_NS = 50_000_000
"""From an output's command to the contacts that follow it."""
_TURN_S = 0.001
_WORD = re.compile(r"[A-Za-z_][\w.-]*")
_SEQUENCES: dict[Kind, tuple[float, ...]] = {
    Kind.BINARY: (0.0, 1.0),
    Kind.DOUBLE: (float(Double.OFF), float(Double.ON)),
    Kind.STEP: tuple(float(n) for n in range(-5, 6)),
    Kind.BITSTRING: tuple(float(n) for n in range(256)),
}


def values_of(point: Point) -> tuple[float, ...]:
    """What a point steps through, over and over: each step is an event for the master and its centers."""
    if point.kind in _SEQUENCES:
        return _SEQUENCES[point.kind]
    step = max(1.0, 4 * point.deadband)
    return tuple(step * n for n in range(200))


class RemoteField:
    """All 104 devices and their process."""

    def __init__(self, config: Config, ledger: Ledger, rate: float) -> None:
        self._later: list[tuple[int, str, float]] = []
        self._lock = threading.Lock()
        self.remotes: list[Remote] = []
        self.of: dict[str, Remote] = {}
        points: list[Point] = []
        both = {device.host for m in config.masters if m.on_standby == "connected" for device in m.devices}
        for (host, port), found in remote_places(config).items():
            options = found[0][1]
            window = int(str(options.get("k", 12))), int(str(options.get("w", 8)))
            devices, sessions = [device for device, _ in found], 1 + (host in both)
            remote = Remote(host, port, devices, ledger, self._written, *window, sessions=sessions)
            self.remotes.append(remote)
            self.of |= dict.fromkeys(remote.points, remote)
            points += [point for device, _ in found for point in device.points]
        followers = {p.feedback.point for p in points if p.feedback}
        words = {word for p in points for word in _WORD.findall(p.interlock)}
        moving = [p for p in points if not p.kind.is_output and p.kind is not Kind.COUNTER]
        self._moving = deque((p.name, deque(values_of(p))) for p in moving if p.name not in followers | words)
        self._counting = [p.name for p in points if p.kind is Kind.COUNTER]
        self._next_ns = self._next_count = 0
        self.rate(rate)

    def rate(self, events: float) -> None:
        """Events a second over all points; 0 for none."""
        self._period_ns = int(1e9 / events) if events > 0 else 0
        self._next_ns = time.monotonic_ns()

    def step(self) -> None:
        """The point that has waited longest has its next value."""
        if self._moving:
            name, values = self._moving[0]
            self._moving.rotate(-1)
            values.rotate(-1)
            self.of[name].event(name, values[0])

    def stir(self) -> None:
        """Every point that may has its next value now."""
        for _ in range(len(self._moving)):
            self.step()

    def turn(self) -> None:
        """What is due, and what c104 takes."""
        now = time.monotonic_ns()
        while self._period_ns and self._next_ns <= now:
            self._next_ns += self._period_ns
            self.step()
        if self._next_count <= now:
            self._next_count = now + 1_000_000_000
            for name in self._counting:
                point = self.of[name].points[name]
                self.of[name].put(point, (point.value + 1) % 1_000_000, time.time_ns() // 1000)
        with self._lock:
            due = []
            while self._later and self._later[0][0] <= now:
                due.append(heapq.heappop(self._later))
        for _, name, value in due:
            self.of[name].event(name, value)
        for remote in self.remotes:
            remote.pump()

    def _written(self, device: str, output: Point, value: float) -> None:
        """A breaker: its contacts leave, and arrive a little later."""
        name = output.feedback.point if output.feedback else ""
        remote = self.of.get(name)
        if remote is not None and remote.points[name].value != value:
            with self._lock:
                if remote.points[name].point.kind is Kind.DOUBLE:
                    heapq.heappush(self._later, (time.monotonic_ns(), name, float(Double.INTERMEDIATE)))
                heapq.heappush(self._later, (time.monotonic_ns() + TRAVEL_NS, name, value))

    def do(self, asked: dict[str, Any]) -> dict[str, Any]:
        """One question. Raises KeyError for a point that is not here."""
        verb = asked["do"]
        if verb == "rate":
            self.rate(float(asked["value"]))
        elif verb == "stir":
            self.stir()
        elif verb == "set":
            self.of[asked["point"]].event(asked["point"], float(asked["value"]))
        elif verb == "state":
            values = {name: remote.points[name].value for name, remote in self.of.items()}
            unconfirmed = sum(remote.unconfirmed for remote in self.remotes)
            return {"values": values, "unconfirmed": unconfirmed, "overflowed": sum(r.overflowed for r in self.remotes)}
        return {}


def _questions(queue: SimpleQueue[str]) -> None:
    for line in sys.stdin:
        queue.put(line)


def main() -> int:
    """Serve until a signal."""
    parser = argparse.ArgumentParser(prog="field.iec104")
    parser.add_argument("--config", required=True, help="folder with gateway.toml and its lists")
    parser.add_argument("--dir", required=True, type=Path, help="run folder of the relay bench")
    parser.add_argument("--rate", type=float, default=0.0, help="events a second over all points")
    asked = parser.parse_args()
    end_with_parent()
    sys.setswitchinterval(0.0002)  # c104's threads call back while this one works
    field = RemoteField(load(asked.config), Ledger(asked.dir / "field.jsonl", fresh=False), asked.rate)
    for remote in field.remotes:
        remote.start()
    questions: SimpleQueue[str] = SimpleQueue()
    threading.Thread(target=_questions, args=(questions,), daemon=True).start()
    print(json.dumps({"devices": len(field.remotes)}), flush=True)
    while True:
        field.turn()
        try:
            line = questions.get(timeout=_TURN_S)
        except Empty:
            continue
        try:
            answer = {"ok": True, **field.do(json.loads(line))}
        except (ValueError, KeyError, TypeError) as error:
            answer = {"ok": False, "error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    sys.exit(main())
