"""A configured `[[master]]` of protocol iec104 as its connections."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tandem.clock import Clock
from tandem.codec.iec60870 import asdu
from tandem.codec.iec60870.window import Timing
from tandem.config.model import Device, Master
from tandem.database import Database
from tandem.master.base import Channel, TcpTarget
from tandem.master.iec104.asks import CLOCK_TYPE as CLOCK
from tandem.master.iec104.asks import COUNTER_TYPE, GENERAL_TYPE, Ask, Period, What
from tandem.master.iec104.confirms import Confirms
from tandem.master.iec104.connection import Connection
from tandem.master.iec104.endpoint import Endpoint
from tandem.master.iec104.points import Fed, compile_inputs, compile_outputs
from tandem.master.iec104.station import Station, Terms
from tandem.master.iec104.values import Values
from tandem.master.inputs import DeviceState, Inputs
from tandem.master.saying import Mouth
from tandem.point import MS, SECOND
from tandem.registry import PointTable

_PORT = 2404
_PATIENCE_NS = SECOND
"""Connections that do not come up within this, or an answer's last retry, lose their devices."""
_STATION, _GENERAL_COUNTERS = 20, 5
_READ, _FREEZE = 0, 1
Options = Mapping[str, object]


def build(
    master: Master, table: PointTable, database: Database, clock: Clock, confirm_wait_ms: int, comm_points: bool = False
) -> list[Channel]:
    """Connections of the enabled devices: one for each place, two where it has a second address.

    `confirm_wait_ms`: how long a device's confirm may wait for the standby. `comm_points`: a lost device marks each
    of its points.
    """
    places: dict[tuple[str, str, int], list[Device]] = {}
    for device in master.devices:
        if device.enabled:
            place = device.host, str(device.options.get("second_host", "")), device.tcp_port or _PORT
            places.setdefault(place, []).append(device)
    channels: list[Channel] = []
    for (host, second, port), devices in places.items():
        channels += _place(master, (host, second, port), devices, table, database, clock, confirm_wait_ms, comm_points)
    return channels


def _place(
    master: Master, place: tuple[str, str, int], devices: list[Device], table: PointTable, database: Database,
    clock: Clock, confirm_wait_ms: int, comm_points: bool,
) -> list[Channel]:  # fmt: skip
    host, second, port = place
    where, mouth, inputs = f"{host}:{port}", Mouth(), Inputs(database, clock)
    fed: dict[tuple[int, int], Fed] = {}
    stations = [_station(master, d, where, fed, table, database, clock, inputs, mouth, comm_points) for d in devices]
    values = Values(clock, mouth, fed)
    point_ids = frozenset(entry.input.point_id for entry in fed.values())
    confirms = Confirms(database.journal, values.offered, point_ids, confirm_wait_ms * MS)
    patience_ns = max(_PATIENCE_NS, master.timeout_ms * MS * (master.retries + 1))
    endpoint = Endpoint(where, stations, inputs, values, confirms, clock, mouth, patience_ns)
    output_ids = frozenset(point_id for station in stations for point_id in station.outputs)
    timing, connect_ms = Timing.from_options(master.options), 1000 * _number(master.options, "t0_s", 30)
    name = f"{master.name}.{devices[0].name}"
    made: list[Channel] = []
    for suffix, address, outputs in (("", host, output_ids), (".second", second, frozenset[int]())):
        if address:
            target = TcpTarget(master.lan, address, port, master.source, connect_ms)
            made.append(Connection(name + suffix, target, endpoint, timing, point_ids | output_ids, outputs))
    return made


def _station(
    master: Master, device: Device, where: str, fed: dict[tuple[int, int], Fed], table: PointTable,
    database: Database, clock: Clock, inputs: Inputs, mouth: Mouth, comm_points: bool,
) -> Station:  # fmt: skip
    options = master.options | device.options
    own = compile_inputs(device, inputs)
    fed.update(own)
    cas = dict.fromkeys((device.address, *(ca for ca, _ in own)))
    state = table.by_name.get(f"_sys.device.{device.name}.ok")
    station = Station(
        device.name, where, tuple(cas), _terms(master, options), DeviceState(database, clock, state.id if state else 0),
        inputs, mouth, comm_points, _requests(clock, _number(options, "originator", 0)),
    )  # fmt: skip
    station.inputs = [entry.input for entry in own.values()]
    station.outputs = compile_outputs(device, table, options)
    return station


def _terms(master: Master, options: Options) -> Terms:
    periods = [Period(What.GENERAL, _number(options, "interrogation_s", 0) * SECOND)]
    if every_s := _number(options, "clock_sync_s", 0):
        periods.append(Period(What.CLOCK, every_s * SECOND))
    if every_s := _number(options, "counter_interrogation_s", 0):
        freezes = [Period(What.FREEZE, every_s * SECOND)] if options.get("counter_freeze") else []
        periods += [*freezes, Period(What.COUNTERS, every_s * SECOND)]
    return Terms(
        answer_ns=master.timeout_ms * MS,
        retries=master.retries,
        retry_offline_ns=master.retry_offline_s * SECOND,
        command_ns=_number(options, "command_timeout_ms", 10_000) * MS,
        timed_commands=bool(options.get("command_time_tag")),
        originator=_number(options, "originator", 0),
        after_restart=bool(options.get("accept_end_of_init", True)),
        periods=tuple(periods),
    )


def _requests(clock: Clock, originator: int) -> Callable[[Ask, int], bytes | None]:
    """What makes a request's octets."""

    def made(ask: Ask, now: int) -> bytes | None:
        number, values = _ELEMENTS[ask.what]
        if ask.what is What.CLOCK:
            if not clock.synced:
                return None
            values = {"time_us": clock.stamp(now)[0]}
        return asdu.encode(number, 6, ask.ca, [(0, values)], originator=originator)

    return made


_ELEMENTS: dict[What, tuple[int, dict[str, int]]] = {
    What.CLOCK: (CLOCK, {}),
    What.GENERAL: (GENERAL_TYPE, {"qualifier": _STATION}),
    What.FREEZE: (COUNTER_TYPE, {"request": _GENERAL_COUNTERS, "freeze": _FREEZE}),
    What.COUNTERS: (COUNTER_TYPE, {"request": _GENERAL_COUNTERS, "freeze": _READ}),
}


def _number(options: Options, key: str, default: int) -> int:
    value = options.get(key, default)
    return value if isinstance(value, int) else default
