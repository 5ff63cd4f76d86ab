"""The UDP wires between the planes: beats pass, and a closed port is refused as a living kernel would refuse it.

Each LAN has one socket on each plane, at the peer's address. A datagram that the far kernel refuses closes the near
socket for a moment, so that the next one is refused to its sender by a true ICMP. While a heart is gone that this
bench has known, its port is tried every few ms, and the very first datagram after its death is refused already.
"""

from __future__ import annotations

import socket

from tools.bench.plan import MEMBERS, MS, Plan, other, raised
from tools.bench.relaybench.loop import ERR, IN, Loop
from tools.bench.relaybench.world import World

CLOSED_NS = 10 * MS
_DATAGRAMS_MOST = 2  # a turn, so that the pins of a member are read before what it says of them


class Wire:
    """One LAN: `sock[m]` stands on m's plane at the peer's address and speaks with m alone."""

    def __init__(self, plan: Plan, lan: str, loop: Loop, world: World) -> None:
        self.lan = lan
        self.loop = loop
        self.world = world
        self.dropped = 0
        own = next(p.own for p in plan.lans if p.name == lan)
        self._bind = {m: (raised(own[other(m)][0], plan.plane[m]), plan.beat_port) for m in MEMBERS}
        self._to = {m: (raised(own[m][0], plan.plane[m]), plan.beat_port) for m in MEMBERS}
        self.sock: dict[str, socket.socket | None] = dict.fromkeys(MEMBERS)
        self._known = dict.fromkeys(MEMBERS, False)
        self._again = dict.fromkeys(MEMBERS, False)
        for m in MEMBERS:
            self._open(m)
        world.changed.append(self.judge)

    def _open(self, m: str) -> None:
        if self.sock[m] is not None:
            return
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        sock.bind(self._bind[m])
        sock.connect(self._to[m])
        self.sock[m] = sock
        self.loop.add(sock.fileno(), IN, lambda mask: self._ready(m, mask), first=True)

    def _close(self, m: str) -> None:
        if (sock := self.sock[m]) is not None:
            self.loop.remove(sock.fileno())
            sock.close()
            self.sock[m] = None

    def _ready(self, m: str, mask: int) -> None:
        """Datagrams of member `m`, or the news that its port is closed."""
        for _ in range(_DATAGRAMS_MOST):
            sock = self.sock[m]
            if sock is None:
                return
            try:
                octets = sock.recv(2048)
            except BlockingIOError:
                if not mask & ERR:
                    return
                mask = 0
                continue
            except OSError:
                self._refused(m)
                return
            self._send(other(m), octets)

    def _send(self, m: str, octets: bytes) -> None:
        sock = self.sock[m]
        if sock is None or not self.world.between(self.lan):
            self.dropped += 1
            return
        try:
            sock.send(octets)
        except BlockingIOError:
            self.dropped += 1
        except OSError:
            self._refused(m)

    def _refused(self, m: str) -> None:
        """The port of `m` is closed: its peer's next datagram is refused too."""
        peer = other(m)
        if not self.world.between(self.lan) or self._again[m]:
            return
        self._close(peer)
        self._again[m] = True
        self.loop.at(self.loop.now + CLOSED_NS, lambda: self._try_again(m))

    def _try_again(self, m: str) -> None:
        """Has the port of `m` opened? An empty datagram asks; only a bench that knew the heart asks."""
        self._again[m] = False
        sock = self.sock[m]
        between = self.world.between(self.lan)
        if between and self._known[m] and not self.world.hearts[m] and sock is not None:
            try:
                sock.send(b"")
                sock.recv(2048)
            except BlockingIOError:
                pass
            except OSError:
                self._refused(m)
                return
        self._open(other(m))

    def judge(self) -> None:
        """A heart that came or went, a cable that was cut or restored."""
        for m in MEMBERS:
            gone = self._known[m] and not self.world.hearts[m]
            if not self.world.between(self.lan):
                self._open(other(m))
            elif gone and not self._again[m] and self.sock[other(m)] is not None:
                self._try_again(m)
            elif self.world.hearts[m] and not self._known[m]:
                self._open(other(m))
            self._known[m] = self._known[m] or self.world.hearts[m]
