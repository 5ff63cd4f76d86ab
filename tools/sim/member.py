"""A simulated member: the product's node and guard, unmodified, on virtual ports.

The supervisor's and the heart's loops are played here: what comes for a frozen process waits in its kernel; a turn's
actions are carried out one by one; a dead one's connections are closed by its kernel, unless its supply was cut first.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from tandem.codec import heart as say
from tandem.codec.beat import BeatBody, Seal
from tandem.config.model import Member as Letter
from tandem.node import Node
from tandem.point import MS
from tandem.standby.guard import Guard
from tandem.standby.rules import guard_rules
from tools.sim.box import IPC_NS
from tools.sim.flash import Flash
from tools.sim.pipes import Pipe
from tools.sim.process import Process
from tools.sim.turning import SupervisorLoop
from tools.sim.world import World

_RESTART_NS = 500 * MS  # of the service manager, when the processes ended by themselves
_HANDED_OVER_NS = 20 * MS
_BOOT_NS = 300 * MS


class Member(SupervisorLoop):
    """One box: two processes, a state folder, and its connections. `site` is the `Site` it stands in."""

    def __init__(self, site: Any, letter: Letter) -> None:
        self.site = site
        self.world: World = site.world
        self.letter = letter
        self.flash = Flash(site.world.random)
        self.clock_step_us = 0
        self.thawed_ns = 0
        """When its processes went on after they had stood still."""
        self.boots = 0
        self.died: dict[int, int] = {}
        """By boot: when its supervisor died."""
        site.plant.sense(letter, self._pins_changed)
        self.boot()

    # --- life -------------------------------------------------------------------------------------------------

    def boot(self) -> None:
        """Power on, or the service manager's restart: fresh processes over the same state folder."""
        if self.boots:
            self.site.ended(self)
        self.boots += 1
        self.supervisor, self.heart = Process(), Process()
        now = self.world.now
        config = self.site.config
        past = self.flash.past()
        self.node = Node(config, self.letter, self.site.relay, past, self.world.random.randbytes, True, now)
        self.node.ask_witness(self.site.third.seal, now)
        if self.site.probing:
            self.node.reach.begin(now)
        nonce = self.world.random.getrandbits(32) | 1
        self.guard = Guard(guard_rules(config, self.letter, self.site.relay, True), Seal(bytes(32)), nonce, now)
        self._streams: dict[str, Pipe | str] = {}
        self._channels: dict[Pipe, str] = {}
        self._dialing: set[str] = set()
        self._page = (0, BeatBody())
        self._page_heart_ns = self._heart_turn_told = self._looked_ns = 0
        self._noted = []
        self._told = deque([(now, say.Ready(nonce, self.guard.permit, ""))])
        self._after_publish: list[say.Request] = []
        self._turn_ended = now
        self._turn_due = False
        self._clock_check_at = self._due_at = self._wake_at = self._wake_set = self._heart_at = self._heart_set = 0
        self._frames = []
        self._comes_back = False
        self.site.listening.pop(self.letter, None)
        self.pins = self.site.pins_of(self.letter)
        pins = self.site.plant.connect(self.letter)
        self._heart_event(lambda t: self._feed_pins(pins, t))
        self._turn_soon()

    def die(self, *, of_heart: bool = False) -> None:
        """SIGKILL of the supervisor, or the end of the heart. A fat process dies slowly: then its sockets close."""
        if of_heart and self.heart.alive:
            self.heart.alive = False
            self.site.bench.heart(self.letter, False)
            self._told.append((self.world.now, say.HeartGone("the heart has ended")))
            self._after(IPC_NS, self._heart_tells)
        elif not of_heart and self.supervisor.alive:
            self.supervisor.alive = False
            self.died[self.boots] = self.world.now
            self.site.listening.pop(self.letter, None)
            self.world.after(self.world.random.randrange(1, 12) * MS, self._buried(self._channels))
            self._streams, self._channels = {}, {}
        if self._comes_back and not self.heart.alive and not self.supervisor.alive:
            self._after(_RESTART_NS, self.rise)

    def kill(self, heart_too: bool) -> None:
        """SIGKILL of the supervisor, or of both processes at once."""
        if heart_too:
            self.die(of_heart=True)
        self.die()

    def _buried(self, channels: dict[Pipe, str]) -> Callable[[], None]:
        boots = self.boots

        def close() -> None:
            for pipe in channels:
                pipe.close(self, "closed by the kernel of a dead process")
            if self.boots == boots:
                self._heart_event(self.guard.supervisor_died)

        return close

    def rise(self) -> None:
        """Whatever still runs of a broken pair of processes ends, and both begin anew; not without power."""
        if not self.up and self.site.bench.power[self.letter] and self.letter not in self.site.air.hung:
            self.die()
            self.die(of_heart=True)
            self.boot()

    def reset(self) -> None:
        """The guardian pulls the board's reset line: nothing runs, nothing is answered until it has booted."""
        hung = self.site.air.hung
        hung.add(self.letter)
        self.power_lost()
        self.kill(heart_too=True)
        self.flash.power_lost()

        def booted() -> None:
            hung.discard(self.letter)
            self.rise()

        self.world.after(_BOOT_NS, booted)

    def start_again(self) -> None:
        """The service manager is told to start it: now, or as soon as it has ended."""
        self._comes_back = True
        self.rise()

    def freeze(self, *, supervisor: bool = True, heart: bool = False) -> None:
        """SIGSTOP."""
        self.supervisor.frozen |= supervisor
        self.heart.frozen |= heart

    def thaw(self) -> None:
        """SIGCONT: the heart first, as its priority says."""
        if self.supervisor.frozen:
            self.thawed_ns = self.world.now
        self.heart.thaw()
        self.supervisor.thaw()

    def hear_witness(self, octets: bytes) -> None:
        """A datagram from the granting witness."""
        self.call(lambda now: self.node.witness_says(octets, now))

    def back_in(self) -> None:
        """An operator orders this member back into service."""
        self._event(lambda t: self.world.tell(f"{self.letter}: in: {self.node.role.order('in', t)}"))

    def order(self, member: str) -> None:
        """An operator orders that `member` be active, at this box."""
        self.call(lambda now: self.world.tell(f"{self.letter}: {self.node.order_switchover(member, now)}"))

    def call(self, do: Callable[[int], object]) -> object:
        """Somebody asks at this box: `do(now)` in its process; its result, None from a process that is not running."""
        results: list[object] = []
        self._event(lambda now: results.append(do(now)))
        return results[0] if results else None

    def end(self) -> None:
        """SIGTERM: it hands over, ends and is not started again by itself."""

        def try_to(t: int) -> None:
            if self.node.hand_over(t):
                self._after(_HANDED_OVER_NS, self.end)
            else:
                self.stop()

        self._event(try_to)

    def stop(self) -> None:
        """The supervisor ends in order: the heart gives everything back."""
        self._heart_event(lambda t: self.guard.request(say.End(), t))
        self.die()

    @property
    def up(self) -> bool:
        """Both processes live (frozen or not)."""
        return self.supervisor.alive and self.heart.alive
