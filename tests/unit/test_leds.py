"""The panel shows what is: every role has its own look, trouble is red or blinks."""

from __future__ import annotations

import pytest

from tandem.codec.beat import Role
from tandem.panel.leds import AMBER, DARK, GREEN, LINES, RED, ROLE, PanelState, PathState, SerialState, leds
from tandem.standby.lines import LinesStep


def state(role: Role = Role.ACTIVE, **more: object) -> PanelState:
    values: dict[str, object] = {"in_sync": True, "peer_heard": True, "lines": LinesStep.HELD, **more}
    return PanelState(role=role, **values)  # type: ignore[arg-type]


def test_active_is_green_and_standby_amber() -> None:
    assert leds(state())["role"] == GREEN
    assert leds(state(Role.STANDBY, lines=LinesStep.NONE))["role"] == AMBER
    assert leds(state(Role.STANDBY, isolated=True))["role"].blinking


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("step", list(LinesStep))
def test_every_role_and_every_step_of_the_lines_has_a_look(role: Role, step: LinesStep) -> None:
    shown = leds(state(role, lines=step))
    assert shown["role"] == ROLE[role] and shown["lines"] == LINES[step] and shown["power"] == GREEN
    assert (shown["role"] == GREEN) == (role is Role.ACTIVE)


def test_trouble_is_seen() -> None:
    shown = leds(state(alarm="the field lines are lost", peer_heard=False, in_sync=False))
    assert shown["alarm"].octet == 19 and shown["sync"] == RED and shown["link"] == RED
    assert leds(state(unprotected=True))["alarm"] == AMBER
    assert leds(state())["alarm"] == DARK


def test_paths_and_lines_by_name() -> None:
    shown = leds(
        state(
            lans=(("station", PathState()), ("control", PathState(carrier=False, alive=False))),
            crossovers=(("crossover", PathState(alive=False)),),
            serials=(("bus1", SerialState(sent=True)), ("bus2", SerialState(open=False))),
        )
    )
    assert (shown["station"], shown["control"], shown["crossover"]) == (GREEN, RED, AMBER)
    assert (shown["bus1.tx"], shown["bus1.rx"], shown["bus2.rx"]) == (GREEN, DARK, RED)
