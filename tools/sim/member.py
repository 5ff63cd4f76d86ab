"""A simulated member: the product's node and guard, unmodified, on virtual ports.

The supervisor's and the heart's loops are played here: what comes for a frozen process waits in its kernel; a turn's
actions are carried out one by one; a dead one's connections are reset by its kernel, unless its supply was cut first.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tandem.action import Action, CloseChannel, Dial, Listen, OpenLine, Persist, Restart, ToHeart
from tandem.codec import heart as say
from tandem.codec.beat import BeatBody, Seal
from tandem.config.model import Member as Letter
from tandem.node import Node
from tandem.past import Past
from tandem.point import MS, Say
from tandem.standby.guard import Guard
from tandem.standby.rules import guard_rules
from tools.sim.beating import IPC_NS, HeartLoop
from tools.sim.pipes import Pipe
from tools.sim.process import Process
from tools.sim.world import World

IDLE_TURN_NS = 15 * MS


class Member(HeartLoop):
    """One box: two processes, a state folder, and its connections. `site` is the `Site` it stands in."""

    def __init__(self, site: Any, letter: Letter) -> None:
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
            self._after(MS, lambda: self._heart_event(lambda t: self.guard.supervisor_died(t)))

    def freeze(self, heart_too: bool) -> None:
        """SIGSTOP."""
        self.supervisor.frozen = True
        self.heart.frozen = self.heart.frozen or heart_too

    def thaw(self) -> None:
        """SIGCONT: the heart first, as its priority says."""
        self.heart.thaw()
        self.supervisor.thaw()

    def order(self, member: str) -> None:
        """An operator orders that `member` be active, at this box."""
        self.call(lambda now: self.world.tell(f"{self.letter}: {self.node.order_switchover(member, now)}"))

    def call(self, do: Callable[[int], object]) -> object:
        """Somebody asks at this box: `do(now)` in its process; its result, None from a process that is not running."""
        results: list[object] = []
        self._event(lambda now: results.append(do(now)))
        return results[0] if results else None

    @property
    def up(self) -> bool:
        """Both processes live (frozen or not)."""
        return self.supervisor.alive and self.heart.alive

    def _at(self, time_ns: int, call: Callable[[], object]) -> None:
        """What an incarnation planned dies with it."""
        boots = self.boots

        def unless_gone() -> None:
            if self.boots == boots:
                call()

        self.world.at(time_ns, unless_gone)

    def _after(self, delay_ns: int, call: Callable[[], object]) -> None:
        self._at(self.world.now + delay_ns, call)

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
            self._after(0, lambda: self.supervisor.do(self._turn))

    def _turn(self) -> None:
        self._turn_due = False
        now = self._enter()
        for channel, octets in self.node.first(now):
            self._write(channel, octets)
        self.node.tick(now)
        self._do_actions()
        for channel, octets in self.node.outgoing():
            self._write(channel, octets)
        self._turn_ended = now
        self._progress = (self._progress[0] + 1, self.node.beat_body())
        due = self.node.due()
        at = now + IDLE_TURN_NS if due is None else min(max(due, now + MS // 10), now + IDLE_TURN_NS)
        self._wake_at = at
        self._at(at, lambda: self.supervisor.do(lambda: self._turn_soon() if self._wake_at == at else None))

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
                self._after(IPC_NS, lambda: self._event(lambda t: self.node.opened(channel, t)))
            case CloseChannel(channel=channel, reason=reason):
                self._close(channel, reason)
            case Persist():
                delay_ns = self.world.random.randrange(1, 30) * MS
                self._after(delay_ns, lambda: self._written(action))
            case ToHeart(request=request):
                self._after(IPC_NS, lambda: self._heart_event(lambda t: self.guard.request(request, t)))
            case Listen(slave=slave, on=on):
                self.site.listening[self.letter, slave] = on
            case Restart(reason=reason):
                self.world.tell(f"{self.letter}: restarts: {reason}")
                self.kill(heart_too=True)
                self.world.after(500 * MS, self.boot)

    def _written(self, persist: Persist) -> None:
        """The flash has it: from now on a restart finds it."""
        if self.supervisor.alive:
            self.state[persist.name] = persist.text
            self._event(lambda t: self.node.persisted(persist, "", t))

    def _to_node(self, messages: list[say.Message]) -> None:
        def run(t: int) -> None:
            for message in messages:
                self.node.heart_says(message, t)

        self._after(IPC_NS, lambda: self._event(run))

    # --- connections --------------------------------------------------------------------------------------------

    def _dial(self, dial: Dial) -> None:
        pipe = self.site.dial(self, dial)
        if pipe is None:
            channel = dial.channel
            wait_ns = self.site.refusal_ns(self, dial)
            self._after(wait_ns, lambda: self._event(lambda t: self.node.closed(channel, "refused", t)))
            return
        self.attach(pipe, dial.channel)
        self._after(MS // 2, lambda: self._event(lambda t: self.node.opened(dial.channel, t)))

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
