"""The heart: a small real-time process beside the supervisor that carries out `standby.guard`, and nothing else.

Started by `port.heart.HeartClient` as `python -m tandem.heart SOCKET PAGE`, or by systemd as `... --service`: see
`port.begin`. Standard library only, and little of it: what is resident here is locked memory.
"""

from __future__ import annotations

import errno
import gc
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from tandem.codec import heart as say
from tandem.codec.beat import Seal
from tandem.port.beat_path import BeatPath
from tandem.port.begin import inherited, served
from tandem.port.heart_network import HeartNetwork
from tandem.port.kept_fds import KeptFds
from tandem.port.notify import ServiceWatchdog, tell
from tandem.port.pins import NEVER, Pins, open_pins
from tandem.port.progress import Progress
from tandem.port.readers import Readers
from tandem.standby import guard_words as do
from tandem.standby.guard import Guard

_AGAIN_NS = 500_000_000  # between two tries to open a path or the pins
_READS_MAX = 32  # of one descriptor in a turn, and rounds over all of them
_UNTOLD_MAX = 256  # messages kept for a supervisor that does not read
_DATAGRAM_MESSAGES = 64
_LEASE_WORDS = {"acquire": b"L", "renew": b"R", "drop": b"D"}
_now = time.monotonic_ns


class Heart:
    """Descriptors and clock around one Guard."""

    def __init__(self, supervisor: socket.socket, page: Progress, plan: dict[str, Any]) -> None:
        rules = do.Rules(**{**plan["rules"], "paths": tuple(do.PathRule(*path) for path in plan["rules"]["paths"])})
        nonce = int.from_bytes(os.urandom(4), "little") | 1
        self.guard = Guard(rules, Seal(bytes.fromhex(plan["key"])), nonce, _now())
        self.supervisor = supervisor
        self.page = page
        self.paths = [BeatPath(path) for path in plan["paths"]]
        self.pins_plan: dict[str, Any] = plan["pins"]
        self.pins: Pins | None = None
        self.pins_trouble = ""
        self._leds = b"T"
        self.pidfd = os.pidfd_open(plan["supervisor"])
        self._untold: list[say.Message] = []
        self._kept = KeptFds()
        self.network = HeartNetwork(plan.get("network", {}), self.guard)
        self._open_at, self._running, self._rests_for = 0, True, -1
        self.service = ServiceWatchdog()
        self._readers = Readers()
        self._carry: dict[type, Callable[[Any], None]] = {
            do.Send: self._send,
            do.Pulse: lambda _: self._pin(b"P"),
            do.Coil: lambda coil: self._pin(b"C1" if coil.on else b"C0"),
            do.Trip: lambda trip: self._pin(b"Y1" if trip.on else b"Y0"),
            do.Lease: self._lease,
            do.Addresses: self._addresses,
            do.Leds: lambda leds: self._pin(b"T" + leds.octets),
            do.KillSupervisor: lambda _: self._kill(),
            do.Tell: lambda tell: self._untold.append(tell.message),
            do.Note: lambda note: self.page.note(note.heard),
            do.Exit: lambda _: self._end(),
        }

    def run(self, refused: str) -> None:
        """Live until the guard says that its work is done."""
        self._untold.append(say.Ready(self.guard.ear.nonce, self.guard.permit, refused))
        self.network.open(self._readers, _now())
        self._open_all(_now())
        while self._running:
            alarm = self.pins.alarm if self.pins else NEVER
            ready = self._readers.wait(min(self.guard.due(), self._open_at, self.network.due, alarm) - _now())
            now = _now()
            self.guard.wake(now)
            self._carry_out()
            self._hear(ready, now)
            if self.pins is not None and now >= self.pins.due:
                self._hear_pins(now)
            self._untold += self.network.turn(now)
            turn, body = self.page.read()
            self.guard.progress(turn, body, now)
            if now >= self._open_at:
                self._open_all(now)
            self.guard.tick(now)
            self._carry_out()
            self._tell()
            self._rest()
            if now >= self.service.due:
                self.service.tell(now)
            self.page.heart_ns = now
        self.network.close()
        if self.pins is not None:
            self.pins.close()

    def _rest(self) -> None:
        """One living path is enough to be woken by; what came over the others is read in the same turn."""
        living = self.guard.ear.wakes_by
        if living != self._rests_for:
            self._rests_for = living
            self._readers.rest(path.fd for i, path in enumerate(self.paths) if living >= 0 and i != living)

    # --- out ----------------------------------------------------------------------------------------------------------

    def _carry_out(self) -> None:
        began = _now()
        outputs = self.guard.outputs()
        at = 0
        while at < len(outputs):
            output = outputs[at]
            at += 1
            self._carry[type(output)](output)
            if at < len(outputs) and _now() - began > self.guard.rules.lease_ns:
                began = _now()
                self.guard.overtaken(outputs[at:], began)
                outputs, at = self.guard.outputs(), 0

    def _send(self, send: do.Send) -> None:
        if (path := self.paths[send.path]).fd < 0:
            return
        try:
            os.write(path.fd, send.octets)
        except OSError as error:
            self._trouble(send.path, error)

    def _pin(self, word: bytes) -> None:
        self._leds = word if word[:1] == b"T" else self._leds
        if self.pins is not None:
            try:
                self.pins.say(word, _now())
            except OSError as error:
                self._lose_pins(error, _now())

    def _lease(self, lease: do.Lease) -> None:
        if self.network.is_real:
            self.network.lease(lease.word, _now())
        else:
            self._pin(_LEASE_WORDS[lease.word])

    def _addresses(self, addresses: do.Addresses) -> None:
        if self.network.is_real:
            self.network.addresses(addresses.on, _now())
        else:
            self._pin(b"A" if addresses.on else b"X")

    def _kill(self) -> None:
        try:
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it was faster

    def _end(self) -> None:
        self._running = False

    def _tell(self) -> None:
        while self._untold:
            try:
                self.supervisor.send(say.pack(self._untold[:_DATAGRAM_MESSAGES]))
                self.page.told += 1
            except BlockingIOError:
                del self._untold[:-_UNTOLD_MAX]
                return
            except OSError:
                self._untold.clear()
                return
            del self._untold[:_DATAGRAM_MESSAGES]

    # --- in -----------------------------------------------------------------------------------------------------------

    def _hear(self, ready: list[int], now: int) -> None:
        """Late: round after round, since a silence is judged when all is heard; in time one round has all of it."""
        rounds = _READS_MAX if now - self.page.heart_ns > 2 * self.guard.rules.tick_ns else 1
        while ready and rounds:
            for fd in ready:
                self._readers.read(fd, now)
            rounds -= 1
            ready = self._readers.ready() if rounds else []

    def _hear_supervisor(self, now: int) -> None:
        for _ in range(_READS_MAX):
            try:
                octets = self._kept.receive(self.supervisor, 65536)
            except BlockingIOError:
                return
            except OSError:
                octets = b""
            if not octets:  # its pidfd says more surely that it died
                return self._readers.remove(self.supervisor.fileno())
            for request in say.unpack(octets):
                self.guard.request(request, now)

    def _supervisor_died(self, now: int) -> None:
        self._readers.remove(self.pidfd)
        self.guard.supervisor_died(now)

    def _hear_path(self, index: int, now: int) -> None:
        """One datagram, or what a serial path has."""
        path = self.paths[index]
        try:
            octets = os.read(path.fd, 2048)
        except OSError as error:
            return self._trouble(index, error)
        if octets:
            self.guard.received(index, octets, now)

    def _trouble(self, index: int, error: OSError) -> None:
        path = self.paths[index]
        if error.errno == errno.ECONNREFUSED:
            self.guard.refused(index, _now())
        elif path.serial and error.errno not in (errno.EAGAIN, errno.EINTR):
            self._readers.remove(path.fd)
            path.close()
            self._untold.append(say.Said(f"heartbeat path {path.name} is gone: {error.strerror}"))

    def _hear_pins(self, now: int) -> None:
        if self.pins is not None:
            try:
                for read in self.pins.read(now):
                    self.guard.pins(read, now)
            except OSError as error:
                self._lose_pins(error, now)

    def _lose_pins(self, error: OSError, now: int) -> None:
        if self.pins is not None:
            self._readers.remove(self.pins.fileno())
            self.pins.close()
            self.pins = None
            self.pins_trouble = str(error)
            self.guard.pins_gone(self.pins_trouble, now)

    # --- opening ------------------------------------------------------------------------------------------------------

    def _open_all(self, now: int) -> None:
        self._open_at = now + _AGAIN_NS
        for index, path in enumerate(self.paths):
            if path.fd < 0:
                before = path.trouble
                path.open()
                if path.fd >= 0:
                    self._readers.add(path.fd, partial(self._hear_path, index))
                    self._rests_for = -1
                elif path.trouble != before:
                    self._untold.append(say.Said(path.trouble))
        if self.pins is None and self.pins_plan:
            self._open_pins(now)
        if self.guard.supervisor_alive:
            self._readers.add(self.supervisor.fileno(), self._hear_supervisor)
            self._readers.add(self.pidfd, self._supervisor_died)

    def _open_pins(self, now: int) -> None:
        try:
            self.pins = open_pins(self.pins_plan)
        except OSError as error:
            if str(error) != self.pins_trouble:
                self.pins_trouble = str(error)
                self.guard.pins_gone(self.pins_trouble, now)
            return
        self.pins_trouble = ""
        self._readers.add(self.pins.fileno(), self._hear_pins)
        self._pin(self._leds)


def main(argv: list[str]) -> int:
    """Take over a supervisor and live, unless it is gone already."""
    for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signum, signal.SIG_IGN)  # it ends with its supervisor, after having said so to the peer
    try:
        supervisor, plan, page = served() if argv == ["--service"] else inherited(argv)
        heart = Heart(supervisor, Progress(page), plan)
    except (OSError, EOFError, ValueError) as error:
        print(f"heart: its supervisor is gone ({error})", file=sys.stderr)
        return 0
    supervisor.setblocking(False)
    priority = int(plan["priority"])
    refused = "real-time priority and locked memory: not asked for"
    if priority:
        from tandem.port.realtime import be_realtime  # it costs a megabyte of ctypes

        refused = be_realtime(priority)
    gc.collect()
    gc.freeze()
    gc.disable()
    if argv == ["--service"]:
        tell("READY=1")
    heart.run(refused)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
