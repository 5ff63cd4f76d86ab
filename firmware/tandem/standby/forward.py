"""Controls over the hot-standby link: at most once, bound to one session, ended truthfully when it ends.

`Forwarder` stands on the standby, where a control center asked; `Answerer` on the active, where it is carried out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from tandem.codec.link import ControlFrame, ReportFrame
from tandem.point import Command, Outcome, Report, Stage, Step
from tandem.standby.told import ForwardedControl

PENDING_MAX = 256


@dataclass(slots=True)
class _Pending:
    step: Step
    stage: Stage = Stage.CONFIRM
    written: bool = False


class Forwarder:
    """Controls sent to the active, each ending in exactly one CONFIRM and, where that was positive, one END."""

    def __init__(self) -> None:
        self._pending: dict[int, _Pending] = {}
        self._unwritten: list[int] = []

    def forward(self, command: Command, beat: int) -> ControlFrame | Report:
        """The frame to send, or the answer at once."""
        if len(self._pending) >= PENDING_MAX or command.ref in self._pending:
            says = f"{PENDING_MAX} forwarded controls already wait for answers"
            return Report(command.ref, Stage.CONFIRM, Outcome.REFUSED, says)
        self._pending[command.ref] = _Pending(command.step)
        self._unwritten.append(command.ref)
        fields = (command.point_id, command.value, command.step, command.pulse_ms, command.select_timeout_ms)
        return ControlFrame(command.ref, *fields, beat, command.center)

    def written(self) -> None:
        """What was queued has left."""
        for ref in self._unwritten:
            if ref in self._pending:
                self._pending[ref].written = True
        self._unwritten.clear()

    def answered(self, frame: ReportFrame) -> Report | None:
        """The active's answer; None for one that nobody waits for."""
        pending = self._pending.get(frame.ref)
        if pending is None or frame.stage != pending.stage or frame.outcome not in tuple(Outcome):
            return None
        outcome = Outcome(frame.outcome)
        report = Report(frame.ref, pending.stage, outcome, frame.sentence)
        runs = pending.stage is Stage.CONFIRM and outcome is Outcome.DONE
        if runs and pending.step in (Step.EXECUTE, Step.DIRECT):
            pending.stage = Stage.END
        else:
            del self._pending[frame.ref]
        return report

    def end(self, why: str) -> list[Report]:
        """The session is over: what was sent may have been carried out, what was not never will be."""
        reports = []
        for ref, pending in self._pending.items():
            if pending.written:
                says = f"{why} after the control was sent: look whether it was carried out"
                reports.append(Report(ref, pending.stage, Outcome.UNKNOWN, says))
            else:
                reports.append(Report(ref, pending.stage, Outcome.NOT_SENT, f"{why} before the control was sent"))
        self._pending.clear()
        self._unwritten.clear()
        return reports


class Answerer:
    """Controls that came from the standby, under own refs; answers go back in the session they came in, or nowhere."""

    def __init__(self, next_ref: Callable[[], int]) -> None:
        self._next_ref = next_ref
        self._theirs: dict[int, tuple[int, Step]] = {}
        self._seen: set[int] = set()

    def received(self, frame: ControlFrame, now: int) -> ForwardedControl | ReportFrame:
        """The control under a ref of this member, or the refusal to send back."""
        if len(self._theirs) >= PENDING_MAX or frame.ref in self._seen or frame.step not in tuple(Step):
            says = "the active takes no more controls, had this one before, or does not know what it asks"
            return ReportFrame(frame.ref, Stage.CONFIRM, Outcome.REFUSED, says)
        ref = self._next_ref()
        self._theirs[ref] = frame.ref, Step(frame.step)
        self._seen.add(frame.ref)
        command = Command(ref, frame.point_id, frame.value, Step(frame.step), frame.center, now, frame.pulse_ms)
        command = replace(command, select_timeout_ms=frame.select_timeout_ms)
        return ForwardedControl(command, frame.beat, frame.ref)

    def report(self, report: Report) -> ReportFrame | None:
        """The answer as a frame; None when the control did not come from this session."""
        found = self._theirs.get(report.ref)
        if found is None:
            return None
        ref, step = found
        runs = report.stage is Stage.CONFIRM and report.outcome is Outcome.DONE
        if not (runs and step in (Step.EXECUTE, Step.DIRECT)):
            del self._theirs[report.ref]
            self._seen.discard(ref)
        return ReportFrame(ref, report.stage, report.outcome, report.sentence)

    def end(self) -> None:
        """The session is over."""
        self._theirs.clear()
        self._seen.clear()
