"""What a lump of Modbus octets means, frame by frame, for people and tools. Never raises, whatever the octets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from tandem.codec.modbus import pdu as modbus
from tandem.codec.modbus.rtu import crc, frame_at
from tandem.codec.modbus.tcp import HEADER, LONGEST

Direction = Literal["request", "reply"]
Meaning = dict[str, object]


def describe(octets: bytes, direction: Direction | None = None, *, tcp: bool) -> list[Meaning]:
    """One object a frame: `octets` in hex and what the codec's tables say of them, or an `error` sentence.

    Where `direction` is not known, a frame that can be either is described as a request, and `either` says so.
    """
    return _tcp(octets, direction) if tcp else _rtu(octets, direction)


def _tcp(octets: bytes, direction: Direction | None) -> list[Meaning]:
    found: list[Meaning] = []
    start = 0
    while start < len(octets):
        rest = octets[start:]
        if len(rest) < 8:
            found.append(_fault(rest, f"{len(rest)} octets are too few for a header and a function"))
            break
        transaction, protocol, length, unit = HEADER.unpack_from(rest)
        if protocol or not 2 <= length <= LONGEST - 6:
            found.append(_fault(rest, f"no Modbus TCP header: protocol id {protocol}, length {length}"))
            break
        whole = rest[: 6 + length]
        meaning: Meaning = {"octets": whole.hex(), "transaction": transaction, "unit": unit}
        if len(whole) < 6 + length:
            meaning["error"] = f"cut off: {6 + length - len(whole)} octets are missing"
        else:
            meaning |= describe_pdu(whole[7:], direction)
        found.append(meaning)
        start += len(whole)
    return found


def _rtu(octets: bytes, direction: Direction | None) -> list[Meaning]:
    lengths: list[tuple[Direction, Callable[[bytes], int | None]]] = []
    if direction != "reply":
        lengths.append(("request", modbus.request_length))
    if direction != "request":
        lengths.append(("reply", modbus.reply_length))
    found: list[Meaning] = []
    start = noise = 0
    while start < len(octets):
        hits = [(way, size) for way, length in lengths if (size := frame_at(octets, start, length))]
        if not hits:
            start += 1
            continue
        if noise < start:
            found.append(_no_frame(octets[noise:start]))
        way, size = hits[0]
        whole = octets[start : start + size]
        meaning: Meaning = {"octets": whole.hex(), "unit": whole[0]}
        known = direction or (way if len(hits) == 1 else None)
        found.append(meaning | describe_pdu(whole[1:-2], known))
        start = noise = start + size
    if noise < start:
        found.append(_no_frame(octets[noise:]))
    return found


def _no_frame(octets: bytes) -> Meaning:
    if len(octets) >= 4:
        wanted = crc(octets[:-2])
        return _fault(
            octets,
            f"{len(octets)} octets that are no frame; were they one, its checksum would be "
            f"{wanted & 0xFF:02x} {wanted >> 8:02x} and not {octets[-2]:02x} {octets[-1]:02x}",
        )
    return _fault(octets, f"{len(octets)} octets are too few for a frame")


def _fault(octets: bytes, sentence: str) -> Meaning:
    return {"octets": octets.hex(), "error": sentence}


def describe_pdu(pdu: bytes, direction: Direction | None) -> Meaning:
    """The meaning of one PDU."""
    function = pdu[0] & 0x7F if pdu else 0
    meaning: Meaning = {"function": function, "name": modbus.FUNCTIONS.get(function, "unknown function")}
    if direction == "request":
        return meaning | _request(pdu)
    if direction == "reply":
        return meaning | _reply(pdu)
    request, reply = _request(pdu), _reply(pdu)
    if "error" not in request:
        return meaning | request | ({} if "error" in reply else {"either": True})
    return meaning | (reply if "error" not in reply or pdu[:1] > b"\x7f" else request)


def _request(pdu: bytes) -> Meaning:
    meaning: Meaning = {"direction": "request"}
    try:
        request = modbus.parse_request(pdu)
    except modbus.FrameError as error:
        return meaning | {"error": str(error)}
    meaning["first"] = request.first
    function = request.function
    if function == modbus.WRITE_COIL:
        return meaning | {"on": request.data == b"\xff\x00"}
    if function == modbus.WRITE_REGISTER:
        return meaning | {"values": _registers(request.data)}
    if function == modbus.MASK_WRITE:
        return meaning | {"and_mask": request.and_mask, "or_mask": request.or_mask}
    meaning["count"] = request.count
    if function == modbus.WRITE_COILS:
        meaning["bits"] = _bits(request.data, request.count)
    elif function == modbus.WRITE_REGISTERS:
        meaning["values"] = _registers(request.data)
    elif function == modbus.READ_WRITE:
        meaning |= {"written": request.written, "values": _registers(request.data)}
    most = modbus.MOST_BITS if function in (1, 2, 15) else modbus.MOST_REGISTERS
    if not 1 <= request.count <= most:
        meaning["error"] = f"a count of {request.count}; 1 to {most} are possible"
    elif request.first + request.count > 65536:
        meaning["error"] = f"it goes to {request.first + request.count - 1}; the last number is 65535"
    return meaning


def _reply(pdu: bytes) -> Meaning:
    meaning: Meaning = {"direction": "reply"}
    size = modbus.reply_length(pdu)
    if size is None or size != len(pdu):
        return meaning | {"error": _reply_error(pdu, size)}
    function = pdu[0]
    if function & modbus.ERROR:
        return meaning | {"exception": pdu[1], "exception_name": modbus.EXCEPTIONS.get(pdu[1], "unknown exception")}
    if function in (modbus.READ_COILS, modbus.READ_DISCRETE):
        return meaning | {"bits": _bits(pdu[2:], 8 * pdu[1])}
    if function in (modbus.READ_HOLDING, modbus.READ_INPUT, modbus.READ_WRITE):
        if pdu[1] % 2:
            return meaning | {"error": f"{pdu[1]} octets of data are no whole number of registers"}
        return meaning | {"values": _registers(pdu[2:])}
    first, value = int.from_bytes(pdu[1:3], "big"), int.from_bytes(pdu[3:5], "big")
    meaning["first"] = first
    if function == modbus.WRITE_COIL:
        return meaning | {"on": value == 0xFF00}
    if function == modbus.WRITE_REGISTER:
        return meaning | {"values": [value]}
    if function == modbus.MASK_WRITE:
        return meaning | {"and_mask": value, "or_mask": int.from_bytes(pdu[5:7], "big")}
    return meaning | {"count": value}


def _reply_error(pdu: bytes, size: int | None) -> str:
    if size == -1:
        return f"function {pdu[0] & 0x7F} is not known here"
    if size is None:
        return f"{len(pdu)} octets are too few for a reply"
    return f"a reply of {len(pdu)} octets; function {pdu[0] & 0x7F} makes it {size}"


def _registers(octets: bytes) -> list[int]:
    return [int.from_bytes(octets[i : i + 2], "big") for i in range(0, len(octets) - 1, 2)]


def _bits(octets: bytes, count: int) -> list[int]:
    return [int(bit) for bit in modbus.unpack_bits(octets, min(count, 8 * len(octets)))]
