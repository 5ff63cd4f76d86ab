"""What a member remembers over a restart: point ids, epochs and last standing, the claims, where its archive ends."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import ClassVar

from tandem import control_log, kept
from tandem.action import Persist
from tandem.archive.rebuild import Rebuilt
from tandem.archive.recorder import Place
from tandem.point import MS
from tandem.registry import PointTable, Registry
from tandem.standby.histories import History
from tandem.tags import Tags

_NO_ARCHIVE = Place()
_AGAIN_NS = 5_000 * MS


@dataclass(slots=True, frozen=True)
class Standing:
    """`epoch`: the highest this member worked in; `reserved`: the next claim's; the rest is of the last run."""

    epoch: int = 0
    reserved: int = 0
    last_in_sync: bool = True
    was_standby: bool = False
    ordered_out: str = ""
    """Why an operator keeps this member out of service; "" where it may serve."""
    reverts_stopped: str = ""
    """Why nothing reverts to the preferred member until an operator re-arms it."""

    def to_json(self) -> str:
        """The persisted form."""
        return json.dumps(asdict(self))


class Unsaved:
    """What the state folder did not take, and when it is tried again. `fault` is "" when all is well."""

    def __init__(self) -> None:
        self.fault = ""
        self._waiting: dict[str, Persist] = {}
        self._again_at = 0

    def written(self, persist: Persist, fault: str, now: int) -> str:
        """A file was written, or not; returns a sentence where that is news."""
        before = self.fault
        self._waiting.pop(persist.name, None)
        if fault:
            self._waiting[persist.name], self._again_at = persist, now + _AGAIN_NS
        self.fault = fault or (before if self._waiting else "")
        if fault and not before:
            return f"the state folder cannot be written: {fault}; it is tried again every {_AGAIN_NS // MS // 1000} s"
        return "the state folder takes writes again" if before and not self.fault else ""

    def again(self, now: int) -> list[Persist]:
        """The writes that are due once more."""
        if not self._waiting or now < self._again_at:
            return []
        self._again_at = now + _AGAIN_NS
        return list(self._waiting.values())


class Past:
    """The texts of the state folder's files, read once at the start; a damaged one is told of and left out.

    `archive` is where the sequence-of-events archive on flash ends, `journal` what a durable journal's files hold.
    """

    REGISTRY: ClassVar[str] = "registry.json"
    STANDING: ClassVar[str] = "standing.json"
    TAGS: ClassVar[str] = "tags.jsonl"
    HISTORY: ClassVar[str] = "history.json"
    FILES: ClassVar[tuple[str, ...]] = (REGISTRY, STANDING, TAGS, HISTORY, kept.FILE, *control_log.FILES)

    def __init__(self, texts: dict[str, str], archive: Place = _NO_ARCHIVE, journal: Rebuilt | None = None) -> None:
        self._texts = texts
        self.archive = archive
        self.journal = journal
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

    def tags(self, table: PointTable) -> Tags:
        """The tags that block points."""
        try:
            return Tags(table, self._texts.get(self.TAGS, ""))
        except (ValueError, RecursionError) as error:
            self.faults.append(f"{self.TAGS}: {error}; tags are taken from the other member, or have to be set again")
            return Tags(table)

    def stories(self, member: str) -> control_log.ControlLog:
        """The control log."""
        log = control_log.ControlLog(member, self._texts)
        if log.damaged:
            self.faults.append(f"the control log has lost {log.damaged} controls: their lines are damaged")
        return log

    def history(self) -> History:
        """The claims of the history that was followed last; none where nothing is remembered."""
        text = self._texts.get(self.HISTORY, "")
        try:
            return History.from_json(text) if text else History()
        except ValueError as error:
            self.faults.append(f"{self.HISTORY}: {error}")
            return History()

    def standing(self) -> Standing:
        """The last standing; a fresh one where nothing is remembered."""
        text = self._texts.get(self.STANDING, "")
        if not text:
            return Standing()
        try:
            row = json.loads(text)
            epoch, reserved = int(row["epoch"]), int(row["reserved"])
            orders = str(row.get("ordered_out", "")), str(row.get("reverts_stopped", ""))
            return Standing(epoch, reserved, bool(row["last_in_sync"]), bool(row["was_standby"]), *orders)
        except (ValueError, TypeError, KeyError, RecursionError):
            self.faults.append(f"{self.STANDING} is damaged: epochs go on from what the peer says")
            return Standing()

    def kept(self) -> kept.Kept:
        """What is known of configurations and commits; a start writes it anew where it is damaged."""
        try:
            return kept.read(self._texts.get(kept.FILE, ""))
        except ValueError:
            return kept.Kept()
