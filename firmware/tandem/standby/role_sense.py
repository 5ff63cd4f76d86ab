"""What is true for the role machine at a moment: one sense for each input of the table, "" when it is not so."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tandem.codec.beat import Role
from tandem.point import MS
from tandem.standby import alone
from tandem.standby.lines import LOST_IN_A_ROW
from tandem.standby.peer import NEVER
from tandem.standby.role_table import Input

if TYPE_CHECKING:
    from tandem.standby.role import RoleMachine

VACANCY_NS = 60 * MS
VACANCY_ANYWAY_NS = 1_000 * MS
UNSYNCED_COLD_NS = 30_000 * MS
NOT_TAKEN_NS = 400 * MS
PUBLISH_NS = 5 * MS
"""A role that changed is in the beats by then: what the peer says to such a beat, it says knowing our claim."""
COLD_BEATS = 3


def _fault(m: RoleMachine) -> str:
    return m.ordered_fault or m.own.fault or m.lines.contradiction(m.now)


def _order_out(m: RoleMachine) -> str:
    return m.ordered_out or m.leaving


def _cause_gone(m: RoleMachine) -> str:
    return "" if _fault(m) or _order_out(m) else "nothing keeps this member out any more"


def _peer_serving(m: RoleMachine) -> str:
    if m.prepared and m.view.heard and m.view.serving:
        return f"the peer is {Role(m.view.role).word}"
    return ""


def _peer_idle(m: RoleMachine) -> str:
    if m.prepared and m.view.heard and not m.view.serving and m.view.fresh_beats >= COLD_BEATS:
        return f"the peer is {Role(m.view.role).word} too"
    return ""


def _alone(m: RoleMachine) -> str:
    wait_ns = m.cold_wait_ns
    if m.own.was_standby and not m.own.last_in_sync:
        wait_ns = max(wait_ns, UNSYNCED_COLD_NS)
    if m.prepared and m.running_ns >= wait_ns and not m.alone.never:
        return f"nothing heard for {wait_ns // MS} ms"
    return ""


def proof(m: RoleMachine) -> str:
    """The service is proven to be free, since the last change of role: what proves it."""
    if m.view.service_released_ns > m.tokens_since:
        return "the peer released the service"
    if m.view.dead and m.view.dead_ns > m.tokens_since:
        return f"the peer is dead: {m.view.dead}"
    return ""


def _may_promote(m: RoleMachine) -> bool:
    return m.own.in_sync or m.standby.promote_unsynced or not m.peer_served


def _proof(m: RoleMachine) -> str:
    return proof(m) if not m.holding_off and _may_promote(m) else ""


def _silence(m: RoleMachine) -> str:
    view = m.view
    if m.holding_off or m.alone.never or not view.known or not view.silent or not view.settled or view.isolated:
        return ""
    if m.isolated and not _may_try_again(m):
        return ""
    return f"silence for {view.silent_ns // MS} ms" if _may_promote(m) else ""


def _may_try_again(m: RoleMachine) -> bool:
    """The last try ended at the peer's contact, or at the witness."""
    return m.alone.may_try(m.own.witness) if m.alone.witnessed else m.lines.contacts.peer_open(m.now)


def _vacancy(m: RoleMachine) -> str:
    if m.holding_off or m.vacant_since == NEVER or not m.view.settled or (m.isolated and not _may_try_again(m)):
        return ""
    vacant_ns = m.now - m.vacant_since
    if vacant_ns >= VACANCY_NS and better(m):
        return "nobody is active, and this member is the better one"
    return "nobody is active for a second" if vacant_ns >= VACANCY_ANYWAY_NS else ""


def better(m: RoleMachine) -> bool:
    """Of two idle members, this one should serve: health, last in sync, history, preference, letter."""
    view, own = m.view, m.own
    if not view.heard or view.role in (Role.OUT_OF_SERVICE, Role.DEAD):
        return True
    prefers_me, prefers_it = m.preferred == m.member, m.preferred not in (m.member, "none")
    mine = (own.health, own.last_in_sync, own.epoch, own.head, prefers_me, m.member == "a")
    return mine > (view.health, view.last_in_sync, view.epoch, view.head, prefers_it, m.member == "b")


def _permission_lost(m: RoleMachine) -> str:
    if m.permission_loss:
        return m.permission_loss
    if m.heart_ns != NEVER and m.now - m.heart_ns > m.standby.lease_ms * MS:
        return f"the heart stands still for {(m.now - m.heart_ns) // MS} ms: its lease is over"
    return ""


def _opened(m: RoleMachine) -> str:
    return "the own role contact opened while the lines were held" if m.lines.opened() else ""


def _said_since(m: RoleMachine, *roles: Role) -> str:
    """The peer says so now, in answer to a frame that left after our last change."""
    if m.view.heard and m.view.role in roles and m.view.echo_sent_ns >= m.entered_ns:
        return f"the peer says that it is {Role(m.view.role).word}"
    return ""


def _peer_active(m: RoleMachine) -> str:
    return _said_since(m, Role.ACTIVE)


def _rival(m: RoleMachine) -> str:
    return _said_since(m, Role.TAKING_OVER) if m.member == "b" else ""


def _deaf(m: RoleMachine) -> str:
    return "the peer is heard and does not hear us" if m.view.deaf and not m.has_relays and not proof(m) else ""


def _fenced(m: RoleMachine) -> str:
    if m.own.reserved_epoch <= max(m.view.highest_epoch, m.own.epoch, m.own.witness.highest_epoch):
        return ""  # the epoch of this claim is not on flash yet
    return proof(m) or _fenced_by_word(m) or _fenced_by_relays(m) or _fenced_by_time(m)


def _fenced_by_word(m: RoleMachine) -> str:
    view = m.view
    idle = not view.serving and view.echo_sent_ns >= m.entered_ns + PUBLISH_NS
    return "the peer says that it does not serve, knowing our claim" if view.heard and idle else ""


def _fenced_by_relays(m: RoleMachine) -> str:
    if m.has_relays and not m.view.heard and m.lines.contacts.peer_open(m.now):
        # one that was tripped may live, and has to give its service back first
        given_back = m.lines.contacts.peer_open(m.now, m.lines.trip.open_ns)
        return "the peer's role contact is open" if given_back else ""
    return ""


def _fenced_by_time(m: RoleMachine) -> str:
    view = m.view
    if m.has_relays or view.heard or not view.silent:
        return ""
    if not m.lease_fenced and not m.own.address_unanswered:
        return ""
    if view.silent_ns < m.alone.fence_ns or not m.alone.granted(m.own.witness):
        return ""
    return f"silence for {view.silent_ns // MS} ms" + (", granted by the witness" if m.own.witness.granted else "")


def _claim_is_over(m: RoleMachine) -> bool:
    return m.has_relays and m.now - m.entered_ns >= m.lines.timeout_ns and not proof(m)


def _held_closed(m: RoleMachine) -> str:
    """Only one that served when it was heard last is tripped: a member that was tripped itself waits."""
    served, closed = m.view.known and m.view.serving, m.lines.contacts.peer_closed(m.now)
    if _claim_is_over(m) and served and closed and m.lines.trip.may(m.view, m.now):
        return f"silence for {m.view.silent_ns // MS} ms, and its role contact is still closed at the claim timeout"
    return ""


def _not_fenced(m: RoleMachine) -> str:
    if _claim_is_over(m) and not m.lines.trip.lasts(m.now):
        return "the peer's role contact is still closed: isolated"
    return ""


def _both_active(m: RoleMachine) -> int:
    """1: we win, -1: the peer wins, 0: it is not active, as far as it can know of us."""
    view, own = m.view, m.own
    if not _said_since(m, Role.ACTIVE):
        return 0
    holds = m.lines_held
    mine = (holds and not view.lines_held, own.descends > 0, own.health, own.epoch)
    its = (view.lines_held and not holds, own.descends < 0, view.health, view.epoch)
    return 1 if mine > its else -1


def _peer_wins(m: RoleMachine) -> str:
    return "both are active, and the peer's claim is the better one" if _both_active(m) < 0 else ""


def _peer_loses(m: RoleMachine) -> str:
    insisted = m.insisted_to == m.view.epoch
    return "both are active, and our claim is the better one" if _both_active(m) > 0 and not insisted else ""


def _disowned(m: RoleMachine) -> str:
    """A peer that was releasing when we heard it last may be idle by now: it takes nothing we did not take."""
    if m.has_relays or not m.view.disowned or m.view.role not in (Role.STANDBY, Role.TAKING_OVER, Role.RELEASING):
        return ""
    return f"the peer has not heard us for {m.view.missed_q_ms} ms, and no echo proved the contrary"


def _release(m: RoleMachine) -> str:
    if m.ordered_release:
        return m.ordered_release
    able = m.view.hears_me and m.view.role == Role.STANDBY
    if m.lines.lost_in_a_row >= LOST_IN_A_ROW and able:
        return f"the field lines could not be claimed {m.lines.lost_in_a_row} times in a row"
    return m.moves.wish(m.view, m.own.health, m.now)


def _taken(m: RoleMachine) -> str:
    return _said_since(m, Role.ACTIVE, Role.TAKING_OVER)


def _not_open(m: RoleMachine) -> str:
    if m.gave_lines_ns == NEVER or m.dropped_ns != NEVER or not m.has_relays:
        return ""
    stuck = m.now - m.gave_lines_ns >= m.lines.opening_ns and not m.lines.contacts.own_open(m.now)
    return "the own role contact does not open: welded?" if stuck else ""


def _not_taken(m: RoleMachine) -> str:
    waited = m.dropped_ns != NEVER and m.now - m.dropped_ns >= NOT_TAKEN_NS
    return f"nobody took the service in {NOT_TAKEN_NS // MS} ms" if waited else ""


SENSES: dict[Input, Callable[[RoleMachine], str]] = {
    Input.FAULT: _fault, Input.ORDER_OUT: _order_out, Input.CAUSE_GONE: _cause_gone,
    Input.PEER_SERVING: _peer_serving, Input.PEER_IDLE: _peer_idle, Input.ALONE: _alone, Input.PROOF: _proof,
    Input.SILENCE: _silence, Input.VACANCY: _vacancy, Input.OPENED: _opened,
    Input.PERMISSION_LOST: _permission_lost,
    Input.PEER_ACTIVE: _peer_active, Input.RIVAL: _rival, Input.DEAF: _deaf, Input.FENCED: _fenced,
    Input.HELD_CLOSED: _held_closed, Input.NOT_FENCED: _not_fenced, Input.PEER_WINS: _peer_wins,
    Input.PEER_LOSES: _peer_loses,
    Input.DISOWNED: _disowned, Input.RELEASE: _release, Input.TAKEN: _taken, Input.NOT_OPEN: _not_open,
    Input.NOT_TAKEN: _not_taken, Input.STOPS: alone.stops, Input.NOT_GRANTED: alone.not_granted,
}  # fmt: skip
