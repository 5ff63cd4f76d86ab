"""The way of a control (types 45 to 51 and 58 to 64) into a `Command`, and of its reports into ACTCON and ACTTERM."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from tandem.clock import Clock
from tandem.codec.iec60870.asdu import IEC104, Asdu, mirror
from tandem.codec.iec60870.elements import Values
from tandem.codec.iec60870.types import TYPES
from tandem.config.model import Slave
from tandem.point import Command, Double, Outcome, Report, Stage, Step
from tandem.slave.iec104.rows import Control

ACT, ACT_CON, DEACT, DEACT_CON, ACT_TERM = 6, 7, 8, 9, 10
MOST_PENDING = 256
"""Commands of one connection that wait for an answer; one more is refused."""
SHORT_PULSE_MS, LONG_PULSE_MS = 100, 500
"""QU 1 and 2 where the slave's `short_pulse_ms` and `long_pulse_ms` do not say otherwise."""


class Refused(Exception):
    """The command gets a negative confirmation; the text says why and what cures it."""


@dataclass(slots=True)
class _Pending:
    octets: bytes
    element: bytes
    step: Step
    key: tuple[int, int]
    point_id: int


class Commands:
    """The commands of one connection."""

    def __init__(
        self, slave: Slave, clock: Clock, center: str, next_ref: Callable[[], int], emit: Callable[[Command], None]
    ) -> None:
        self._slave = slave
        self._clock = clock
        self._center = center
        self._next_ref = next_ref
        self._emit = emit
        self._pending: dict[int, _Pending] = {}
        self._selected: dict[tuple[int, int], tuple[bytes, int]] = {}  # row -> (element without S/E, point id)
        self._pulses = {
            1: int(str(slave.options.get("short_pulse_ms", SHORT_PULSE_MS))),
            2: int(str(slave.options.get("long_pulse_ms", LONG_PULSE_MS))),
        }

    def take(self, octets: bytes, read: Asdu, row: Control, now: int) -> list[bytes]:
        """A command for an existing row, type and cause verified; answers that can be given at once.

        Raises Refused with the sentence.
        """
        assert read.objects is not None, "the type is known"
        if read.amount != 1:
            raise Refused(f"{read.name} has {read.amount} objects; a command has one")
        values = read.objects[0][1]
        if self._slave.controls == "none":
            raise Refused(f'slave {self._slave.name} takes no commands (controls = "none")')
        self._verify_age(values, now)
        value, pulse_ms = self._meaning(row, values)
        step = self._step(row, read, values, _plain(octets, row.base))
        if read.test:  # a test never reaches the process
            done = [mirror(octets, DEACT_CON if step is Step.CANCEL else ACT_CON)]
            return done + ([mirror(octets, ACT_TERM)] if step in (Step.EXECUTE, Step.DIRECT) else [])
        if len(self._pending) >= MOST_PENDING:
            raise Refused(f"{MOST_PENDING} commands wait for their answers; send it again later")
        key = row.ca, row.ioa
        if step is not Step.SELECT:
            self._selected.pop(key, None)
        ref = self._send(row.point_id, value, step, now, pulse_ms)
        self._pending[ref] = _Pending(octets, _plain(octets, row.base), step, key, row.point_id)
        return []

    def report(self, report: Report) -> list[bytes]:
        """The answer of a command that came in here, as ASDUs; none where nobody waits for it."""
        pending = self._pending.get(report.ref)
        if pending is None:
            return []
        good = report.outcome is Outcome.DONE
        executes = pending.step in (Step.EXECUTE, Step.DIRECT)
        if report.stage is Stage.END or not good or not executes:
            del self._pending[report.ref]
        if report.stage is Stage.END:
            return [mirror(pending.octets, ACT_TERM, negative=not good)]
        if pending.step is Step.SELECT and good:
            self._selected[pending.key] = pending.element, pending.point_id
        cause = DEACT_CON if pending.step is Step.CANCEL else ACT_CON
        return [mirror(pending.octets, cause, negative=not good)]

    def end(self, now: int) -> None:
        """The connection stopped: nobody hears the answers any more, and its selects are taken back."""
        asked = {waiting.point_id for waiting in self._pending.values() if waiting.step is Step.SELECT}
        for point_id in sorted(asked.union(point_id for _, point_id in self._selected.values())):
            self._send(point_id, 0.0, Step.CANCEL, now, 0)
        self._selected.clear()
        self._pending.clear()

    def _send(self, point_id: int, value: float, step: Step, now: int, pulse_ms: int) -> int:
        ref = self._next_ref()
        timeout_ms = self._slave.select_timeout_ms
        self._emit(Command(ref, point_id, value, step, self._center, now, pulse_ms, timeout_ms))
        return ref

    def _step(self, row: Control, read: Asdu, values: Values, element: bytes) -> Step:
        """What the center asks for, after the rules of the row and of the slave."""
        if read.cause == DEACT:
            return Step.CANCEL
        must_select = row.mode == "sbo" or self._slave.controls == "sbo"
        if values.get("select"):
            if row.mode == "direct" and not must_select:
                raise Refused(f'{row.name} is commanded without a select (control = "direct")')
            return Step.SELECT
        selected = self._selected.get((row.ca, row.ioa))
        if selected is None and must_select:
            raise Refused(f"{row.name} must be selected first and is not")
        if selected is not None and selected[0] != element:
            raise Refused(f"the command to {row.name} differs from its select")
        return Step.DIRECT if selected is None else Step.EXECUTE

    def _verify_age(self, values: Values, now: int) -> None:
        limit_ms = self._slave.max_command_age_ms
        if not limit_ms or "time_us" not in values:
            return
        utc_us, untrue = self._clock.stamp(now)
        if untrue:
            raise Refused("the age of a command cannot be judged while this gateway's clock is not synchronised")
        if values["time_invalid"] or values["time_us"] is None:
            raise Refused("the command's time tag is marked invalid or names no date")
        age_ms = (utc_us - values["time_us"]) // 1000
        if abs(age_ms) > limit_ms:
            late = f"{age_ms} ms old" if age_ms > 0 else f"{-age_ms} ms ahead of this gateway's clock"
            raise Refused(f"the command is {late}; max_command_age_ms allows {limit_ms}")

    def _meaning(self, row: Control, values: Values) -> tuple[float, int]:
        """(value in engineering units, pulse in ms or 0)."""
        pulse_ms, raw = 0, values["value"]
        qualifier = values.get("qualifier", 0)
        if row.base <= 47:
            if qualifier > 3:
                raise Refused(f"QU = {qualifier} is not defined; 0 to 3 are")
            pulse_ms = self._pulses.get(qualifier, 0)
        elif qualifier:
            raise Refused(f"QL = {qualifier} is not supported; only 0 is")
        if row.base == 45:
            return _state(row, bool(raw)), pulse_ms
        if row.base in (46, 47) and raw not in (1, 2):
            raise Refused(f"state {raw} is no command; 1 and 2 are")
        if row.base == 46:
            return _state(row, raw == 2), pulse_ms
        if row.base == 47:
            return (1.0 if (raw == 2) is not row.invert else -1.0), pulse_ms
        value = (raw - row.offset) / row.scale
        if not math.isfinite(value):
            raise Refused(f"the set point {raw} of {row.name} is out of range")
        return value, 0


def _state(row: Control, on: bool) -> float:
    on = on is not row.invert
    if row.to_double:
        return float(Double.ON if on else Double.OFF)
    return float(on)


def _plain(octets: bytes, base: int) -> bytes:
    """What select and execute must have in common: the element without S/E and without time."""
    start = IEC104.header + IEC104.ioa
    element = octets[start : start + TYPES[base].size]
    return element if base == 51 else element[:-1] + bytes((element[-1] & 0x7F,))
