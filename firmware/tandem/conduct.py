"""Carries the role machine's decisions out on the parts of the node: one method for each kind of decision."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tandem.action import Persist, ToHeart
from tandem.centers import KEY as CENTER
from tandem.codec import heart as say
from tandem.codec.beat import Role
from tandem.codec.link_commit import CommitWord, Piece
from tandem.commit import Commit
from tandem.desk import FLIGHTS, Desk
from tandem.engine import Close
from tandem.outside import KEY as OUTSIDE
from tandem.parts import Parts
from tandem.past import Past, Standing
from tandem.point import MS, SECOND, Report, Say
from tandem.standby import act, told
from tandem.standby.histories import descent
from tandem.standby.peer import NEVER, BeatNowWanted, ProbeWanted, SayMissed
from tandem.tags import KEY as TAG

CONFIRM_GRACE_NS = 50 * MS
"""So long after an event was sent to a center its confirm is worth waiting for, when the role is handed over."""
_NOT_ACTIVE = "this member is not the active one"
_NO_LINES = "the field lines are not held yet; try again in a moment"
_COI_LOCAL_RESTART = 2  # cause of initialisation: remote reset; the image began anew without an operator at the station


class Conduct:
    """The hands of the role machine."""

    def __init__(self, node: Parts, desk: Desk, commit: Commit) -> None:
        self.node = node
        self.desk = desk
        self._commit = commit
        self.standing_asked = node.standing
        self._remember_at = 0
        self._drain_at = NEVER
        self._claim_above = 0  # an epoch of the standby's that ours must rise above; 0: none
        self._do: dict[type, Callable[[Any, int], None]] = {
            act.ClaimService: self._claim_service,
            act.LinesOn: self._nothing_more,
            act.LinesOff: self._nothing_more,
            act.TripPeer: self._nothing_more,
            act.Drop: self._drop,
            act.StartMasters: self._start_masters,
            act.StopMasters: self._stop_masters,
            act.Drain: self._drain,
            act.ReserveEpoch: self._reserve_epoch,
            act.Beat: self._nothing_more,
            act.Alarm: self._alarm,
        }

    def carry_out(self, actions: list[act.Action], now: int) -> None:
        """One by one, in order; the heart's share of each first."""
        for action in actions:
            for request in act.to_heart(action, self.node.role.permit):
                self.node.ask(ToHeart(request))
            self._do[type(action)](action, now)
            for request in act.to_heart_after(action):
                self.node.ask(ToHeart(request))

    def _nothing_more(self, action: act.Action, now: int) -> None:
        """The heart does it all."""

    def _claim_service(self, claim: act.ClaimService, now: int) -> None:
        node = self.node
        in_sync = node.role.takeover.in_sync
        self.begin_history(claim.epoch, now)
        node.field.resume(node.mirror.cursors.numbers)
        node.takeover_unsynced = not in_sync and node.role.peer_served
        node.integrity = node.takeover_unsynced or node.config.standby.takeover_scan == "integrity" or node.keeping.old
        node.keeping.claimed(now)
        self._commit.claimed(now)
        node.service.listen(True, now)
        if node.takeover_unsynced:
            for _, station in node.service.stations.values():
                station.initialised(_COI_LOCAL_RESTART, now)
        node.control.refuse_reason = _NO_LINES
        self.desk.inherit(now)
        node.ask(Say(f"active in epoch {claim.epoch}: {claim.reason}"))

    def _drop(self, drop: act.Drop, now: int) -> None:
        node = self.node
        self._drain_at = NEVER
        self.desk.losing_role(now)
        node.control.refuse_reason = _NOT_ACTIVE
        node.field.stop("lines", now, drop.reason)
        node.field.stop("service", now, drop.reason)
        self.desk.role_lost(drop.reason, now)
        node.service.drop_group(drop.reason, now)
        node.service.listen(False, now)
        for reset in (*node.field.actions(), *node.service.actions()):
            node.ask(reset)
        self.end_history(now)
        node.ask(Say(f"dropped: {drop.reason}", "warning"))

    def _start_masters(self, start: act.StartMasters, now: int) -> None:
        node = self.node
        node.field.start("service" if start.which == "ip" else "lines", now, node.integrity, start.drained)
        if start.which == "serial":
            node.control.refuse_reason = ""
            node.ask(Say(f"field lines held: {start.reason}"))

    def _stop_masters(self, stop: act.StopMasters, now: int) -> None:
        node = self.node
        if stop.which == "serial":
            node.control.refuse_reason = _NO_LINES
        node.field.stop("service" if stop.which == "ip" else "lines", now, stop.reason)
        self.desk.take_reports(now)
        if stop.which == "serial" and node.is_active:  # the lines are lost, not the role: nobody sees the ends
            node.control.abort(stop.reason)
            self.desk.take_reports(now)

    def _drain(self, drain: act.Drain, now: int) -> None:
        node = self.node
        if drain.on:
            node.control.refuse_reason = f"the role is being handed over: {drain.reason}"
            self._drain_at = now + node.config.standby.drain_timeout_ms * MS // 2
            self.drain(now)
        else:
            self._drain_at = NEVER
            node.field.start("service", now, False, True)
            node.control.refuse_reason = "" if node.role.lines_held else _NO_LINES
        node.ask(Say(f"draining: {drain.reason}" if drain.on else f"working on: {drain.reason}"))

    def owed(self, now: int) -> bool:
        """A center was sent events lately that it did not confirm: the successor would repeat them.

        Who has kept an earlier one for longer confirms lazily (w, t2), and nobody waits for that.
        """
        role = self.node.role
        late = role.role is Role.RELEASING and now - role.entered_ns >= CONFIRM_GRACE_NS
        return not late and self.node.service.owed(now - CONFIRM_GRACE_NS)

    def drain(self, now: int) -> None:
        """While the role is handed over: the masters drain when no control waits for its feedback any more."""
        if self._drain_at != NEVER and (not self.node.control.busy or now >= self._drain_at):
            self._drain_at = NEVER
            self.node.field.drain(now)

    def _reserve_epoch(self, reserve: act.ReserveEpoch, now: int) -> None:
        self.persist_standing(reserved=reserve.epoch)

    def _alarm(self, alarm: act.Alarm, now: int) -> None:
        self.node.ask(Say(alarm.reason, "error"))

    def heart(self, message: say.Message, now: int) -> None:
        """What the heart tells of what it carried out, took back, or is."""
        node = self.node
        match message:
            case say.Ready(nonce, _, refused):
                node.mirror.set_nonce(nonce)
                if refused:
                    node.ask(Say(f"the heart is not permitted: {refused}", "warning"))
            case say.Proof(ok, _):
                node.proven = ok
            case say.Said(text):
                node.ask(Say(f"heart: {text}"))
            case say.Fence(leased, sentence):
                node.fence(leased, sentence)
                if sentence:
                    node.ask(Say(f"the kernel lease is loaded: {sentence}" if leased else sentence, "warning"))
            case say.Unanswered(_, for_ns):
                if for_ns < node.asked.for_ns:
                    node.ask(Say("somebody answers for the group's address: it is not taken without a lease", "error"))
                node.asked = message
            case say.Claimed() if node.has_addresses:
                if sentence := node.duplicates.told(message, now):
                    node.ask(Say(sentence, "warning"))
            case say.Foreign(frames):
                node.foreign_beats = frames
            case say.HeartGone(reason):
                node.restart(reason)
            case _:
                pass

    def heartbeat_wishes(self) -> None:
        """What the look at the peer wants sent to it."""
        for wish in self.node.heartbeat.events():
            match wish:
                case BeatNowWanted():
                    self.node.ask(ToHeart(say.BeatNow()))
                case ProbeWanted():
                    self.node.ask(ToHeart(say.Probe()))
                case SayMissed(q_ms):
                    self.node.ask(ToHeart(say.Suspect(q_ms)))

    # --- the mirror --------------------------------------------------------------------------------------------------

    def mirror(self, now: int) -> None:
        """What the mirror tells."""
        node = self.node
        for event in node.mirror.events():
            match event:
                case Say():
                    node.ask(event)
                case Close(reason):
                    if node.linkup.drop(reason, now):
                        node.ask(Say(f"the hot-standby link is closed: {reason}", "warning"))
                        node.mirror.closed(now, reason)
                case Report():
                    self.desk.answered(event, now)
                case told.ForwardedControl():
                    self.desk.forwarded(event, now)
                case told.PeerState(key, octets) if key.startswith((TAG, FLIGHTS)):
                    self.desk.beside(key, octets, now)
                case told.PeerState(key, octets) if key.startswith(CENTER):
                    node.centers.heard(key, octets, now)
                case told.PeerState(key, octets) if key.startswith(OUTSIDE):
                    node.outside.heard(key, octets, now)
                case told.PeerCursor(center, number):
                    node.service.set_cursor(center, number)
                case told.ImageSwapped(head):
                    node.service.restore_cursors(node.mirror.cursors.numbers, head)
                    node.keeping.swapped()
                case told.Salvaged():
                    node.keeping.salvaged(event)
                case told.HistoryChanged():
                    node.ask(Persist(Past.HISTORY, node.history.to_json()))
                case told.TwoActives(peer):
                    node.descends = descent(node.history.claims, peer.claims)
                    node.ask(Say("both members are active: each holds what it holds until one gives way", "error"))
                case told.ServedApart():
                    node.field.connect_anew("the other member served beside this one", now)
                case told.AdoptRegistry(json):
                    node.ask(Persist(Past.REGISTRY, json))
                    node.restart("the active's point ids are adopted")
                case CommitWord() | Piece():
                    self._commit.heard(event, now)
                case told.ClaimAgain(epoch):
                    self._claim_above = epoch
                case told.Ordered(word, origin):
                    node.ask(Say(f"ordered by {origin}: {self.desk.orders.ordered(word, origin, now)}"))
                case _:
                    pass

    # --- histories ---------------------------------------------------------------------------------------------------

    def begin_history(self, epoch: int, now: int) -> None:
        """This member's records are the group's from now on."""
        node = self.node
        self._claim_above = 0
        claim = node.history.next_claim(epoch, node.entropy(8), node.journal.head)
        node.mirror.set_role(True, now, claim)
        node.descends = 0
        node.ask(Persist(Past.HISTORY, node.history.to_json()))
        self.persist_standing(epoch=epoch)

    def end_history(self, now: int) -> None:
        """This member follows."""
        node = self.node
        self._claim_above = 0
        node.mirror.set_role(False, now)
        self.persist_standing()

    def _claim_higher(self, now: int) -> None:
        """The standby knows a higher epoch than ours: ours rises above it as soon as such a one is on flash."""
        node = self.node
        reserved = node.reserved_epoch
        if self._claim_above and node.is_active and reserved > max(self._claim_above, node.history.epoch):
            node.role.epoch = reserved
            self.begin_history(reserved, now)
            node.ask(ToHeart(say.ServiceOn(reserved, node.role.permit)))

    def persist_standing(self, epoch: int = 0, reserved: int = 0) -> None:
        """Write what is to be remembered over a restart."""
        node = self.node
        known = self.standing_asked
        idle = node.role.role in (Role.STARTING, Role.OUT_OF_SERVICE)
        self.standing_asked = Standing(
            max(epoch, known.epoch),
            max(reserved, known.reserved),
            known.last_in_sync if idle else node.is_active or node.in_sync,
            known.was_standby if idle else not node.is_active,
            node.role.ordered_out,
            node.role.moves.stopped,
        )
        node.ask(Persist(Past.STANDING, self.standing_asked.to_json()))

    def remember(self, now: int) -> None:
        """Keep on flash whether a restart would come back with everything; keep connections that a takeover wants."""
        self._claim_higher(now)
        asked, node = self.standing_asked, self.node
        node.field.keep(node.role.role not in (Role.STARTING, Role.OUT_OF_SERVICE), now)
        if (asked.ordered_out, asked.reverts_stopped) != (node.role.ordered_out, node.role.moves.stopped):
            self.persist_standing()
        if now >= self._remember_at and node.role.role in (Role.STANDBY, Role.ACTIVE):
            self._remember_at = now + SECOND
            if (asked.last_in_sync, asked.was_standby) != (node.is_active or node.in_sync, not node.is_active):
                self.persist_standing()
