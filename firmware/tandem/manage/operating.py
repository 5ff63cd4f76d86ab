"""What an operator does through the local API: controls, tags, orders about the members. `operate` asks all this."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tandem.point import Command, Double, Kind, Step
from tandem.port import clock
from tandem.registry import PointInfo
from tandem.remote import LOCAL
from tandem.show import time_text
from tandem.supervisor import Supervisor

Asked = dict[str, object]
_WORDS = {"out": "out", "in": "in", "rearm": "re-arm"}
_STEPS = {step.name.lower(): step for step in Step}
_TEXT_MOST = 200
_STORIES_MOST = 200
_OFF_ON: dict[Kind, tuple[float, float]] = {
    Kind.BINARY_OUTPUT: (0.0, 1.0),
    Kind.DOUBLE_OUTPUT: (float(Double.OFF), float(Double.ON)),
    Kind.STEP_OUTPUT: (-1.0, 1.0),
}


def text(asked: Asked, key: str, default: str | None = None) -> str:
    """A short text of a question. Raises ValueError where it is missing, too long or no text."""
    value = asked.get(key, default)
    if not isinstance(value, str) or len(value) > _TEXT_MOST or (value and not value.isprintable()):
        raise ValueError(f"`{key}` must be a printable text of at most {_TEXT_MOST} letters")
    if default is None and not value.strip():
        raise ValueError(f"`{key}` is missing")
    return value.strip()


def commanded(point: PointInfo, word: str) -> float:
    """The value that a word commands: a state's name, on or off, higher or lower, a number. Raises ValueError."""
    states = _OFF_ON.get(point.kind)
    if not point.kind.is_output:
        raise ValueError(f"{point.name} is a {point.kind.word} and no output")
    if states is not None:
        names = [("off", "0", "lower"), ("on", "1", "higher")]
        for index, value in enumerate(states):
            own = point.states[index].lower() if len(point.states) == 2 else ""
            if word.lower() in (*names[index], own) and word:
                return value
        raise ValueError(f"{word!r} is no state of {point.name}; write {' or '.join(point.states or ('off', 'on'))}")
    try:
        return float(word)
    except ValueError:
        raise ValueError(f"{word!r} is no number, and {point.name} is commanded with one") from None


def _who(asked: Asked) -> str:
    by, reason = text(asked, "by", "local API"), text(asked, "reason", "")
    return f"{by}, {reason}" if reason else by


def _order(supervisor: Supervisor, asked: Asked) -> Asked:
    node = supervisor.node
    member = text(asked, "member", "") or node.member
    word = _WORDS[str(asked["ask"])]
    force = asked.get("force") is True
    return {"sentence": node.desk.orders.order(member, word, _who(asked), clock.monotonic_ns(), force)}


def _control(supervisor: Supervisor, asked: Asked) -> Asked:
    node, name = supervisor.node, text(asked, "point")
    point = node.table.by_name.get(name)
    if point is None:
        raise ValueError(f"there is no point {name!r}; see `tandem points`")
    step = _STEPS.get(text(asked, "step", "direct"))
    if step is None:
        raise ValueError(f"`step` is one of {', '.join(_STEPS)}")
    value = 0.0 if step is Step.CANCEL else commanded(point, text(asked, "value"))
    center = f"{LOCAL}.{text(asked, 'by', 'API')}"
    command = Command(node.next_ref(), point.id, value, step, center, clock.monotonic_ns())
    return {"id": node.desk.operate(command)}


def _controls(supervisor: Supervisor, asked: Asked) -> Asked:
    most = asked.get("most", 50)
    if type(most) is not int:
        raise ValueError("`most` must be a whole number")
    stories = supervisor.node.stories.newest(min(most, _STORIES_MOST), text(asked, "id", ""))
    rows = [
        {
            "id": story.id,
            "time": time_text(story.stamp_us),
            "point": story.point,
            "value": story.value,
            "origin": story.origin,
            "outcome": story.outcome,
            "steps": [{"ms": ms, "words": words} for ms, words in story.steps],
        }
        for story in stories
    ]
    return {"controls": rows}


def _tag(supervisor: Supervisor, asked: Asked) -> Asked:
    desk, on = supervisor.node.desk, asked["ask"] == "tag"
    reason = text(asked, "reason", None if on else "")
    who = text(asked, "by", "local API")
    return {"sentence": desk.tag(text(asked, "point"), on, who, reason, clock.monotonic_ns())}


def _tags(supervisor: Supervisor, asked: Asked) -> Asked:
    tags = supervisor.node.tags.every()
    return {"tags": [{"point": t.name, "by": t.who, "reason": t.why, "time": time_text(t.stamp_us)} for t in tags]}


ASKS: dict[str, tuple[str, Callable[[Supervisor, Asked], dict[str, Any]]]] = {
    "control": ("control `point` with `value`; step: direct (default), select, execute, cancel; gives an id", _control),
    "controls": (f"the control log: the newest `most` (up to {_STORIES_MOST}), or the one with `id`", _controls),
    "tag": ("block the controls of `point` (an output, or a device) for `reason`", _tag),
    "untag": ("take the tag of `point` off", _tag),
    "tags": ("the tags that block points", _tags),
    "out": ("put `member` (default: this one) out of service, for `reason`; force: even if nobody is left", _order),
    "in": ("put `member` back into service", _order),
    "rearm": ("let the role go back to the preferred member again", _order),
}
"""By name: what it does, and the function that answers. The supervisor makes a turn afterwards."""
