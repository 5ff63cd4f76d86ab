"""A simulated group for tests of controls: the example with additions, warmed up, and short ways to ask it things."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tandem.control_log import Story as ControlStory
from tandem.node import Node
from tandem.point import Command, Step
from tests.support.configs import Edit, example
from tools.bench.plan import other
from tools.sim.member import Member
from tools.sim.story import Story
from tools.sim.world import MS, SECOND

MAKE_B, B_IN, SETPOINT, TRIP = 5101, 5102, 5002, 5001
SBO_ROW = "F1.trip_close,C_DC_NA_1,5001,,,,,,sbo\n"
ORDER_ROWS = f"_sys.make_b_active,C_SC_NA_1,{MAKE_B},,,,,,\n_sys.b_in_service,C_SC_NA_1,{B_IN},,,,,,\n"


class SimGroup(Story):
    """Both members up and in sync; `active` and `standby` as they are now."""

    def __init__(self, folder: Path, *edits: Edit, seed: int = 5) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in example(("scada.csv", SBO_ROW, SBO_ROW + ORDER_ROWS), *edits).items():
            (folder / name).write_text(text, encoding="utf-8")
        super().__init__(seed, folder)
        self.world.run(3 * SECOND)
        self.checks.alive()

    @property
    def active(self) -> Member:
        return next(m for m in self.site.members.values() if m.up and m.node.is_active)

    @property
    def standby(self) -> Member:
        return self.site.members[other(self.active.letter)]

    def run(self, ms: float = 0) -> None:  # type: ignore[override]
        self.world.run(int(ms * MS))

    def until(self, what: Callable[[], object], within_ms: int = 3000) -> int:
        """Run until it is so; how many ms that took."""
        for ms in range(within_ms):
            if what():
                return ms
            self.run(1)
        raise AssertionError("\n".join(self.world.trace[-30:]))

    def operate(self, member: Member, point: str, value: float, step: Step = Step.DIRECT) -> str:
        """A control of the local API at a member; returns its identity."""
        node = member.node
        command = Command(node.next_ref(), node.table.id(point), value, step, "local.smith", self.world.now)
        return str(member.call(lambda now: node.desk.operate(command)))

    def story(self, node: Node, name: str) -> ControlStory:
        """What a member's log has of a control; a blank story before it heard of it."""
        found = node.stories.newest(1, name)
        return found[0] if found else ControlStory(0, name, 0, "", "", "", steps=[(0.0, "")])

    def value(self, member: Member, point: str) -> float:
        return member.node.database.present[member.node.table.id(point)][2]

    def written(self, value: int) -> int:
        """How often the device took this setpoint."""
        return [w for _, table, _, w, _ in self.site.feeder.executed if table == "holding"].count(value)
