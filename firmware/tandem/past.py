"""What a member remembers over a restart: the point-id registry, and its epochs and last standing."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import ClassVar

from tandem.registry import Registry


@dataclass(slots=True, frozen=True)
class Standing:
    """`epoch`: the highest this member worked in; `reserved`: the next claim's; the rest is of the last run."""

    epoch: int = 0
    reserved: int = 0
    last_in_sync: bool = True
    was_standby: bool = False

    def to_json(self) -> str:
        """The persisted form."""
        return json.dumps(asdict(self))


class Past:
    """The texts of the state folder's files, read once at the start; a damaged one is told of and left out."""

    REGISTRY: ClassVar[str] = "registry.json"
    STANDING: ClassVar[str] = "standing.json"
    FILES: ClassVar[tuple[str, ...]] = (REGISTRY, STANDING)

    def __init__(self, texts: dict[str, str]) -> None:
        self._texts = texts
        self.faults: list[str] = []
        """One sentence for each file that could not be used."""

    def registry(self) -> Registry:
        """The point ids given so far."""
        text = self._texts.get(self.REGISTRY, "")
        try:
            return Registry.from_json(text) if text else Registry()
        except ValueError as error:
            self.faults.append(f"{self.REGISTRY}: {error}; ids are given anew, the active's are adopted if they differ")
            return Registry()

    def standing(self) -> Standing:
        """The last standing; a fresh one where nothing is remembered."""
        text = self._texts.get(self.STANDING, "")
        if not text:
            return Standing()
        try:
            row = json.loads(text)
            epoch, reserved = int(row["epoch"]), int(row["reserved"])
            return Standing(epoch, reserved, bool(row["last_in_sync"]), bool(row["was_standby"]))
        except (ValueError, TypeError, KeyError):
            self.faults.append(f"{self.STANDING} is damaged: epochs go on from what the peer says")
            return Standing()
