"""TCP between members, their field and the control centers, and the serial field lines.

The kernels' fences are part of it: what comes from or goes to a group address passes only for the owner with a live
lease, and a new owner's kernel resets what the old one had. `fenced` False takes that away, so that the layers above
stand alone.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tandem.action import Dial
from tandem.standby.linkup import LINK_PORT
from tools.bench.plan import other
from tools.sim.air import LAN_NS
from tools.sim.center import Center
from tools.sim.devices import RtuDevices, TcpDevice
from tools.sim.member import Member
from tools.sim.pipes import Pipe
from tools.sim.unit import RemoteUnit
from tools.sim.world import MS, SECOND

_LOST_NS = 3 * SECOND  # a connection attempt into a cut cable ends so late
_TURNAROUND_NS = 3 * MS


class Wires:
    """Everything that carries streams; `site` says who is there, `site.air` whether the way is whole."""

    def __init__(self, site: Any, line: RtuDevices, devices: dict[str, TcpDevice | RemoteUnit]) -> None:
        """`devices`: by host."""
        self.site = site
        self.air = site.air
        self.fenced = True
        self.world = site.world
        self.bench = site.bench
        self.link: Pipe | None = None
        self.asked: Callable[[str, str, bytes], None] = lambda letter, line, octets: None
        """Called with (member, line, octets) of every request that reaches a field line."""
        self.replied: dict[str, int] = {}
        """By member: when a device's answer to a request of its own came over a field line last."""
        self._line, self._devices = line, devices
        self._streams = 0
        self._sessions: list[tuple[Pipe, str]] = []
        self._line_free = 0
        self.bench.changed.append(self._owners_moved)

    # --- streams ----------------------------------------------------------------------------------------------

    def dial(self, member: Member, dial: Dial, boots: int) -> None:
        """A member connects to its peer or to a device, which answers a moment later, or does not."""
        letter, lan, channel = member.letter, dial.lan, dial.channel
        peer = self.site.members[other(letter)]
        to_peer = dial.port == LINK_PORT
        group = dial.source == "group"
        device = self._devices.get(dial.host)
        air = self.air

        def up(to: int) -> bool:
            if to_peer:
                return bool(air.passes(letter if to else peer.letter, lan))
            whole = air.sends(letter, lan) if to else air.on_lan(letter, lan)
            return bool(whole) and (not group or self._serves(letter, lan))

        def arrive() -> None:
            if not (up(0) and up(1)):
                self.world.after(_LOST_NS, lambda: member.refused(channel, "no answer", boots))
            elif to_peer and not (peer.letter == "a" and peer.supervisor.alive):
                member.refused(channel, "refused", boots)
            elif device is not None and device.full():
                member.refused(channel, "refused: its sessions are taken", boots)
            else:
                pipe = self._pipe(member, peer if device is None else device, up, letter)
                member.connected(pipe, channel, boots)
                if device is None:
                    self.link = pipe
                    peer.accept(pipe, f"link:{lan}#p{self._streams}", "", False)
                else:
                    device.connected(pipe, lambda: member.died.get(boots, self.world.now))

        self.world.after(LAN_NS, arrive)

    def call(self, center: Center) -> Pipe | None:
        """A control center connects to the group address; None: nobody answers there."""
        slave = self.site.config.slaves[0]
        lan = slave.lan
        owner = self.bench.owner[lan]
        if owner is None or not self._serves(owner, lan) or not self.air.sends(owner, lan):
            return None
        if not self.site.listening.get(owner, {}).get(slave.name):
            return None
        member = self.site.members[owner]

        def up(to: int) -> bool:
            whole = self.air.on_lan(owner, lan) if to else self.air.sends(owner, lan)
            return bool(whole) and self._serves(owner, lan)

        pipe = self._pipe(center, member, up, owner)
        self._sessions = [s for s in self._sessions if not all(s[0].closed)] + [(pipe, owner)]
        channel = f"slave:{slave.name}#{self._streams}"
        self.world.after(LAN_NS, lambda: member.accept(pipe, channel, center.host, True))
        return pipe

    def _serves(self, letter: str, lan: str) -> bool:
        if self.fenced:
            return bool(self.bench.serves(letter, lan))
        return self.bench.owner[lan] == letter and bool(self.bench.on_lan(letter, lan))

    def _pipe(self, dialer: object, listener: object, up: Callable[[int], bool], name: str) -> Pipe:
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
        """Octets from a member's serial buffer, in their time: the role contact must let all of them through.

        They leave a frozen process's buffer too, and a board without power sends none.
        """
        octet_ns = self.site.config.serial(line).octet_ns
        begins = max(self.world.now, self._line_free)
        self._line_free = begins + len(octets) * octet_ns
        opened: list[bool] = []
        self.world.at(begins, lambda: opened.append(not self._drives(member.letter)))

        def arrive() -> None:
            if opened[0] or not self._drives(member.letter):
                return
            self.asked(member.letter, line, octets)
            if reply := self._line.hear(octets, member.letter):
                late_ns = self._line.late_ns
                self.world.after(
                    _TURNAROUND_NS + late_ns + len(reply) * octet_ns,
                    lambda: self._heard_by_all(line, reply, member.letter),
                )

        self.world.at(self._line_free, arrive)

    def _drives(self, letter: str) -> bool:
        return letter not in self.air.hung and bool(self.bench.drives(letter, self.site.relay is not None))

    def _heard_by_all(self, line: str, reply: bytes, asker: str) -> None:
        self.replied[asker] = self.world.now
        for letter, member in self.site.members.items():
            if self._drives(letter):
                member.hear_line(line, reply)
