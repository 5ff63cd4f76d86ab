"""The TCP patch bay: listeners where the real addresses would answer, and the flows that they begin.

A flow that may not pass is silenced, not closed: its sockets drop every segment until it may pass again. A FIN or a
reset of one end passes to the other; a new owner resets what the old one had at the group address.
"""

from __future__ import annotations

import socket
from collections.abc import Callable

from tools.bench.plan import MEMBERS, Plan, other, raised
from tools.bench.relaybench.flow import Flow, Passes
from tools.bench.relaybench.gate import reset, silence
from tools.bench.relaybench.loop import IN, Loop
from tools.bench.relaybench.world import World

FLOWS_MOST = 2_000
ZOMBIE_NS = 30_000_000_000
Accepted = Callable[[socket.socket, str], None]
"""(the accepted connection, its source address)."""


class PatchBay:
    """All listeners and flows; `judge` runs after every change of the world."""

    def __init__(self, plan: Plan, loop: Loop, world: World) -> None:
        self.plan = plan
        self.loop = loop
        self.world = world
        self.flows: set[Flow] = set()
        self._listeners: list[tuple[socket.socket, Passes]] = []
        self._silenced: set[int] = set()
        self._owner = dict(world.owner)
        self._power = dict(world.power)
        for lan in plan.lans:
            self._listen_services(lan.name)
        for name, host, port in plan.devices:
            for m in MEMBERS:
                self._listen(raised(host, plan.plane[m]), port, self._wire(m, name), self._device(m, name, host, port))
        world.changed.append(self.judge)
        world.reset_link = self._reset_link
        self.judge()

    # --- listeners --------------------------------------------------------------------------------------------

    def _listen_services(self, name: str) -> None:
        lan = next(lan for lan in self.plan.lans if lan.name == name)
        ports = [port for on, port in self.plan.services if on == name]
        for ip in lan.group:
            for port in ports:
                self._listen(ip, port, self._served(name), self._group(name, ip, port))
        for m, ips in lan.own.items():
            for ip in ips:
                for port in ports:
                    self._listen(ip, port, self._wire(m, name), self._own(m, name, ip, port))
                self._listen_link(name, m, ip)

    def _wire(self, m: str, lan: str) -> Passes:
        return lambda: self.world.on_lan(m, lan)

    def _served(self, lan: str) -> Passes:
        def passes() -> bool:
            owner = self.world.owner[lan]
            return owner is not None and self.world.serves(owner, lan)

        return passes

    def _listen(self, ip: str, port: int, passes: Passes, accepted: Accepted) -> None:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.setblocking(False)
        try:
            sock.bind((ip, port))
        except OSError as error:
            raise OSError(f"{ip}:{port} cannot be bound ({error.strerror}); does another bench run here?") from None
        sock.listen(64)
        self._listeners.append((sock, passes))

        def readable(mask: int) -> None:
            try:
                peer, (source, _) = sock.accept()
            except OSError:
                return
            if len(self.flows) >= FLOWS_MOST or not passes():
                reset(peer)
            else:
                accepted(peer, source)

        self.loop.add(sock.fileno(), IN, readable)

    # --- what a listener begins -------------------------------------------------------------------------------

    def _group(self, lan: str, ip: str, port: int) -> Accepted:
        """A client of the group address: to the owner, from the client's own address."""

        def accepted(sock: socket.socket, source: str) -> None:
            m = str(self.world.owner[lan])
            flow = Flow(self.loop, self.flows, m, lan, lambda: self.world.serves(m, lan), self._wire(m, lan))
            flow.join(sock, False, source, raised(ip, self.plan.plane[m]), port)

        return accepted

    def _own(self, m: str, lan: str, ip: str, port: int) -> Accepted:
        """A client of a member's own address."""
        wire = self._wire(m, lan)

        def accepted(sock: socket.socket, source: str) -> None:
            flow = Flow(self.loop, self.flows, m, "", wire, wire)
            flow.join(sock, False, source, raised(ip, self.plan.plane[m]), port)

        return accepted

    def _device(self, m: str, lan: str, host: str, port: int) -> Accepted:
        """A member dials a device, from its own address or, as owner, from the group's."""
        wire = self._wire(m, lan)
        groups = next(plan.group for plan in self.plan.lans if plan.name == lan)

        def accepted(sock: socket.socket, source: str) -> None:
            public = raised(source, -self.plan.plane[m]) if source.startswith("127.") else source
            as_group = public in groups
            passes: Passes = (lambda: self.world.serves(m, lan)) if as_group else wire
            flow = Flow(self.loop, self.flows, m, lan if as_group else "", passes, wire)
            flow.join(sock, True, public, host, port)

        return accepted

    def _listen_link(self, lan: str, m: str, ip: str) -> None:
        """The address of `m` on the other member's plane: the hot-standby link's way."""
        peer, plane, port = other(m), self.plan.plane, self.plan.link_port

        def passes() -> bool:
            return self.world.between(lan)

        def accepted(sock: socket.socket, source: str) -> None:
            flow = Flow(self.loop, self.flows, "ab", "", passes, passes)
            flow.join(sock, True, raised(source, plane[m] - plane[peer]), raised(ip, plane[m]), port)

        self._listen(raised(ip, plane[peer]), port, passes, accepted)

    def _reset_link(self) -> int:
        """Somebody forges a reset of the hot-standby connection, to both of its ends."""
        links = [flow for flow in self.flows if flow.members == "ab"]
        for flow in links:
            flow.drop()
        return len(links)

    # --- after every change -----------------------------------------------------------------------------------

    def judge(self) -> None:
        """What may pass passes, what may not is silent, a former owner's flows are reset, so are a dead board's."""
        for sock, passes in self._listeners:
            quiet = not passes()
            if quiet != (sock.fileno() in self._silenced):
                (self._silenced.add if quiet else self._silenced.discard)(sock.fileno())
                if not silence(sock, quiet) or not quiet:
                    self.loop.modify(sock.fileno(), 0 if quiet else IN)
        owner, power = self.world.owner, self.world.power
        moved = {lan for lan, m in owner.items() if m is not None and m != self._owner[lan]}
        self._owner.update({lan: owner[lan] for lan in moved})
        booted = {m for m in MEMBERS if power[m] and not self._power[m]}
        self._power = dict(power)
        for flow in list(self.flows):
            if flow.group in moved and owner[flow.group] not in (None, flow.members):
                zombie = flow.orphan()
                self.loop.at(self.loop.now + ZOMBIE_NS, lambda zombie=zombie: reset(zombie))  # type: ignore[misc]
            elif booted and booted & set(flow.members):
                flow.drop()
            else:
                flow.gate()
