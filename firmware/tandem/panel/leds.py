"""The front panel as one table: what each LED says, in patterns that the colour-blind can read; pins live in `port`.

Documentation and screens are made from the same rows.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from tandem.codec.beat import Role
from tandem.config.signals import LED_NAMES
from tandem.standby.lines import LinesStep


class Colour(enum.IntEnum):
    """Numbers as the pins' octets have them."""

    GREEN = 1
    AMBER = 2
    RED = 3


class Pattern(enum.IntEnum):
    """How a LED shines; all but OFF are the numbers of `guardian.blink`."""

    OFF = -1
    STEADY = 0
    SLOW = 1
    FAST = 2
    FLASH = 3


class Led(NamedTuple):
    """One LED as it shines now."""

    colour: Colour
    pattern: Pattern

    @property
    def word(self) -> str:
        """As people read it: dark, or the colour and, unless steady, the pattern."""
        if self.pattern is Pattern.OFF:
            return "dark"
        return self.colour.name.lower() + ("" if self.pattern is Pattern.STEADY else f" {self.pattern.name.lower()}")

    @property
    def octet(self) -> int:
        """As the pins have it."""
        return 0 if self.pattern is Pattern.OFF else self.colour | self.pattern << 4


OFF, STEADY, SLOW, FAST, FLASH = Pattern


@dataclass(slots=True, frozen=True)
class PanelState:
    """What the panel shows. `paths`, `devices`, `centers`: (well, all); `lans`: (carrier, the peer answers) each."""

    role: Role
    lines: LinesStep = LinesStep.NONE
    in_sync: bool = True
    isolated: bool = False
    faulty: bool = False
    alarm: bool = False
    unprotected: bool = False
    peer_heard: bool = True
    paths: tuple[int, int] = (1, 1)
    lans: tuple[tuple[bool, bool], ...] = ()
    devices: tuple[int, int] = (0, 0)
    centers: tuple[int, int] = (0, 0)


class Row(NamedTuple):
    """One LED: its colour, what each pattern says, and how it is decided."""

    name: str
    colour: Colour
    says: dict[Pattern, str]
    decide: Callable[[PanelState], Pattern]


_RUN = {Role.STARTING: SLOW, Role.OUT_OF_SERVICE: FAST, Role.DEAD: OFF}
_LINES = {LinesStep.NONE: SLOW, LinesStep.CLAIMING: SLOW, LinesStep.HELD: STEADY, LinesStep.LOST: FLASH}


def _active(s: PanelState) -> Pattern:
    if s.role in (Role.TAKING_OVER, Role.RELEASING):
        return FAST
    return _LINES[s.lines] if s.role is Role.ACTIVE else OFF


def _standby(s: PanelState) -> Pattern:
    if s.role is not Role.STANDBY:
        return OFF
    return FAST if s.isolated else STEADY if s.in_sync else SLOW


def _fault(s: PanelState) -> Pattern:
    if s.faulty or s.role is Role.DEAD:
        return FAST
    return STEADY if s.alarm else SLOW if s.unprotected else OFF


def _peer(s: PanelState) -> Pattern:
    if not s.peer_heard:
        return OFF
    return STEADY if s.paths[0] == s.paths[1] else SLOW


def _lan(index: int) -> Callable[[PanelState], Pattern]:
    def decide(s: PanelState) -> Pattern:
        if index >= len(s.lans):
            return OFF
        carrier, alive = s.lans[index]
        return OFF if not carrier else STEADY if alive else SLOW

    return decide


def _share(of: Callable[[PanelState], tuple[int, int]]) -> Callable[[PanelState], Pattern]:
    def decide(s: PanelState) -> Pattern:
        well, every = of(s)
        return OFF if not every else STEADY if well == every else SLOW if well else FAST

    return decide


_LAN = {STEADY: "carrier, and the peer answers", SLOW: "carrier, and no answer of the peer", OFF: "no carrier"}
TABLE = (
    Row("power", Colour.GREEN, {STEADY: "supply is there"}, lambda s: STEADY),
    Row(
        "run", Colour.GREEN,
        {STEADY: "the gateway runs", SLOW: "it starts", FAST: "out of service", OFF: "the gateway has stopped"},
        lambda s: _RUN.get(s.role, STEADY),
    ),
    Row(
        "active", Colour.GREEN,
        {STEADY: "active, field lines held", SLOW: "active, field lines being claimed", FAST: "the role changes hands",
         FLASH: "active, field lines lost", OFF: "not active"},
        _active,
    ),
    Row(
        "standby", Colour.AMBER,
        {STEADY: "standby, in sync", SLOW: "standby, syncing", FAST: "standby, isolated", OFF: "not the standby"},
        _standby,
    ),
    Row(
        "fault", Colour.RED,
        {STEADY: "an alarm: read it in the status", SLOW: "goes on alone, unprotected", FAST: "broken: cannot serve",
         OFF: "nothing wrong"},
        _fault,
    ),
    Row(
        "peer", Colour.GREEN,
        {STEADY: "the peer is heard on every path", SLOW: "heard, a path is silent", OFF: "not heard"},
        _peer,
    ),
    Row("lan1", Colour.GREEN, _LAN, _lan(0)),
    Row("lan2", Colour.GREEN, _LAN, _lan(1)),
    Row(
        "field", Colour.GREEN,
        {STEADY: "every device answers", SLOW: "some device is lost", FAST: "every device is lost", OFF: "no devices"},
        _share(lambda s: s.devices),
    ),
    Row(
        "center", Colour.GREEN,
        {STEADY: "every control center is connected", SLOW: "some control center is missing",
         FAST: "no control center is connected", OFF: "no control centers"},
        _share(lambda s: s.centers),
    ),
)  # fmt: skip
assert tuple(row.name for row in TABLE) == LED_NAMES


def leds(state: PanelState) -> dict[str, Led]:
    """Every LED by name, from left to right."""
    return {row.name: Led(row.colour, row.decide(state)) for row in TABLE}


def octets(state: PanelState) -> bytes:
    """The panel as its pins have it."""
    return bytes(Led(row.colour, row.decide(state)).octet for row in TABLE)


DEAD = tuple(octets(PanelState(Role.DEAD, peer_heard=False)))
"""What the heart shows when the supervisor is gone."""


def legend() -> list[tuple[str, str, str, str]]:
    """(LED, colour, pattern, what it says) for every row, for documentation and screens."""
    return [
        (row.name, row.colour.name.lower(), "dark" if pattern is OFF else pattern.name.lower(), text)
        for row in TABLE
        for pattern, text in row.says.items()
    ]
