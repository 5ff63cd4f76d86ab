"""The connections of a simulated member, as its kernel and its supervisor see them."""

from __future__ import annotations

from collections.abc import Iterator

from tandem.action import CloseChannel
from tools.sim.beating import HeartLoop
from tools.sim.pipes import Pipe

_HANDSHAKE = b""  # in place of the octets that end a TLS handshake
_WRITES = (5, 6, 15, 16)  # Modbus functions that change something


class Sockets(HeartLoop):
    """Streams by channel: a pipe, or the name of a serial line."""

    _streams: dict[str, Pipe | str]
    _channels: dict[Pipe, str]
    _dialing: set[str]

    def connected(self, pipe: Pipe, channel: str, boots: int) -> None:
        """What was dialed is there; a TLS session is open when its handshake is through."""
        if boots != self.boots or not self.supervisor.alive or channel not in self._dialing:
            pipe.close(self, "nobody waits for it any more")
            return
        self._dialing.discard(channel)
        self._streams[channel], self._channels[pipe] = pipe, channel
        if not channel.startswith("link:"):
            self._event(lambda t: self.node.opened(channel, t))

    def refused(self, channel: str, reason: str, boots: int) -> None:
        """What was dialed is not there."""

        def run(t: int) -> None:
            if channel in self._dialing:
                self._dialing.discard(channel)
                self.node.closed(channel, reason, t)

        if boots == self.boots:
            self._event(run)

    def accept(self, pipe: Pipe, channel: str, host: str, on_group: bool) -> None:
        """Somebody dialed us; the kernel took it, the process will when it runs."""
        if not self.supervisor.alive:
            pipe.close(self, "refused")
            return
        self._streams[channel], self._channels[pipe] = pipe, channel

        def run(t: int) -> None:
            if not channel.startswith("link:"):
                self.node.accepted(channel, host, on_group, t)
            elif pipe.closed[0]:
                self._channels.pop(pipe, None)
                self.node.closed(channel, "gone before the handshake", t)
            else:
                self.node.opened(channel, t)
                pipe.send(self, _HANDSHAKE)

        self._event(run)

    def power_lost(self) -> None:
        """The supply is cut: what its kernel's buffers held leaves no more."""
        for pipe in self._channels:
            pipe.power_lost(self)

    def hang_up(self, close: CloseChannel) -> None:
        """The supervisor closes a channel."""
        self._dialing.discard(close.channel)
        pipe = self._streams.pop(close.channel, None)
        if isinstance(pipe, Pipe):
            self._channels.pop(pipe, None)
            pipe.close(self, close.reason, close.reset)

    def write_all(self, outgoing: list[tuple[str, bytes]]) -> Iterator[None]:
        """Octets of a turn, channel for channel."""
        for channel, octets in outgoing:
            stream = self._streams.get(channel)
            if isinstance(stream, Pipe):
                stream.send(self, octets)
            elif stream is not None:
                if octets[1] in _WRITES:
                    self.site.aims.mark(self.letter, "write control")
                    yield
                self.site.wires.speak(self, stream, octets)
            yield

    def pipe_octets(self, pipe: Pipe, octets: bytes) -> None:
        """Octets of a connection, when the process reads them."""

        def run(t: int) -> None:
            channel = self._channels.get(pipe)
            if channel and octets == _HANDSHAKE:
                self.node.opened(channel, t)
            elif channel:
                self.node.receive(channel, octets, t)

        self._event(run)

    def pipe_closed(self, pipe: Pipe, reason: str) -> None:
        """The other end is gone."""

        def run(t: int) -> None:
            if channel := self._channels.pop(pipe, None):
                self._streams.pop(channel, None)
                self.node.closed(channel, reason, t)

        self._event(run)

    def hear_line(self, line: str, octets: bytes) -> None:
        """Octets on a serial field line."""

        def run(t: int) -> None:
            channel = next((name for name, stream in self._streams.items() if stream == line), "")
            if channel:
                self.node.receive(channel, octets, t)

        self._event(run)
