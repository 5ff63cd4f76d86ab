"""The front panel as a table: which LED shines how, from the state of the node. Pins live in `port`."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

from tandem.codec.beat import Role
from tandem.standby.lines import LinesStep


class Colour(enum.IntEnum):
    """Numbers as the pins' message has them."""

    DARK = 0
    GREEN = 1
    AMBER = 2
    RED = 3


class Led(NamedTuple):
    """How one LED shines."""

    colour: Colour = Colour.DARK
    blinking: bool = False

    @property
    def word(self) -> str:
        """As people read it: the colour, and "blinking" behind it where it does."""
        return self.colour.name.lower() + (" blinking" if self.blinking else "")

    @property
    def octet(self) -> int:
        """The pins' octet: the colour, and 16 when it blinks."""
        return self.colour + (16 if self.blinking else 0)


DARK, GREEN, AMBER, RED = (Led(colour) for colour in Colour)
GREEN_BLINKING, AMBER_BLINKING, RED_BLINKING = (Led(c, True) for c in (Colour.GREEN, Colour.AMBER, Colour.RED))


@dataclass(slots=True, frozen=True)
class PathState:
    """A LAN or the crossover: is there a carrier, does the peer answer over it."""

    carrier: bool = True
    alive: bool = True


@dataclass(slots=True, frozen=True)
class SerialState:
    """A serial line: octets went out or came in since the last look; its devices answer."""

    sent: bool = False
    received: bool = False
    open: bool = True


@dataclass(slots=True, frozen=True)
class PanelState:
    """What the panel shows. `lans` and `serials` by name; `crossovers`: serial heartbeat paths by name."""

    role: Role
    in_sync: bool
    peer_heard: bool
    lines: LinesStep
    alarm: str = ""
    unprotected: bool = False
    isolated: bool = False
    lans: tuple[tuple[str, PathState], ...] = ()
    crossovers: tuple[tuple[str, PathState], ...] = ()
    serials: tuple[tuple[str, SerialState], ...] = ()


ROLE: dict[Role, Led] = {
    Role.STARTING: AMBER_BLINKING,
    Role.STANDBY: AMBER,
    Role.TAKING_OVER: GREEN_BLINKING,
    Role.ACTIVE: GREEN,
    Role.RELEASING: GREEN_BLINKING,
    Role.OUT_OF_SERVICE: RED,
    Role.DEAD: RED_BLINKING,
}

LINES: dict[LinesStep, Led] = {
    LinesStep.NONE: DARK,
    LinesStep.CLAIMING: AMBER_BLINKING,
    LinesStep.HELD: GREEN,
    LinesStep.LOST: RED,
}

SYNC: dict[tuple[bool, bool], Led] = {  # (peer heard, in sync)
    (True, True): GREEN,
    (True, False): AMBER_BLINKING,
    (False, True): RED,
    (False, False): RED,
}

PATH: dict[tuple[bool, bool], Led] = {  # (carrier, the peer answers)
    (True, True): GREEN,
    (True, False): AMBER,
    (False, True): RED,
    (False, False): RED,
}


def leds(state: PanelState) -> dict[str, Led]:
    """Every LED by name: power, role, sync, link, alarm, lines, then the LANs, crossovers and serial lines by name."""
    shown = {
        "power": GREEN,
        "role": AMBER_BLINKING if state.role is Role.STANDBY and state.isolated else ROLE[state.role],
        "sync": SYNC[state.peer_heard, state.in_sync],
        "link": GREEN if state.peer_heard else RED,
        "alarm": RED_BLINKING if state.alarm else AMBER if state.unprotected else DARK,
        "lines": LINES[state.lines],
    }
    for name, path in (*state.lans, *state.crossovers):
        shown[name] = PATH[path.carrier, path.alive]
    for name, line in state.serials:
        shown[f"{name}.tx"] = GREEN if line.sent else DARK if line.open else RED
        shown[f"{name}.rx"] = GREEN if line.received else DARK if line.open else RED
    return shown
