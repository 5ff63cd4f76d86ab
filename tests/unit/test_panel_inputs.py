"""Inputs are believed when they are still, stamped when they began, and stand where nothing can be read."""

from __future__ import annotations

from tandem.codec.heart import BLIND, KEY_LOCAL, LAMP_TEST, PinsRead
from tandem.panel.inputs import Change, Inputs
from tandem.point import MS


def pins(at_ms: int, own: int = 0, inputs: int = 0) -> PinsRead:
    return PinsRead(at_ms * MS, own, 0, 0, 0, 0, inputs)


def fresh() -> Inputs:
    inputs = Inputs(10 * MS)
    inputs.read(pins(1))
    assert len(inputs.changes(11 * MS)) == 6, "the first values of all inputs"
    return inputs


def test_a_still_input_is_believed_and_has_the_time_of_its_edge() -> None:
    inputs = fresh()
    inputs.read(pins(50, own=1))
    assert inputs.changes(59 * MS) == []
    assert inputs.changes(60 * MS) == [Change("relay.own", 1, 50 * MS)]
    assert inputs.changes(61 * MS) == []


def test_a_bounce_begins_the_wait_anew() -> None:
    inputs = fresh()
    for at, level in ((50, 1), (54, 0), (58, 1)):
        inputs.read(pins(at, own=level))
    assert inputs.changes(67 * MS) == []
    assert inputs.changes(68 * MS) == [Change("relay.own", 1, 58 * MS)]


def test_a_glitch_is_nothing() -> None:
    inputs = fresh()
    inputs.read(pins(50, inputs=KEY_LOCAL))
    inputs.read(pins(53))
    assert inputs.changes(100 * MS) == []


def test_key_and_lamp_test_are_told_apart() -> None:
    inputs = fresh()
    inputs.read(pins(50, inputs=LAMP_TEST))
    inputs.read(pins(55, inputs=LAMP_TEST | KEY_LOCAL))
    assert [(c.name, c.at_ns // MS) for c in inputs.changes(70 * MS)] == [("key_local", 55), ("lamp_test", 50)]


def test_blind_pins_change_nothing() -> None:
    inputs = fresh()
    inputs.read(pins(50, own=1, inputs=BLIND))
    assert inputs.changes(100 * MS) == [] and inputs.believed["relay.own"] == 0
