"""What a row's feedback and interlock mean for one device: relative names become full ones."""

from __future__ import annotations

import re
from functools import lru_cache

from tandem import interlock as expressions
from tandem.config.draft import Draft
from tandem.config.finding import nearest
from tandem.config.keys import shown
from tandem.config.locate import Path
from tandem.config.model import Config, Device, Feedback, Place
from tandem.config.points import Template
from tandem.interlock import Expression
from tandem.point import Kind

_FEEDBACK = re.compile(r"(\S+)\s+within\s+([0-9]{1,7})", re.ASCII)
_TWO_STATES = frozenset({Kind.BINARY, Kind.DOUBLE, Kind.BINARY_OUTPUT, Kind.DOUBLE_OUTPUT})
_FEEDBACK_KINDS: dict[Kind, tuple[Kind, ...]] = {
    Kind.BINARY_OUTPUT: (Kind.BINARY, Kind.DOUBLE),
    Kind.DOUBLE_OUTPUT: (Kind.BINARY, Kind.DOUBLE),
    Kind.ANALOG_OUTPUT: (Kind.ANALOG,),
    Kind.STEP_OUTPUT: (Kind.STEP, Kind.ANALOG),
}


class References:
    """Resolves names against the points that a draft knows."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self._reported: set[tuple[Place, str]] = set()

    def _full(self, name: str, device: str) -> str:
        """The full name of an operand: the device's own point first; "" where there is none."""
        relative = f"{device}.{name}"
        if relative in self.draft.kinds:
            return relative
        return name if name in self.draft.kinds else ""

    def _dangling(self, template: Template, name: str, device: str, column: str) -> None:
        key = (template.place, name)
        if self.draft.whole and key not in self._reported:
            self._reported.add(key)
            wrong = f'"{template.name}": {column} names {shown(name)}, which is no point'
            self.draft.findings.add(template.place, wrong, self._near(name, device))

    def _near(self, name: str, device: str) -> str:
        if self.draft.findings.many:
            return "write a name of the device's list, or the full name of another point"
        own = [n.removeprefix(f"{device}.") for n in self.draft.kinds if n.startswith(f"{device}.")]
        return nearest(name, own, "points of the device are")

    def feedback(self, template: Template, device: Device) -> Feedback | None:
        """What `POINT within MS` means for this device; None where it is empty or wrong."""
        if not template.feedback:
            return None
        match = _FEEDBACK.fullmatch(template.feedback)
        if match is None or not 1 <= int(match.group(2)) <= 600_000:
            self.draft.findings.add(
                template.place,
                f'"{template.name}": feedback {shown(template.feedback)} is not understood',
                "write POINT within MS, such as breaker within 3000",
            )
            return None
        name = self._full(match.group(1), device.name)
        if not name:
            self._dangling(template, match.group(1), device.name, "feedback")
            return None
        kind, right = self.draft.kinds[name], _FEEDBACK_KINDS[template.kind]
        if kind is not None and kind not in right:
            self.draft.findings.add(
                template.place,
                f'"{template.name}": feedback {shown(match.group(1))} is a {kind.word}',
                f"a {template.kind.word} needs a {' or '.join(k.word for k in right)}",
            )
        return Feedback(name, int(match.group(2)))

    def remote(self, text: str, path: Path, what: str) -> None:
        """Verify an expression that permits remote control, over full names."""
        if not text:
            return
        try:
            names = _parsed(text).names
        except ValueError as error:
            wrong, _, right = str(error).partition("; ")
            self.draft.reader.add(path, f"{what}: {wrong}", right or "write names joined by not, and, or, ( )")
            return
        for name in names:
            kind = self.draft.kinds.get(name)
            if name not in self.draft.kinds and self.draft.whole:
                cure = nearest(name, list(self.draft.kinds), "points there are")
                self.draft.reader.add(path, f"{what} names {shown(name)}, which is no point", cure)
            elif kind is not None and kind not in _TWO_STATES:
                cure = "operands are binary or double points"
                self.draft.reader.add(path, f"{what}: {shown(name)} is a {kind.word}", cure)

    def interlock(self, template: Template, device: Device) -> str:
        """The interlock with full names; "" where it is empty or wrong."""
        if not template.interlock:
            return ""
        prefix, text = expressions.split(template.interlock)
        try:
            expression = _parsed(text)
        except ValueError as error:
            self.draft.findings.add(
                template.place,
                f'"{template.name}": interlock: {error}'.partition("; ")[0],
                str(error).partition("; ")[2] or "write names joined by not, and, or, ( )",
            )
            return ""
        full: dict[str, str] = {}
        for name in expression.names:
            found = self._full(name, device.name)
            if not found:
                self._dangling(template, name, device.name, "interlock")
                return ""
            kind = self.draft.kinds[found]
            if kind is not None and kind not in _TWO_STATES:
                self.draft.findings.add(
                    template.place,
                    f'"{template.name}": interlock: {shown(name)} is a {kind.word}',
                    "operands are binary or double points",
                )
            if found in self.draft.disabled and device.enabled:
                self.draft.findings.warn(
                    template.place,
                    f'"{template.name}": interlock: "{found}" is of a disabled device',
                    "the control is always refused: enable the device or take it out",
                )
            full[name] = found
        return (f"{prefix}: " if prefix else "") + expression.renamed(full.__getitem__)


def verify_remote(config: Config, paths: list[Path], draft: Draft) -> None:
    """The keys that permit remote control, when every point is known; `local` is the local API's own name."""
    references = References(draft)
    references.remote(config.group.remote, ("group", "remote"), "remote of [group]")
    for slave, path in zip(config.slaves, paths, strict=True):
        references.remote(slave.remote, (*path, "remote"), f"remote of slave {shown(slave.name)}")
        if slave.name == "local":
            wrong = 'a slave is named "local", and so the local API is called'
            draft.reader.add((*path, "name"), wrong, "choose another name")


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Expression:
    return expressions.parse(text)
