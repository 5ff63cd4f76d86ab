"""Modbus protocol data units: function code and what follows it, without unit, checksum or header.

Requests are built and taken apart here, replies are judged against their request. Numbers count from 0.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

READ_COILS = 1
READ_DISCRETE = 2
READ_HOLDING = 3
READ_INPUT = 4
WRITE_COIL = 5
WRITE_REGISTER = 6
WRITE_COILS = 15
WRITE_REGISTERS = 16
MASK_WRITE = 22
READ_WRITE = 23
ERROR = 0x80
"""Or-ed to the function code where the device says no."""

FUNCTIONS: dict[int, str] = {
    READ_COILS: "read coils",
    READ_DISCRETE: "read discrete inputs",
    READ_HOLDING: "read holding registers",
    READ_INPUT: "read input registers",
    WRITE_COIL: "write single coil",
    WRITE_REGISTER: "write single register",
    WRITE_COILS: "write multiple coils",
    WRITE_REGISTERS: "write multiple registers",
    MASK_WRITE: "mask write register",
    READ_WRITE: "read/write multiple registers",
}
READ_FUNCTION: dict[str, int] = {
    "coil": READ_COILS,
    "discrete": READ_DISCRETE,
    "holding": READ_HOLDING,
    "input": READ_INPUT,
}
"""The function that reads a table."""

ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2
ILLEGAL_VALUE = 3
DEVICE_FAILURE = 4
ACKNOWLEDGE = 5
BUSY = 6
PATH_UNAVAILABLE = 10
TARGET_SILENT = 11
EXCEPTIONS: dict[int, str] = {
    ILLEGAL_FUNCTION: "illegal function",
    ILLEGAL_ADDRESS: "illegal data address",
    ILLEGAL_VALUE: "illegal data value",
    DEVICE_FAILURE: "device failure",
    ACKNOWLEDGE: "acknowledge",
    BUSY: "device busy",
    8: "memory parity error",
    PATH_UNAVAILABLE: "gateway path unavailable",
    TARGET_SILENT: "gateway target did not respond",
}

MOST_BITS = 2000
MOST_REGISTERS = 125
MOST_WRITTEN_BITS = 1968
MOST_WRITTEN_REGISTERS = 123
MOST_REGISTERS_WITH_READ = 121
LONGEST = 253
"""Octets of the longest PDU."""

_HEAD = struct.Struct(">BHH")
_MASK = struct.Struct(">BHHH")
_BOTH = struct.Struct(">BHHHHB")


class FrameError(ValueError):
    """Octets that are no Modbus; the sentence says what is wrong with them."""


def read(function: int, first: int, count: int) -> bytes:
    """Request of functions 1 to 4. Raises ValueError for a count outside 1..2000 bits or 1..125 registers."""
    most = MOST_BITS if function in (READ_COILS, READ_DISCRETE) else MOST_REGISTERS
    if not 1 <= count <= most:
        raise ValueError(f"{count} cannot be read with one request; 1 to {most} can")
    return _HEAD.pack(function, first, count)


def write_coil(number: int, on: bool) -> bytes:
    """Request of function 5."""
    return _HEAD.pack(WRITE_COIL, number, 0xFF00 if on else 0)


def write_register(number: int, value: int) -> bytes:
    """Request of function 6; `value` 0..65535."""
    return _HEAD.pack(WRITE_REGISTER, number, value)


def write_coils(first: int, bits: Sequence[bool]) -> bytes:
    """Request of function 15 for 1..1968 coils."""
    if not 1 <= len(bits) <= MOST_WRITTEN_BITS:
        raise ValueError(f"{len(bits)} coils cannot be written with one request; 1 to {MOST_WRITTEN_BITS} can")
    packed = pack_bits(bits)
    return _HEAD.pack(WRITE_COILS, first, len(bits)) + bytes((len(packed),)) + packed


def write_registers(first: int, octets: bytes) -> bytes:
    """Request of function 16; `octets` are the registers as they travel, 1..123 of them."""
    count = len(octets) // 2
    if len(octets) % 2 or not 1 <= count <= MOST_WRITTEN_REGISTERS:
        raise ValueError(f"{len(octets)} octets cannot be written; 1 to {MOST_WRITTEN_REGISTERS} registers can")
    return _HEAD.pack(WRITE_REGISTERS, first, count) + bytes((len(octets),)) + octets


def mask_write(number: int, and_mask: int, or_mask: int) -> bytes:
    """Request of function 22: register = (register & and_mask) | (or_mask & ~and_mask)."""
    return _MASK.pack(MASK_WRITE, number, and_mask, or_mask)


def read_write(first: int, count: int, written: int, octets: bytes) -> bytes:
    """Request of function 23: `octets` go to `written` before `count` registers are read from `first`."""
    size = len(octets) // 2
    if len(octets) % 2 or not 1 <= size <= MOST_REGISTERS_WITH_READ or not 1 <= count <= MOST_REGISTERS:
        raise ValueError(
            f"function 23 reads 1 to {MOST_REGISTERS} registers and writes 1 to {MOST_REGISTERS_WITH_READ}"
        )
    return _BOTH.pack(READ_WRITE, first, count, written, size, len(octets)) + octets


def pack_bits(bits: Sequence[bool]) -> bytes:
    """Bits as they travel: the first one lowest in the first octet."""
    octets = bytearray((len(bits) + 7) // 8)
    for index, bit in enumerate(bits):
        if bit:
            octets[index >> 3] |= 1 << (index & 7)
    return bytes(octets)


def unpack_bits(octets: bytes, count: int) -> list[bool]:
    """The first `count` bits of a reply's data."""
    return [bool(octets[i >> 3] >> (i & 7) & 1) for i in range(count)]


@dataclass(slots=True, frozen=True)
class Request:
    """A request taken apart. `data`: what is written, as it travels; `written`: where function 23 writes."""

    function: int
    first: int
    count: int = 1
    data: bytes = b""
    written: int = 0
    and_mask: int = 0
    or_mask: int = 0


def parse_request(pdu: bytes) -> Request:
    """Take a request apart. Raises FrameError with the reason when it is none."""
    size = request_length(pdu)
    if size is None or size < 0 or len(pdu) != size:
        code = pdu[0] if pdu else -1
        if code not in FUNCTIONS:
            raise FrameError(f"function {code} is not known here" if pdu else "an empty request")
        raise FrameError(f"a request of function {code} ({FUNCTIONS[code]}) with {len(pdu)} octets")
    function = pdu[0]
    if function == MASK_WRITE:
        _, first, and_mask, or_mask = _MASK.unpack(pdu)
        return Request(function, first, and_mask=and_mask, or_mask=or_mask)
    if function == READ_WRITE:
        _, first, count, written, size, octets = _BOTH.unpack_from(pdu)
        if octets != 2 * size:
            raise FrameError(f"function 23 announces {size} registers and {octets} octets")
        return Request(function, first, count, pdu[10:], written)
    _, first, count = _HEAD.unpack_from(pdu)
    if function in (WRITE_COIL, WRITE_REGISTER):
        if function == WRITE_COIL and count not in (0, 0xFF00):
            raise FrameError(f"function 5 with value 0x{count:04X}; only 0x0000 and 0xFF00 exist")
        return Request(function, first, data=pdu[3:5])
    if function in (WRITE_COILS, WRITE_REGISTERS):
        wanted = (count + 7) // 8 if function == WRITE_COILS else 2 * count
        if pdu[5] != wanted:
            raise FrameError(f"function {function} announces a count of {count} and {pdu[5]} octets")
        return Request(function, first, count, pdu[6:])
    return Request(function, first, count)


def reply_octets(request: bytes) -> int:
    """Octets of data that the reply to a read request (1-4, 23) must bring; 0 for the others."""
    function = request[0]
    if function in (READ_COILS, READ_DISCRETE):
        return (int.from_bytes(request[3:5], "big") + 7) // 8
    if function in (READ_HOLDING, READ_INPUT, READ_WRITE):
        return 2 * int.from_bytes(request[3:5], "big")
    return 0


def reply_fault(request: bytes, reply: bytes) -> str:
    """Why `reply` is no answer to `request`, exceptions included as answers; "" when it is one."""
    function = request[0]
    if not reply:
        return "an empty reply"
    if reply[0] == function | ERROR:
        return "" if len(reply) == 2 else f"an exception of {len(reply)} octets; it must have 2"
    if reply[0] != function:
        return f"function {reply[0]} was answered, function {function} ({FUNCTIONS.get(function, '?')}) was asked"
    wanted = reply_octets(request)
    if wanted:
        got = reply[1] if len(reply) > 1 else 0
        if got != wanted or len(reply) != wanted + 2:
            return f"the reply announces {got} octets and brings {len(reply) - 2}, {wanted} were asked"
        return ""
    echo = request if function == MASK_WRITE else request[:5]
    return "" if reply == echo else f"the reply {reply.hex(' ')} does not repeat the request {echo.hex(' ')}"


def request_length(head: bytes) -> int | None:
    """Octets of the request PDU that begins with `head`; None: more octets are needed to know, -1: no request."""
    if not head:
        return None
    function = head[0]
    if function in (READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT, WRITE_COIL, WRITE_REGISTER):
        return 5
    if function in (WRITE_COILS, WRITE_REGISTERS):
        return 6 + head[5] if len(head) > 5 else None
    if function == MASK_WRITE:
        return 7
    if function == READ_WRITE:
        return 10 + head[9] if len(head) > 9 else None
    return -1


def reply_length(head: bytes) -> int | None:
    """Octets of the reply PDU that begins with `head`; None: more octets are needed to know, -1: no reply."""
    if not head:
        return None
    function = head[0]
    if function & ERROR:
        return 2 if function & 0x7F in FUNCTIONS else -1
    if function in (READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT, READ_WRITE):
        return 2 + head[1] if len(head) > 1 else None
    if function in (WRITE_COIL, WRITE_REGISTER, WRITE_COILS, WRITE_REGISTERS):
        return 5
    return 7 if function == MASK_WRITE else -1


def exception_name(code: int) -> str:
    """The name of an exception code, its number in brackets."""
    return f"{EXCEPTIONS.get(code, 'unknown exception')} ({code})"
