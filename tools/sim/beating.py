"""The heart's half of a simulated member: the guard, unmodified, and the loop around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tandem.codec import heart as say
from tandem.codec.beat import BeatBody
from tandem.config.model import Member as Letter
from tandem.point import MS
from tandem.standby import guard_words as do
from tandem.standby.guard import Guard
from tools.sim.process import Process
from tools.sim.world import World

IPC_NS = MS // 20
_LEASE = {"acquire": b"L", "renew": b"R", "drop": b"D"}


class HeartLoop:
    """Plays `heart.py`: every turn wakes the guard, hands in what came, and carries its outputs out one by one."""

    site: Any
    letter: Letter
    world: World
    guard: Guard
    heart: Process
    supervisor: Process
    _progress: tuple[int, BeatBody]
    _heart_at: int

    def kill(self, heart_too: bool) -> None:
        """SIGKILL of the supervisor, or of both."""
        raise NotImplementedError

    def _to_node(self, messages: list[say.Message]) -> None:
        raise NotImplementedError

    def _at(self, time_ns: int, call: Callable[[], object]) -> None:
        raise NotImplementedError

    def _after(self, delay_ns: int, call: Callable[[], object]) -> None:
        raise NotImplementedError

    def _heart_event(self, call: Callable[[int], None]) -> None:
        self.heart.do(lambda: self._heart_turn(call))

    def _heart_turn(self, call: Callable[[int], None] | None) -> None:
        now = self.world.now
        self.guard.wake(now)
        if call is not None:
            call(now)
        self.guard.progress(*self._progress, now)
        self.guard.tick(now)
        messages: list[say.Message] = []
        for output in self.guard.outputs():
            self._heart_does(output, messages)
        messages.append(say.HeartTurn(now))
        if self.supervisor.alive:
            self._to_node(messages)
        if self.heart.alive:
            self._heart_at = at = max(self.guard.due(), now + MS // 10)
            wake = self._heart_turn
            self._at(at, lambda: self.heart.do(lambda: wake(None) if self._heart_at == at else None))

    def _heart_does(self, output: do.Output, messages: list[say.Message]) -> None:
        match output:
            case do.Send(path, octets):
                self.site.send_beat(self.letter, path, octets)
            case do.Tell(message):
                messages.append(message)
            case do.KillSupervisor():
                self.kill(heart_too=False)
            case do.Exit():
                self.kill(heart_too=True)
            case do.Pulse():
                self.site.plant.say(self.letter, b"P")
            case do.Coil(on):
                self.site.plant.say(self.letter, b"C1" if on else b"C0")
            case do.Lease(word):
                self.site.plant.say(self.letter, _LEASE[word])
            case do.Addresses(on):
                self.site.plant.say(self.letter, b"A" if on else b"X")
            case do.Leds(octets):
                self.site.plant.say(self.letter, b"T" + octets)

    def _feed_pins(self, pins: bytes, now: int) -> None:
        carriers = sum(bit << i for i, bit in enumerate(pins[4:]))
        self.guard.pins(say.PinsRead(now, pins[0], pins[1], pins[2], pins[3], carriers), now)

    def _pins_changed(self, pins: bytes) -> None:
        if hasattr(self, "heart"):
            self._after(IPC_NS, lambda: self._heart_event(lambda t: self._feed_pins(pins, t)))

    def hear_beat(self, path: int, octets: bytes) -> None:
        """A frame of the peer's heart."""
        self._heart_event(lambda t: self.guard.received(path, octets, t))

    def beat_refused(self, path: int) -> None:
        """Our kernel was told that nobody listens there."""
        self._heart_event(lambda t: self.guard.refused(path, t))
