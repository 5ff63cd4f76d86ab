"""Device lists: each row once, whatever the number of devices that it serves."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tandem.config import address_rules
from tandem.config.draft import Draft
from tandem.config.finding import Findings, nearest
from tandem.config.keys import shown
from tandem.config.lists import ListRow
from tandem.config.locate import Path
from tandem.config.model import Place, Point
from tandem.config.protocols import Protocol
from tandem.config.schema import POINT as COMMON
from tandem.interlock import WORDS
from tandem.point import Kind

_ANALOGS = frozenset({Kind.ANALOG, Kind.COUNTER, Kind.ANALOG_OUTPUT})
_SWITCHED = frozenset({Kind.BINARY_OUTPUT, Kind.DOUBLE_OUTPUT, Kind.STEP_OUTPUT})
_OUTPUTS = frozenset({*_SWITCHED, Kind.ANALOG_OUTPUT})
_COLUMN_KINDS: dict[str, frozenset[Kind]] = {
    "settle_ms": frozenset({Kind.DOUBLE}),
    "states": frozenset({Kind.BINARY, Kind.DOUBLE, Kind.BINARY_OUTPUT, Kind.DOUBLE_OUTPUT}),
    "pulse_ms": _SWITCHED,
    "feedback": _OUTPUTS,
    "interlock": _OUTPUTS,
    "idempotent": _OUTPUTS,
    "scale": _ANALOGS,
    "offset": _ANALOGS,
    "deadband": _ANALOGS,
}
"""Columns that mean nothing for other kinds."""
_WORDS = tuple(kind.word for kind in Kind)
_OWN = frozenset({key.name for key in COMMON}) - {"name", "kind", "feedback", "interlock", "scan"}


@dataclass(slots=True, frozen=True)
class Template:
    """One verified row: the arguments of a Point but its full name, and what is resolved for each device."""

    name: str
    kind: Kind
    arguments: dict[str, object]
    scan: str
    feedback: str
    interlock: str
    place: Place


@dataclass(slots=True)
class PointList:
    """A device list: its sound rows, and the names of the others."""

    templates: list[Template]
    broken: list[str]


def read_points(draft: Draft, file: str, where: Path | Place, protocol: Protocol) -> PointList | None:
    """A device list's rows, verified as far as a row goes by itself; None where there is no such file."""
    rows = draft.list(file, where, protocol.point, "device list")
    if rows is None:
        return None
    result = PointList([], [])
    first: dict[str, Place] = {}
    for row in rows:
        name = row.text("name")
        if name in first:
            draft.findings.add(
                row.place, f'"{name}" stands in line {first[name].line} already', "give each point a name of its own"
            )
            continue
        if name:
            first[name] = row.place
        template = _template(row, protocol, draft.findings)
        if template is not None:
            result.templates.append(template)
        elif name:
            result.broken.append(name)
    address_rules.verify_outputs(protocol.family, result.templates, draft.findings)
    address_rules.verify_objects(protocol.family, result.templates, draft.findings)
    return result


def _template(row: ListRow, protocol: Protocol, findings: Findings) -> Template | None:
    word = row.text("kind")
    if word and word not in _WORDS:
        findings.add(row.place, f"kind {shown(word)} is unknown", nearest(word, _WORDS, "the kinds are"))
        return None
    if not row.sound:
        return None
    kind = Kind.from_word(word)
    name = row.text("name")
    faults = [fault for rule in _RULES for fault in rule(row, name, kind)]
    faults += address_rules.verify_point(protocol.family, row, kind)
    for wrong, right in faults:
        findings.add(row.place, f'"{name}": {wrong}', right)
    if faults:
        return None
    values = row.values
    arguments: dict[str, object] = {column: values[column] for column in _OWN}
    arguments["options"] = {c: v for c, v in values.items() if c not in _KNOWN}
    arguments.update(kind=kind, place=row.place)
    if "encoding" in values:
        arguments["encoding"] = values["encoding"]
    return Template(name, kind, arguments, row.text("scan"), row.text("feedback"), row.text("interlock"), row.place)


_KNOWN = frozenset({key.name for key in COMMON} | {"encoding"})

Faults = list[tuple[str, str]]


def _name_rule(row: ListRow, name: str, kind: Kind) -> Faults:
    if name.lower() in WORDS:
        return [("this is a word of interlocks", "choose another name")]
    return []


def _column_rule(row: ListRow, name: str, kind: Kind) -> Faults:
    faults = []
    for column, kinds in _COLUMN_KINDS.items():
        if column in row.given and kind not in kinds and row.values[column] != _DEFAULTS[column]:
            words = ", ".join(k.word for k in sorted(kinds))
            faults.append((f"{column} means nothing for a {kind.word}", f"empty the cell; {column} is for {words}"))
    return faults


def _value_rule(row: ListRow, name: str, kind: Kind) -> Faults:
    faults = []
    if row.values["scale"] == 0:
        faults.append(("scale = 0 makes every value the same", "write the factor, or empty the cell for 1"))
    states = row.values["states"]
    if isinstance(states, tuple) and states and (len(states) != 2 or not all(states)):
        faults.append((f"states has {len(states)} names or an empty one", "name both, 0 first: open|closed"))
    return faults


_DEFAULTS = {key.name: key.default for key in COMMON}
_RULES: tuple[Callable[[ListRow, str, Kind], Faults], ...] = (_name_rule, _column_rule, _value_rule)


def make(template: Template, device: str, scan: str) -> Point:
    """The point of one device; feedback and interlock are resolved later, when every name is known."""
    return Point(name=f"{device}.{template.name}", scan=scan, **template.arguments)  # type: ignore[arg-type]
