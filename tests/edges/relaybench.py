"""A fake member for the relay bench: pins of a heart, sockets on the member's plane, and a bench process to itself."""

from __future__ import annotations

import select
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.bench.client import BenchClient
from tools.bench.group import free_octet, relocate
from tools.bench.plan import raised
from tools.bench.processes import ROOT, end, start

EXAMPLE = ROOT / "tools" / "example-group"
PLANES = {"a": 100, "b": 200}


class Heart:
    """The pins of one member; `pulse` keeps pulses and renewals coming until it is stopped."""

    def __init__(self, run: Path, member: str) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.sock.connect(str(run / f"pins-{member}"))
        self.sock.settimeout(2)
        self._going = threading.Event()
        self._thread: threading.Thread | None = None

    def say(self, *messages: bytes) -> None:
        for message in messages:
            self.sock.send(message)

    def pulse(self) -> None:
        self._going.set()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while self._going.is_set():
            self.sock.send(b"P")
            self.sock.send(b"R")
            time.sleep(0.005)

    def freeze(self) -> int:
        """No more pulses and renewals; returns the monotonic ns of the last."""
        self._going.clear()
        if self._thread is not None:
            self._thread.join()
        return time.monotonic_ns()

    def sensed(self) -> bytes:
        """The newest S message."""
        newest = b""
        while not newest or select.select([self.sock], [], [], 0.02)[0]:
            message = self.sock.recv(64)
            newest = message if message[:1] == b"S" else newest
        return newest

    def close(self) -> None:
        self.freeze()
        self.sock.close()


class Rig:
    """One bench and two fake members on loopback addresses of its own."""

    def __init__(self, run: Path, config: Path, octet: int) -> None:
        self.run = run
        self.config = config
        self.octet = octet
        self.bench = BenchClient(run, wait_s=10)
        self.heart = {m: Heart(run, m) for m in "ab"}
        self._sockets: list[socket.socket] = []

    def public(self, rest: str) -> str:
        return f"127.{self.octet}.{rest}"

    def on_plane(self, member: str, rest: str) -> str:
        return raised(self.public(rest), PLANES[member])

    def listen(self, ip: str, port: int) -> socket.socket:
        sock = socket.create_server((ip, port))
        sock.settimeout(2)
        self._sockets.append(sock)
        return sock

    def dial(self, source: str, host: str, port: int, timeout_s: float = 2) -> socket.socket:
        sock = socket.create_connection((host, port), timeout_s, (source, 0))
        self._sockets.append(sock)
        return sock

    def datagrams(self, ip: str, to: str) -> socket.socket:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind((ip, 4721))
        sock.connect((to, 4721))
        sock.settimeout(1)
        self._sockets.append(sock)
        return sock

    def own(self, member: str) -> None:
        """The member takes lease and group addresses, and keeps them."""
        self.heart[member].pulse()
        self.heart[member].say(b"L", b"A")
        self.wait(lambda: set(self.bench.state()["owner"].values()) == {member})

    def close_contact(self, member: str) -> None:
        """Pulses come, then the coil is driven until its contact is closed and still."""
        self.heart[member].pulse()
        self.wait(lambda: self.bench.state()["members"][member]["watchdog"])
        self.heart[member].say(b"C1")
        self.wait(lambda: self.bench.state()["members"][member]["contact"])
        time.sleep(0.005)

    def wait(self, true: object, timeout_s: float = 3.0) -> None:
        assert callable(true)
        until = time.monotonic() + timeout_s
        while not true():
            assert time.monotonic() < until, "it did not happen in time"
            time.sleep(0.003)

    def times(self, what: str, member: str, value: object) -> list[int]:
        """When that happened, in monotonic ns."""
        return [t for t, w, m, v in self.bench.history() if (w, m, v) == (what, member, value)]

    def close(self) -> None:
        for heart in self.heart.values():
            heart.close()
        for sock in self._sockets:
            sock.close()
        self.bench.close()


@contextmanager
def rig(folder: Path) -> Iterator[Rig]:
    """A running bench of the example group, on an octet of its own."""
    octet = free_octet()
    config = relocate(EXAMPLE, folder / "config", octet.number)
    log = folder / "relaybench.log"
    arguments = ["-m", "tools.bench.relaybench", "--config", str(config), "--dir", str(folder / "run")]
    process: subprocess.Popen[bytes] = start("relaybench", arguments, log)
    made: Rig | None = None
    try:
        made = Rig(folder / "run", config, octet.number)
        yield made
    finally:
        if made is not None:
            made.close()
        end(process)
        octet.close()
        assert b"Traceback" not in log.read_bytes(), log.read_text()
