"""The whole site of a story: two members on one plant, the field behind them, control centers before them."""

from __future__ import annotations

import struct
import tomllib
from pathlib import Path

from tandem.config.load import load
from tandem.config.timing import RelayTimes
from tools.bench.plan import BOARD, make_plan
from tools.sim.center import Center
from tools.sim.devices import Registers, RtuDevices, TcpDevice
from tools.sim.member import Member
from tools.sim.plant import Plant
from tools.sim.wires import Wires
from tools.sim.world import MS, World

EXAMPLE = Path(__file__).resolve().parents[1] / "example-group"
_MOVES_NS = 100 * MS
_CENTERS = {"north": "127.0.0.1", "probe": "127.20.2.31"}


class Site:
    """Everything of one story; `members`, `centers`, `meter` and `feeder` are what the checkers look at."""

    def __init__(self, seed: int, folder: str | Path = EXAMPLE) -> None:
        self.world = World(seed)
        self.config = load(str(folder))
        board = tomllib.loads((BOARD / "board.toml").read_text(encoding="utf-8"))
        self.relay = RelayTimes(**board["relay"])
        self.plant = Plant(self.world, make_plan(self.config, board))
        self.bench = self.plant.bench
        self.listening: dict[str, dict[str, bool]] = {}
        self.feeder, self.meter = Registers(self.world), Registers(self.world)
        self.feeder.words[("discrete", 0)] = 1  # the breaker is open
        self.wires = Wires(self, RtuDevices(self.world, {1: self.feeder}), TcpDevice(self.world, self.meter))
        self.members = {"a": Member(self, "a"), "b": Member(self, "b")}
        self.centers = {name: Center(self.world, host, self.wires.call) for name, host in _CENTERS.items()}
        self.world.after(_MOVES_NS, self._field_moves)

    def _field_moves(self) -> None:
        """Values change; a coil that was written moves the breaker's contacts."""
        draw = self.world.random
        if not draw.randrange(4):
            self.feeder.words[("input", 0)] = draw.randrange(2000, 2400)
            self.feeder.words[("discrete", 2)] = draw.randrange(2)
            self.meter.words[("holding", 4)] = draw.randrange(2) << 3
        high, low = struct.unpack(">HH", struct.pack(">f", float(draw.randrange(1000))))
        self.meter.words[("holding", 0)], self.meter.words[("holding", 1)] = high, low
        for coil, closed in ((1, 1), (0, 0)):
            if self.feeder.words.get(("coil", coil)):
                self.feeder.words[("discrete", 0)] = 1 - closed
                self.feeder.words[("discrete", 1)] = closed
        self.world.after(_MOVES_NS, self._field_moves)
