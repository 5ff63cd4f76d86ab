"""The whole site of a story: two members on one plant, the field behind them, control centers before them."""

from __future__ import annotations

import struct
import tomllib
from collections.abc import Callable
from pathlib import Path

from tandem.action import Dial
from tandem.config.load import load
from tandem.config.timing import RelayTimes
from tandem.standby.linkup import LINK_PORT
from tandem.standby.rules import guard_rules
from tools.bench.plan import BOARD, make_plan, other
from tools.sim.center import Center
from tools.sim.devices import Registers, RtuDevices, TcpDevice
from tools.sim.member import Member
from tools.sim.pipes import Pipe
from tools.sim.plant import Plant
from tools.sim.world import MS, SECOND, World

_LAN_NS = MS // 4
_LOST_NS = 3 * SECOND  # a connection attempt into a cut cable ends so late
_MOVES_NS = 400 * MS
_CENTERS = {"north": "127.0.0.1", "probe": "127.20.2.31"}
_FOLLOWS_NS = 50 * MS  # a breaker's contacts after its coil


class Site:
    """Everything of one story; `members`, `centers`, `meter` and `relay_f1` are what the checkers look at."""

    def __init__(self, seed: int, folder: str | Path) -> None:
        self.world = World(seed)
        self.config = load(str(folder))
        board = tomllib.loads((BOARD / "board.toml").read_text(encoding="utf-8"))
        self.relay = RelayTimes(**board["relay"])
        self.plant = Plant(self.world, make_plan(self.config, board))
        self.bench = self.plant.bench
        self.rules = guard_rules(self.config, "a", self.relay)
        self.listening: dict[tuple[str, str], bool] = {}
        self.relay_f1, self.meter = Registers(self.world), Registers(self.world)
        self._line = RtuDevices(self.world, {1: self.relay_f1})
        self._tcp = TcpDevice(self.world, self.meter)
        self.relay_f1.words[("discrete", 0)] = 1
        self._streams = 0
        self._sessions: list[tuple[Pipe, Center, str]] = []
        self.members = {"a": Member(self, "a"), "b": Member(self, "b")}
        self.centers = {name: Center(self.world, self._caller(host)) for name, host in _CENTERS.items()}
        self.bench.changed.append(self._owners_moved)
        self.world.after(_MOVES_NS, self._field_moves)

    # --- the field --------------------------------------------------------------------------------------------

    def _field_moves(self) -> None:
        """Values change; a coil that was written moves the breaker's contacts."""
        draw = self.world.random
        self.relay_f1.words[("input", 0)] = draw.randrange(2000, 2400)
        self.relay_f1.words[("discrete", 2)] = draw.randrange(2)
        high, low = struct.unpack(">HH", struct.pack(">f", float(draw.randrange(1000))))
        self.meter.words[("holding", 0)], self.meter.words[("holding", 1)] = high, low
        for coil, closed in ((1, 0), (0, 1)):  # the off coil, the on coil
            if self.relay_f1.words.get(("coil", coil)):
                self.relay_f1.words[("discrete", 0)] = 1 - closed
                self.relay_f1.words[("discrete", 1)] = closed
        self.world.after(_MOVES_NS, self._field_moves)

    def speak(self, member: Member, line: str, octets: bytes) -> None:
        """Octets that a member's port drives onto a field line: its role contact lets them through, or not."""
        octet_ns = self.config.serial(line).octet_ns

        def arrive() -> None:
            if not self.bench.drives(member.letter, True):
                return
            if reply := self._line.hear(octets):
                self.world.after(3 * MS + len(reply) * octet_ns, lambda: self._heard_by_all(line, reply))

        self.world.after(len(octets) * octet_ns, arrive)

    def _heard_by_all(self, line: str, reply: bytes) -> None:
        for letter, member in self.members.items():
            if self.bench.drives(letter, True):
                member.hear_line(line, reply)

    # --- connections ------------------------------------------------------------------------------------------

    def refusal_ns(self, member: Member, dial: Dial) -> int:
        """How long a member waits for the bad news: a moment on a whole LAN, long on a cut one."""
        return MS if self.bench.on_lan(member.letter, dial.lan) else _LOST_NS

    def dial(self, member: Member, dial: Dial) -> Pipe | None:
        """A member connects to its peer or to a device; None: it does not get through."""
        letter, lan = member.letter, dial.lan
        if dial.port != LINK_PORT:
            if not self.bench.on_lan(letter, lan):
                return None
            return self._pipe(member, self._tcp, lambda: self.bench.on_lan(letter, lan), f"{letter} to the meter")
        peer = self.members[other(letter)]
        if not self.bench.between(lan) or not peer.supervisor.alive or peer.letter != "a":
            return None
        pipe = self._pipe(member, peer, lambda: self.bench.between(lan), f"link over {lan}")
        self.world.after(_LAN_NS, lambda: peer.accept(pipe, f"link:{lan}#p{self._streams}", "", False))
        return pipe

    def _caller(self, host: str) -> Callable[[Center], Pipe | None]:
        def call(center: Center) -> Pipe | None:
            slave = self.config.slaves[0]
            owner = self.bench.owner[slave.lan]
            if owner is None or not self.bench.serves(owner, slave.lan):
                return None
            member = self.members[owner]
            if not member.supervisor.alive or not self.listening.get((owner, slave.name)):
                return None
            pipe = self._pipe(center, member, lambda: self.bench.serves(owner, slave.lan), f"{host} to {owner}")
            self._sessions = [s for s in self._sessions if not all(s[0].closed)] + [(pipe, center, owner)]
            channel = f"slave:{slave.name}#{self._streams}"
            self.world.after(_LAN_NS, lambda: member.accept(pipe, channel, host, True))
            return pipe

        return call

    def _pipe(self, dialer: object, listener: object, up: Callable[[], bool], name: str) -> Pipe:
        self._streams += 1
        return Pipe(self.world, (dialer, listener), up, _LAN_NS, f"{name} #{self._streams}")  # type: ignore[arg-type]

    def _owners_moved(self) -> None:
        """The new owner's kernel knows nothing of the old one's sessions: it resets them."""
        owner = self.bench.owner[self.config.slaves[0].lan]
        for pipe, center, served_by in list(self._sessions):
            if owner is not None and served_by != owner and not pipe.closed[0]:
                pipe.closed[0] = True
                self.world.after(_LAN_NS, lambda c=center, p=pipe: c.pipe_closed(p, "reset"))  # type: ignore[misc]

    # --- beats ------------------------------------------------------------------------------------------------

    def send_beat(self, letter: str, path: int, octets: bytes) -> None:
        """One frame of a heart on one path."""
        rule, peer = self.rules.paths[path], self.members[other(letter)]
        if rule.serial:
            whole = self.bench.crossover and self.bench.power["a"] and self.bench.power["b"]
            delay_ns = rule.delivery_ns
        else:
            whole = self.bench.between(rule.name.removeprefix("lan."))
            delay_ns = _LAN_NS + self.world.random.randrange(_LAN_NS)
        if not whole:
            return
        if peer.heart.alive:
            self.world.after(delay_ns, lambda: peer.hear_beat(path, octets))
        elif not rule.serial:
            self.world.after(2 * delay_ns, lambda: self.members[letter].beat_refused(path))
