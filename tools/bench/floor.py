"""What the machine itself takes for a step over loopback and back: the floor that a lag is compared with.

Two bare processes and nothing else: one sends `octets` every `step_ms`, the other sends as much back at once.
"""

from __future__ import annotations

import socket
import statistics
import subprocess
import sys
import time
from typing import NamedTuple

_ECHO = """import socket
s = socket.create_connection(("127.0.0.1", {port}))
s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
while (octets := s.recv(65536)):
    s.sendall(octets)
"""


class Floor(NamedTuple):
    """There and back, in ms."""

    median_ms: float
    p99_ms: float
    worst_ms: float


def floor(octets: int, step_ms: float, seconds: float) -> Floor:
    """Measure for so long; a step that comes late is sent late, and its own way counts."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        echo = subprocess.Popen([sys.executable, "-S", "-c", _ECHO.format(port=door.getsockname()[1])])
        try:
            line = door.accept()[0]
            with line:
                line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                taken = sorted(_steps(line, bytes(octets), step_ms, seconds))
        finally:
            echo.kill()
            echo.wait()
    return Floor(statistics.median(taken), taken[len(taken) * 99 // 100], taken[-1])


def _steps(line: socket.socket, octets: bytes, step_ms: float, seconds: float) -> list[float]:
    taken = []
    until = time.monotonic() + seconds
    while (began := time.monotonic()) < until:
        line.sendall(octets)
        left = len(octets)
        while left:
            left -= len(line.recv(65536))
        taken.append((time.monotonic() - began) * 1e3)
        time.sleep(max(0.0, step_ms / 1e3 - (time.monotonic() - began)))
    return taken
