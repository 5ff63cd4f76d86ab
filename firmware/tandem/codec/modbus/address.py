"""Modbus addresses as a point list writes them: `holding:4`, `holding:4.3`, `discrete:0+1`, `coil:1+0`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, cast

Table = Literal["coil", "discrete", "holding", "input"]

TABLES: tuple[str, ...] = ("coil", "discrete", "holding", "input")
BIT_TABLES = frozenset({"coil", "discrete"})
HIGHEST = 65535
_SYNTAX = re.compile(r"([a-z]+):([0-9]{1,9})(?:\+([0-9]{1,9})|\.([0-9]{1,9}))?", re.ASCII)
_CURE = "write table:number, such as holding:4, holding:4.3 (a bit of a register) or discrete:0+1 (two contacts)"


@dataclass(slots=True, frozen=True)
class ModbusAddress:
    """`numbers` has one number, or two for a double: (open, closed) contact, (off, on) coil; `bit` 0..15 or None."""

    table: Table
    numbers: tuple[int, ...]
    bit: int | None = None

    @property
    def is_bits(self) -> bool:
        """True where the table holds single bits (coil, discrete) and not 16-bit registers."""
        return self.table in BIT_TABLES

    def __str__(self) -> str:
        text = f"{self.table}:{'+'.join(map(str, self.numbers))}"
        return text if self.bit is None else f"{text}.{self.bit}"


def parse(text: str) -> ModbusAddress:
    """The address that `text` names, numbers counted from 0. Raises ValueError: what is wrong, and the cure."""
    match = _SYNTAX.fullmatch(text)
    if match is None:
        raise ValueError(f'"{text}" is no Modbus address; {_CURE}')
    table, first, second, bit = match.groups()
    if table not in TABLES:
        raise ValueError(f'"{table}" is no Modbus table; the tables are {", ".join(TABLES)}')
    numbers = (int(first),) if second is None else (int(first), int(second))
    for number in numbers:
        if number > HIGHEST:
            raise ValueError(f'{number} in "{text}" is too high; addresses go from 0 to {HIGHEST}, counted from 0')
    if len(numbers) == 2 and numbers[0] == numbers[1]:
        raise ValueError(f'"{text}" names {numbers[0]} twice; a double needs two different numbers, as in {table}:0+1')
    if len(numbers) == 2 and table not in BIT_TABLES:
        raise ValueError(f'"{text}" pairs two registers; only contacts (discrete:0+1) and coils (coil:1+0) make a pair')
    if bit is not None and table in BIT_TABLES:
        raise ValueError(f'"{text}" asks for a bit of a {table}, which is one bit; write {table}:{first}')
    if bit is not None and int(bit) > 15:
        raise ValueError(f'bit {bit} in "{text}" does not exist; a register has bits 0 (lowest) to 15')
    return ModbusAddress(cast(Table, table), numbers, None if bit is None else int(bit))
