"""Every protocol, and which of its keys stand where. A protocol without an engine yet has its keys all the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tandem.config import schema, schema_dnp3, schema_iec, schema_modbus
from tandem.config.keys import Key

Family = Literal["modbus", "dnp3", "iec60870"]


@dataclass(slots=True, frozen=True)
class Protocol:
    """The keys of one protocol; `master_ready` and `slave_ready`: this version has the engine.

    `confirms`: its devices wait for a confirm, so that holding one back has a limit.
    """

    name: str
    family: Family
    serial: bool
    confirms: bool
    master: tuple[Key, ...]
    device: tuple[Key, ...]
    point: tuple[Key, ...]
    slave: tuple[Key, ...]
    center: tuple[Key, ...]
    row: tuple[Key, ...]
    master_ready: bool = False
    slave_ready: bool = False


def _protocol(
    name: str,
    family: Family,
    confirms: bool,
    master: tuple[Key, ...],
    device: tuple[Key, ...],
    slave: tuple[Key, ...],
    ready: str = "",
) -> Protocol:
    serial = name.endswith(("-rtu", "-ascii", "-serial", "101"))
    points, rows, centers = {
        "modbus": (schema_modbus.POINT, schema_modbus.ROW, ()),
        "dnp3": (schema_dnp3.POINT, schema_dnp3.ROW, schema_dnp3.CENTER),
        "iec60870": (schema_iec.POINT, schema_iec.ROW, ()),
    }[family]
    return Protocol(
        name,
        family,
        serial,
        confirms,
        master=(*schema.MASTER, *(schema.ON_SERIAL if serial else schema.MASTER_ON_LAN), *master),
        device=(*schema.DEVICE, *(() if serial else schema.DEVICE_ON_LAN), *device),
        point=(*schema.POINT, *points),
        slave=(*schema.SLAVE, *(schema.ON_SERIAL if serial else schema.SLAVE_ON_LAN), *slave),
        center=(*schema.CENTER, *(() if serial else schema.CENTER_ON_LAN), *centers),
        row=(*schema.ROW, *rows),
        master_ready="master" in ready,
        slave_ready="slave" in ready,
    )


_M, _D, _I = schema_modbus, schema_dnp3, schema_iec
_ALL = (
    _protocol(
        "modbus-rtu",
        "modbus",
        False,
        _M.MASTER,
        (*_M.DEVICE_SERIAL, *_M.DEVICE),
        (*_M.SLAVE, *_M.SLAVE_SERIAL),
        "master",
    ),
    _protocol(
        "modbus-tcp",
        "modbus",
        False,
        (*_M.MASTER, *_M.MASTER_TCP),
        (*_M.DEVICE_TCP, *_M.DEVICE),
        (*_M.SLAVE, *_M.SLAVE_TCP),
        "master",
    ),
    _protocol(
        "modbus-ascii", "modbus", False, _M.MASTER, (*_M.DEVICE_SERIAL, *_M.DEVICE), (*_M.SLAVE, *_M.SLAVE_SERIAL)
    ),
    _protocol("dnp3-serial", "dnp3", True, (*_D.MASTER, *_D.MASTER_SERIAL), _D.DEVICE, (*_D.SLAVE, *_D.SLAVE_SERIAL)),
    _protocol(
        "dnp3-tcp", "dnp3", True, (*_D.MASTER, *_D.MASTER_TCP), (*_D.DEVICE, *_D.DEVICE_TCP), (*_D.SLAVE, *_D.SLAVE_TCP)
    ),
    _protocol("iec101", "iec60870", True, _I.MASTER_101, _I.DEVICE_101, _I.SLAVE_101),
    _protocol("iec104", "iec60870", True, _I.MASTER_104, _I.DEVICE_104, _I.SLAVE_104, "master slave"),
)
PROTOCOLS: dict[str, Protocol] = {protocol.name: protocol for protocol in _ALL}
