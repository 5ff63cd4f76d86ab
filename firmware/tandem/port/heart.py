"""The supervisor's side of the heart: starts it, asks it, drains what it tells.

Alone the supervisor starts the heart as its child. Where TANDEM_HEART names the socket of a heart that is a service of
its own, it connects there: the service manager starts one, with rights that the supervisor does not have.
"""

from __future__ import annotations

import marshal
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

from guardian import wire
from tandem.codec import heart as say
from tandem.codec.beat import BeatBody
from tandem.config.model import Config, Member
from tandem.config.timing import RelayTimes
from tandem.port.board import Board
from tandem.port.net_plan import net_plan
from tandem.port.progress import Progress
from tandem.standby.rules import KERNEL, guard_rules, path_names

BEAT_PORT = 4721
_FIRMWARE = Path(__file__).resolve().parents[2]
SERVICE = "TANDEM_HEART"
"""Environment: the path of the heart's socket, where it is a service."""
_END_S = 1.5
_READS_MAX = 64


class HeartClient:
    """One running heart. Everything here returns at once."""

    def __init__(self, process: subprocess.Popen[bytes] | None, link: socket.socket, page: Progress) -> None:
        self.pid = process.pid if process is not None else 0
        """Process id of a child; 0 where the heart is a service, whose manager knows it."""
        self._process = process
        self._link = link
        self._page = page
        self._turn_told = 0
        self._taken = 0  # datagrams
        self._after_publish: list[say.Request] = []
        self._gone = False

    @classmethod
    def spawn(cls, config: Config, member: Member, board: Board, beat_key: bytes, priority: int = 0) -> HeartClient:
        """Start the heart of `member`; FIFO `priority` above the supervisor's own, 0 asks for none."""
        return cls.spawn_plan(_plan(config, member, board, beat_key, priority))

    @classmethod
    def spawn_plan(cls, plan: dict[str, Any]) -> HeartClient:
        """A heart with this plan. The key goes over the socket, where `ps` does not see it. Raises OSError."""
        plan = {**plan, "supervisor": os.getpid(), "rules": _plain(plan["rules"])}
        door = os.environ.get(SERVICE, "")
        return cls._ask_service(plan, door) if door else cls._start_child(plan)

    @classmethod
    def _ask_service(cls, plan: dict[str, Any], door: str) -> HeartClient:
        link = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        page_fd = Progress.create()
        try:
            link.connect(door)
            socket.send_fds(link, [marshal.dumps(plan)], [page_fd])
        except OSError as error:
            link.close()
            os.close(page_fd)
            cure = "is its socket unit started? `systemctl status tandem-heart.socket`"
            raise OSError(f"the heart's socket {door}: {error.strerror}; {cure}") from error
        page = Progress(page_fd)
        os.close(page_fd)
        link.setblocking(False)
        return cls(None, link, page)

    @classmethod
    def _start_child(cls, plan: dict[str, Any]) -> HeartClient:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        page_fd = Progress.create()
        page = Progress(page_fd)
        process = subprocess.Popen(
            [sys.executable, "-S", "-s", "-m", "tandem.heart", str(theirs.fileno()), str(page_fd)],
            pass_fds=(theirs.fileno(), page_fd),
            env={**os.environ, "PYTHONPATH": str(_FIRMWARE)},
            stdin=subprocess.DEVNULL,
        )
        theirs.close()
        os.close(page_fd)
        ours.send(marshal.dumps(plan))
        ours.setblocking(False)
        return cls(process, ours, page)

    def fileno(self) -> int:
        """Readable when `messages` has something."""
        return self._link.fileno()

    def request(self, request: say.Request) -> None:
        """Ask the heart. A beat or a probe leaves with the words of the turn that asks: after `publish`."""
        if isinstance(request, say.BeatNow | say.Probe | say.Suspect):
            self._after_publish.append(request)
        else:
            self._send([request])

    def keep(self, fd: int) -> None:
        """The heart holds this descriptor too: the kernel takes milliseconds to end a packet socket, and an owner that
        dies is not seen dead before.
        """
        try:
            socket.send_fds(self._link, [say.pack([say.Keep()])], [fd])
        except OSError:
            pass  # it costs time at a death, nothing else

    def publish(self, at_ns: int, body: BeatBody) -> None:
        """A turn is finished; `body` is what the beats say from now on."""
        self._page.publish(at_ns, body)
        if self._after_publish:
            self._send(self._after_publish)
            self._after_publish = []

    def messages(self, readable: bool = False) -> list[say.Message]:
        """Drain, in the order in which the heart heard. When it has turned since, the last one is `HeartTurn`;
        `HeartGone` comes once. `readable`: the loop says that there is something, an end at least.
        """
        page = self._page
        heart_ns, note = page.heart_ns, page.noted()  # before the socket: all it had told by then is drained below
        messages = self._drain() if readable or self._taken != page.told else []
        if note is not None:
            at = next((i for i, m in enumerate(messages) if isinstance(m, say.Heard) and m.at_ns > note.at_ns), None)
            messages.insert(len(messages) if at is None else at, note)
        if heart_ns != self._turn_told:
            self._turn_told = heart_ns
            messages.append(say.HeartTurn(heart_ns, page.fresh()))
        return messages

    def _drain(self) -> list[say.Message]:
        messages: list[say.Message] = []
        for _ in range(_READS_MAX):
            if self._gone:
                break
            try:
                octets = self._link.recv(65536)
            except BlockingIOError:
                break
            except OSError:
                octets = b""
            if not octets:
                self._gone = True
                which = f"process {self.pid}" if self.pid else "a service"
                messages.append(say.HeartGone(f"the heart ({which}) has ended"))
                break
            self._taken += 1
            messages += say.unpack(octets)
        return messages

    def close(self) -> None:
        """End in order: the heart gives everything back, says so to the peer, and exits."""
        self._send([say.End()])
        if self._process is None:
            self._await_end()
        else:
            try:
                self._process.wait(_END_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._link.close()
        self._page.close()

    def _await_end(self) -> None:
        """A service that does not end is its manager's to kill."""
        self._link.settimeout(_END_S)
        try:
            while self._link.recv(65536):
                pass  # told to nobody any more
        except OSError:
            pass

    def _send(self, requests: list[say.Request]) -> None:
        try:
            self._link.send(say.pack(requests))
        except OSError:
            pass  # a heart that is gone or does not read is told of by `messages`, and holds nothing for long


def _plain(rules: dict[str, Any]) -> dict[str, Any]:
    """Tuples without names: `marshal` knows no others."""
    return {**rules, "paths": [tuple(path) for path in rules["paths"]]}


def _plan(config: Config, member: Member, board: Board, beat_key: bytes, priority: int) -> dict[str, Any]:
    relay: RelayTimes | None = board.relay
    return {
        "key": beat_key.hex(),
        "rules": guard_rules(config, member, relay, bool(board.pins), board.network)._asdict(),
        "paths": [_path(config, member, board, name) for name in path_names(config)],
        "pins": {**board.pins, "key": wire.derive(beat_key, member).hex()} if board.pins else {},
        "network": net_plan(config, member) if board.network == KERNEL else {},
        "priority": priority,
    }


def _path(config: Config, member: str, board: Board, name: str) -> dict[str, Any]:
    sort, _, which = name.partition(".")
    if sort == "serial":
        line = config.serial(which)
        port = {"baud": line.baud, "data_bits": line.data_bits, "parity": line.parity, "stop_bits": line.stop_bits}
        return {"name": name, "device": board.serial(line.ports[member]), **port}
    members = config.lan(which).members
    peer = "b" if member == "a" else "a"
    return {
        "name": name,
        "local": [board.plane(members[member].addresses[0].ip), BEAT_PORT],
        "remote": [board.plane(members[peer].addresses[0].ip), BEAT_PORT],
    }
