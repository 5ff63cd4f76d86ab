"""The pins of both members: a sequenced-packet socket each, with one heart at a time as its client."""

from __future__ import annotations

import socket
from pathlib import Path

from tandem.port.pins import PulsePage
from tools.bench.relaybench.loop import ERR, HUP, IN, OUT, RDHUP, Loop
from tools.bench.relaybench.world import World


class Pins:
    """Listens at `path`; what the heart says goes to the world, and every change is told to it."""

    def __init__(self, member: str, path: Path, loop: Loop, world: World) -> None:
        self.member = member
        self.path = path
        self.loop = loop
        self.world = world
        self._heart: socket.socket | None = None
        self._told = self._told_inputs = b""
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listener.bind(str(path))
        self._listener.listen(4)
        self._listener.setblocking(False)
        loop.add(self._listener.fileno(), IN, self._accept)
        world.changed.append(self.tell)

    def _accept(self, mask: int) -> None:
        try:
            heart, _ = self._listener.accept()
        except OSError:
            return
        if self._heart is not None:
            self._lose()
        heart.setblocking(False)
        self._heart = heart
        self._told = self._told_inputs = b""
        self.loop.add(heart.fileno(), IN | RDHUP, lambda mask: self._speaks(heart, mask), first=True)
        self._share(heart)
        self.world.heart(self.member, True)
        self.tell()

    def _share(self, heart: socket.socket) -> None:
        relays, lease = self.world.relays, self.world.lease[self.member]
        fd = PulsePage.create((relays.hold_ns, lease.length_ns))
        try:
            socket.send_fds(heart, [b"M"], [fd])
        except OSError:
            pass  # it is gone again; the next read says so
        self.world.pages[self.member] = PulsePage(fd)

    def _speaks(self, heart: socket.socket, mask: int) -> None:
        if mask & OUT:
            self.loop.modify(heart.fileno(), IN | RDHUP)
            self.tell()
        while heart is self._heart:
            try:
                message = heart.recv(256)
            except BlockingIOError:
                break
            except OSError:
                message = b""
            if not message:
                self._lose()
                return
            self.world.said(self.member, message)
        if mask & (ERR | HUP) and heart is self._heart:
            self._lose()

    def _lose(self) -> None:
        if self._heart is not None:
            self.loop.remove(self._heart.fileno())
            self._heart.close()
            self._heart = None
            self.world.heart(self.member, False)
            self.world.pages.pop(self.member).close()

    def tell(self) -> None:
        """Send the sensed contacts if they changed. A heart that does not read gets the newest when it does."""
        if self._heart is None or not self.world.power[self.member]:
            return
        message, inputs = self.world.sense(self.member), self.world.inputs(self.member)
        try:
            if inputs != self._told_inputs:
                self._heart.send(inputs)
                self._told_inputs = inputs
            if message != self._told:
                self._heart.send(message)
                self._told = message
        except BlockingIOError:
            self.loop.modify(self._heart.fileno(), IN | OUT | RDHUP)
        except OSError:
            pass  # it is dying; the next read says so
