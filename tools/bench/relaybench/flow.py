"""One TCP connection that the bench passes on: two sockets, and octets, FIN and reset from each to the other."""

from __future__ import annotations

import errno
import select
import socket
from collections.abc import Callable

from tools.bench.relaybench.gate import reset, silence
from tools.bench.relaybench.loop import ERR, HUP, IN, OUT, Loop

READ_MOST = 262_144
Passes = Callable[[], bool]
_IDLE = select.EPOLLET  # nothing is wanted, and what epoll tells unasked it tells once
_BIND_NO_PORT = 24


class End:
    """One socket of a flow; `pending` waits to be written to it; `ended`: its FIN was read."""

    __slots__ = ("broken", "ended", "fd", "filtered", "flow", "mask", "peer", "pending", "quiet", "sock")

    def __init__(self, sock: socket.socket, flow: Flow) -> None:
        self.sock = sock
        self.fd = sock.fileno()
        self.flow = flow
        self.peer: End
        self.pending = b""
        self.ended = False
        self.quiet = False
        self.filtered = True
        self.broken = False
        self.mask = _IDLE
        sock.setblocking(False)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def ready(self, mask: int) -> None:
        """The socket can be read or written, or broke."""
        if self.quiet and not self.filtered:
            if mask & (ERR | HUP):
                self.broken = True  # nobody hears of it before the cable is whole again
                self.flow.loop.remove(self.fd)
            return
        if mask & ERR:
            self.flow.drop()
            return
        if mask & OUT:
            self._flush()
        if mask & IN and self.mask & IN:
            self._read()

    def _read(self) -> None:
        peer = self.peer
        try:
            data = self.sock.recv(READ_MOST)
        except BlockingIOError:
            return
        except OSError:
            self.flow.drop()
            return
        if not data:
            self._end()
            return
        try:
            sent = peer.sock.send(data)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.flow.drop()
            return
        if sent < len(data):
            peer.pending = data[sent:]
            self.flow.wait()

    def _flush(self) -> None:
        flow = self.flow
        flow.connected = True
        if self.pending:
            try:
                self.pending = self.pending[self.sock.send(self.pending) :]
            except BlockingIOError:
                return
            except OSError:
                flow.drop()
                return
        if self.peer.ended and not self.pending:
            self._shut()
        flow.wait()

    def _end(self) -> None:
        """The FIN was read: it passes when all octets before it did."""
        self.ended = True
        if not self.peer.pending:
            self.peer._shut()
        if self.peer.ended and not self.pending and not self.peer.pending:
            self.flow.finish()
        else:
            self.flow.wait()

    def _shut(self) -> None:
        try:
            self.sock.shutdown(socket.SHUT_WR)
        except OSError:
            pass  # it is gone already; the next read says so


class Flow:
    """`inside` is the member's socket (on a link: the dialing member's), `outside` everybody else's.

    `passes`: whether octets may pass now; `cable`: the wires alone, without owner and lease. `group`: the LAN whose
    group address it uses, or "". `members`: whose supply it needs.
    """

    __slots__ = ("cable", "connected", "dialing", "flows", "group", "inside", "loop", "members", "open", "outside",
                 "passes")  # fmt: skip

    def __init__(self, loop: Loop, flows: set[Flow], members: str, group: str, passes: Passes, cable: Passes) -> None:
        self.loop = loop
        self.flows = flows
        self.members = members
        self.group = group
        self.passes = passes
        self.cable = cable
        self.open = True
        self.connected = False
        self.inside: End
        self.outside: End
        self.dialing: End

    def join(self, near: socket.socket, near_is_inside: bool, source: str, host: str, port: int) -> None:
        """Dial the far end from the near end's own address; octets pass once it answered."""
        far = socket.socket()
        ends = End(near, self), End(far, self)
        ends[0].peer, ends[1].peer = ends[1], ends[0]
        self.inside, self.outside = ends if near_is_inside else (ends[1], ends[0])
        self.dialing = ends[1]
        try:
            far.setsockopt(socket.IPPROTO_IP, _BIND_NO_PORT, 1)
            far.bind((source, 0))
            code = far.connect_ex((host, port))
        except OSError as error:
            code = error.errno or errno.EINVAL
        if code not in (0, errno.EINPROGRESS):
            reset(near)
            far.close()
            return
        self.flows.add(self)
        for end in ends:
            self.loop.add(end.fd, end.mask, end.ready)
        self.wait()
        self.gate()

    def wait(self) -> None:
        """Set what both ends wait for: octets where the other end can take them, room where some are pending."""
        for end in (self.inside, self.outside):
            mask = 0
            if self.open and not self.connected:
                mask = OUT if end is self.dialing else 0
            elif self.open and self in self.flows:
                mask = (OUT if end.pending else 0) | (0 if end.peer.pending or end.ended else IN)
            mask = mask or _IDLE
            if mask != end.mask and self in self.flows and not end.broken:
                end.mask = mask
                self.loop.modify(end.fd, mask)

    def gate(self) -> None:
        """Silence or open both ends as the world is now. A lapsed lease still lets the member's reset out."""
        passes = self.passes()
        for end, quiet in ((self.outside, not passes), (self.inside, not self.cable())):
            if quiet != end.quiet:
                end.quiet = quiet
                end.filtered = silence(end.sock, quiet)
                if end.broken and not quiet:
                    self.drop()
                    return
        if passes != self.open:
            self.open = passes
            self.wait()

    def drop(self) -> None:
        """Reset both ends."""
        if self._forget():
            reset(self.inside.sock)
            reset(self.outside.sock)

    def finish(self) -> None:
        """Both FINs passed: close."""
        if self._forget():
            self.inside.sock.close()
            self.outside.sock.close()

    def orphan(self) -> socket.socket:
        """The group address has a new owner: the outside gets a reset; the old owner's socket is left in silence
        and returned, to be closed when nobody can learn from it any more."""
        if self._forget():
            reset(self.outside.sock)
            silence(self.inside.sock, True)
        return self.inside.sock

    def _forget(self) -> bool:
        if self not in self.flows:
            return False
        self.flows.discard(self)
        self.loop.remove(self.inside.fd)
        self.loop.remove(self.outside.fd)
        return True
