"""The role machine: who serves, who stands by. The table is in `role_table`, what it senses in `role_sense`.

Every change goes through `change()`, which clears every timer, flag and token of the old state; what the new state
needs is set after it.
"""

from __future__ import annotations

from collections import deque

from tandem.codec.beat import LINES_HELD, Role
from tandem.codec.heart import SERVICE_ON, Carried, HeartGone, HeartTurn, Lost, Message, PinsRead, Proof, Ready
from tandem.config.model import Standby
from tandem.config.timing import RelayTimes, surrender_ms
from tandem.point import MS
from tandem.standby import act
from tandem.standby.act import Action
from tandem.standby.alone import Alone
from tandem.standby.lines import Lines, LinesStep
from tandem.standby.moves import Moves
from tandem.standby.orders import carry_out
from tandem.standby.own import OwnState, Takeover, Transition, next_epoch
from tandem.standby.peer import NEVER, PeerView
from tandem.standby.role_sense import SENSES, proof
from tandem.standby.role_table import TABLE, Input, Row, rows

_CHANGES_PER_TICK_MAX, _LOG_KEPT = 4, 64
_RUNNING_STEP_NS = 50 * MS
_POLL_NS = 5 * MS
_RESTLESS = frozenset({Role.STARTING, Role.TAKING_OVER, Role.RELEASING})


class RoleMachine:
    """One member's role. `relay` of None: no relays; `lease_fenced` False: no kernel lease (`fence: none`)."""

    def __init__(
        self,
        member: str,
        standby: Standby,
        relay: RelayTimes | None,
        now: int,
        preferred: str = "none",
        revert_after_s: int = 300,
        delivery_ns: int = 2 * MS,
        lease_fenced: bool = True,
    ) -> None:
        self.member, self.standby = member, standby
        self.has_relays = relay is not None and standby.arbitration == "relays"
        self.preferred, self.lease_fenced = preferred, lease_fenced
        self.cold_wait_ns = standby.cold_wait_ms * MS
        self.alone = Alone(standby, self.has_relays, delivery_ns)
        self.hold_off_ns = standby.dead_after_ms * MS * (2 if member == "b" else 1)
        self.role, self.epoch, self.permit = Role.STARTING, 0, 0
        """`permit` is for `act.to_heart`: the newest that the heart named."""
        self.pins = PinsRead(0, 0, 0, 0, 0, 0)
        self.now = self._last = self._claimed_ns = now
        self.view, self.own = PeerView(), OwnState(ready=False)
        self.lines = Lines(member, relay if self.has_relays else None, self.hold_off_ns, surrender_ms(standby) * MS)
        self.moves = Moves(member, preferred, revert_after_s)
        self.log: deque[Transition] = deque(maxlen=_LOG_KEPT)
        self.takeover = Takeover()
        self.ordered_out = self.leaving = self.ordered_fault = self.permission_loss = ""
        self.peer_served = self.asked = False  # asked: of the next tick, it should come at once
        self.heart_ns = NEVER  # when our heart turned last
        self._actions: list[Action] = []
        self.running_ns = self._reserving = 0
        self._clear(now)

    def _clear(self, now: int) -> None:
        self.entered_ns = self.tokens_since = now
        self.hold_off_until = self.vacant_since = self.gave_lines_ns = self.dropped_ns = NEVER
        self.isolated, self.ordered_release = False, ""
        self.insisted_to = self._drain_until = NEVER

    # --- verbs --------------------------------------------------------------------------------------------------------

    def tick(self, now: int, view: PeerView, own: OwnState) -> list[Action]:
        """Decide. The actions are to be carried out one by one, in order."""
        self.running_ns = 0 if view.heard else self.running_ns + min(now - self._last, _RUNNING_STEP_NS)
        self.now = self._last = now
        self.view, self.own, self.asked = view, own, False
        self.isolated = self.isolated and not view.heard
        self.peer_served = self.peer_served or (view.heard and view.serving)
        self.lines.contacts.read(self.pins, now)
        self._look_at_vacancy()
        self._reserve()
        for _ in range(_CHANGES_PER_TICK_MAX):
            if not self._step():
                break
        self.permission_loss = ""
        self._work()
        actions, self._actions = self._actions, []
        return actions

    def due(self) -> int | None:
        """When `tick` must come next even if nothing happens."""
        if self.asked or self.role in _RESTLESS or self.vacant_since != NEVER:
            return self._last + _POLL_NS
        times = [self.lines.due(self._last), self.moves.due()]
        if self.hold_off_until > self._last:
            times.append(self.hold_off_until)
        later = [t for t in times if t is not None and t > self._last]
        return min(later, default=None)

    def order(self, word: str, now: int, why: str = "") -> str:
        """An operator's order, see `orders`; returns in words what was done of it."""
        self.now, self.asked = now, True
        return carry_out(self, word, why)

    def fault(self, sentence: str) -> None:
        """Something is broken here, "" when it is no more: out of service until then, or until the order "in"."""
        self.asked |= sentence != self.ordered_fault
        self.ordered_fault = sentence

    def permission_lost(self, reason: str) -> None:
        """The heart took everything back, or this process was away too long: to be heeded by the next tick."""
        if self.role in (Role.TAKING_OVER, Role.ACTIVE, Role.RELEASING):
            self.permission_loss, self.asked = reason, True

    def heart_says(self, message: Message) -> None:
        """Any message of the heart; those that are about the peer are passed over."""
        match message:
            case PinsRead():
                self.pins = message
            case HeartTurn(at_ns):
                self.heart_ns = at_ns
            case Ready(_, permit):
                self.permit = permit
            case Lost(_, permit, _, reason):
                self.permit = permit
                self.permission_lost(reason)
            case HeartGone(reason):
                self.permission_lost(reason)
            case Proof(_, sentence):
                self.fault(sentence)
            case Carried(at_ns, what, epoch) if what == SERVICE_ON and epoch == self.epoch:
                if self.takeover.role_ns == NEVER:
                    self.takeover = self.takeover._replace(role_ns=at_ns - self._claimed_ns)

    def served(self, now: int) -> None:
        """The first session at the group address was served."""
        if self.role is Role.ACTIVE and self.takeover.service_ns == NEVER:
            self.takeover = self.takeover._replace(service_ns=now - self._claimed_ns)

    @property
    def beat_flags(self) -> int:
        """The machine's share of the beat's flags."""
        return LINES_HELD if self.lines_held else 0

    @property
    def lines_held(self) -> bool:
        """The field lines are ours."""
        return self.lines.step is LinesStep.HELD

    @property
    def holding_off(self) -> bool:
        """No takeover yet after one that failed."""
        return self.now < self.hold_off_until

    @property
    def prepared(self) -> bool:
        """Self test passed, and the epoch of a first claim is on flash."""
        return self.own.ready and self.own.reserved_epoch > 0

    # --- the door -----------------------------------------------------------------------------------------------------

    def apply(self, given: Input, reason: str) -> bool:
        """Take the row of this input, if the state has one; True when the role changed."""
        row: Row | None = TABLE.get((self.role, given))
        if row is None:
            return False
        old = self.role
        if row.next is not old:
            self.change(row.next, given, reason)
        getattr(self, f"_do_{row.do}")(reason)
        return row.next is not old

    def change(self, new: Role, given: Input, reason: str) -> None:
        """The only place where the role changes."""
        old, tokens = self.role, self.tokens_since
        self.log.append(Transition(old, new, given.value, reason, self.now))
        self.role = new
        self._clear(self.now)
        if new in (Role.TAKING_OVER, Role.ACTIVE):
            self.tokens_since = tokens  # the proof that brought us here is still the proof
        if new in (Role.STANDBY, Role.OUT_OF_SERVICE, Role.STARTING):
            self.lines.forget(self.now)

    def _step(self) -> bool:
        for given, row in rows(self.role):
            reason = SENSES[given](self)
            if reason:
                changed = self.apply(given, reason)
                if changed or row.next is self.role:
                    return changed
        return False

    # --- what belongs to the rows -------------------------------------------------------------------------------------

    def _do_nothing(self, reason: str) -> None:
        pass

    def _do_alarm(self, reason: str) -> None:
        self._actions += [act.LinesOff(False, False, reason), act.Alarm(reason)]

    def _do_note_detection(self, reason: str) -> None:
        view = self.view
        sign = view.service_released_ns if proof(self) and not view.dead else view.fresh_ns
        self.takeover = Takeover(detection_ns=self.now - sign if sign != NEVER else NEVER, reason=reason)

    def _do_drop(self, reason: str) -> None:
        self._actions.append(act.Drop(False, reason))

    def _do_drop_and_alarm(self, reason: str) -> None:
        self._actions += [act.Drop(False, reason), act.Alarm(reason)]

    def _do_drop_and_hold_off(self, reason: str, least_ns: int = 0) -> None:
        self._do_drop(reason)
        self.hold_off_until = self.now + max(self.hold_off_ns, self.lines.trip.pulse_ns, least_ns)

    def _do_drop_and_yield(self, reason: str) -> None:
        self._do_drop_and_hold_off(reason, self.lines.yield_ns)

    def _do_trip(self, reason: str) -> None:
        self._actions += self.lines.trip.pulse(reason, self.now)

    def _do_isolate(self, reason: str) -> None:
        self._do_drop_and_hold_off(reason)
        self.isolated = True
        self._actions.append(act.Alarm(f"standby, isolated: {reason}"))

    def _do_hand_over_and_alarm(self, reason: str) -> None:
        self._actions += [act.LinesOff(True, False, reason), act.Drop(True, reason), act.Alarm(reason)]

    def _do_claim(self, reason: str) -> None:
        self.epoch = self.own.reserved_epoch
        clean = self.own.in_sync and self.view.service_released_ns != NEVER and self.view.role == Role.RELEASING
        self.moves.became_active(not self.peer_served, clean, self.now)
        self._claimed_ns = self.now
        started = self.log[-2].now if len(self.log) > 1 else self.now
        self.takeover = self.takeover._replace(fence_ns=self.now - started, in_sync=self.own.in_sync)
        self._actions += [
            act.ClaimService(self.epoch, reason),
            act.Beat("the role is taken"),
            *self.lines.claim(self.epoch, reason, self.view, self.now),
            act.StartMasters("ip", False, reason),
        ]

    def _do_insist(self, reason: str) -> None:
        self.insisted_to = self.view.epoch
        self._actions += [act.Beat(reason), act.Alarm(reason)]

    def _do_drain(self, reason: str) -> None:
        self.moves.moved(self.now)
        self._drain_until = self.now + self.standby.drain_timeout_ms * MS
        self._actions.append(act.Drain(True, reason))

    def _do_rearm(self, reason: str) -> None:
        self.ordered_out = self.leaving = ""
        claim = self.lines.claim(self.epoch, reason, self.view, self.now)
        self._actions += [*claim, act.Drain(False, reason), act.Alarm(reason)]

    # --- each tick ----------------------------------------------------------------------------------------------------

    def _work(self) -> None:
        if self.role is Role.ACTIVE:
            self._actions += self.lines.tick(self.epoch, self.view, self.now)
        elif self.role is Role.RELEASING:
            self._releasing()

    def _releasing(self) -> None:
        """Drained: the lines first, and when their contact moves the service, so that a weld is found in time."""
        own, late = self.own, self.now >= self._drain_until
        mirrored = own.acknowledged >= own.head
        if self.gave_lines_ns == NEVER:
            drained = own.drained and own.settled and mirrored
            if drained or late:
                self.gave_lines_ns = self.now
                reason = "drained" if drained else "not drained in time"
                self._actions += [act.StopMasters("serial", reason), act.LinesOff(True, own.drained, reason)]
                self.lines.forget(self.now)
        moved = self.gave_lines_ns != NEVER and (not self.has_relays or self.lines.contacts.own_moved)
        if moved and self.dropped_ns == NEVER and (late or (mirrored and own.confirmed)):
            self.dropped_ns = self.entered_ns = self.now
            self._actions.append(act.Drop(True, "the lines are free: the peer may take over"))

    def _look_at_vacancy(self) -> None:
        idle = self.role is Role.STANDBY and not (self.view.heard and self.view.serving)
        if not idle or (self.view.known and not self.view.heard):
            self.vacant_since = NEVER  # somebody serves, or silence decides
        elif self.vacant_since == NEVER:
            self.vacant_since = self.now

    def _reserve(self) -> None:
        """The next epoch is on flash before it is needed."""
        own = self.own
        highest = max(self.view.highest_epoch, own.epoch, own.spent_epoch, self.epoch, own.witness.highest_epoch)
        if own.reserved_epoch <= highest and self._reserving <= highest:
            self._reserving = next_epoch(self.member, highest)
            self._actions.append(act.ReserveEpoch(self._reserving, "the next claim needs an epoch that is on flash"))
