"""A front end of a control center in virtual time: at a member's own address or the group's, started when told."""

from __future__ import annotations

import itertools

from tandem.codec.iec60870 import apci
from tandem.codec.iec60870.asdu import Asdu, decode
from tests.support.sim_group import SimGroup
from tools.sim.air import LAN_NS
from tools.sim.member import Member
from tools.sim.pipes import Pipe
from tools.sim.world import MS

_RECONNECT_NS = 20 * MS
_streams = itertools.count(1)


class Front:
    """Dials for ever; `member` None dials the group address."""

    def __init__(self, group: SimGroup, host: str, member: Member | None, starts: bool = True) -> None:
        self.group, self.host, self.member = group, host, member
        self.confirms = True
        self.started = 0
        self.asdus: list[Asdu] = []
        self._starts = starts
        self._pipe: Pipe | None = None
        self._splitter = apci.Splitter()
        self._received = self._sent = 0
        self._connect()
        group.until(lambda: self.started if starts else self.connected)
        group.run(50)

    @property
    def connected(self) -> bool:
        """A connection stands."""
        return self._pipe is not None

    def _connect(self) -> None:
        if self._pipe is not None:
            return
        self._pipe = self._dial_own(self.member) if self.member else self.group.site.wires.call(self)  # type: ignore[arg-type]
        if self._pipe is None:
            self.group.world.after(_RECONNECT_NS, self._connect)
            return
        self._splitter, self._received, self._sent = apci.Splitter(), 0, 0
        if self._starts:
            self.start()

    def _dial_own(self, member: Member) -> Pipe | None:
        site, slave = self.group.site, self.group.site.config.slaves[0]

        def up(to: int) -> bool:
            return bool(site.air.on_lan(member.letter, slave.lan))

        if not up(1) or not member.supervisor.alive or not site.listening.get(member.letter, {}).get(slave.name):
            return None
        pipe = Pipe(site.world, (self, member), up, LAN_NS, member.letter)
        channel = f"slave:{slave.name}#own{next(_streams)}"
        site.world.after(LAN_NS, lambda: member.accept(pipe, channel, self.host, False))
        return pipe

    def start(self) -> None:
        """STARTDT on the connection that stands."""
        self._send(apci.u_frame(apci.STARTDT_ACT))

    def confirm(self) -> None:
        """Acknowledge everything that came."""
        self._send(apci.s_frame(self._received))

    def ask(self, octets: bytes) -> None:
        """An ASDU."""
        self._send(apci.i_frame(octets, self._sent, self._received))
        self._sent += 1

    def hang_up(self) -> None:
        """End the connection, and dial again."""
        if self._pipe is not None:
            self.pipe_closed(self._pipe, "the center hung up")

    def _send(self, octets: bytes) -> None:
        if self._pipe is not None:
            self._pipe.send(self, octets)

    def pipe_closed(self, pipe: Pipe, reason: str) -> None:
        """The member is gone or threw us out, or we hang up."""
        pipe.close(self, reason, reset=True)
        if pipe is self._pipe:
            self._pipe = None
            self.group.world.after(_RECONNECT_NS, self._connect)

    def pipe_octets(self, pipe: Pipe, octets: bytes) -> None:
        """APDUs."""
        if pipe is not self._pipe:
            return
        before = self._received
        for frame in self._splitter.feed(octets):
            kind, number, _ = apci.control_of(frame)
            if kind == "I":
                assert number == self._received, "N(S) out of order"
                self._received += 1
                self.asdus.append(decode(frame[6:]))
            elif number == apci.STARTDT_CON:
                self.started += 1
            elif number == apci.TESTFR_ACT:
                self._send(apci.u_frame(apci.TESTFR_CON))
        if self.confirms and self._received != before:
            self.confirm()

    def events(self, ioa: int) -> list[tuple[float, int]]:
        """(value, time in us) of the spontaneous objects of an address, in the order in which they came."""
        return [
            (values["value"], values["time_us"])
            for asdu in self.asdus
            if asdu.cause == 3
            for at, values in asdu.objects or ()
            if at == ioa and "time_us" in values
        ]
