"""What an operator may order of a member's role, and the answers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tandem.codec.beat import Role

if TYPE_CHECKING:
    from tandem.standby.role import RoleMachine


def carry_out(m: RoleMachine, word: str) -> str:
    """Carry out "make a active", "make b active", "out", "in" or "re-arm". Returns in words what was done of it."""
    match word:
        case "out" | "in":
            m.ordered_out = "ordered out of service" if word == "out" else ""
            m.ordered_fault = ""
            return f"ordered {word}"
        case "re-arm":
            m.moves.rearm()
            return "reverts to the preferred member are allowed again"
        case "make a active" | "make b active":
            return _make_active(m, word.split()[1])
    return f'"{word}" is no order; give "make a active", "make b active", "out", "in" or "re-arm"'


def _make_active(m: RoleMachine, member: str) -> str:
    if member == m.member:
        return "this member is active already" if m.role is Role.ACTIVE else "order it at the active member"
    if m.role is not Role.ACTIVE:
        return f"this member is {m.role.word}: there is nothing to hand over"
    if not (m.view.hears_me and m.view.role == Role.STANDBY):
        return "refused: the peer is no standby that hears this member"
    if not m.view.in_sync:
        return "refused: the peer is not in sync; wait for it, or order this member out"
    m.ordered_release = f"ordered: make {member} active"
    return f"releasing: {member} takes over"
