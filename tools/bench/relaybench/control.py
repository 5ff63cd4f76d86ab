"""The bench's control socket: JSON lines, one answer a line, and a stream of events for who subscribes.

    {"do": "state"}                                  <- {"ok": true, "state": {...}}
    {"do": "cut" | "restore", "what": LAN | "crossover" | "power", "member": "a" | "b" | null}
    {"do": "weld" | "unweld", "member": "a"}         its role contact sticks when it is closed
    {"do": "hold" | "unhold", "member": "a"}         its role coil is fed whatever its driver and its watchdog do
    {"do": "turn" | "unturn", "what": "key" | "lamp", "member": "a"}
    {"do": "reset"}                                  <- {"ok": true, "flows": N}: both ends of the link get a reset
    {"do": "history", "since": NS}                   <- {"ok": true, "events": [[ns, what, member, value], ...]}
    {"do": "subscribe"}                              <- {"ok": true}, then {"event": [...]} for each
    {"do": "end"}
"""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any

from tools.bench.plan import MEMBERS
from tools.bench.relaybench.loop import ERR, HUP, IN, Loop
from tools.bench.relaybench.world import Event, World

_LINE_MOST = 65_536
_BEHIND_MOST = 1_000_000


class Client:
    """One connection; it is closed when it does not read what it asked for."""

    def __init__(self, control: Control, sock: socket.socket) -> None:
        self.control = control
        self.sock = sock
        self._in = b""
        self._out = b""
        self._subscribed = False
        sock.setblocking(False)
        control.loop.add(sock.fileno(), IN, self._ready)

    def _ready(self, mask: int) -> None:
        try:
            octets = self.sock.recv(65536)
        except BlockingIOError:
            octets = b" " if not mask & (ERR | HUP) else b""
        except OSError:
            octets = b""
        self._in += octets.strip(b" ") if octets == b" " else octets
        if not octets or len(self._in) > _LINE_MOST:
            self.close()
            return
        *lines, self._in = self._in.split(b"\n")
        for line in lines:
            if line.strip():
                self.say(self.control.answer(line, self))
        self._flush()

    def subscribe(self) -> None:
        """Events come from now on."""
        if not self._subscribed:
            self._subscribed = True
            self.control.world.watchers.append(self._event)

    def _event(self, event: Event) -> None:
        self.say({"event": event})
        self._flush()

    def say(self, answer: dict[str, Any]) -> None:
        """Queue one line."""
        self._out += json.dumps(answer).encode() + b"\n"

    def _flush(self) -> None:
        try:
            while self._out:
                self._out = self._out[self.sock.send(self._out) :]
        except BlockingIOError:
            if len(self._out) > _BEHIND_MOST:
                self.close()
            else:
                self.control.loop.at(self.control.loop.now + 2_000_000, self._flush)
        except OSError:
            self.close()

    def close(self) -> None:
        """Forget this client."""
        if self.sock.fileno() >= 0:
            self.control.loop.remove(self.sock.fileno())
            self.sock.close()
        self._out = b""
        if self._event in self.control.world.watchers:
            self.control.world.watchers.remove(self._event)


class Control:
    """The listening socket and what can be asked."""

    def __init__(self, path: Path, loop: Loop, world: World) -> None:
        self.path = path
        self.loop = loop
        self.world = world
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen(8)
        self._listener.setblocking(False)
        loop.add(self._listener.fileno(), IN, self._accept)

    def _accept(self, mask: int) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:
            return
        Client(self, sock)

    def answer(self, line: bytes, client: Client) -> dict[str, Any]:
        """The answer to one line, whatever it holds."""
        try:
            asked = json.loads(line)
            return {"ok": True, **self._do(asked, client)}
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            return {"ok": False, "error": f"{type(error).__name__}: {error}"}

    def _do(self, asked: dict[str, Any], client: Client) -> dict[str, Any]:
        verb, member = asked.get("do"), asked.get("member")
        if verb == "state":
            return {"state": self.world.state()}
        if verb == "history":
            since = int(asked.get("since", 0))
            return {"events": [e for e in self.world.history if e[0] >= since]}
        if verb in ("cut", "restore"):
            self.world.cut(str(asked["what"]), member, verb == "restore")
            return {"t": self.loop.now}
        if verb in ("turn", "unturn"):
            self.world.turn(str(asked["what"]), member, verb == "turn")
            return {"t": self.loop.now}
        if verb in ("weld", "unweld", "hold", "unhold"):
            if member not in MEMBERS:
                raise ValueError("name a member, a or b")
            sticks = self.world.relays.weld if "weld" in verb else self.world.relays.hold
            sticks(member, verb in ("weld", "hold"), self.loop.now)
            self.world.note(self.loop.now, str(verb), member, 1)
            self.world.settle()
            return {"t": self.loop.now}
        if verb == "reset":
            return {"flows": self.world.reset_link()}
        if verb == "subscribe":
            client.subscribe()
            return {}
        if verb == "end":
            self.loop.running = False
            return {}
        can = "state, history, cut, restore, weld, unweld, hold, unhold, turn, unturn, reset, subscribe, end"
        raise ValueError(f"{verb!r} cannot be done; these can: {can}")
