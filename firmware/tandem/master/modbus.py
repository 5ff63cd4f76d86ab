"""Modbus masters: a configured `[[master]]` as the channels that carry it out."""

from __future__ import annotations

from tandem.clock import Clock
from tandem.config.model import Device as DeviceConfig
from tandem.config.model import Master, Point, SerialLine
from tandem.database import Database
from tandem.master.base import Channel, SerialTarget, TcpTarget
from tandem.master.inputs import DeviceState, Inputs
from tandem.master.modbus_device import Device, Group, Terms
from tandem.master.modbus_engine import ModbusChannel
from tandem.master.modbus_points import Limits, output, polls
from tandem.master.modbus_wire import RtuWire, TcpWire
from tandem.point import MS, SECOND
from tandem.registry import PointTable

_DEFAULT_SCAN_MS = 1000
_TCP_PORT = 502


def build(
    master: Master,
    line: SerialLine | None,
    table: PointTable,
    database: Database,
    clock: Clock,
    comm_points: bool = False,
) -> list[Channel]:
    """The channels of a Modbus master: its serial line, or one for each host and port of its devices.

    `comm_points`: a lost device marks each of its points. Raises ValueError, naming the point or the master and
    the cure, for what cannot be polled or written.
    """
    if master.protocol == "modbus-rtu":
        if line is None:
            raise ValueError(f'master "{master.name}" is modbus-rtu and has no line: give it serial = "NAME"')
        return [_serial(master, line, table, database, clock, comm_points)]
    places: dict[tuple[str, int], list[DeviceConfig]] = {}
    for device in master.devices:
        places.setdefault((device.host, device.tcp_port or _TCP_PORT), []).append(device)
    return [_tcp(master, place, devices, table, database, clock, comm_points) for place, devices in places.items()]


def _serial(
    master: Master, line: SerialLine, table: PointTable, database: Database, clock: Clock, comm_points: bool
) -> Channel:
    inputs = Inputs(database, clock)
    devices = [_device(master, config, line.name, table, database, clock, inputs) for config in master.devices]
    target, wire = SerialTarget(line.name), RtuWire(line)
    return ModbusChannel(master.name, target, wire, devices, inputs, clock, 1, comm_points)


def _tcp(
    master: Master,
    place: tuple[str, int],
    configs: list[DeviceConfig],
    table: PointTable,
    database: Database,
    clock: Clock,
    comm_points: bool,
) -> Channel:
    inputs = Inputs(database, clock)
    host, port = place
    devices = [_device(master, config, f"{host}:{port}", table, database, clock, inputs) for config in configs]
    target = TcpTarget(master.lan, host, port, master.source, _number(master.options, "connect_timeout_ms", 3000))
    name = f"{master.name}.{configs[0].name}"
    window = _number(master.options, "outstanding", 1)
    return ModbusChannel(name, target, TcpWire(), devices, inputs, clock, window, comm_points)


def _device(
    master: Master,
    config: DeviceConfig,
    place: str,
    table: PointTable,
    database: Database,
    clock: Clock,
    inputs: Inputs,
) -> Device:
    options = master.options | config.options
    multiple = bool(options.get("write_multiple", False))
    terms = Terms(
        timeout_ns=(_number(config.options, "timeout_ms", 0) or master.timeout_ms) * MS,
        retries=master.retries,
        offline_after=_number(options, "offline_after", master.retries + 1),
        retry_offline_ns=master.retry_offline_s * SECOND,
    )
    state = table.by_name.get(f"_sys.device.{config.name}.ok")
    device = Device(
        name=config.name,
        unit=config.address,
        place=place,
        terms=terms,
        limits=_limits(options),
        state=DeviceState(database, clock, state.id if state else 0),
        enabled=config.enabled,
        verify=bool(options.get("write_verify", False)),
    )
    device.outputs = {
        table.id(p.name): output(p, table.id(p.name), multiple) for p in config.points if p.kind.is_output
    }
    for name, points in _by_scan(master, config).items():
        period_ns = (master.scan.get(name, _DEFAULT_SCAN_MS)) * MS
        device.groups.append(Group(device, name, max(MS, period_ns), polls(points, inputs, device.limits)))
    return device


def _by_scan(master: Master, config: DeviceConfig) -> dict[str, list[Point]]:
    """The points that are read, by polling group in the master's order; an output without one is not read."""
    first = next(iter(master.scan), "")
    groups: dict[str, list[Point]] = {name: [] for name in master.scan}
    for point in config.points:
        if not point.kind.is_output or point.scan:
            groups.setdefault(point.scan or first, []).append(point)
    return {name: points for name, points in groups.items() if points}


def _limits(options: dict[str, object]) -> Limits:
    most = Limits()
    return Limits(
        max_registers=_number(options, "max_registers", most.max_registers),
        max_bits=_number(options, "max_bits", most.max_bits),
        gap_registers=_number(options, "max_gap_registers", most.gap_registers),
        gap_bits=_number(options, "max_gap_bits", most.gap_bits),
    )


def _number(options: dict[str, object], key: str, default: int) -> int:
    value = options.get(key, default)
    return value if isinstance(value, int) else default
