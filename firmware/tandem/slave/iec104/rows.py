"""A slave's list, compiled: where each point's events go, what interrogation answers, which commands exist."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from tandem.codec.iec60870 import address
from tandem.codec.iec60870.asdu import IEC104, MOST_OBJECTS
from tandem.codec.iec60870.types import BY_NAME, COMMANDS, TYPES, WITHOUT_TIME
from tandem.config.model import Row, Slave
from tandem.point import Kind
from tandem.registry import PointInfo, PointTable
from tandem.slave.iec104.encoders import Encode, encoder

COUNTER = 15
STATION = 20
"""The interrogation cause, and qualifier, of the whole station; groups 1 to 16 follow it."""
_COMMAND_KINDS: dict[int, tuple[Kind, ...]] = {
    45: (Kind.BINARY_OUTPUT, Kind.DOUBLE_OUTPUT),
    46: (Kind.BINARY_OUTPUT, Kind.DOUBLE_OUTPUT),
    47: (Kind.STEP_OUTPUT,),
    48: (Kind.ANALOG_OUTPUT,),
    49: (Kind.ANALOG_OUTPUT,),
    50: (Kind.ANALOG_OUTPUT,),
    51: (Kind.ANALOG_OUTPUT,),
}


class Monitor(NamedTuple):
    """A row in monitor direction. `still` is its type without time tag, `type` what its events are sent as."""

    slot: int
    point_id: int
    ca: int
    ioa: int
    prefix: bytes  # the object address as octets
    type: int
    still: int
    group: int
    encode: Encode
    deadband: float
    scale: float
    offset: float


class Control(NamedTuple):
    """A row in control direction; `base` is its type without time tag, `mode` what `control` says in the list."""

    point_id: int
    ca: int
    ioa: int
    base: int
    mode: str  # "" | "direct" | "sbo"
    to_double: bool
    scale: float
    offset: float
    invert: bool
    name: str


class Pile(NamedTuple):
    """Events of one type and common address travel together; `most` objects fit an ASDU."""

    type: int
    ca: int
    most: int


Route = tuple[bytes, Encode, int, bool, "Monitor | None"]
"""Of an event: (address octets, element, pile, with time tag, the row where deadband or carry must be looked at)."""
Block = tuple[int, int, list[Monitor]]
"""(type without time, common address, rows by rising address): what one interrogation step answers."""


class Rows:
    """Everything of a `[[slave]]` list that the engine looks up while it runs."""

    def __init__(self, slave: Slave, table: PointTable) -> None:
        """Raises ValueError, naming the row's place, for a row that the loader should have refused."""
        self.routes: list[tuple[Route, ...]] = [()] * table.rows
        self.piles: list[Pile] = []
        self.monitors: list[Monitor] = []
        self.monitor_at: dict[tuple[int, int], Monitor] = {}
        self.controls: dict[tuple[int, int], Control] = {}
        self.locals: list[int] = []
        self.parameters = bool(slave.options.get("parameters", True))
        """Centers may write parameters of measured values."""
        self.freeze = bool(slave.options.get("freeze", True))
        """Centers may freeze and reset counters."""
        self._pile_of: dict[tuple[int, int], int] = {}
        for row in slave.rows:
            point = table.by_name.get(row.point)
            kind = BY_NAME.get(row.type)
            if point is None or kind is None:
                wrong = f'point "{row.point}"' if point is None else f'type "{row.type}"'
                raise ValueError(f"{row.place}: there is no {wrong}")
            ca, ioa = address.parse(row.address, slave.common_address)
            if kind.number in COMMANDS:
                self._control(row, point, COMMANDS[kind.number], ca, ioa)
            elif kind.number in WITHOUT_TIME and kind.time != "cp24":
                self._monitor(row, point, kind.number, ca, ioa)
            else:
                raise ValueError(f"{row.place}: {row.type} is no type that a row of an IEC 104 slave may have")
        self.addresses = sorted(
            {r.ca for r in self.monitors} | {r.ca for r in self.controls.values()} | {slave.common_address}
        )
        self._blocks = self._cut_blocks()
        self.locals = sorted({r.point_id for r in self.monitors if table.by_id[r.point_id].local})

    def interrogation(self, ca: int, group: int) -> list[Block]:
        """The blocks of a station (group 0) or group interrogation: no counters."""
        return self._blocks.get((False, ca, group), [])

    def counters(self, ca: int, group: int) -> list[Block]:
        """The blocks of a general (group 0) or group counter interrogation."""
        return self._blocks.get((True, ca, group), [])

    def weigh(self, row: Monitor) -> None:
        """From now on a deadband is looked at for the row's events."""
        self.routes[row.point_id] = tuple(
            (*route[:4], row) if route[0] == row.prefix and self.piles[route[2]].ca == row.ca else route
            for route in self.routes[row.point_id]
        )

    def every_counter(self, ca: int, group: int) -> list[Monitor]:
        """The rows of a general (group 0) or group counter interrogation."""
        return [row for _, _, rows in self.counters(ca, group) for row in rows]

    def _cut_blocks(self) -> dict[tuple[bool, int, int], list[Block]]:
        """Once, here: sorting fifty thousand rows when a center asks would hold up a turn."""
        rows: defaultdict[tuple[bool, int, int], list[Monitor]] = defaultdict(list)
        for row in self.monitors:
            for group in {0, row.group}:
                rows[row.still == COUNTER, row.ca, group].append(row)
        return {key: _blocks(members) for key, members in rows.items()}

    def _monitor(self, row: Row, point: PointInfo, number: int, ca: int, ioa: int) -> None:
        if (ca, ioa) in self.monitor_at:
            raise ValueError(f"{row.place}: address {ca}:{ioa} is taken by another row")
        still = WITHOUT_TIME[number]
        encode = encoder(still, point.kind, row.scale, row.offset, row.invert)
        prefix = ioa.to_bytes(IEC104.ioa, "little")
        made = Monitor(
            len(self.monitors),
            point.id,
            ca,
            ioa,
            prefix,
            number,
            still,
            row.group,
            encode,
            row.deadband,
            row.scale,
            row.offset,
        )
        self.monitors.append(made)
        self.monitor_at[ca, ioa] = made
        kind = TYPES[number]
        looked_at = made if still == COUNTER or (row.deadband > 0 and still not in (1, 3)) else None
        pile = self._pile_of.get((number, ca))
        if pile is None:
            pile = self._pile_of[number, ca] = len(self.piles)
            self.piles.append(Pile(number, ca, room(kind.size + IEC104.ioa)))
        self.routes[point.id] += ((prefix, encode, pile, bool(kind.time), looked_at),)

    def _control(self, row: Row, point: PointInfo, base: int, ca: int, ioa: int) -> None:
        if (ca, ioa) in self.controls:
            raise ValueError(f"{row.place}: command address {ca}:{ioa} is taken by another row")
        if point.kind not in _COMMAND_KINDS[base]:
            raise ValueError(f"{row.place}: {row.type} cannot command {row.point}, which is a {point.kind.word}")
        if not row.scale:
            raise ValueError(f"{row.place}: with scale 0 no command can be turned into a value of {row.point}")
        double = point.kind is Kind.DOUBLE_OUTPUT
        self.controls[ca, ioa] = Control(
            point.id, ca, ioa, base, row.control, double, row.scale, row.offset, row.invert, row.point
        )


def room(size: int) -> int:
    """How many objects of `size` octets an ASDU takes."""
    return min(MOST_OBJECTS, (249 - IEC104.header) // size)


def _blocks(rows: Iterable[Monitor]) -> list[Block]:
    by_type: defaultdict[tuple[int, int], list[Monitor]] = defaultdict(list)
    for row in rows:
        by_type[row.still, row.ca].append(row)
    blocks: list[Block] = []
    for (still, ca), members in sorted(by_type.items()):
        members.sort(key=lambda r: r.ioa)
        blocks += [(still, ca, members[at : at + MOST_OBJECTS]) for at in range(0, len(members), MOST_OBJECTS)]
    return blocks
