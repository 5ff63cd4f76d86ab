"""What joins machines in QEMU: relays between their GPIO lines, two LANs, the crossover; in its own thread."""

import socket
import threading
import time
import tomllib
from dataclasses import dataclass
from pathlib import Path

from tools.bench.plan import other
from tools.bench.relaybench.loop import IN, Loop, Timer
from tools.bench.relaybench.relays import Relays
from tools.image.board import ROOT
from tools.image.qemu import LANS, Lines, Machine, connect

BOARD = ROOT / "board/qemu-virt/board.toml"
FRAME_MOST = 65536
EVENTS_MOST = 100_000


@dataclass(frozen=True)
class Event:
    """Something that was seen from outside: when (monotonic ns), what, of which member, its value."""

    at_ns: int
    what: str
    member: str
    value: int


class Hub:
    """One LAN: a frame of one is every other's. Members come and go; `taps` are others on this computer."""

    def __init__(self, loop: Loop, number: int, machines: dict[str, Machine]) -> None:
        self.whole = True
        self._ports: dict[str, tuple[socket.socket, Path]] = {}
        self._taps: list[socket.socket] = []
        self._loop = loop
        for member, machine in machines.items():
            far, near = machine.plan.place(f"hub{number}"), machine.plan.place(f"lan{number}")
            far.unlink(missing_ok=True)
            port = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            port.bind(str(far))
            port.setblocking(False)
            self._ports[member] = (port, near)
            loop.add(port.fileno(), IN, lambda mask, port=port: self._came(port))  # type: ignore[misc]

    def tap(self, interface: str) -> None:
        """Join an Ethernet interface of this computer (root): whoever is behind it is on this LAN."""
        door = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        door.bind((interface, 0))
        door.setblocking(False)
        self._taps.append(door)
        self._loop.add(door.fileno(), IN, lambda mask: self._tapped(door))

    def _tapped(self, door: socket.socket) -> None:
        while True:
            try:
                frame, where = door.recvfrom(FRAME_MOST)
            except OSError:
                return
            if where[2] != socket.PACKET_OUTGOING:
                self._spread(frame, door)

    def _came(self, port: socket.socket) -> None:
        while True:
            try:
                frame = port.recv(FRAME_MOST)
            except OSError:
                return
            self._spread(frame, port)

    def _spread(self, frame: bytes, source: socket.socket) -> None:
        if not self.whole:
            return
        for port, near in self._ports.values():
            if port is not source:
                try:
                    port.sendto(frame, str(near))
                except OSError:
                    pass  # switched off, or it does not keep up: Ethernet loses frames too
        for door in self._taps:
            if door is not source:
                try:
                    door.send(frame)
                except OSError:
                    pass

    def close(self) -> None:
        """Let go of every port."""
        for door in [*(port for port, _ in self._ports.values()), *self._taps]:
            self._loop.remove(door.fileno())
            door.close()


class Wired:
    """The world around the machines; `members` are a and perhaps b. Start the machines first."""

    def __init__(self, machines: dict[str, Machine]) -> None:
        board = tomllib.loads(BOARD.read_text())
        self.loop = Loop()
        self.relays = Relays.of_board(board, self._note)
        self.machines = machines
        self.events: list[Event] = []
        self.crossover = True
        self.outputs: dict[tuple[str, str], bool] = {}
        pins = {name: int(pin["line"]) for name, pin in board["pins"].items()}
        self._outputs = {line: name for name, line in pins.items() if name in ("watchdog-pulse", "role-coil")}
        self._outputs |= {line: name for name, line in pins.items() if name.startswith("led-")}
        self._inputs = {name: line for name, line in pins.items() if line not in self._outputs}
        self._shown: dict[tuple[str, str], bool] = {}
        self._lines: dict[str, Lines] = {}
        self._cross: dict[str, socket.socket] = {}
        self._timer: Timer | None = None
        self.hubs = [Hub(self.loop, number, machines) for number in range(LANS)]
        self._wake, self._waker = socket.socketpair()
        self._wake.setblocking(False)
        self._asked: list[str] = []
        self.loop.add(self._wake.fileno(), IN, self._woken)
        for member in machines:
            self._join(member)
        self._thread = threading.Thread(target=self.loop.run, name="wires", daemon=True)

    def start(self) -> None:
        """Relays move and frames pass from now on."""
        self._settle()
        self._thread.start()

    def close(self) -> None:
        """Everything falls apart."""
        self._ask("end")
        self._thread.join(5)
        for hub in self.hubs:
            hub.close()
        for member in list(self._lines):
            self._leave(member)

    def rejoin(self, member: str) -> None:
        """A machine was started anew: its lines and its crossover are wired again."""
        self._ask(member)

    def _ask(self, what: str) -> None:
        self._asked.append(what)
        self._waker.send(b"x")

    def _woken(self, mask: int) -> None:
        self._wake.recv(64)
        while self._asked:
            what = self._asked.pop(0)
            if what == "end":
                self.loop.running = False
            else:
                self._leave(what)
                self._join(what)
                self._settle()

    def _join(self, member: str) -> None:
        lines = Lines(self.machines[member], lambda line, high: self._edge(member, line, high))
        self._lines[member] = lines
        self.loop.add(lines.door.fileno(), IN, lambda mask: self._heard(member))
        cross = connect(self.machines[member].plan.place("crossover"))
        cross.setblocking(False)
        self._cross[member] = cross
        self.loop.add(cross.fileno(), IN, lambda mask: self._crossed(member))
        self._shown = {key: value for key, value in self._shown.items() if key[0] != member}
        self.relays.power(member, True, time.monotonic_ns())

    def _leave(self, member: str) -> None:
        if lines := self._lines.pop(member, None):
            self.loop.remove(lines.door.fileno())
            lines.close()
        if cross := self._cross.pop(member, None):
            self.loop.remove(cross.fileno())
            cross.close()
        for key in [key for key in self.outputs if key[0] == member]:
            self.outputs[key] = False
        self.relays.power(member, False, time.monotonic_ns())
        self._note(time.monotonic_ns(), "power", member, 0)

    def _heard(self, member: str) -> None:
        if not self._lines[member].read():
            self._leave(member)
        self._settle()

    def _crossed(self, member: str) -> None:
        try:
            octets = self._cross[member].recv(FRAME_MOST)
        except BlockingIOError:
            return
        except OSError:
            octets = b""
        if not octets:
            self.loop.remove(self._cross[member].fileno())
            self._cross.pop(member).close()
            return
        peer = self._cross.get(other(member))
        if peer is not None and self.crossover:
            try:
                peer.send(octets)
            except OSError:
                pass  # a cable has no buffer

    def _edge(self, member: str, line: int, high: bool) -> None:
        name, now = self._outputs.get(line, ""), self.loop.now
        if name == "watchdog-pulse":
            if high:
                self.relays.pulse(member, now)
        elif name:
            if name == "role-coil":
                self.relays.coil(member, high, now)
            if self.outputs.get((member, name)) != high:
                self.outputs[member, name] = high
                self._note(now, name, member, int(high))

    def _note(self, when: int, what: str, member: str, value: int) -> None:
        if len(self.events) < EVENTS_MOST:
            self.events.append(Event(when, what, member, value))

    def _settle(self) -> None:
        self.relays.tick(self.loop.input_ns)
        for member, lines in self._lines.items():
            for name, line in self._inputs.items():
                level = self._level(member, name)
                if self._shown.get((member, name)) != level:
                    self._shown[member, name] = level
                    try:
                        lines.drive(line, level)
                    except OSError:
                        pass  # its end is read as well, and told there
        if self._timer is not None:
            self._timer.cancel()
        due = self.relays.due()
        self._timer = self.loop.at(due, self._settle) if due is not None else None

    def _level(self, member: str, name: str) -> bool:
        if name == "own-contact":
            return self.relays.contact(member)
        if name == "peer-contact":
            return self.relays.contact(other(member))
        if name == "own-watchdog":
            return self.relays.watchdog[member].closed
        return False

    # --- what people and tests ask ----------------------------------------------------------------------------

    def driving(self) -> list[str]:
        """Members whose role contact is closed at this moment."""
        return [member for member in self.machines if self.relays.contact(member)]

    def high(self, member: str, name: str) -> bool:
        """The level of an output line as it was seen last."""
        return self.outputs.get((member, name), False)
