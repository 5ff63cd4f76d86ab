"""What lies between the members, their field and the control centers: LANs, the crossover cable, serial field lines.

The kernels' fences are part of it: what comes from or goes to a group address passes only for the owner with a live
lease, and a new owner's kernel resets what the old one had. `fenced` False takes that away, so that the layers above
stand alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tandem.action import Dial
from tandem.standby.linkup import LINK_PORT
from tandem.standby.rules import guard_rules
from tools.bench.plan import other
from tools.sim.center import Center
from tools.sim.devices import RtuDevices, TcpDevice
from tools.sim.member import Member
from tools.sim.pipes import Pipe
from tools.sim.world import MS, SECOND

LAN_NS = MS // 4
_LOST_NS = 3 * SECOND  # a connection attempt into a cut cable ends so late
_TURNAROUND_NS = 3 * MS
_CROSSOVER_MOST = 16  # frames that a serial port's buffer takes


class Wires:
    """Everything that carries octets; `site` says who is there and whether the way is whole."""

    def __init__(self, site: Any, line: RtuDevices, meter: TcpDevice) -> None:
        self.site = site
        self.fenced = True
        self.world = site.world
        self.bench = site.bench
        self.paths = guard_rules(site.config, "a", site.relay).paths
        self.link: Pipe | None = None
        self._line, self._meter = line, meter
        self._streams = 0
        self._sessions: list[tuple[Pipe, str]] = []
        self._crossover_free = {"a": 0, "b": 0}
        self._line_free = 0
        self.bench.changed.append(self._owners_moved)

    # --- streams ----------------------------------------------------------------------------------------------

    def dial(self, member: Member, dial: Dial, boots: int) -> None:
        """A member connects to its peer or to a device, which answers a moment later, or does not."""
        letter, lan, channel = member.letter, dial.lan, dial.channel
        peer = self.site.members[other(letter)]
        to_peer = dial.port == LINK_PORT
        group = dial.source == "group"

        def whole() -> bool:
            return self.bench.between(lan) if to_peer else self.bench.on_lan(letter, lan)

        def up() -> bool:
            return whole() and (not group or self._serves(letter, lan))

        def arrive() -> None:
            if not whole():
                self.world.after(_LOST_NS, lambda: member.refused(channel, "no answer", boots))
            elif not up() or (to_peer and not (peer.letter == "a" and peer.supervisor.alive)):
                member.refused(channel, "refused", boots)
            else:
                pipe = self._pipe(member, peer if to_peer else self._meter, up, letter)
                member.connected(pipe, channel, boots)
                if to_peer:
                    self.link = pipe
                    peer.accept(pipe, f"link:{lan}#p{self._streams}", "", False)

        self.world.after(LAN_NS, arrive)

    def call(self, center: Center) -> Pipe | None:
        """A control center connects to the group address; None: nobody answers there."""
        slave = self.site.config.slaves[0]
        owner = self.bench.owner[slave.lan]
        if owner is None or not self._serves(owner, slave.lan):
            return None
        if not self.site.listening.get(owner, {}).get(slave.name):
            return None
        member = self.site.members[owner]
        pipe = self._pipe(center, member, lambda: self._serves(owner, slave.lan), owner)
        self._sessions = [s for s in self._sessions if not all(s[0].closed)] + [(pipe, owner)]
        channel = f"slave:{slave.name}#{self._streams}"
        self.world.after(LAN_NS, lambda: member.accept(pipe, channel, center.host, True))
        return pipe

    def _serves(self, letter: str, lan: str) -> bool:
        if self.fenced:
            return bool(self.bench.serves(letter, lan))
        return self.bench.owner[lan] == letter and bool(self.bench.on_lan(letter, lan))

    def _pipe(self, dialer: object, listener: object, up: Callable[[], bool], name: str) -> Pipe:
        self._streams += 1
        return Pipe(self.world, (dialer, listener), up, LAN_NS, name)  # type: ignore[arg-type]

    def _owners_moved(self) -> None:
        """The new owner's kernel knows nothing of the old one's sessions: it resets the centers' ends of them."""
        owner = self.bench.owner[self.site.config.slaves[0].lan]
        for pipe, served_by in self._sessions:
            if owner is not None and served_by != owner and not pipe.closed[0]:
                pipe.tear("reset: the address has another owner", (0,))

    # --- field lines ------------------------------------------------------------------------------------------

    def speak(self, member: Member, line: str, octets: bytes) -> None:
        """Octets from a member's serial buffer, in their time: the role contact must let all of them through."""
        octet_ns = self.site.config.serial(line).octet_ns
        begins = max(self.world.now, self._line_free)
        self._line_free = begins + len(octets) * octet_ns
        opened: list[bool] = []
        self.world.at(begins, lambda: opened.append(not self.bench.drives(member.letter, True)))

        def arrive() -> None:
            if opened[0] or not self.bench.drives(member.letter, True):
                return
            if reply := self._line.hear(octets, member.letter):
                self.world.after(_TURNAROUND_NS + len(reply) * octet_ns, lambda: self._heard_by_all(line, reply))

        self.world.at(self._line_free, arrive)

    def _heard_by_all(self, line: str, reply: bytes) -> None:
        for letter, member in self.site.members.items():
            if self.bench.drives(letter, True):
                member.hear_line(line, reply)

    # --- beats ------------------------------------------------------------------------------------------------

    def send(self, letter: str, path: int, octets: bytes) -> None:
        """One frame of a heart on one path."""
        rule, peer = self.paths[path], self.site.members[other(letter)]
        if rule.serial:
            self._cross(letter, path, octets)
            return
        delay_ns = LAN_NS + self.world.random.randrange(LAN_NS)
        if not self.bench.between(rule.name.removeprefix("lan.")):
            return
        if peer.heart.alive:
            self.world.after(delay_ns, lambda: peer.hear_beat(path, octets))
        else:
            self.world.after(2 * delay_ns, lambda: self.site.members[letter].beat_refused(path))

    def _cross(self, letter: str, path: int, octets: bytes) -> None:
        """The crossover cable at its baud rate: what is sent waits behind what was sent before."""
        octet_ns = self.site.config.serial(self.paths[path].name.removeprefix("serial.")).octet_ns
        begins = max(self.world.now, self._crossover_free[letter])
        if begins - self.world.now > _CROSSOVER_MOST * len(octets) * octet_ns:
            return
        self._crossover_free[letter] = ends = begins + len(octets) * octet_ns

        def arrive() -> None:
            if self.bench.crossover and self.bench.power["a"] and self.bench.power["b"]:
                self.site.members[other(letter)].hear_beat(path, octets)

        self.world.at(ends, arrive)
