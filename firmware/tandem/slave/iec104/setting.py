"""What every connection of a station shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tandem.clock import Clock
from tandem.codec.iec60870.window import Timing
from tandem.config.model import Slave
from tandem.database import Database
from tandem.point import Command
from tandem.slave.iec104.rows import Rows


@dataclass(slots=True, frozen=True)
class Setting:
    """A station's configuration and surroundings. `emit` takes a command on its way to `control`."""

    slave: Slave
    rows: Rows
    database: Database
    clock: Clock
    timing: Timing
    next_ref: Callable[[], int]
    emit: Callable[[Command], None]
