"""The whole site of a story: two members on one plant, the field behind them, control centers before them."""

from __future__ import annotations

import struct
import tomllib
from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from tandem.config.load import load
from tandem.config.model import Config, Master
from tandem.config.timing import RelayTimes
from tools.bench.plan import BOARD, MEMBERS, make_plan
from tools.sim.aims import Aims
from tools.sim.air import Air
from tools.sim.center import Center, Event
from tools.sim.devices import Registers, RtuDevices, TcpDevice
from tools.sim.group import EXAMPLE, with_unit
from tools.sim.guardian import GUARDIAN, Controller
from tools.sim.member import Member
from tools.sim.pins import PlantPins, UartLine
from tools.sim.plant import Plant
from tools.sim.third import Third, standby_of
from tools.sim.unit import BREAKER, LEVEL, RemoteUnit
from tools.sim.wires import Wires
from tools.sim.world import MS, World

BOARDS = ("relays", "software")
_TRIP = {"trip_ms": 250.0, "trip_operate_ms": 8.0}
_MOVES_NS = 120 * MS
_CENTERS = {"north": "127.0.0.1", "probe": "127.20.2.31"}
_RING = 2048  # small rings, so that they wrap and a boot costs little


@cache
def read_config(folder: str, board: str) -> Config:
    """The configuration for one kind of board; the example group's has the remote unit as well. Raises ConfigError."""
    config = with_unit() if folder == str(EXAMPLE) else load(folder)
    standby = replace(config.standby, soe_records=_RING, analog_records=_RING)
    if board == "software":
        standby = replace(standby, arbitration="software")
    return replace(config, standby=standby_of(board, standby))


@cache
def _board(trips: bool = False) -> dict[str, Any]:
    """The bench's board; with a peer-trip, where one is asked for."""
    data = tomllib.loads((BOARD / "board.toml").read_text(encoding="utf-8"))
    return {**data, "relay": {**data["relay"], **_TRIP}} if trips else data


class Site:
    """Everything of one story; `members`, `centers`, `meter` and `feeder` are what the checkers look at."""

    def __init__(self, seed: int, folder: str | Path = EXAMPLE, board: str = "relays", probing: bool = False) -> None:
        """`probing`: the members' machines permit them to ask who is on the LANs."""
        self.world = World(seed)
        self.config = read_config(str(folder), board)
        relays = self.config.standby.arbitration == "relays"
        data = _board(board == "trip")
        self.relay = RelayTimes(**data["relay"]) if relays else None
        self.aims = Aims(self.world)
        self.plant = Plant(self.world, make_plan(self.config, data), self.relay is not None)
        self.bench = self.plant.bench
        self.controllers = {m: Controller(self, m) for m in MEMBERS} if board == GUARDIAN else {}
        self.listening: dict[str, dict[str, bool]] = {}
        self.turned: Callable[[Member], None] = lambda member: None
        """Called when a member has finished a turn."""
        self.ended: Callable[[Member], None] = lambda member: None
        """Called before a member whose processes have ended begins anew: what it knew is still there to be seen."""
        self.delivered: Callable[[Center, Event], None] = lambda center, event: None
        """Called when a control center has read an object."""
        self.feeder, self.meter = Registers(self.world), Registers(self.world)
        self.unit = RemoteUnit(self.world)
        self.unit.told_to_forget = lambda letter: self.aims.mark(letter, "the unit forgets")
        self.has_unit = any(m.protocol == "iec104" for m in self.config.masters)
        self.feeder.words[("discrete", 0)] = 1  # the breaker is open
        self.line, self.tcp = RtuDevices(self.world, {1: self.feeder}), TcpDevice(self.world, self.meter)
        self.members: dict[str, Member] = {}
        self.probing = probing
        self.air = Air(self)
        self.third = Third(self)
        self.wires = Wires(self, self.line, {d.host: self._behind(m) for m in self.config.masters for d in m.devices})
        self.members["a"], self.members["b"] = Member(self, "a"), Member(self, "b")
        self.centers = {
            name: Center(self.world, name, host, self.wires.call, lambda c, e: self.delivered(c, e))
            for name, host in _CENTERS.items()
        }
        self.moving = True
        """While the field changes by itself."""
        self._step = 0
        self.world.after(_MOVES_NS, self._field_moves)

    def pins_of(self, letter: str) -> PlantPins | UartLine:
        """What a heart that begins opens as its pins."""
        controller = self.controllers.get(letter)
        return PlantPins(self.plant, letter) if controller is None else controller.opened()

    def _behind(self, master: Master) -> TcpDevice | RemoteUnit:
        return self.unit if master.protocol == "iec104" else self.tcp

    def _field_moves(self) -> None:
        """Measured values rise step by step, so that their order can be seen; breakers follow their coils."""
        if self.moving:
            self.burst(1)
        for coil, closed in ((1, 0), (0, 1)):  # the off coil, the on coil
            if self.feeder.words.get(("coil", coil)):
                self.feeder.words[("discrete", 0)] = 1 - closed
                self.feeder.words[("discrete", 1)] = closed
        self.world.after(_MOVES_NS, self._field_moves)

    def burst(self, steps: int) -> None:
        """So many changes of the field in one moment."""
        draw = self.world.random
        self._step += steps
        self.feeder.words[("input", 0)] = 10 * self._step % 65536
        if draw.randrange(2):
            self.feeder.words[("discrete", 2)] = draw.randrange(2)
        if steps > 1:
            self.meter.words[("holding", 4)] = draw.randrange(2) << 3
        high, low = struct.unpack(">HH", struct.pack(">f", 2.0 * self._step))
        self.meter.words[("holding", 0)], self.meter.words[("holding", 1)] = high, low
        if self.has_unit:
            self.unit.change(LEVEL, float(self._step))
            if draw.randrange(4) == 0:
                self.unit.change(BREAKER, 3 - self.unit.values[BREAKER])

    def answers_probe(self, letter: str, key: str, lan: str) -> bool:
        """A member's ARP request is answered: by a router always, by a device that is not silent."""
        return (
            self.air.sends(letter, lan)
            and self.air.on_lan(letter, lan)
            and not (key.startswith("device:") and self.tcp.silent)
        )

    def truth(self) -> dict[int, float]:
        """By information object address: what the devices hold now, in the centers' units."""
        feeder, meter = self.feeder.words, self.meter.words
        high, low = meter.get(("holding", 0), 0), meter.get(("holding", 1), 0)
        open_, closed = feeder.get(("discrete", 0), 0), feeder.get(("discrete", 1), 0)
        unit = self.unit.values if self.has_unit else {}
        return unit | {
            1001: closed << 1 | open_,
            1002: feeder.get(("discrete", 2), 0),
            1101: meter.get(("holding", 4), 0) >> 3,
            2001: feeder.get(("input", 0), 0) / 10,
            2101: struct.unpack(">f", struct.pack(">HH", high, low))[0],
        }
