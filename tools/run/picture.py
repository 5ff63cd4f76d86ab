"""The whole picture of a run, made of what members, bench and control centers say at this moment."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tandem.config.model import Row
from tools.bench.pair import Pair
from tools.bench.plan import MEMBERS
from tools.bench.tail import Tail
from tools.run.panel import front_panel

_EVENTS = 11
_KEYS = (
    ("k", "kill"), ("f", "freeze"), ("p", "power"), ("s", "switch over"), ("1", "{0}"), ("2", "{1}"),
    ("x", "crossover"), ("r", "restore"), ("c", "control"), ("q", "quit"),
)  # fmt: skip


class Picture:
    """Draws; keeps its own place in the centers' ledgers."""

    def __init__(self, pair: Pair) -> None:
        self.pair = pair
        self._probe, self._c104 = Tail(pair.run / "probe.jsonl"), Tail(pair.run / "c104.jsonl")
        self._events: list[dict[str, Any]] = []
        self._counts = {"probe": 0, "c104": 0}
        self._state = {"probe": "waiting", "c104": "waiting" if pair.foreign else "not in this configuration"}
        self._lost_ns = 0
        self._gap_ms: float | None = None
        self._commanded: dict[str, float] = {}

    def next_value(self, row: Row) -> float:
        """What to command next at an output: the other state, or the next number."""
        last = self._commanded.get(row.point, 1.0 if "_DC_" in row.type else 0.0)
        value = 3.0 - last if "_DC_" in row.type else 1.0 - last if "_SC_" in row.type else last + 1
        self._commanded[row.point] = value
        return value

    def draw(self, status: dict[str, dict[str, Any]], said: list[str]) -> RenderableType:
        """The picture now."""
        self._listen()
        try:
            world = self.pair.bench.state()
        except (OSError, ValueError):
            world = {"members": {}, "owner": {}, "crossover": True}
        blink = int(time.monotonic() * 2.5) % 2 == 0
        panels = Table.grid(expand=True)
        panels.add_column(ratio=1)
        panels.add_column(ratio=1)
        panels.add_row(*(self._panel(m, status[m], world, blink) for m in MEMBERS))
        below = Table.grid(expand=True)
        below.add_column(ratio=2)
        below.add_column(ratio=3)
        below.add_row(self._centers(world), self._last_events())
        story = Panel(Text("\n".join(said), no_wrap=True, overflow="ellipsis"), title="what happened", height=10,
                      border_style="grey35")  # fmt: skip
        return Group(panels, below, story, self._help())

    def _panel(self, m: str, status: dict[str, Any], world: dict[str, Any], blink: bool) -> Panel:
        member, own = self.pair.members[m], world["members"].get(m, {})
        trouble = ""
        if not own.get("power", True):
            trouble, status = "no power", {}
        elif not member.alive:
            trouble = "dead"
        elif member.frozen:
            trouble = "frozen"
        elif not status:
            trouble = "no answer"
        return front_panel(m, {} if trouble else status, own, trouble, blink)

    def _listen(self) -> None:
        for line in self._probe.read():
            if line["what"] == "event":
                self._counts["probe"] += 1
                if line["cause"] == 3:
                    self._events = [*self._events[-_EVENTS:], line]
            elif line["what"] == "lost":
                self._state["probe"], self._lost_ns = "dialing every 5 ms", line["t"]
            elif line["what"] == "answered":
                self._state["probe"] = "connected, answered"
                if self._lost_ns:
                    self._gap_ms = (line["t"] - self._lost_ns) / 1e6
        for line in self._c104.read():
            if line["what"] == "event":
                self._counts["c104"] += 1
            elif line["what"] == "state":
                self._state["c104"] = str(line["state"]).lower().replace("_", " ")

    def _centers(self, world: dict[str, Any]) -> Panel:
        owner = {str(m) for m in world.get("owner", {}).values() if m}
        grid = Table.grid(padding=(0, 1))
        grid.add_column(style="grey62", no_wrap=True)
        grid.add_column(no_wrap=True)
        grid.add_row("group address", Text(", ".join(sorted(owner)) or "nobody", "bold"))
        for name, title in (("probe", "our probe"), ("c104", "c104's client")):
            up = self._state[name] in ("connected, answered", "open")
            grid.add_row(title, Text(self._state[name], "bright_green" if up else "orange1"))
            grid.add_row("", f"{self._counts[name]} objects received")
        if self._gap_ms is not None:
            grid.add_row("last gap", f"{self._gap_ms:.0f} ms without a session")
        if not world.get("crossover", True):
            grid.add_row("crossover", Text("cut", "bold red"))
        if world.get("counts"):
            grid.add_row("violations", Text(str(world["counts"]), "bold red"))
        return Panel(grid, title="control centers", height=_EVENTS + 3, border_style="grey35")

    def _last_events(self) -> Panel:
        grid = Table.grid(padding=(0, 2), expand=True)
        for style in ("grey62", "", "bold"):
            grid.add_column(style=style, no_wrap=True)
        for line in reversed(self._events[-_EVENTS:]):
            stamp = line.get("time_us")
            when = datetime.fromtimestamp(stamp / 1e6, UTC).strftime("%H:%M:%S.%f")[:-3] if stamp else "-"
            grid.add_row(when, line["point"] or str(line["ioa"]), f"{line['value']:g}")
        return Panel(grid, title="last events at our probe (UTC)", height=_EVENTS + 3, border_style="grey35")

    def _help(self) -> Text:
        lans = [lan.name for lan in self.pair.config.lans][:2]
        text = Text(" ")
        for key, word in _KEYS:
            if word.startswith("{"):
                index = int(key) - 1
                if index >= len(lans):
                    continue
                word = f"cut {lans[index]}"
            text.append(f" {key} ", "reverse").append(f"{word} ")
        text.no_wrap = True
        return text
