"""The supervisor's half of a simulated member: the node, unmodified, and the loop around it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tandem.action import (
    Action,
    AskWitness,
    CloseChannel,
    Dial,
    Listen,
    OpenLine,
    Persist,
    Probe,
    Restart,
    Store,
    ToHeart,
)
from tandem.codec import heart as say
from tandem.codec.beat import GRANTING, BeatBody
from tandem.point import MS, SECOND, Say
from tools.sim.box import IPC_NS
from tools.sim.flash import Flash
from tools.sim.sockets import Sockets

_UTC_US = 1_700_000_000_000_000
_AFTER_PUBLISH = (say.BeatNow, say.Probe, say.Suspect)


class SupervisorLoop(Sockets):
    """Plays `supervisor.py`: turn for turn, and the actions of a turn one by one."""

    flash: Flash
    clock_step_us: int
    _after_publish: list[say.Request]
    _heart_turn_told: int
    _looked_ns: int
    _turn_ended: int
    _turn_due: bool
    _clock_check_at: int
    _due_at: int
    _wake_at: int
    _wake_set: int
    _comes_back: bool

    def stop(self) -> None:
        """The supervisor ends in order."""
        raise NotImplementedError

    def _enter(self) -> int:
        now = self.world.now
        if now - self._turn_ended > self.site.config.standby.lease_ms * MS:
            away, self._turn_ended = now - self._turn_ended, now
            self.node.was_away(away, now)
            for _ in self._do_actions():
                pass
        return now

    def _event(self, call: Callable[[int], None]) -> None:
        def run() -> None:
            call(self._enter())
            self._turn_soon()

        self.supervisor.do(run)

    def _heart_tells(self) -> None:
        self.supervisor.do(self._woke)

    def _drain_heart(self) -> bool:
        """True when something new was told."""
        heart_ns, notes = self._page_heart_ns, self._noted
        messages: list[say.Message] = []
        while self._told and self._told[0][0] <= self.world.now:
            messages.append(self._told.popleft()[1])
        if notes and notes[-1].at_ns > self._looked_ns:
            self._looked_ns = notes[-1].at_ns
            later = (i for i, m in enumerate(messages) if isinstance(m, say.Heard) and m.at_ns > self._looked_ns)
            messages.insert(next(later, len(messages)), notes[-1])
        if heart_ns != self._heart_turn_told:
            self._heart_turn_told = heart_ns
            at = {heard.path: heard.at_ns for heard in notes}
            messages.append(say.HeartTurn(heart_ns, tuple(at.get(path, 0) for path in range(max(at, default=-1) + 1))))
        return any([self.node.heart_says(message, self._enter()) for message in messages])

    def _turn_soon(self) -> None:
        if not self._turn_due:
            self._turn_due = True
            self._after(0, lambda: self.supervisor.do(self._turn))

    def _turn(self) -> None:
        self._turn_due = False
        self.supervisor.run(self._turn_steps())

    def _turn_steps(self) -> Iterator[None]:
        self._drain_heart()
        now = self._enter()
        if now >= self._clock_check_at:
            self._clock_check_at = now + SECOND
            self.node.clock_reads(_UTC_US + self.clock_step_us + now // 1000, True, now)
        yield from self.write_all(self.node.first(now))
        for half in (self.node.tick, self.node.pump):
            half(now)
            yield
            self._enter()
            yield from self._do_actions()
        outgoing = self.node.outgoing()
        self._turn_ended = self.world.now
        self._publish(self.node.beat_body())
        yield from self.write_all(outgoing)
        self._due_at = self.node.due()
        self._sleep()
        self.site.turned(self)

    def _publish(self, body: BeatBody) -> None:
        if (body.flags ^ self._page[1].flags) & GRANTING:
            self.site.aims.mark(self.letter, "granted" if body.flags & GRANTING else "withdrawn")
        self._page = (self._turn_ended, body)
        if self._after_publish:
            for request in self._after_publish:
                self._ask_heart(request)
            self._after_publish.clear()

    def _sleep(self) -> None:
        idle_ns = self.site.config.standby.stall_ms * MS // 2
        at = max(min(self._due_at, self._turn_ended + idle_ns), self.world.now + MS // 10)
        self._wake_at = at
        self._rests()

    def _rests(self) -> None:
        """As the heart's: a timer that stands for an earlier time is left to it, and set anew then."""
        if not self._wake_set or self._wake_at < self._wake_set:
            self._wake_set = at = self._wake_at
            self._at(at, lambda: self._wakes(at))

    def _wakes(self, at: int) -> None:
        if self._wake_set == at:
            self._wake_set = 0
            if self.world.now < self._wake_at:
                self._rests()
            else:
                self.supervisor.do(lambda: self._woke() if self._wake_at == at else None)

    def _woke(self) -> None:
        """If nothing new came and nothing is due either, the progress is shown, and that is the turn."""
        news = self._drain_heart()
        now = self._enter()
        if self._due_at - now < self.site.config.standby.stall_ms * MS // 2:
            self._due_at = self.node.due()
        if news or self._turn_due or now >= self._due_at:
            self._turn_soon()
            return
        self._turn_ended = now
        self._publish(self._page[1])
        self._sleep()

    def _do_actions(self) -> Iterator[None]:
        for _ in range(8):
            actions = self.node.actions()
            if not actions:
                return
            for action in actions:
                if type(action) is not Say:
                    what = type(action.request if isinstance(action, ToHeart) else action).__name__
                    self.site.aims.mark(self.letter, f"do {what}")
                    yield
                self._carry_out(action)
                yield

    def _carry_out(self, action: Action) -> None:
        match action:
            case Say(text=text):
                self.world.tell(f"{self.letter}: {text}")
            case Dial(channel=channel):
                self._dialing.add(channel)
                self.site.wires.dial(self, action, self.boots)
            case OpenLine(channel=channel, line=line):
                self._streams[channel] = line
                self._after(IPC_NS, lambda: self._event(lambda t: self.node.opened(channel, t)))
            case CloseChannel():
                self.hang_up(action)
            case Persist() | Store():
                at, fault = self.flash.write(self.world.now)
                self._at(at, lambda: self._written(action, fault))
            case Probe(key=key, lan=lan):
                if self.site.answers_probe(self.letter, key, lan):
                    self._after(IPC_NS, lambda: self._event(lambda t: self._probed(key)))
            case AskWitness(octets=octets):
                self.site.third.ask(self, octets)
            case ToHeart(request=request):
                if isinstance(request, _AFTER_PUBLISH):
                    self._after_publish.append(request)
                else:
                    self._ask_heart(request)
            case Listen(slave=slave, on=on):
                self.site.listening.setdefault(self.letter, {})[slave] = on
            case Restart(reason=reason):
                self.world.tell(f"{self.letter}: restarts: {reason}")
                self._comes_back = True
                self.stop()
            case _:
                raise NotImplementedError(f"the simulated supervisor does not know the action {action!r}")

    def _probed(self, key: str) -> None:
        self.node.probed(key)

    def _ask_heart(self, request: say.Request) -> None:
        self._after(IPC_NS, lambda: self._heart_event(lambda t: self.guard.request(request, t)))

    def _written(self, action: Persist | Store, fault: str) -> None:
        """A thread's answer; what the flash has is on the flash, whether the process still lives or not."""
        if not fault:
            self.flash.reached(action)
        if self.supervisor.alive:
            stored = self.node.keeping.stored if isinstance(action, Store) else self.node.persisted
            self._event(lambda t: stored(action, fault, t))  # type: ignore[arg-type]
