"""What an operator may order of a member's role, why an order is refused, and the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tandem.codec.beat import Role

if TYPE_CHECKING:
    from tandem.standby.role import RoleMachine

_NOBODY = "refused: nobody would serve: the peer is no standby that is in sync and hears this member"


def refusal(m: RoleMachine, word: str) -> str:
    """Why "make a active", "make b active" or "out" cannot be done at this moment; "" when it can."""
    if word == "out":
        alone = m.role in (Role.TAKING_OVER, Role.ACTIVE) and not (_able(m) and m.view.in_sync)
        return f"{_NOBODY}; wait for it, or force the order" if alone else ""
    if word not in ("make a active", "make b active"):
        return ""
    if word.split()[1] == m.member:
        return "" if m.role is Role.ACTIVE else "order it at the active member"
    if m.role is not Role.ACTIVE:
        return f"this member is {m.role.word}: there is nothing to hand over"
    if not _able(m):
        return "refused: the peer is no standby that hears this member"
    if not m.view.in_sync:
        return "refused: the peer is not in sync; wait for it, or order this member out"
    return ""


def carry_out(m: RoleMachine, word: str, why: str = "") -> str:
    """Carry out "make a active", "make b active", "out", "in" or "re-arm". Returns in words what was done of it.

    "out" is done whoever is left to serve: ask `refusal` before.
    """
    match word:
        case "out" | "in":
            m.ordered_out = (f"ordered out of service{f': {why}' if why else ''}") if word == "out" else ""
            m.ordered_fault = ""
            return f"ordered {word}"
        case "re-arm":
            m.moves.rearm()
            return "reverts to the preferred member are allowed again"
        case "make a active" | "make b active":
            return _make_active(m, word)
    return f'"{word}" is no order; give "make a active", "make b active", "out", "in" or "re-arm"'


def _able(m: RoleMachine) -> bool:
    return m.view.hears_me and m.view.role == Role.STANDBY


def _make_active(m: RoleMachine, word: str) -> str:
    if refused := refusal(m, word):
        return refused
    member = word.split()[1]
    if member == m.member:
        return "this member is active already"
    m.ordered_release = f"ordered: {word}"
    return f"releasing: {member} takes over"
