"""A member that does not hear the other: may it serve? `partition` says, and the witness where there is one.

    witness   partition   takes over after a silence            goes on alone
    none      serve       when the peer's lease is surely gone  yes
    none      stop        never                                 no
    asked     serve       granted, or the witness is silent     unless the peer was granted it
    asked     stop        granted                               granted

Where a witness is asked, who takes over waits until the other has surely noticed that it is alone and stopped.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tandem.codec.beat import Role
from tandem.config.model import Standby
from tandem.point import MS
from tandem.standby.peer import NEVER
from tandem.standby.witness import WitnessView

if TYPE_CHECKING:
    from tandem.standby.role import RoleMachine

KERNEL_TICK_NS = 10 * MS
GRANT_WAIT_NS = 1_000 * MS
"""A takeover that is granted nothing for so long is given up."""


class Alone:
    """The rules of one configuration. `fence_ns`: how long after the peer's last beat it surely serves no more."""

    def __init__(self, standby: Standby, has_relays: bool, delivery_ns: int) -> None:
        self.stop = standby.partition == "stop" and not has_relays
        self.witnessed = witnessed(standby) and not has_relays
        self.never = self.stop and not self.witnessed
        self.dead_ns = standby.dead_after_ms * MS
        heartbeat_ns, lease_ns = standby.heartbeat_ms * MS, standby.lease_ms * MS
        self.fence_ns = time_fence_ns(heartbeat_ns, self.dead_ns, lease_ns, delivery_ns)
        if self.witnessed:  # its silence may begin 3 H after ours: when we said that we do not hear it, and it did not
            self.fence_ns = 3 * heartbeat_ns + delivery_ns + self.dead_ns + lease_ns + KERNEL_TICK_NS

    def granted(self, witness: WitnessView) -> bool:
        """Nothing of the witness stands against serving alone."""
        return not self.witnessed or witness.granted or not (self.stop or witness.answers)

    def may_try(self, witness: WitnessView) -> bool:
        """After a takeover that was granted nothing: whether another one has a chance."""
        return witness.free or not (self.stop or witness.answers)

    def words(self, witness: WitnessView) -> str:
        """For the status: what a member does that hears nobody."""
        if not self.witnessed:
            return "stops" if self.never else "serves"
        if not witness.answers:
            return f"{'stops' if self.stop else 'serves'}: the witness does not answer"
        return "serves: the witness grants it" if witness.granted else "asks the witness, which answers"

    def alarm(self, witness: WitnessView) -> str:
        """A witness that is asked and silent is no fence."""
        if not self.witnessed or witness.answers:
            return ""
        then = "a member alone will stop" if self.stop else "nothing keeps both members from serving when apart"
        return f"the witness does not answer: {then}"


def witnessed(standby: Standby) -> bool:
    """A witness is asked: `arbitration` says so, or who is alone may go on with its grant only."""
    return bool(standby.witness) and (standby.arbitration == "witness" or standby.partition == "stop")


def time_fence_ns(heartbeat_ns: int, dead_ns: int, lease_ns: int, delivery_ns: int) -> int:
    """Without relays and witness: how long after the peer's last beat its lease is surely gone."""
    return max(dead_ns, 2 * heartbeat_ns + delivery_ns + lease_ns + KERNEL_TICK_NS)


def wanted(m: RoleMachine) -> tuple[bool, int]:
    """(the witness' grant is wanted, in which epoch)."""
    if not m.alone.witnessed or m.view.heard:
        return False, m.epoch
    if m.role is Role.TAKING_OVER:
        return True, m.own.reserved_epoch
    return m.role is Role.ACTIVE or (m.role is Role.RELEASING and m.dropped_ns == NEVER), m.epoch


def stops(m: RoleMachine) -> str:
    """Active and alone, and that may not be: why."""
    alone, witness = m.alone, m.own.witness
    if m.view.heard or not (alone.stop or alone.witnessed) or m.dropped_ns != NEVER:
        return ""
    if alone.never:
        return "alone, and the group is set to stop then" if m.view.known and m.view.silent else ""
    if witness.granted:
        return ""
    if witness.peer_holds or witness.outdated:
        return "alone, and the witness has granted the service to the peer"
    if alone.stop and m.view.silent_ns >= alone.dead_ns:  # own lateness does not count: the peer reckons with D
        return "alone, and no witness grants it" if witness.answers else "alone, and the witness does not answer"
    return ""


def not_granted(m: RoleMachine) -> str:
    """A takeover that the witness stands against: why."""
    if not m.alone.witnessed or m.view.heard:
        return ""
    if m.own.witness.peer_holds:
        return "the witness has granted the service to the peer: isolated"
    waited = m.now - m.entered_ns >= m.alone.fence_ns + GRANT_WAIT_NS and not m.alone.granted(m.own.witness)
    return f"nothing granted by the witness for {GRANT_WAIT_NS // MS} ms: isolated" if waited else ""
