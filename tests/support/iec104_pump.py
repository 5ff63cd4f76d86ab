"""A real socket before the station of a rig, in the test's own thread; commands are carried out by a small device."""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tandem.engine import Close
from tandem.point import Cause, Command, Outcome, Say, Stage, Step
from tandem.slave.iec104 import Session
from tests.support.iec104_rig import Rig
from tests.support.pcap_writer import PcapWriter

FOLLOWS = {"trip": "breaker", "coil": "earth2", "level": "volt"}
"""What the device moves when an output is commanded."""

DEVICE_NS = 20_000_000
"""What a device needs to answer. c104 now and then misses an answer that comes faster than a wire can be."""


class Pump:
    """Passes octets between one listening socket and a station; every octet is also in `capture`."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.capture = PcapWriter()
        self.carried_out: list[tuple[str, float]] = []
        self.said: list[str] = []
        self.refused: set[str] = set()
        self._begin = time.monotonic_ns()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        self._server = ("127.0.0.1", 2404)
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._sessions: dict[socket.socket, tuple[Session, tuple[str, int]]] = {}
        self._selected: set[int] = set()
        self._under_way: deque[tuple[int, Command]] = deque()

    @property
    def _ms(self) -> int:
        return self.rig.now // 1_000_000

    def turn(self) -> None:
        """One turn of the loop: at most 2 ms."""
        ready = self._selector.select(0.002)
        self.rig.now = time.monotonic_ns() - self._begin
        for key, _ in ready:
            if key.fileobj is self._listener:
                self._accept()
            else:
                assert isinstance(key.fileobj, socket.socket)
                self._receive(key.fileobj)
        self._under_way.extend((self.rig.now + DEVICE_NS, command) for command in self.rig.commands())
        while self._under_way and self._under_way[0][0] <= self.rig.now:
            self._carry_out(self._under_way.popleft()[1])
        self.rig.pump()
        for peer, (session, client) in list(self._sessions.items()):
            session.tick(self.rig.now)
            if octets := session.outgoing():
                self.capture.passed(self._server, client, octets, self._ms)
                peer.setblocking(True)
                peer.sendall(octets)
                peer.setblocking(False)
            self._hear(peer, session)

    def until(self, done: Callable[[], bool], s: float = 10.0) -> None:
        """Turn until it holds."""
        end = time.monotonic() + s
        while not done():
            assert time.monotonic() < end, f"not within {s} s; said: {self.said}"
            self.turn()

    def cut(self, reason: str) -> None:
        """Every connection ends at once."""
        for peer in list(self._sessions):
            self._drop(peer, reason)

    def close(self) -> None:
        """Close every socket."""
        self.cut("the test ends")
        self._selector.close()
        self._listener.close()

    def _accept(self) -> None:
        peer, (host, port) = self._listener.accept()
        peer.setblocking(False)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        session = self.rig.station.accept(host, True, self.rig.now)
        assert isinstance(session, Session), session
        session.opened(self.rig.now)
        self.capture.opened((host, port), self._server, self._ms)
        self._sessions[peer] = session, (host, port)
        self._selector.register(peer, selectors.EVENT_READ)

    def _receive(self, peer: socket.socket) -> None:
        session, client = self._sessions[peer]
        try:
            data = peer.recv(65536)
        except OSError:
            data = b""
        if data:
            self.capture.passed(client, self._server, data, self._ms)
            session.receive(data, self.rig.now)
        else:
            self._drop(peer, "closed by the peer")

    def _drop(self, peer: socket.socket, reason: str) -> None:
        session, client = self._sessions.pop(peer)
        self._selector.unregister(peer)
        peer.close()
        self.capture.closed(client, self._server, self._ms)
        session.closed(self.rig.now, reason)

    def _hear(self, peer: socket.socket, session: Session) -> None:
        for event in session.events():
            if isinstance(event, Say):
                self.said.append(event.text)
            elif isinstance(event, Close):
                self._drop(peer, event.reason)

    def _carry_out(self, command: Command) -> None:
        name = self.rig.table.by_id[command.point_id].name
        if name in self.refused or (command.step is Step.EXECUTE and command.point_id not in self._selected):
            self.rig.report(command.ref, Outcome.REFUSED)
            return
        if command.step is Step.SELECT:
            self._selected.add(command.point_id)
        self.rig.report(command.ref)
        if command.step in (Step.DIRECT, Step.EXECUTE):
            self._selected.discard(command.point_id)
            self.carried_out.append((name, command.value))
            self.rig.update(FOLLOWS[name], command.value, 0, Cause.RETURN)
            self.rig.pump()
            self.rig.report(command.ref, stage=Stage.END)


class PeerProcess:
    """A peer program that answers JSON questions; the pump turns while it thinks."""

    def __init__(self, pump: Pump, program: Path, *arguments: str) -> None:
        self._pump = pump
        command = [sys.executable, str(program), str(pump.port), *arguments]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        self._out = self._process.stdout
        self._read()

    def ask(self, *question: Any) -> Any:
        """The answer to one question."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> Any:
        with selectors.DefaultSelector() as selector:
            selector.register(self._out, selectors.EVENT_READ)
            self._pump.until(lambda: bool(selector.select(0)), 20)
        return json.loads(self._out.readline())

    def close(self) -> None:
        """End the process."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._out.close()
        try:
            self._process.wait(2)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
