"""IEC 60870-5-101/-104 addresses as a list writes them: `1001`, or `47:1001` with its common address."""

from __future__ import annotations

import re

HIGHEST_COMMON = 65534
"""Of a station with two octets of common address: 0 is not used, 65535 means all (IEC 60870-5-101 7.2.4)."""
HIGHEST_OBJECT = 16_777_215
_SYNTAX = re.compile(r"(?:([0-9]{1,9}):)?([0-9]{1,9})", re.ASCII)


def parse(text: str, common_address: int) -> tuple[int, int]:
    """(common address, object address); `common_address` is the station's, for the short form.

    Raises ValueError: what is wrong, and the cure.
    """
    match = _SYNTAX.fullmatch(text)
    if match is None:
        raise ValueError(
            f'"{text}" is no object address; write a number such as 1001, or 47:1001 with a common address'
        )
    station, number = match.groups()
    common, ioa = common_address if station is None else int(station), int(number)
    if station is not None and not 1 <= common <= HIGHEST_COMMON:
        raise ValueError(f'common address {common} in "{text}" does not fit; it goes from 1 to {HIGHEST_COMMON}')
    if not 1 <= ioa <= HIGHEST_OBJECT:
        raise ValueError(f'object address {ioa} in "{text}" does not fit; it goes from 1 to {HIGHEST_OBJECT}')
    return common, ioa
