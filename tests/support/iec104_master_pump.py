"""A real socket before the master of a rig, in the test's own thread, and c104's server as a process behind it."""

from __future__ import annotations

import json
import os
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tandem.master.base import TcpTarget
from tests.support.iec104_master_rig import Rig
from tests.support.pcap_writer import PcapWriter
from tools.bench.processes import ROOT, end, end_with_parent

_SERVER = ("10.0.0.5", 2404)
_CLIENT = ("10.0.0.9", 40_000)


class RemoteProcess:
    """`tools.bench.field.iec104` over a configuration's folder."""

    def __init__(self, folder: Path) -> None:
        command = [sys.executable, "-m", "tools.bench.field.iec104", "--config", str(folder), "--dir", str(folder)]
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'firmware'}:{ROOT}"}
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, env=environment, start_new_session=True, preexec_fn=end_with_parent
        )
        assert self._process.stdout is not None and self._process.stdin is not None
        self._in, self._out = self._process.stdin, self._process.stdout
        assert json.loads(self._out.readline())["devices"] == 1

    def ask(self, **question: Any) -> dict[str, Any]:
        """One answer; the master stands still meanwhile, which a device does not mind."""
        self._in.write(json.dumps(question).encode() + b"\n")
        self._in.flush()
        answer: dict[str, Any] = json.loads(self._out.readline())
        assert answer["ok"], answer
        return answer

    def close(self) -> None:
        """End the process."""
        end(self._process)
        self._in.close()
        self._out.close()


class MasterPump:
    """Passes octets between the rig's first connection and its target; every octet is also in `capture`."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.capture = PcapWriter()
        self._begin = time.monotonic_ns()
        self._selector = selectors.DefaultSelector()
        self._sock: socket.socket | None = None
        self._dials = 0

    def dial(self) -> None:
        """Connect; the device may still be closing what was there before."""
        target = self.rig.channels[0].target
        assert isinstance(target, TcpTarget)
        self._dials += 1
        self._sock = socket.create_connection((target.host, target.port), 5)
        self._sock.setblocking(False)
        self._sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._selector.register(self._sock, selectors.EVENT_READ)
        self.rig.now = time.monotonic_ns() - self._begin
        self.capture.opened(self._client, _SERVER, self.rig.now // 1_000_000)
        self.rig.channels[0].opened(self.rig.now)

    @property
    def _client(self) -> tuple[str, int]:
        return _CLIENT[0], _CLIENT[1] + self._dials

    def turn(self) -> None:
        """One turn of the loop: at most 2 ms."""
        ready = self._selector.select(0.002)
        self.rig.now = time.monotonic_ns() - self._begin
        channel, ms = self.rig.channels[0], self.rig.now // 1_000_000
        if ready and self._sock is not None:
            data = self._sock.recv(65536)
            if data:
                self.capture.passed(_SERVER, self._client, data, ms)
                channel.receive(data, self.rig.now)
            else:
                self.cut("closed by the device")
        due = channel.due()
        if due is not None and due <= self.rig.now:
            channel.tick(self.rig.now)
        self.rig.turn()
        if (octets := channel.outgoing()) and self._sock is not None:
            self.capture.passed(self._client, _SERVER, octets, ms)
            self._sock.sendall(octets)

    def until(self, done: Callable[[], bool], s: float = 10.0) -> None:
        """Turn until it holds; what was hung up is dialed again."""
        until = time.monotonic() + s
        while not done():
            assert time.monotonic() < until, f"not within {s} s; said: {self.rig.said}"
            if self._sock is None:
                time.sleep(0.05)
                self.dial()
            self.turn()

    def cut(self, reason: str) -> None:
        """The connection breaks."""
        if self._sock is not None:
            self._selector.unregister(self._sock)
            self._sock.close()
            self._sock = None
            self.capture.closed(self._client, _SERVER, self.rig.now // 1_000_000)
            self.rig.channels[0].closed(self.rig.now, reason)
            self.rig.events()

    def close(self) -> None:
        """Close the socket."""
        self.cut("the test ends")
        self._selector.close()
