"""What an operator does through the local API: orders about the members. The questions' half of `operate`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tandem.port import clock
from tandem.supervisor import Supervisor

Asked = dict[str, object]
_WORDS = {"out": "out", "in": "in", "rearm": "re-arm"}
_TEXT_MOST = 200


def text(asked: Asked, key: str, default: str | None = None) -> str:
    """A short text of a question. Raises ValueError where it is missing, too long or no text."""
    value = asked.get(key, default)
    if not isinstance(value, str) or len(value) > _TEXT_MOST or (value and not value.isprintable()):
        raise ValueError(f"`{key}` must be a printable text of at most {_TEXT_MOST} letters")
    if default is None and not value.strip():
        raise ValueError(f"`{key}` is missing")
    return value.strip()


def _who(asked: Asked) -> str:
    by, reason = text(asked, "by", "local API"), text(asked, "reason", "")
    return f"{by}, {reason}" if reason else by


def _order(supervisor: Supervisor, asked: Asked) -> Asked:
    node = supervisor.node
    member = text(asked, "member", "") or node.member
    word = _WORDS[str(asked["ask"])]
    force = asked.get("force") is True
    return {"sentence": node.desk.orders.order(member, word, _who(asked), clock.monotonic_ns(), force)}


ASKS: dict[str, tuple[str, Callable[[Supervisor, Asked], dict[str, Any]]]] = {
    "out": ("put `member` (default: this one) out of service, for `reason`; force: even if nobody is left", _order),
    "in": ("put `member` back into service", _order),
    "rearm": ("let the role go back to the preferred member again", _order),
}
"""By name: what it does, and the function that answers. The supervisor makes a turn afterwards."""
