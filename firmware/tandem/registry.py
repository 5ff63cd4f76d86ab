"""Names and stable ids of points.

An id is given once and never used again, so a row inserted into a list renames no buffered event. The map is
persisted, and the standby adopts the active's: `Registry.digest` is compared in the link's hello, and different
tables never mirror.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from tandem.point import Kind

MOST_IDS = 1_000_000
"""Columns are indexed by id: a damaged file must not ask for more memory than a board has."""


@dataclass(slots=True, frozen=True)
class PointInfo:
    """What everybody may know of a point. `local`: lives beside the journal, has no number, is not mirrored.

    `hot`: its master is a hot-standby master. `device_ok`: id of the point that says whether its device answers
    (0: none); `unit` and `states` are for people.
    """

    id: int
    name: str
    kind: Kind
    local: bool = False
    hot: bool = True
    device_ok: int = 0
    unit: str = ""
    states: tuple[str, ...] = ()
    description: str = ""


class Registry:
    """name -> id, never reused. `PointTable` is what is configured now; this is everything that ever was."""

    def __init__(self, known: dict[str, int] | None = None) -> None:
        self._ids: dict[str, int] = dict(known or {})
        self._next = max(self._ids.values(), default=0) + 1

    def id(self, name: str) -> int:
        """The id of `name`, given now if it never had one."""
        if name not in self._ids:
            self._ids[name] = self._next
            self._next += 1
        return self._ids[name]

    @property
    def highest(self) -> int:
        """The highest id given: columns are indexed by id and have one row more."""
        return self._next - 1

    def lineage(self, highest: int) -> str:
        """A digest of the ids up to this one: a registry that only grew since has the same."""
        rows = sorted((number, name) for name, number in self._ids.items() if number <= highest)
        return hashlib.sha256(json.dumps(rows).encode()).hexdigest()

    def to_json(self) -> str:
        """The persisted form."""
        return json.dumps(self._ids, indent=0, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Registry:
        """Read the persisted form. Raises ValueError with a sentence when it is damaged."""
        try:
            known = json.loads(text)
            if not isinstance(known, dict) or not all(type(i) is int and 0 < i <= MOST_IDS for i in known.values()):
                raise ValueError(f"it is not a map from names to ids of 1 to {MOST_IDS}")
            if len(set(known.values())) != len(known):
                raise ValueError("two names share an id")
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the point-id registry is damaged: {error}") from error
        return cls(known)


class PointTable:
    """The points of this configuration, by id and by name."""

    def __init__(self, points: Iterable[PointInfo], highest: int) -> None:
        self.points = list(points)
        self.by_id: dict[int, PointInfo] = {p.id: p for p in self.points}
        self.by_name: dict[str, PointInfo] = {p.name: p for p in self.points}
        self.rows = highest + 1

    def digest(self) -> bytes:
        """32 octets over (id, name, kind, local, hot) of every point: members with different ones never mirror."""
        lines = sorted(f"{p.id} {p.name} {p.kind.word} {int(p.local)}{int(p.hot)}" for p in self.points)
        return hashlib.sha256("\n".join(lines).encode()).digest()

    def id(self, name: str) -> int:
        """The id of a configured point. Raises KeyError with its name."""
        return self.by_name[name].id
