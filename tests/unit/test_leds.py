"""The panel shows what is: every role has its own look, every look has its sentence, patterns differ in time."""

from __future__ import annotations

import itertools

import pytest

from guardian.blink import MASKS, SLOT_MS, SLOTS, levels, lit
from tandem.codec.beat import Role
from tandem.panel.leds import (
    DEAD,
    FAST,
    FLASH,
    OFF,
    SLOW,
    STEADY,
    TABLE,
    Colour,
    PanelState,
    Pattern,
    leds,
    legend,
    octets,
)
from tandem.standby.lines import LinesStep


def looks(state: PanelState) -> dict[str, Pattern]:
    return {name: led.pattern for name, led in leds(state).items()}


@pytest.mark.parametrize(
    ("role", "run", "active", "standby"),
    [
        (Role.STARTING, SLOW, OFF, OFF), (Role.STANDBY, STEADY, OFF, STEADY), (Role.TAKING_OVER, STEADY, FAST, OFF),
        (Role.ACTIVE, STEADY, STEADY, OFF), (Role.RELEASING, STEADY, FAST, OFF), (Role.OUT_OF_SERVICE, FAST, OFF, OFF),
        (Role.DEAD, OFF, OFF, OFF),
    ],
)  # fmt: skip
def test_every_role_has_its_look(role: Role, run: Pattern, active: Pattern, standby: Pattern) -> None:
    shown = looks(PanelState(role, LinesStep.HELD))
    assert (shown["run"], shown["active"], shown["standby"]) == (run, active, standby) and shown["power"] is STEADY


def test_the_standby_is_steady_in_sync_and_slow_while_syncing() -> None:
    assert looks(PanelState(Role.STANDBY, in_sync=False))["standby"] is SLOW
    assert looks(PanelState(Role.STANDBY, isolated=True))["standby"] is FAST


def test_the_lines_show_at_active() -> None:
    found = {step: looks(PanelState(Role.ACTIVE, step))["active"] for step in LinesStep}
    assert (found[LinesStep.HELD], found[LinesStep.LOST], found[LinesStep.CLAIMING]) == (STEADY, FLASH, SLOW)


def test_trouble_is_red_and_the_worst_wins() -> None:
    assert looks(PanelState(Role.ACTIVE))["fault"] is OFF
    assert looks(PanelState(Role.ACTIVE, unprotected=True))["fault"] is SLOW
    assert looks(PanelState(Role.ACTIVE, unprotected=True, alarm=True))["fault"] is STEADY
    assert looks(PanelState(Role.OUT_OF_SERVICE, alarm=True, faulty=True))["fault"] is FAST
    assert leds(PanelState(Role.ACTIVE, alarm=True))["fault"].octet == Colour.RED


def test_peer_lans_field_and_centers() -> None:
    lans = ((True, True), (True, False))
    shown = looks(PanelState(Role.ACTIVE, paths=(2, 3), lans=lans, devices=(1, 3), centers=(0, 2)))
    assert [shown[n] for n in ("peer", "lan1", "lan2", "field", "center")] == [SLOW, STEADY, SLOW, SLOW, FAST]
    shown = looks(PanelState(Role.ACTIVE, peer_heard=False, lans=((False, False),), devices=(3, 3), centers=(2, 2)))
    assert [shown[n] for n in ("peer", "lan1", "lan2", "field", "center")] == [OFF, OFF, OFF, STEADY, STEADY]


def test_every_look_that_can_be_has_its_sentence() -> None:
    known = {(name, pattern) for name, _, pattern, _ in legend()}
    flags = (False, True)
    for role, step, sync, isolated, faulty, alarm, heard in itertools.product(
        Role, LinesStep, flags, flags, flags, flags, flags
    ):
        state = PanelState(role, step, sync, isolated, faulty, alarm, False, heard, (0, 1), ((heard, alarm),), (0, 1))
        for name, led in leds(state).items():
            pattern = "dark" if led.pattern is OFF else led.pattern.name.lower()
            assert (name, pattern) in known
    assert len(octets(PanelState(Role.ACTIVE))) == len(TABLE) == len(DEAD) == 10


def test_words_and_octets() -> None:
    shown = leds(PanelState(Role.STANDBY, in_sync=False))
    assert (shown["standby"].word, shown["standby"].octet) == ("amber slow", 0x12)
    assert (shown["power"].word, shown["active"].word, shown["active"].octet) == ("green", "dark", 0)


def test_patterns_differ_in_how_often_they_change_and_how_long_they_shine() -> None:
    def row(pattern: int) -> list[bool]:
        return [lit(1 | pattern << 4, slot * SLOT_MS) for slot in range(SLOTS)]

    def changes(slots: list[bool]) -> int:
        return sum(a != b for a, b in zip(slots, slots[1:] + slots[:1], strict=True))

    assert [(sum(row(n)), changes(row(n))) for n in range(len(MASKS))] == [(16, 0), (8, 2), (8, 16), (1, 2)]
    assert not any(lit(0x10, t) for t in range(0, 2000, 50)), "without a colour it is dark"
    assert all(lit(0x91, t) for t in range(0, 2000, 50)), "an unknown pattern shines"


def test_the_lamp_test_lights_every_led() -> None:
    assert levels(bytes(10), True, 0) == [True] * 10 and not any(levels(bytes(10), False, 0))
