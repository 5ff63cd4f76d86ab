"""What verification finds: where, what is wrong, what would be right; and the collector of a run's findings."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tandem.config.model import Place

Level = Literal["error", "warning"]

MOST_FINDINGS = 500
"""Of each level a run keeps so many and counts the rest: a wrong column makes a fault of every row."""

MOST_NEAREST = 60
MOST_COMPARED = 300
"""Words that a wrong one is compared with: finding the nearest of 50,000 takes a second."""


@dataclass(slots=True, frozen=True)
class Finding:
    """One fault. `code` is for programs: "not-yet" and "unknown-key" among others; most have the plain "fault"."""

    place: Place
    wrong: str
    right: str
    level: Level = "error"
    code: str = "fault"

    def __str__(self) -> str:
        return f"{self.place}: {self.wrong}. {self.right[:1].upper()}{self.right[1:]}"


class ConfigError(Exception):
    """A configuration with errors; `findings` has all of them, warnings too."""

    def __init__(self, findings: list[Finding]) -> None:
        self.findings = findings
        errors = [f for f in findings if f.level == "error"]
        super().__init__("\n".join(str(f) for f in errors))


class Findings:
    """Collects each different finding once, in the order of files and lines."""

    def __init__(self) -> None:
        self._found: dict[Finding, None] = {}
        self._counts = {"error": 0, "warning": 0}
        self.left_out = 0

    def add(self, place: Place, wrong: str, right: str, level: Level = "error", code: str = "fault") -> None:
        """Note a fault. The same one, found again through another device of the list, is noted once."""
        finding = Finding(place, wrong, right, level, code)
        if finding in self._found:
            return
        self._counts[level] += 1
        if self._counts[level] > MOST_FINDINGS:
            self.left_out += 1
        else:
            self._found[finding] = None

    def warn(self, place: Place, wrong: str, right: str) -> None:
        """Note what works and is probably not meant."""
        self.add(place, wrong, right, "warning")

    @property
    def many(self) -> bool:
        """True when there are so many errors that a nearest name for each more would take seconds and help nobody."""
        return self._counts["error"] >= MOST_NEAREST

    @property
    def failed(self) -> bool:
        """True when there is an error, not counting warnings."""
        return self._counts["error"] > 0

    def all(self) -> list[Finding]:
        """Every finding, by file and line; a last one says how many were left out."""
        found = sorted(self._found, key=lambda f: (not f.place.file.endswith(".toml"), f.place.file, f.place.line))
        if self.left_out and found:
            place = found[-1].place
            found.append(Finding(place, f"{self.left_out} more faults are not shown", "cure these first", "warning"))
        return found


def nearest(word: str, known: Iterable[str], what: str = "it is one of") -> str:
    """The cure for a word that is not in `known`: the nearest one, or all of them."""
    words = list(known)
    if len(words) > MOST_COMPARED:
        begins = word[: max(1, len(word) // 2)]
        words = [other for other in words if other.startswith(begins)][:MOST_COMPARED] or words[:MOST_COMPARED]
    close = difflib.get_close_matches(word, words, 1, 0.6) or difflib.get_close_matches(word.lower(), words, 1, 0.6)
    if close:
        return f'did you mean "{close[0]}"?'
    if not words:
        return "there is none to choose from"
    shown = ", ".join(sorted(words)[:30])
    return f"{what} {shown}" + (", ..." if len(words) > 30 else "")
