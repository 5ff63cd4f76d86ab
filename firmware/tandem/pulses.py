"""Pulses that a former active began and did not live to end: the successor lets go of their outputs, once."""

from __future__ import annotations

from tandem.parts import Parts
from tandem.point import MS, SECOND, Command, Say, Step

_GIVEN_UP_NS = 60 * SECOND
"""After so long without its line an output is left alone, and somebody is told."""


class Pulses:
    """Outputs to let go of, when their pulse has lasted its time and their channel is open."""

    def __init__(self, node: Parts) -> None:
        self.node = node
        self._begun: list[tuple[int, str, Command]] = []  # (when it ends, channel, command)

    def begun(self, point: str, value: float, pulse_ms: int, began_ns: int, now: int) -> None:
        """A command was in flight at the former active; one without a pulse leaves nothing to end."""
        node = self.node
        info = node.table.by_name.get(point)
        if info is None:
            return
        command = Command(node.next_ref(), info.id, value, Step.DIRECT, "", now, pulse_ms)
        lasts_ms, channel = node.control.pulse_ms(command), node.control.owner_of(info.id)
        if lasts_ms and channel:
            self._begun.append((began_ns + lasts_ms * MS, channel, command))

    def refuse(self, command: Command) -> str:
        """Why an output cannot be controlled yet; "" when it can."""
        if any(begun.point_id == command.point_id for _, _, begun in self._begun):
            return "a pulse of the former active may still be on; wait until it is ended"
        return ""

    def clear(self) -> None:
        """The role is lost: who has it now ends them."""
        self._begun.clear()

    def tick(self, now: int) -> None:
        """End what may be ended. Cheap: call it each turn."""
        for item in list(self._begun):
            end_ns, channel, command = item
            if now >= end_ns and self.node.field.let_go(channel, command, now):
                words = "a pulse of the former active may still be on: it is ended"
            elif now >= end_ns + _GIVEN_UP_NS:
                words = "a pulse of the former active may still be on, and its line is not there; look at the device"
            else:
                continue
            self._begun.remove(item)
            self.node.ask(Say(f"{self.node.control.words(command)[0]}: {words}", "warning"))
