"""The keys of Modbus: RTU, TCP and ASCII, masters and slaves."""

from __future__ import annotations

from tandem.config.keys import Key

_WIDE = ("uint32", "int32", "uint64", "int64", "float32", "float64")
_ORDERS = ("abcd", "cdab", "badc", "dcba")
ENCODINGS = ("uint16", "int16", *(f"{word}-{order}" for word in _WIDE for order in _ORDERS))
"""Of one, two or four registers; the letters say the order in which the octets of each pair of words arrive."""

_ENCODING = Key("encoding", "text", "how registers make a value; empty is uint16", "", choices=("", *ENCODINGS))
MASTER = (
    Key("max_registers", "integer", "in one request", 125, 1, 125),
    Key("max_bits", "integer", "in one request", 2000, 1, 2000),
    Key("max_gap_registers", "integer", "read over so many unwanted registers to spare a request", 16, 0, 124),
    Key("max_gap_bits", "integer", "read over so many unwanted bits to spare a request", 256, 0, 1999),
    Key("write_multiple", "boolean", "write with functions 15 and 16 even where 5 and 6 do", False),
    Key("write_verify", "boolean", "read back what was written before saying done", False),
    Key("offline_after", "integer", "requests without answer until a device is lost", 3, 1, 100),
)
MASTER_TCP = (
    Key("connect_timeout_ms", "integer", "how long a connection may take", 3000, 50, 120_000, unit="ms"),
    Key("outstanding", "integer", "requests sent before the first answer", 1, 1, 16),
)
DEVICE_SERIAL = (Key("address", "integer", "unit address", None, 1, 247),)
DEVICE_TCP = (
    Key("address", "integer", "unit; 255 or 0 is the device itself", 255, 0, 255),
    Key("tcp_port", "integer", "port", 502, 1, 65535),
)
DEVICE = (Key("timeout_ms", "integer", "how long this device may take; 0: as its master", 0, 0, 600_000, unit="ms"),)
POINT = (_ENCODING,)

SLAVE = (
    Key("map_missing", "text", "what an unmapped address inside a request gives", "refuse", choices=("refuse", "zero")),
    Key("bad_quality", "text", "what a point that is not good gives", "value", choices=("value", "zero", "refuse")),
)
SLAVE_SERIAL = (Key("address", "integer", "own unit address", None, 1, 247),)
SLAVE_TCP = (
    Key("address", "integer", "own unit address; 0 answers any", 0, 0, 255),
    Key("tcp_port", "integer", "port", 502, 1, 65535),
    Key("max_connections", "integer", "of a control center", 4, 1, 64),
    Key("idle_timeout_s", "integer", "a silent connection is closed; 0: never", 0, 0, 86_400, unit="s"),
)
ROW = (_ENCODING,)
