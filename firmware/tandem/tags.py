"""Tags: a person's note at a point that blocks its controls until the tag is taken off, on both members.

Each point's tag has a version that grows with every change, so that two members that changed it apart from each other
agree afterwards: the higher version wins, and of equal ones the tag that blocks.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from tandem.point import Command
from tandem.registry import PointTable

KEY = "tag."
"""Of soft state: what follows is the name of the tagged point or device."""
TAGS_MAX = 256
"""Tags and memories of tags that were taken off; the oldest memory gives way."""
_OCTETS_MAX = 2000


class Tag(NamedTuple):
    """`on` False: taken off, by `who` for the reason `why`; `stamp_us` is UTC."""

    name: str
    on: bool
    version: int
    who: str
    why: str
    stamp_us: int

    def to_json(self) -> str:
        """One array."""
        return json.dumps(self)

    @classmethod
    def from_json(cls, text: str | bytes) -> Tag:
        """Read `to_json`. Raises ValueError."""
        row = json.loads(text)
        shape = [str, bool, int, str, str, int]
        if not isinstance(row, list) or [type(cell) for cell in row] != shape or not 0 < row[2] < 1 << 53:
            raise ValueError("a tag is a name, on or off, a version, who, why and when")
        return cls(*row)


class Tags:
    """All tags that this member knows. A name is an output's, or a prefix of its parts, such as its device's."""

    def __init__(self, table: PointTable, text: str = "") -> None:
        """`text`: what `to_json` gave. Raises ValueError when it is damaged."""
        self._table = table
        self._tags: dict[str, Tag] = {}
        self.unsaved = False
        """Something changed since `to_json`."""
        for line in text.splitlines():
            tag = Tag.from_json(line)
            self._tags[tag.name] = tag

    def to_json(self) -> str:
        """The persisted form: one tag a line."""
        self.unsaved = False
        return "\n".join(tag.to_json() for tag in self._tags.values())

    def every(self) -> list[Tag]:
        """The tags that block now."""
        return [tag for tag in self._tags.values() if tag.on]

    def known(self, name: str) -> Tag | None:
        """What is known of exactly this name, blocking or taken off."""
        return self._tags.get(name)

    def all_known(self) -> list[Tag]:
        """The memories of tags taken off too: what the peer has to be told."""
        return list(self._tags.values())

    def find(self, name: str) -> Tag | None:
        """The tag that blocks this point: its own or one of its device's."""
        while name:
            tag = self._tags.get(name)
            if tag is not None and tag.on:
                return tag
            name = name.rpartition(".")[0]
        return None

    def refuse(self, command: Command) -> str:
        """Why a tag forbids this control; "" when none does."""
        info = self._table.by_id.get(command.point_id)
        tag = self.find(info.name) if info and self._tags else None
        if tag is None:
            return ""
        return f"{tag.name} is tagged by {tag.who}: {tag.why}; have the tag taken off"

    def put(self, name: str, who: str, why: str, stamp_us: int) -> Tag:
        """Tag an output, or all outputs of a device. Raises ValueError with a sentence."""
        outputs = [p.name for p in self._table.points if p.kind.is_output]
        if not any(output == name or output.startswith(f"{name}.") for output in outputs):
            raise ValueError(f"{name!r} is no output and no device with one; see `tandem points`")
        if not why:
            raise ValueError("a tag needs a reason")
        known = self._tags.get(name)
        if known is None and not self._make_room():
            raise ValueError(f"there are {TAGS_MAX} tags already: take one off first")
        return self._set(Tag(name, True, known.version + 1 if known else 1, who, why, stamp_us))

    def take_off(self, name: str, who: str, why: str, stamp_us: int) -> Tag:
        """The point may be controlled again. Raises ValueError where it has no tag of its own."""
        known = self._tags.get(name)
        if known is None or not known.on:
            above = self.find(name)
            raise ValueError(f"{name} is not tagged" + (f" itself: the tag is at {above.name}" if above else ""))
        return self._set(Tag(name, False, known.version + 1, who, why, stamp_us))

    def merge(self, octets: bytes) -> Tag | None:
        """A tag as the peer knows it; the tag where it is news. Raises ValueError for octets that are none."""
        if len(octets) > _OCTETS_MAX:
            raise ValueError(f"a tag of {len(octets)} octets")
        theirs = Tag.from_json(octets)
        ours = self._tags.get(theirs.name)
        if ours is not None and (theirs.version, theirs.on, theirs[3:]) <= (ours.version, ours.on, ours[3:]):
            return None
        return self._set(theirs) if ours is not None or self._make_room() else None

    def _make_room(self) -> bool:
        if len(self._tags) < TAGS_MAX:
            return True
        off = next((name for name, tag in self._tags.items() if not tag.on), None)
        if off is not None:
            del self._tags[off]
        return off is not None

    def _set(self, tag: Tag) -> Tag:
        self._tags.pop(tag.name, None)
        self._tags[tag.name] = tag
        self.unsaved = True
        return tag
