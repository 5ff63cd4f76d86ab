"""The way back: a control center's command becomes at most one order to one master, and its answers one truth.

    submit --refused--> CONFIRM (REFUSED)
       |
    WAITING --to_masters--> SENT --device_report--> CONFIRM (DONE) --> RUNNING --pulse over, feedback--> END
                              |
                              +-- no answer in time, right lost --> CONFIRM (UNKNOWN)

Every command gets exactly one CONFIRM; a positive one of an execute or direct gets exactly one END. An output has
one running command at a time, a select has one owner, and nothing is ever sent twice.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tandem.config.model import Point
from tandem.control_rules import Rules
from tandem.control_select import Selects
from tandem.database import Database
from tandem.engine import earliest
from tandem.point import MS, Command, Outcome, Report, Stage, Step
from tandem.registry import PointTable

PENDING_MAX = 256
REFS_REMEMBERED = 4096
ANSWER_LIMIT_MS = 10_000
EXPIRY_MS = 500


class _State(enum.IntEnum):
    WAITING = 0  # not yet fetched for its master
    SENT = 1  # the master has it
    RUNNING = 2  # the device confirmed; its pulse or feedback is awaited


@dataclass(slots=True)
class _Pending:
    command: Command
    state: _State
    deadline: int
    before: float  # what the feedback point read when the command came
    pulse_end: int = 0


_COUNTED = {
    Outcome.DONE: "executed",
    Outcome.REFUSED: "refused",
    Outcome.FAILED: "failed",
    Outcome.NOT_SENT: "not_sent",
    Outcome.UNKNOWN: "unknown",
}


class Control:
    """Every control of one gateway. `owner` names the master channel of each output.

    `limit_ms` says, by channel, how long its answer may take (its own time-outs and a margin) before it is UNKNOWN.
    """

    def __init__(
        self,
        table: PointTable,
        database: Database,
        points: Mapping[int, Point],
        owner: Mapping[int, str],
        limit_ms: Mapping[str, int] | None = None,
        expiry_ms: int = EXPIRY_MS,
    ) -> None:
        self._rules = Rules(table, database, points)
        self._owner = owner
        self._limit_ms = limit_ms or {}
        self._expiry_ms = expiry_ms
        self._selects = Selects()
        self._pending: dict[int, _Pending] = {}  # by ref
        self._running: dict[int, int] = {}  # point id -> ref
        self._waiting: list[_Pending] = []
        self._refs: dict[int, None] = {}  # those that came, oldest first
        self._reports: list[Report] = []
        self._counts = dict.fromkeys([*_COUNTED.values(), "selected", "cancelled", "repeated", "stray"], 0)
        self.refuse_reason = ""
        """While set, every command is refused with this sentence, but those to points of `always`."""
        self.always: frozenset[int] = frozenset()
        self.guards: list[Callable[[Command], str]] = []
        """Each says why a command is refused, "" where it has nothing against it; cancels pass."""

    # --- in ------------------------------------------------------------------------------------------------------

    def submit(self, command: Command, now: int) -> None:
        """A command came. One whose ref came before is dropped: it has its answers, or will."""
        if command.ref in self._refs or command.ref in self._pending:
            self._counts["repeated"] += 1
            return
        self._refs[command.ref] = None
        if len(self._refs) > REFS_REMEMBERED:
            del self._refs[next(iter(self._refs))]
        refusal = self._refusal(command, now)
        if refusal:
            self._tell(command, Stage.CONFIRM, Outcome.REFUSED, f"refused: {refusal}")
        elif command.step is Step.SELECT:
            self._counts["selected"] += 1
            self._tell(command, Stage.CONFIRM, Outcome.DONE, "selected")
        elif command.step is Step.CANCEL:
            self._counts["cancelled"] += 1
            self._tell(command, Stage.CONFIRM, Outcome.DONE, "cancelled")
        else:
            self._accept(command, now)

    def _refusal(self, command: Command, now: int) -> str:
        """The first rule that says no; selections change here as the step asks."""
        if self.refuse_reason and command.point_id not in self.always:
            return self.refuse_reason
        age_ms = (now - command.received_ns) // MS
        if age_ms > self._expiry_ms:
            return f"it waited {age_ms} ms here, more than {self._expiry_ms}; give it again if it is still wanted"
        if command.point_id in self._running:
            return "it is already executing; wait for that to end"
        if command.step is Step.CANCEL:
            return self._selects.cancel(command, now)
        refusal = self._rules.refuse_value(command)
        for guard in self.guards:
            refusal = refusal or guard(command)
        if refusal:
            return refusal
        if command.point_id not in self._owner:
            return "no master carries out its controls; enable its device"
        if command.step is Step.EXECUTE:
            refusal = self._selects.take(command, now)
        else:
            refusal = self._selects.foreign(command, now)
        refusal = refusal or self._rules.refuse_now(command)
        if not refusal and command.step is Step.SELECT:
            refusal = self._selects.select(command, now)
        if not refusal and len(self._pending) >= PENDING_MAX:
            refusal = f"{PENDING_MAX} controls are under way already; wait for one to end"
        return refusal

    def _accept(self, command: Command, now: int) -> None:
        self._selects.drop(command.point_id)
        limit_ms = self._limit_ms.get(self._owner[command.point_id], ANSWER_LIMIT_MS)
        before = self._rules.feedback_value(command)
        pending = _Pending(command, _State.WAITING, now + limit_ms * MS, before)
        self._pending[command.ref] = pending
        self._running[command.point_id] = command.ref
        self._waiting.append(pending)

    def device_report(self, report: Report, now: int) -> None:
        """A master's answer; one for a control that has ended, or that no master has yet, is counted only."""
        pending = self._pending.get(report.ref)
        if pending is None or pending.state is _State.WAITING:
            self._counts["stray"] += 1
        elif pending.state is _State.SENT:
            if report.outcome is Outcome.DONE:
                self._confirmed(pending, now)
            else:
                self._end(pending, Stage.CONFIRM, report.outcome, report.sentence)
        elif report.stage is Stage.END and report.outcome is not Outcome.DONE:
            self._end(pending, Stage.END, report.outcome, report.sentence)
        else:
            self._counts["stray"] += 1

    def _confirmed(self, pending: _Pending, now: int) -> None:
        command = pending.command
        self._tell(command, Stage.CONFIRM, Outcome.DONE, "the device confirmed it")
        pending.state = _State.RUNNING
        pending.pulse_end = now + self._rules.pulse_ms(command) * MS
        pending.deadline = max(pending.pulse_end, now + (self._rules.within_ms(command) or 0) * MS)
        self._check(pending, now)

    # --- time ----------------------------------------------------------------------------------------------------

    def changed(self, now: int) -> None:
        """Points may have changed: look for the feedback of what runs. Cheap: call it each turn."""
        for pending in list(self._pending.values()):
            if pending.state is _State.RUNNING:
                self._check(pending, now)

    def tick(self, now: int) -> None:
        """End what is out of time."""
        self._selects.tick(now)
        for pending in list(self._pending.values()):
            if pending.state is _State.RUNNING:
                self._check(pending, now)
            elif now >= pending.deadline:
                self._late(pending)

    def due(self) -> int | None:
        """When `tick` must be called next (monotonic ns)."""
        return earliest(self._selects.due(), *(self._wake(pending) for pending in self._pending.values()))

    def _wake(self, pending: _Pending) -> int:
        """When the command ends by itself: at its deadline, or with its pulse where the feedback has come."""
        if pending.state is _State.RUNNING and self._rules.reached(pending.command, pending.before):
            return pending.pulse_end
        return pending.deadline

    def _check(self, pending: _Pending, now: int) -> None:
        command = pending.command
        within_ms = self._rules.within_ms(command)
        reached = within_ms is None or self._rules.reached(command, pending.before)
        if reached and now >= pending.pulse_end:
            self._end(pending, Stage.END, Outcome.DONE, "executed")
        elif not reached and now >= pending.deadline:
            feedback = self._rules.feedback_name(command)
            self._end(
                pending,
                Stage.END,
                Outcome.FAILED,
                f"the device confirmed it, but {feedback} did not follow within {within_ms} ms; look at the device",
            )

    def _late(self, pending: _Pending) -> None:
        if pending.state is _State.WAITING:
            self._end(pending, Stage.CONFIRM, Outcome.NOT_SENT, "it ended before it was sent")
        else:
            self._end(pending, Stage.CONFIRM, Outcome.UNKNOWN, "sent, and no answer came in time; look at the device")

    def abort(self, reason: str = "the right to drive the lines was lost") -> None:
        """The right is lost: everything ends now, truthfully. Hand in the masters' own answers before."""
        self._selects.clear()
        for pending in list(self._pending.values()):
            if pending.state is _State.WAITING:
                self._end(pending, Stage.CONFIRM, Outcome.NOT_SENT, f"not sent: {reason}")
            elif pending.state is _State.SENT:
                self._end(pending, Stage.CONFIRM, Outcome.UNKNOWN, f"sent, no answer yet: {reason}; look at the device")
            else:
                text = f"confirmed by the device, its end not seen: {reason}; look at the device"
                self._end(pending, Stage.END, Outcome.UNKNOWN, text)

    # --- out -----------------------------------------------------------------------------------------------------

    def to_masters(self) -> list[tuple[str, Command]]:
        """Drain what goes to the field, as (channel name, command): each command once, ever."""
        orders = []
        for pending in self._waiting:
            if self._pending.get(pending.command.ref) is pending:
                pending.state = _State.SENT
                orders.append((self._owner[pending.command.point_id], pending.command))
        self._waiting = []
        return orders

    def reports(self) -> list[Report]:
        """Drain the answers; each sentence names point, value and center and serves as the log line too."""
        reports, self._reports = self._reports, []
        return reports

    def _end(self, pending: _Pending, stage: Stage, outcome: Outcome, sentence: str) -> None:
        command = pending.command
        del self._pending[command.ref]
        del self._running[command.point_id]
        self._tell(command, stage, outcome, sentence)

    def _tell(self, command: Command, stage: Stage, outcome: Outcome, sentence: str) -> None:
        if stage is Stage.END or outcome is not Outcome.DONE:
            self._counts[_COUNTED[outcome]] += 1
        name, word = self.words(command)
        text = f"{name} {word}, {command.step.name.lower()} by {command.center}: {sentence or outcome.name.lower()}"
        self._reports.append(Report(command.ref, stage, outcome, text))

    def words(self, command: Command) -> tuple[str, str]:
        """The names of the command's point and value."""
        return self._rules.name(command.point_id), self._rules.word(command.point_id, command.value)

    def pulse_ms(self, command: Command) -> int:
        """How long the command's pulse lasts; 0 without one."""
        return self._rules.pulse_ms(command)

    def owner_of(self, point_id: int) -> str:
        """The channel that carries out the point's controls, "" for none."""
        return self._owner.get(point_id, "")

    @property
    def busy(self) -> bool:
        """A command has not had its last answer yet."""
        return bool(self._pending)

    @property
    def unknown_count(self) -> int:
        """How many controls ended UNKNOWN since the start: `_sys.control_unknown`."""
        return self._counts["unknown"]

    def statistics(self) -> dict[str, int]:
        """Counters by outcome, and selected, cancelled, repeated (refs), stray (answers), pending."""
        return {**self._counts, "pending": len(self._pending)}
