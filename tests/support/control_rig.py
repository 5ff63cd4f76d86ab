"""A control with a clock and a small field, for dialogues: say a line, let the device answer, read the reports."""

from __future__ import annotations

from tandem.config.model import Feedback, Point
from tandem.control import Control
from tandem.database import Database
from tandem.journal import Journal
from tandem.point import MS, Cause, Command, Double, Kind, Outcome, Report, Stage, Step
from tandem.registry import PointInfo, PointTable

OK, BREAKER, EARTH, TRIP, SETPOINT, TAP, TAP_POS, COIL, LEVEL, SPARE = range(1, 11)
OFF, ON = float(Double.OFF), float(Double.ON)

INFOS = [
    PointInfo(OK, "_sys.device.F1.ok", Kind.BINARY),
    PointInfo(BREAKER, "F1.breaker", Kind.DOUBLE, device_ok=OK),
    PointInfo(EARTH, "F1.earth_switch", Kind.BINARY, device_ok=OK),
    PointInfo(TRIP, "F1.trip_close", Kind.DOUBLE_OUTPUT, device_ok=OK, states=("open", "closed")),
    PointInfo(SETPOINT, "F1.setpoint", Kind.ANALOG_OUTPUT, device_ok=OK, unit="kV"),
    PointInfo(TAP, "F1.tap", Kind.STEP_OUTPUT, device_ok=OK),
    PointInfo(TAP_POS, "F1.tap_position", Kind.STEP, device_ok=OK),
    PointInfo(COIL, "F1.coil", Kind.BINARY_OUTPUT, device_ok=OK),
    PointInfo(LEVEL, "F1.level", Kind.ANALOG, device_ok=OK),
    PointInfo(SPARE, "F2.spare", Kind.BINARY_OUTPUT),
]
POINTS = {
    BREAKER: Point("F1.breaker", Kind.DOUBLE, "discrete:0+1"),
    TRIP: Point(
        "F1.trip_close",
        Kind.DOUBLE_OUTPUT,
        "coil:1+0",
        pulse_ms=500,
        feedback=Feedback("F1.breaker", 3000),
        interlock="on: not F1.earth_switch",
    ),
    SETPOINT: Point("F1.setpoint", Kind.ANALOG_OUTPUT, "holding:0", feedback=Feedback("F1.level", 100)),
    LEVEL: Point("F1.level", Kind.ANALOG, "input:0", deadband=0.5),
    TAP: Point("F1.tap", Kind.STEP_OUTPUT, "coil:4+3", feedback=Feedback("F1.tap_position", 1000)),
    COIL: Point("F1.coil", Kind.BINARY_OUTPUT, "coil:9"),
}
OWNER = dict.fromkeys((TRIP, SETPOINT, TAP, COIL), "feeders")


class Bench:
    """A control with a clock, a field whose points are set by name of id, and refs counted up."""

    def __init__(self) -> None:
        table = PointTable(INFOS, SPARE)
        self.database = Database(table, Journal(64, 64))
        self.control = Control(table, self.database, POINTS, OWNER, {"feeders": 1000})
        self.now = 10_000 * MS
        self.ref = 0
        for point_id, value in ((OK, 1), (BREAKER, OFF), (EARTH, 0), (TAP_POS, 5), (LEVEL, 10)):
            self.set(point_id, value)

    def set(self, point_id: int, value: float, quality: int = 0) -> None:
        self.database.update(point_id, value, quality, 0, Cause.SPONTANEOUS)

    def say(self, step: Step, point_id: int, value: float, center: str = "north", **more: int) -> int:
        self.ref += 1
        more.setdefault("received_ns", self.now)
        self.control.submit(Command(self.ref, point_id, value, step, center, **more), self.now)
        return self.ref

    def device(self, ref: int, outcome: Outcome = Outcome.DONE, sentence: str = "") -> None:
        self.control.device_report(Report(ref, Stage.CONFIRM, outcome, sentence), self.now)

    def sent(self) -> list[int]:
        return [command.ref for _, command in self.control.to_masters()]

    def heard(self) -> list[str]:
        return [f"{r.ref} {r.stage.name} {r.outcome.name}".lower() for r in self.control.reports()]

    def advance(self, ms: int) -> None:
        self.now += ms * MS
        self.control.tick(self.now)
