"""The heart's half of a simulated member: the guard, unmodified, and the loop around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import itemgetter

from tandem.codec import heart as say
from tandem.point import MS
from tandem.standby import guard_words as do
from tools.sim.box import IPC_NS, Box
from tools.sim.pins import UartLine

_KERNEL_KEEPS = 256  # frames in the sockets of a heart that does not read
_LEASE = {"acquire": b"L", "renew": b"R", "drop": b"D"}


class HeartLoop(Box):
    """Plays `heart.py`: every turn wakes the guard, hands in what came, and carries its outputs out one by one."""

    _heart_at: int
    _heart_set: int
    """For when its timer stands on the heap; 0: for nothing."""
    _frames: list[tuple[int, bytes]]
    """What the kernel keeps for the heart until its next turn: (path, octets)."""

    def _heart_event(self, call: Callable[[int], None] | None) -> None:
        self.heart.do(lambda: self.heart.run(self._heart_steps(call)))

    def _heart_rests(self) -> None:
        """Let the timer end its rest; one that stands for an earlier time is left to it, and set anew then."""
        if not self._heart_set or self._heart_at < self._heart_set:
            self._heart_set = at = self._heart_at
            self._at(at, lambda: self._heart_wakes(at))

    def _heart_wakes(self, at: int) -> None:
        if self._heart_set == at:
            self._heart_set = 0
            if self.world.now < self._heart_at:
                self._heart_rests()
            else:
                self.heart.do(lambda: self.heart.run(self._heart_steps(None)))

    def _heart_steps(self, call: Callable[[int], None] | None) -> Iterator[None]:
        now = self.world.now
        guard = self.guard
        guard.wake(now)
        if outputs := guard.outputs():
            yield from self._heart_carries_out(outputs)
        if call is not None:
            call(now)
        if self._frames:
            frames, self._frames = sorted(self._frames, key=itemgetter(0)), []
            for path, octets in frames:
                guard.received(path, octets, now)
        self.pins.turn(guard, now)
        guard.progress(*self._page, now)
        guard.tick(now)
        if outputs := guard.outputs():
            yield from self._heart_carries_out(outputs)
        self._page_heart_ns = now
        if self.heart.alive:
            self._heart_at = max(guard.due(), self.world.now + MS // 10)
            self._heart_rests()

    def _heart_carries_out(self, outputs: list[do.Output]) -> Iterator[None]:
        began = self.world.now
        at = 0
        while at < len(outputs):
            output = outputs[at]
            if type(output) in _MARKED and (mark := _MARKED[type(output)].get(next(iter(output)))):
                self.site.aims.mark(self.letter, mark)
                yield
            self._heart_does(output)
            at += 1
            yield
            if at < len(outputs) and self.world.now - began > self.guard.rules.lease_ns:
                began = self.world.now
                self.guard.overtaken(outputs[at:], began)
                outputs, at = self.guard.outputs(), 0

    def _heart_does(self, output: do.Output) -> None:
        match output:
            case do.Send(path, octets):
                self.site.air.send(self.letter, path, octets)
            case do.Tell(message):
                self._told.append((self.world.now + IPC_NS, message))
                self._after(IPC_NS, self._heart_tells)
            case do.Note(heard):
                self._noted = [*(other for other in self._noted if other.path != heard.path), heard]
            case do.KillSupervisor():
                self.die()
            case do.Exit():
                self.pins.close()
                self.die(of_heart=True)
            case do.Pulse():
                self.pins.say(b"P", self.world.now)
            case do.Coil(on):
                self.pins.say(b"C1" if on else b"C0", self.world.now)
            case do.Trip(on):
                self.pins.say(b"Y1" if on else b"Y0", self.world.now)
            case do.Lease(word):
                self.site.plant.say(self.letter, _LEASE[word])
            case do.Addresses(on):
                self.site.plant.say(self.letter, b"A" if on else b"X")
            case do.Leds(octets):
                self.pins.say(b"T" + octets, self.world.now)

    def _feed_pins(self, pins: bytes, now: int) -> None:
        carriers = sum(bit << i for i, bit in enumerate(pins[4:]))
        if isinstance(self.pins, UartLine):  # its contacts come over the line
            self.guard.network(pins[3], carriers, now)
        else:
            self.guard.pins(say.PinsRead(now, pins[0], pins[1], pins[2], pins[3], carriers), now)

    def hear_guardian(self, octets: bytes) -> None:
        """Octets of the guardian's line: they wake the heart."""
        if self.heart.alive and isinstance(self.pins, UartLine):
            self.pins.came(octets)
            self._heart_event(None)

    def _pins_changed(self, pins: bytes) -> None:
        if hasattr(self, "heart"):
            self._after(IPC_NS, lambda: self._heart_event(lambda t: self._feed_pins(pins, t)))

    def hear_beat(self, path: int, octets: bytes) -> None:
        """A frame of the peer's heart. One living path wakes it; what the others bring is read in the same turn."""
        if len(self._frames) < _KERNEL_KEEPS:
            self._frames.append((path, octets))
        if self.guard.ear.wakes_by in (-1, path) and len(self._frames) < _KERNEL_KEEPS:
            self._heart_event(None)

    def beat_refused(self, path: int) -> None:
        """Our kernel was told that nobody listens there."""
        self._heart_event(lambda t: self.guard.refused(path, t))


_MARKED: dict[type, dict[object, str]] = {
    do.Coil: {True: "heart coil on", False: "heart coil off"},
    do.Addresses: {True: "heart addresses on", False: "heart addresses off"},
    do.Lease: {"acquire": "heart acquire", "drop": "heart drop"},
}
