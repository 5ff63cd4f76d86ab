"""What the halves of a simulated member share: two processes on the heap, their page and their socket pair."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from tandem.codec import heart as say
from tandem.codec.beat import BeatBody
from tandem.config.model import Member as Letter
from tandem.node import Node
from tandem.point import MS
from tandem.standby.guard import Guard
from tools.sim.pins import PlantPins, UartLine
from tools.sim.process import Process
from tools.sim.world import World

IPC_NS = MS // 20


class Box:
    """One box with power. `site` is the `Site` it stands in; `boots` numbers its incarnations."""

    site: Any
    letter: Letter
    world: World
    boots: int
    node: Node
    guard: Guard
    heart: Process
    supervisor: Process
    pins: PlantPins | UartLine
    _page: tuple[int, BeatBody]
    """The shared page: the supervisor's turn and what the beats say."""
    _page_heart_ns: int
    """The shared page: when the heart's last turn began."""
    _noted: list[say.Heard]
    """The shared page: by path, the newest usual beat; the newest of all comes last."""
    _told: deque[tuple[int, say.Message]]
    """The socket to the supervisor: (readable from, message)."""

    def die(self, *, of_heart: bool = False) -> None:
        """SIGKILL of the supervisor, or the end of the heart."""
        raise NotImplementedError

    def _event(self, call: Callable[[int], None]) -> None:
        """Something for the supervisor, when it runs."""
        raise NotImplementedError

    def _heart_tells(self) -> None:
        raise NotImplementedError

    def _at(self, time_ns: int, call: Callable[[], object]) -> None:
        """What an incarnation planned dies with it."""
        boots = self.boots

        def unless_gone() -> None:
            if self.boots == boots:
                call()

        self.world.at(time_ns, unless_gone)

    def _after(self, delay_ns: int, call: Callable[[], object]) -> None:
        self._at(self.world.now + delay_ns, call)
