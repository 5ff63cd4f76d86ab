"""One device of a 104 connection: its common addresses, what it was asked, and whether it answers."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from tandem.master.iec104.asks import Ask, Asks, Period, What
from tandem.master.iec104.points import Output
from tandem.master.inputs import DeviceState, Input, Inputs
from tandem.master.saying import Mouth


class Health(enum.Enum):
    """What is known of a device since its channel was started."""

    UNKNOWN = "not asked yet"
    ANSWERS = "answers"
    LOST = "does not answer"


@dataclass(slots=True)
class Counts:
    """What `statistics` tells of a device."""

    requests: int = 0
    answers: int = 0
    timeouts: int = 0
    retries: int = 0
    exceptions: int = 0
    objects: int = 0
    unknown_objects: int = 0
    bad_replies: int = 0
    test_asdus: int = 0
    offered_again: int = 0
    untimed: int = 0
    interrogations: int = 0
    restarts: int = 0
    controls: int = 0
    losses: int = 0


@dataclass(slots=True, frozen=True)
class Terms:
    """A device's patience and habits, from the configuration."""

    answer_ns: int
    retries: int
    retry_offline_ns: int
    command_ns: int
    timed_commands: bool
    originator: int
    after_restart: bool
    """An end of initialisation is followed by an interrogation."""
    periods: tuple[Period, ...]


class Station:
    """One configured device."""

    def __init__(
        self, name: str, place: str, cas: tuple[int, ...], terms: Terms,
        state: DeviceState, inputs: Inputs, mouth: Mouth, comm_points: bool,
        asdu_of: Callable[[Ask, int], bytes | None],
    ) -> None:  # fmt: skip
        """`cas`: its own common address first, then others that its points name. `asdu_of` makes a request."""
        self.name = name
        self.title = f"{name} (station {cas[0]} at {place})"
        self.cas = cas
        self.terms = terms
        self.counts = Counts()
        self.health = Health.UNKNOWN
        self.inputs: list[Input] = []
        self.outputs: dict[int, Output] = {}
        self.answer_ns = 0
        """How long the newest answer took."""
        self._state = state
        self._inputs = inputs
        self._mouth = mouth
        self._comm_points = comm_points
        self._asks = Asks(terms.answer_ns, terms.retries, asdu_of)
        self._unread: set[int] = set()
        self._trusting = False
        self._began = False
        self._probe_ns: int | None = None
        self._due_ns: dict[What, int] = {}
        self._period_ns: int | None = None  # the earliest of them

    # --- rights and connections --------------------------------------------------------------------------------

    def start(self, now: int, integrity: bool) -> None:
        """The right is ours. Without `integrity`, present values are trusted where all were read and it answered."""
        self.health = Health.UNKNOWN
        if integrity and self._state.answers:
            self._state.put(False, now)
        self._trusting = self._state.answers and not any(point.never_read for point in self.inputs)

    def begin(self, now: int) -> None:
        """Data transfer has started: ask what is to be asked."""
        self._began = True
        self._asks.clear()
        self._due_ns = {period.what: now + period.every_ns for period in self.terms.periods if period.every_ns}
        self._period_ns = min(self._due_ns.values(), default=None)
        self._queue(What.CLOCK)
        if self._trusting:
            self._trusting = False
            self._answers(now)
        else:
            self._interrogate()
        self._queue_counters()

    def end(self) -> None:
        """No data any more: what was asked is forgotten."""
        self._began = False
        self._unread.clear()
        self._probe_ns = None
        self.rest()

    def rest(self) -> None:
        """Ask nothing new."""
        self._asks.clear()
        self._period_ns = None

    def lose(self, why: str, now: int) -> None:
        """It does not answer: one event of its own point."""
        if self.health is Health.LOST:
            return
        self.health, self._trusting = Health.LOST, False
        self.counts.losses += 1
        self._inputs.forget(self.inputs)
        if self._comm_points:
            self._inputs.not_topical(self.inputs, now)
        self._state.put(False, now)
        self._mouth.say(f"{self.title} is lost: {why}", "warning")

    def _answers(self, now: int) -> None:
        if self.health is not Health.ANSWERS or not self._state.answers:
            self.health = Health.ANSWERS
            self._state.put(True, now)
            self._mouth.say(f"{self.title} answers")

    # --- asking ------------------------------------------------------------------------------------------------

    @property
    def waiting(self) -> bool:
        """Something is to be sent."""
        return self._asks.waiting

    def pick(self, now: int) -> bytes | None:
        """The next request to send."""
        asdu = self._asks.pick(now)
        if asdu is not None:
            self.counts.requests += 1
        return asdu

    def _queue(self, *whats: What) -> None:
        wanted = {period.what for period in self.terms.periods}
        for what in whats:
            if what in wanted:
                for ca in self.cas:
                    self._asks.add(Ask(what, ca))

    def _queue_counters(self) -> None:
        self._queue(What.FREEZE, What.COUNTERS)

    def _interrogate(self) -> None:
        for ca in self.cas:
            self._unread.add(ca)
            self._asks.add(Ask(What.GENERAL, ca))

    def restarted(self, ca: int, now: int) -> None:
        """It says that it was initialised: what it had to tell is gone, and its values are to be read."""
        self.counts.restarts += 1
        self._mouth.say(f"{self.title} says that station {ca} was initialised")
        if self._began and self.terms.after_restart:
            self._queue(What.CLOCK)
            self._interrogate()
            self._queue_counters()

    def heard(self, cause: int, now: int) -> None:
        """A value came; while it answers an interrogation, that goes on."""
        self._asks.heard(cause, now)

    def reply(self, number: int, ca: int, cause: int, negative: bool, now: int) -> None:
        """An answer to an interrogation or a clock message."""
        ask = self._asks.reply(number, ca, cause, negative, now)
        if ask is None:
            return
        self.counts.answers += 1
        self.answer_ns = now - ask.sent_ns
        if ask.refused:
            self.counts.exceptions += 1
            self._mouth.say_rarely(
                (self.name, ask.what.value), f"{self.title} refuses {ask.what.value} (cause {cause})", now
            )
        if ask.ended and ask.what is What.GENERAL:
            if cause == 46:
                self._give_up(f"it does not know common address {ca}: correct the device's address", now)
                return
            self.counts.interrogations += 1
            self._unread.discard(ca)
            if not self._unread:
                self._answers(now)

    def tick(self, now: int) -> None:
        """Requests without an answer, requests that are due again."""
        late = self._asks.late(now)
        if late is not None:
            self.counts.timeouts += 1
            self.counts.retries += not late.given_up
            if late.given_up:
                if late.what is What.GENERAL:
                    self._give_up("it does not answer the interrogation", now)
                else:
                    what = late.what.value
                    self._mouth.say_rarely((self.name, what), f"{self.title}: no answer to {what}", now)
        if self._probe_ns is not None and now >= self._probe_ns:
            self._probe_ns = None
            self._interrogate()
        if self._period_ns is not None and now >= self._period_ns:
            self._again(now)

    def _again(self, now: int) -> None:
        """Ask what is asked every so often."""
        for period in self.terms.periods:
            if period.every_ns and now >= self._due_ns[period.what]:
                self._due_ns[period.what] = now + period.every_ns
                if period.what is What.GENERAL:
                    self._interrogate()
                else:
                    self._queue(period.what)
        self._period_ns = min(self._due_ns.values())

    def due(self) -> int | None:
        """When `tick` is needed next; asked in every turn."""
        due, probe = self._asks.due(), self._probe_ns
        period = self._period_ns
        if period is not None and (due is None or period < due):
            due = period
        return probe if probe is not None and (due is None or probe < due) else due

    def _give_up(self, why: str, now: int) -> None:
        self._asks.clear()
        self._unread.clear()
        self._probe_ns = now + self.terms.retry_offline_ns
        self.lose(why, now)

    def statistics(self) -> dict[str, float]:
        """Its counters by name."""
        counts = self.counts
        return {name: float(getattr(counts, name)) for name in Counts.__slots__} | {
            "last_answer_ms": self.answer_ns / 1e6,
            "online": float(self.health is Health.ANSWERS),
        }
