"""The grammar of a condition's `when`: what must hold here, and not at the peer, for the group to fail over."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Subject = Literal["point", "lan", "master", "center"]

_NAME = r"[A-Za-z][A-Za-z0-9_-]*"
_POINT = re.compile(rf"(?:_sys\.)?{_NAME}(?:\.[A-Za-z0-9_-]+)*", re.ASCII)
_LAN = re.compile(rf"lan\.({_NAME})\.down", re.ASCII)
_CENTER = re.compile(rf"center\.({_NAME})\.missing", re.ASCII)
_MASTER = re.compile(rf"master\.({_NAME})\.down_share\s*(?:(>=|>)\s*([0-9]+(?:\.[0-9]+)?))?", re.ASCII)
_CURE = "write a binary point, lan.NAME.down, master.NAME.down_share > 0.5 or center.NAME.missing"


@dataclass(slots=True, frozen=True)
class Term:
    """`name` is the point's, LAN's, master's or center's; of a master `limit` is the share 0..1 of lost devices.

    `inclusive`: a share equal to the limit holds too (`>=`).
    """

    subject: Subject
    name: str
    limit: float = 0.0
    inclusive: bool = False


def parse(text: str) -> Term:
    """What `when` asks for. Raises ValueError: what is wrong, and the cure."""
    text = text.strip()
    if match := _LAN.fullmatch(text):
        return Term("lan", match.group(1))
    if match := _CENTER.fullmatch(text):
        return Term("center", match.group(1))
    if match := _MASTER.fullmatch(text):
        name, sign, limit = match.groups()
        if sign is None:
            raise ValueError(f'"{text}" compares with nothing; write master.{name}.down_share > 0.5')
        if not float(limit) <= 1.0:
            raise ValueError(f'"{text}" can never hold; a share goes from 0 to 1, as in > 0.5')
        return Term("master", name, float(limit), sign == ">=")
    if _POINT.fullmatch(text):
        return Term("point", text)
    raise ValueError(f'"{text}" is no condition; {_CURE}')
