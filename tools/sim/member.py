"""A simulated member: the product's node and guard, unmodified, on virtual ports.

The supervisor's and the heart's loops are played here: what comes for a frozen process waits in its kernel; a turn's
actions are carried out one by one; a dead one's connections are reset by its kernel, unless its supply was cut first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from tandem.action import Action, CloseChannel, Dial, Listen, OpenLine, Persist, Restart, ToHeart
from tandem.codec import heart as say
from tandem.codec.beat import BeatBody, Seal
from tandem.node import Node
from tandem.past import Past
from tandem.point import MS, Say
from tandem.standby import guard_words as do
from tandem.standby.guard import Guard
from tandem.standby.rules import guard_rules
from tools.bench.plan import other
from tools.sim.pipes import Pipe
from tools.sim.world import World

IDLE_TURN_NS = 15 * MS
_IPC_NS = MS // 20
_PIN_WORDS = {do.PULSE: b"P", do.COIL_HIGH: b"C1", do.COIL_LOW: b"C0", do.ACQUIRE: b"L", do.RENEW: b"R"}
_PIN_WORDS |= {do.DROP: b"D", do.ADDRESSES_ON: b"A", do.ADDRESSES_OFF: b"X"}


class Process:
    """Runs what comes for it; frozen, it lets it wait; dead, it forgets it."""

    def __init__(self) -> None:
        self.alive = True
        self.frozen = False
        self._inbox: deque[Callable[[], None]] = deque()

    def do(self, call: Callable[[], None]) -> None:
        """Run now, or when thawed."""
        if self.frozen:
            self._inbox.append(call)
        elif self.alive:
            call()

    def thaw(self) -> None:
        """Everything that waited, in order."""
        self.frozen = False
        while self._inbox and self.alive and not self.frozen:
            self._inbox.popleft()()


class Member:
    """One box: two processes, a state folder, and its connections. `site` is the `Site` it stands in."""

    def __init__(self, site: Any, letter: str) -> None:
        self.site = site
        self.world: World = site.world
        self.letter = letter
        self.state: dict[str, str] = {}
        self.boots = 0
        site.plant.sense(letter, self._pins_changed)
        self.boot()

    # --- life -------------------------------------------------------------------------------------------------

    def boot(self) -> None:
        """Power on, or systemd's restart: fresh processes over the same state folder."""
        self.boots += 1
        self.supervisor, self.heart = Process(), Process()
        now = self.world.now
        config = self.site.config
        past = Past({name: self.state.get(name, "") for name in Past.FILES})
        self.node = Node(config, self.letter, self.site.relay, past, self.world.random.randbytes, True, now)
        self.node.clock_reads(1_700_000_000_000_000 + now // 1000, True, now)
        nonce = self.world.random.getrandbits(32) or 1
        self.guard = Guard(guard_rules(config, self.letter, self.site.relay, True), Seal(bytes(32)), nonce, now)
        self._streams: dict[str, Pipe | str] = {}
        self._channels: dict[Pipe, str] = {}
        self._progress: tuple[int, BeatBody] = (0, BeatBody())
        self._turn_ended = now
        self._turn_due = False
        self._wake_at = 0
        self._heart_at = 0
        self._read_pins = b""
        self._to_node([say.Ready(nonce, self.guard.permit, "")])
        pins = self.site.plant.connect(self.letter)
        self.heart.do(lambda: self._heart_turn(lambda t: self._feed_pins(pins, t)))
        self._turn_soon()

    def kill(self, heart_too: bool) -> None:
        """SIGKILL: the kernel closes what the process had."""
        self.supervisor.alive = False
        for pipe in list(self._channels):
            pipe.close(self, "reset by the kernel")
        self._streams.clear()
        self._channels.clear()
        if heart_too:
            self.heart.alive = False
            self.site.plant.bench.heart(self.letter, False)
        else:
            self.world.after(MS, lambda: self._heart_event(lambda t: self.guard.supervisor_died(t)))

    def freeze(self, heart_too: bool) -> None:
        """SIGSTOP."""
        self.supervisor.frozen = True
        self.heart.frozen = self.heart.frozen or heart_too

    def thaw(self) -> None:
        """SIGCONT: the heart first, as its priority says."""
        self.heart.thaw()
        self.supervisor.thaw()

    @property
    def up(self) -> bool:
        """Both processes live (frozen or not)."""
        return self.supervisor.alive and self.heart.alive

    # --- the supervisor's loop ----------------------------------------------------------------------------------

    def _enter(self) -> int:
        now = self.world.now
        if now - self._turn_ended > self.site.config.standby.lease_ms * MS:
            away, self._turn_ended = now - self._turn_ended, now
            self.node.was_away(away, now)
            self._do_actions()
        return now

    def _event(self, call: Callable[[int], None]) -> None:
        def run() -> None:
            call(self._enter())
            self._turn_soon()

        self.supervisor.do(run)

    def _turn_soon(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            self.world.after(0, lambda: self.supervisor.do(self._turn))

    def _turn(self) -> None:
        self._turn_due = False
        now = self._enter()
        self.node.tick(now)
        self._do_actions()
        for channel, octets in self.node.outgoing():
            self._write(channel, octets)
        self._turn_ended = now
        self._progress = (self._progress[0] + 1, self.node.beat_body())
        due = self.node.due()
        at = now + IDLE_TURN_NS if due is None else min(max(due, now + MS // 10), now + IDLE_TURN_NS)
        self._wake_at = at
        self.world.at(at, lambda: self.supervisor.do(lambda: self._turn_soon() if self._wake_at == at else None))

    def _do_actions(self) -> None:
        for _ in range(8):
            actions = self.node.actions()
            for action in actions:
                self._carry_out(action)
            if not actions:
                return

    def _carry_out(self, action: Action) -> None:
        match action:
            case Say(text=text):
                self.world.tell(f"{self.letter}: {text}")
            case Dial():
                self._dial(action)
            case OpenLine(channel=channel, line=line):
                self._streams[channel] = line
                self.world.after(_IPC_NS, lambda: self._event(lambda t: self.node.opened(channel, t)))
            case CloseChannel(channel=channel, reason=reason):
                self._close(channel, reason)
            case Persist(name=name, text=text):
                self.state[name] = text
                self.node.persisted(action, "", self.world.now)
            case ToHeart(request=request):
                self.world.after(_IPC_NS, lambda: self._heart_event(lambda t: self.guard.request(request, t)))  # type: ignore[arg-type]
            case Listen(slave=slave, on=on):
                self.site.listening[self.letter, slave] = on
            case Restart(reason=reason):
                self.world.tell(f"{self.letter}: restarts: {reason}")
                self.kill(heart_too=True)
                self.world.after(500 * MS, self.boot)

    def _to_node(self, messages: list[say.Message]) -> None:
        def run(t: int) -> None:
            for message in messages:
                self.node.heart_says(message, t)

        self.world.after(_IPC_NS, lambda: self._event(run))

    # --- connections --------------------------------------------------------------------------------------------

    def _dial(self, dial: Dial) -> None:
        pipe = self.site.dial(self, dial)
        if pipe is None:
            channel = dial.channel
            self.world.after(MS, lambda: self._event(lambda t: self.node.closed(channel, "connection refused", t)))
            return
        self.attach(pipe, dial.channel)
        self.world.after(MS // 2, lambda: self._event(lambda t: self.node.opened(dial.channel, t)))

    def attach(self, pipe: Pipe, channel: str) -> None:
        """A connection of ours, dialed or accepted."""
        self._streams[channel] = pipe
        self._channels[pipe] = channel

    def accept(self, pipe: Pipe, channel: str, host: str, on_group: bool) -> None:
        """Somebody dialed us."""
        self.attach(pipe, channel)
        if channel.startswith("link:"):
            self._event(lambda t: self.node.opened(channel, t))
        else:
            self._event(lambda t: self.node.accepted(channel, host, on_group, t))

    def _close(self, channel: str, reason: str) -> None:
        pipe = self._streams.pop(channel, None)
        if isinstance(pipe, Pipe):
            del self._channels[pipe]
            pipe.close(self, reason)

    def _write(self, channel: str, octets: bytes) -> None:
        stream = self._streams.get(channel)
        if isinstance(stream, Pipe):
            stream.send(self, octets)
        elif stream is not None:
            self.site.speak(self, stream, octets)

    def pipe_octets(self, pipe: Pipe, octets: bytes) -> None:
        """Octets of a connection, when the process reads them."""

        def run(t: int) -> None:
            if channel := self._channels.get(pipe):
                self.node.receive(channel, octets, t)

        self._event(run)

    def pipe_closed(self, pipe: Pipe, reason: str) -> None:
        """The other end is gone."""

        def run(t: int) -> None:
            if channel := self._channels.pop(pipe, None):
                self._streams.pop(channel, None)
                self.node.closed(channel, reason, t)

        self._event(run)

    def hear_line(self, line: str, octets: bytes) -> None:
        """Octets on a serial field line."""

        def run(t: int) -> None:
            for channel, stream in self._streams.items():
                if stream == line:
                    self.node.receive(channel, octets, t)
                    return

        self._event(run)

    # --- the heart's loop ---------------------------------------------------------------------------------------

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
            self.world.at(at, lambda: self.heart.do(lambda: wake(None) if self._heart_at == at else None))

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
            case _:
                self.site.plant.say(self.letter, _PIN_WORDS[output])

    def _feed_pins(self, pins: bytes, now: int) -> None:
        carriers = sum(bit << i for i, bit in enumerate(pins[4:]))
        self.guard.pins(say.PinsRead(now, pins[0], pins[1], pins[2], pins[3], carriers), now)

    def _pins_changed(self, pins: bytes) -> None:
        if hasattr(self, "heart"):
            self.world.after(_IPC_NS, lambda: self._heart_event(lambda t: self._feed_pins(pins, t)))

    def hear_beat(self, path: int, octets: bytes) -> None:
        """A frame of the peer's heart."""
        self._heart_event(lambda t: self.guard.received(path, octets, t))

    def beat_refused(self, path: int) -> None:
        """Our kernel was told that nobody listens there."""
        self._heart_event(lambda t: self.guard.refused(path, t))

    @property
    def peer(self) -> str:
        """The other letter."""
        return other(self.letter)
