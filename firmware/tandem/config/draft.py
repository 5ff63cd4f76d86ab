"""A configuration while it is read: the texts, the findings, and the names that are known so far."""

from __future__ import annotations

import dataclasses
import hashlib

from tandem.config.finding import Findings, nearest
from tandem.config.keys import Key, shown
from tandem.config.lists import ListRow, read_list
from tandem.config.locate import Path
from tandem.config.model import Place
from tandem.config.protocols import PROTOCOLS, Protocol
from tandem.config.read import Reader, Values
from tandem.point import Kind


class Draft:
    """What the builders share."""

    def __init__(self, texts: dict[str, str], reader: Reader, findings: Findings) -> None:
        self.texts = texts
        self.reader = reader
        self.findings = findings
        self.kinds: dict[str, Kind | None] = {}
        """Every point's kind by full name; None where its row is wrong: known, and no second fault."""
        self.disabled: set[str] = set()
        """Names of points of disabled devices."""
        self.whole = True
        """False where points are missing because their list was not read: no dangling names then."""
        self.used: set[str] = {reader.file}

    def protocol(self, raw: object, path: Path, what: str, side: str) -> Protocol | None:
        """The protocol of an instance; a fault where it is unknown, or has no engine in this version yet."""
        place = (*path, "protocol")
        if not isinstance(raw, str):
            self.reader.add(place, f"{what} has no protocol", f"write one of {', '.join(PROTOCOLS)}")
            return None
        protocol = PROTOCOLS.get(raw)
        if protocol is None:
            self.reader.add(place, f"{what}: protocol {shown(raw)} is unknown", nearest(raw, PROTOCOLS))
        elif not (protocol.master_ready if side == "master" else protocol.slave_ready):
            ready = [p.name for p in PROTOCOLS.values() if (p.master_ready if side == "master" else p.slave_ready)]
            self.reader.add(
                place,
                f"{protocol.name}: not in this version yet as a {side}",
                f"this version's {side}s are {', '.join(ready)}; the keys were verified all the same",
                "not-yet",
            )
        return protocol

    def list(self, file: str, where: Path | Place, keys: tuple[Key, ...], what: str) -> list[ListRow] | None:
        """The rows of a list; None, and a fault at `where`, when there is no such file."""
        if file not in self.texts:
            lists = [name for name in self.texts if name.lower().endswith(".csv")]
            wrong, cure = f"there is no file {shown(file)}", nearest(file, lists, "the lists here are")
            if isinstance(where, Place):
                self.findings.add(where, wrong, cure)
            else:
                self.reader.add(where, wrong, cure)
            return None
        self.used.add(file)
        return read_list(file, self.texts[file], keys, what, self.findings)

    def digest(self) -> str:
        """sha256, hex, over the name and text of every file that was used."""
        total = hashlib.sha256()
        for name in sorted(self.used):
            octets = self.texts.get(name, "").encode("utf-8", "surrogatepass")
            total.update(f"{name}\0{len(octets)}\0".encode() + octets)
        return total.hexdigest()


def other_keys(protocol: Protocol, part: str) -> dict[str, str]:
    """The keys of other protocols at the same place: key -> the protocol that has it."""
    others: dict[str, str] = {}
    for other in PROTOCOLS.values():
        for key in getattr(other, part):
            others.setdefault(key.name, other.name)
    return {name: owner for name, owner in others.items() if name not in {k.name for k in getattr(protocol, part)}}


def into(model: type, values: Values, **more: object) -> Values:
    """Arguments for a model class: its own fields out of `values` and `more`, all the rest under `options`."""
    names = {field.name for field in dataclasses.fields(model)}
    arguments = {name: value for name, value in values.items() if name in names}
    options = {name: value for name, value in values.items() if name not in names}
    return {**arguments, "options": options, **more}
