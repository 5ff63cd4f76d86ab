"""A client of the relay bench's control socket, and of every other JSON-lines socket of the bench."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path
from typing import Any


class JsonLines:
    """One connection: `ask` sends a line and returns the answer. Raises OSError, or ValueError with the refusal."""

    def __init__(self, path: str | Path, timeout_s: float = 5.0, wait_s: float = 0.0) -> None:
        self._sock = _connect(str(path), wait_s)
        self._sock.settimeout(timeout_s)
        self._file = self._sock.makefile("rb")

    def ask(self, question: dict[str, Any]) -> dict[str, Any]:
        """The answer to one question."""
        self._sock.sendall(json.dumps(question).encode() + b"\n")
        answer = self.next()
        while "event" in answer:
            answer = self.next()
        if answer.get("ok") is False:
            raise ValueError(str(answer.get("error")))
        return answer

    def next(self, timeout_s: float | None = None) -> dict[str, Any]:
        """The next line, of a stream of events. Raises TimeoutError, ConnectionError."""
        if timeout_s is not None:
            self._sock.settimeout(timeout_s)
        line = self._file.readline()
        if not line:
            raise ConnectionError("the bench closed the connection")
        return dict(json.loads(line))

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._sock.close()


class BenchClient(JsonLines):
    """What can be done to the world, and what it says of itself."""

    def __init__(self, run: str | Path, wait_s: float = 5.0) -> None:
        super().__init__(Path(run) / "control", wait_s=wait_s)

    def state(self) -> dict[str, Any]:
        """Everything of this moment."""
        return dict(self.ask({"do": "state"})["state"])

    def history(self, since_ns: int = 0) -> list[tuple[int, str, str, Any]]:
        """Everything that happened since: (monotonic ns, what, member, value)."""
        return [(e[0], e[1], e[2], e[3]) for e in self.ask({"do": "history", "since": since_ns})["events"]]

    def cut(self, what: str, member: str | None = None) -> int:
        """Cut a LAN, the crossover or a supply; returns when, in monotonic ns."""
        return int(self.ask({"do": "cut", "what": what, "member": member})["t"])

    def restore(self, what: str, member: str | None = None) -> int:
        """Undo a cut; returns when, in monotonic ns."""
        return int(self.ask({"do": "restore", "what": what, "member": member})["t"])

    def hold(self, member: str, on: bool = True) -> int:
        """Feed its role coil whatever drives it, or undo it; returns when, in monotonic ns."""
        return int(self.ask({"do": "hold" if on else "unhold", "member": member})["t"])

    def turn(self, what: str, member: str, on: bool = True) -> int:
        """Turn the key to local or press the lamp test, or undo it; returns when, in monotonic ns."""
        return int(self.ask({"do": "turn" if on else "unturn", "what": what, "member": member})["t"])


def _connect(path: str, wait_s: float) -> socket.socket:
    until = time.monotonic() + wait_s
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(path)
            return sock
        except OSError:
            sock.close()
            if time.monotonic() >= until:
                raise
            time.sleep(0.01)
