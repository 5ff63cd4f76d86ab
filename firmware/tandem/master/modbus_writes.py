"""A control as the requests that carry it out: coils, registers, bits of registers, pairs, pulses."""

from __future__ import annotations

from dataclasses import dataclass

from tandem.codec.modbus import pdu as modbus
from tandem.master.modbus_points import Output
from tandem.point import MS, Command, Double, Kind


@dataclass(slots=True, frozen=True)
class Write:
    """One request of a control. `delay_ns` after the step before; `confirms`: its answer is the control's.

    `verify` is the request that must then read `expected`, where the master reads back what it wrote.
    """

    pdu: bytes
    delay_ns: int = 0
    confirms: bool = False
    releases: bool = False
    """The end of a pulse: it lets go of an output and may be repeated."""
    verify: bytes = b""
    expected: bytes = b""


def writes(output: Output, command: Command, verify: bool) -> list[Write]:
    """The requests of a command, in order. Raises ValueError with the sentence that refuses it."""
    kind = output.point.kind
    if kind == Kind.ANALOG_OUTPUT or (kind == Kind.STEP_OUTPUT and len(output.address.numbers) == 1):
        return _number(output, command, verify)
    if kind == Kind.BINARY_OUTPUT:
        if command.value not in (0, 1):
            raise ValueError(f"{output.point.name} takes 0 or 1, not {command.value:g}")
        return _single(output, output.address.numbers[0], bool(command.value), command, verify)
    if kind == Kind.STEP_OUTPUT:
        if command.value not in (-1, 1):
            raise ValueError(f"{output.point.name} takes -1 (lower) or +1 (raise), not {command.value:g}")
        return _pair(output, command.value > 0, command, verify)
    if command.value not in (Double.OFF, Double.ON):
        raise ValueError(f"{output.point.name} takes off ({Double.OFF}) or on ({Double.ON}), not {command.value:g}")
    if len(output.address.numbers) == 1:
        return _single(output, output.address.numbers[0], command.value == Double.ON, command, verify)
    return _pair(output, command.value == Double.ON, command, verify)


def _pulse_ns(output: Output, command: Command) -> int:
    return (command.pulse_ms or output.point.pulse_ms) * MS


def _set(output: Output, number: int, on: bool) -> bytes:
    """The request that sets one coil, one bit of a register, or a register to 0 or 1."""
    address = output.address
    if address.is_bits:
        return modbus.write_coils(number, [on]) if output.multiple else modbus.write_coil(number, on)
    if address.bit is not None:
        mask = 1 << address.bit
        return modbus.mask_write(number, ~mask & 0xFFFF, mask if on else 0)
    if output.multiple:
        return modbus.write_registers(number, bytes((0, on)))
    return modbus.write_register(number, int(on))


def _single(output: Output, number: int, on: bool, command: Command, verify: bool) -> list[Write]:
    pulse_ns = _pulse_ns(output, command) if on else 0
    if not pulse_ns:
        check, expected = _readback(output, number, on) if verify else (b"", b"")
        return [Write(_set(output, number, on), confirms=True, verify=check, expected=expected)]
    return [
        Write(_set(output, number, True), confirms=True),
        Write(_set(output, number, False), delay_ns=pulse_ns, releases=True),
    ]


def _readback(output: Output, number: int, on: bool) -> tuple[bytes, bytes]:
    """Read back a coil or a 0/1 register; a bit of a register has neighbours that move by themselves."""
    if output.address.is_bits:
        return modbus.read(modbus.READ_COILS, number, 1), bytes((on,))
    if output.address.bit is not None:
        return b"", b""
    return modbus.read(modbus.READ_HOLDING, number, 1), bytes((0, on))


def _pair(output: Output, on: bool, command: Command, verify: bool) -> list[Write]:
    """Trip and close, or lower and raise. Latched ones let go of the other coil first, or in the same request."""
    off_number, on_number = output.address.numbers
    mine, other = (on_number, off_number) if on else (off_number, on_number)
    if _pulse_ns(output, command):
        return _single(output, mine, True, command, verify)
    if output.address.is_bits and abs(mine - other) == 1:
        first = min(mine, other)
        pair = modbus.write_coils(first, [mine == first, mine != first])
        check = modbus.read(modbus.READ_COILS, first, 2) if verify else b""
        return [Write(pair, confirms=True, verify=check, expected=bytes((1 if mine == first else 2,)))]
    return [Write(_set(output, other, False)), *_single(output, mine, True, command, verify)]


def _number(output: Output, command: Command, verify: bool) -> list[Write]:
    point = output.point
    raw = (command.value - point.offset) / point.scale if point.scale else command.value
    try:
        octets = output.code.encode(raw)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{point.name} cannot be {command.value:g}: raw value {error}") from error
    first = output.address.numbers[0]
    if len(octets) == 2 and not output.multiple:
        pdu = modbus.write_register(first, int.from_bytes(octets, "big"))
    else:
        pdu = modbus.write_registers(first, octets)
    check = modbus.read(modbus.READ_HOLDING, first, len(octets) // 2) if verify else b""
    return [Write(pdu, confirms=True, verify=check, expected=octets)]
