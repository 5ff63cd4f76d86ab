"""The example group as texts, and variations of it."""

from __future__ import annotations

import shutil
from pathlib import Path

from tandem.config.finding import Finding
from tandem.config.load import parse_group
from tandem.config.model import Config
from tandem.config.timing import RelayTimes

EXAMPLE = Path(__file__).resolve().parents[2] / "tools" / "example-group"

GROUP6, OWN6 = "fd00:2::10", {"a": "fd00:2::11", "b": "fd00:2::12"}
"""IPv6 addresses on LAN control of `with_ip6`."""

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


def with_ip6(target: Path, source: Path = EXAMPLE) -> Path:
    """A configuration in a new folder, with IPv6 addresses beside the IPv4 ones of LAN control; returns the folder."""
    shutil.copytree(source, target)
    file = target / "gateway.toml"
    text = file.read_text(encoding="utf-8")
    for old, ip in (("127.20.2.10/24", GROUP6), ("127.20.2.11/24", OWN6["a"]), ("127.20.2.12/24", OWN6["b"])):
        assert text.count(f'= "{old}"') == 1
        text = text.replace(f'= "{old}"', f'= ["{old}", "{ip}/64"]')
    file.write_text(text, encoding="utf-8")
    return target
