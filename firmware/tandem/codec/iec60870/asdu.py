"""The ASDU (IEC 60870-5-101 7.2): its header with sizes that differ between 101 and 104, and its objects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from tandem.codec.iec60870 import FrameError
from tandem.codec.iec60870.elements import Values
from tandem.codec.iec60870.types import TYPES, AsduType

SQ = 0x80
NEGATIVE, TEST = 0x40, 0x80
MOST_OBJECTS = 127


@dataclass(slots=True, frozen=True)
class Profile:
    """Octets of cause of transmission (1, 2), common address (1, 2) and object address (1 to 3)."""

    cot: int = 2
    ca: int = 2
    ioa: int = 3

    @property
    def header(self) -> int:
        """Octets before the first object."""
        return 2 + self.cot + self.ca

    @property
    def global_address(self) -> int:
        """The common address that means all stations."""
        return 0xFF if self.ca == 1 else 0xFFFF


IEC104 = Profile()


class Asdu(NamedTuple):
    """A decoded ASDU. `amount` is the announced number of objects; `objects` has (address, values) of each, or is
    None for a type that is not known."""

    type: int
    name: str
    sequence: bool
    amount: int
    cause: int
    negative: bool
    test: bool
    originator: int
    ca: int
    objects: list[tuple[int, Values]] | None


def decode(octets: bytes, profile: Profile = IEC104) -> Asdu:
    """Read an ASDU. Raises FrameError where the octets do not bear what the header announces."""
    if len(octets) < profile.header:
        raise FrameError(f"an ASDU of {len(octets)} octets is shorter than its header of {profile.header}")
    number, vsq, cot = octets[0], octets[1], octets[2]
    at = 2 + profile.cot
    kind = TYPES.get(number)
    return Asdu(
        type=number,
        name=kind.name if kind else f"type {number}",
        sequence=bool(vsq & SQ),
        amount=vsq & 0x7F,
        cause=cot & 0x3F,
        negative=bool(cot & NEGATIVE),
        test=bool(cot & TEST),
        originator=octets[3] if profile.cot == 2 else 0,
        ca=int.from_bytes(octets[at : at + profile.ca], "little"),
        objects=_objects(octets, kind, vsq, profile) if kind else None,
    )


def _objects(octets: bytes, kind: AsduType, vsq: int, profile: Profile) -> list[tuple[int, Values]]:
    count, one_address = vsq & 0x7F, bool(vsq & SQ)
    at, wide = profile.header, profile.ioa
    if not count:
        raise FrameError(f"{kind.name} announces no object at all")
    addresses = 1 if one_address else count
    need, have = addresses * wide + count * kind.size, len(octets) - at
    if kind.open and count > 1:
        raise FrameError(f"{kind.name} announces {count} objects, it has always one")
    if have < need or (have > need and not kind.open):
        raise FrameError(f"{kind.name} with {count} object{'s' * (count > 1)} needs {need} octets, {have} are there")
    found: list[tuple[int, Values]] = []
    ioa = 0
    for index in range(count):
        if index == 0 or not one_address:
            ioa = int.from_bytes(octets[at : at + wide], "little")
            at += wide
        else:
            ioa += 1
        found.append((ioa, kind.unpack(octets, at)))
        at += kind.size
    return found


def header(number: int, vsq: int, cot: int, originator: int, ca: int, profile: Profile = IEC104) -> bytes:
    """The octets before the first object; `cot` with its P/N and T bits."""
    octets = bytes((number, vsq, cot, originator)) if profile.cot == 2 else bytes((number, vsq, cot))
    return octets + ca.to_bytes(profile.ca, "little")


def encode(
    number: int,
    cause: int,
    ca: int,
    objects: Iterable[tuple[int, Mapping[str, Any]]],
    *,
    originator: int = 0,
    negative: bool = False,
    test: bool = False,
    sequence: bool = False,
    profile: Profile = IEC104,
) -> bytes:
    """Make an ASDU of a known type. `sequence`: only the first address is written, the others must follow it.

    Raises FrameError for what does not fit.
    """
    kind, rows = TYPES[number], list(objects)
    if not 1 <= len(rows) <= MOST_OBJECTS:
        raise FrameError(f"an ASDU holds 1 to {MOST_OBJECTS} objects, not {len(rows)}")
    if sequence and any(ioa != rows[0][0] + index for index, (ioa, _) in enumerate(rows)):
        raise FrameError("the object addresses of a sequence must follow each other")
    parts = [
        header(
            number,
            len(rows) | (SQ if sequence else 0),
            cause | (NEGATIVE if negative else 0) | (TEST if test else 0),
            originator,
            ca,
            profile,
        )
    ]
    for index, (ioa, values) in enumerate(rows):
        if index == 0 or not sequence:
            if ioa >> 8 * profile.ioa:
                raise FrameError(f"object address {ioa} does not fit {profile.ioa} octets")
            parts.append(ioa.to_bytes(profile.ioa, "little"))
        parts.append(kind.pack(values))
    return b"".join(parts)


def mirror(octets: bytes, cause: int, negative: bool = False) -> bytes:
    """The same ASDU with another cause; test bit, originator and objects stay as they came."""
    cot = octets[2] & TEST | cause | (NEGATIVE if negative else 0)
    return octets[:2] + bytes((cot,)) + octets[3:]
