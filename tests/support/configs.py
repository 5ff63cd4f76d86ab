"""The example group as texts, and variations of it."""

from __future__ import annotations

from pathlib import Path

from tandem.config.finding import Finding
from tandem.config.load import parse_group
from tandem.config.model import Config
from tandem.config.timing import RelayTimes

EXAMPLE = Path(__file__).resolve().parents[2] / "tools" / "example-group"

Edit = tuple[str, str, str]
"""(file, old text, new text)."""


def example(*edits: Edit) -> dict[str, str]:
    """The files of the example group, with some text replaced; a missing old text is the test's own fault."""
    files = {p.name: p.read_text(encoding="utf-8") for p in EXAMPLE.iterdir() if p.suffix in (".toml", ".csv")}
    for name, old, new in edits:
        assert old in files[name], f"{name} has no {old!r} to replace"
        files[name] = files[name].replace(old, new, 1)
    return files


def parsed(files: dict[str, str], relay: RelayTimes | None = None) -> tuple[Config | None, list[str]]:
    """(configuration, findings as sentences)."""
    config, findings = parse_group(files, relay)
    return config, [str(finding) for finding in findings]


def found(files: dict[str, str], relay: RelayTimes | None = None) -> list[Finding]:
    """The findings alone."""
    return parse_group(files, relay)[1]
