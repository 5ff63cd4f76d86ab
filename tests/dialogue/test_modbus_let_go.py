"""A successor lets go of the outputs whose pulse its predecessor began and did not live to end."""

from __future__ import annotations

from dataclasses import replace

from tandem.point import Command, Step
from tests.dialogue.test_modbus_controls import polled, rig


def test_the_end_of_a_predecessor_s_pulse_is_written_once_and_repeated_while_it_is_not_answered() -> None:
    table = rig()
    pulse = Command(0, table.table.id("F1.trip_close"), 1.0, Step.DIRECT, "", table.now)
    table.channel.let_go(pulse, table.now)
    assert table.sent == "01 05 00 01 00 00" and table.reports == []
    polled(table, lambda sent: sent == "01 05 00 01 00 00")
    table.hear("01 05 00 01 00 00")
    table.wait(150)
    polled(table, lambda sent: not sent)
    assert table.channel.drained
    table.channel.let_go(replace(pulse, point_id=table.table.id("F1.lamp")), table.now)
    assert table.sent == "", "a latched output is what it was commanded to be"
    table.events()
    assert table.reports == []
