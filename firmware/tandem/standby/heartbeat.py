"""Is the peer alive? Beats, refusals, carriers and silence become one `PeerView`.

Life is a fresh beat only: one that echoes our nonce and a counter that we sent less than D + RTT ago. Death is proven
by refusals on every path that answered, or assumed after a silence of D in which we ourselves were awake.
"""

from __future__ import annotations

from tandem.codec.beat import DRAINED, GRANTING, Beat, Kind, Role
from tandem.codec.heart import Heard, HeartTurn, Late, Lost, Message, PinsRead, Ready, Refused
from tandem.point import MS
from tandem.standby.guard_words import Rules
from tandem.standby.paths import PROOF_NS, Paths
from tandem.standby.peer import NEVER, BeatNowWanted, PeerView, ProbeWanted, SayMissed

_HEART_AWAKE_NS = 15 * MS  # a heart that turned within this time counts as listening
_TOKEN_NS = 2_000 * MS
_NONCES_KEPT = 8
_REPLAYED_BEHIND = 64  # a frame of the peer's own run so far behind was never on its way for so long: somebody kept it
_U32, _HALF = 0xFFFF_FFFF, 1 << 31

Event = BeatNowWanted | ProbeWanted | SayMissed


def newer(counter: int, than: int) -> bool:
    """True when a 32-bit counter is ahead of another, also where it wrapped."""
    return 0 < (counter - than) & _U32 < _HALF


class Heartbeat:
    """The supervisor's view of the other member; `lans` are the LANs' names in the order of the pins' carriers."""

    def __init__(self, rules: Rules, lans: tuple[str, ...], now: int) -> None:
        self.rules = rules
        self.view = PeerView()
        self._lans = lans
        self._paths = Paths(rules, now)
        self._events: list[Event] = []
        self._beat: Beat | None = None  # the newest fresh one
        self._began = self._fresh_ns = now
        self._echo_sent_ns = NEVER
        self._fresh_beats = self._reboots = self._highest_epoch = 0
        self._known = False
        self._counters: dict[int, int] = {}  # highest counter by nonce, of frames that were not fresh
        self._deaf_ns = NEVER
        self._heart_ns = now
        self._promised = now  # when we said that we must be woken
        self._credit_ns = 0  # own lateness within this silence
        self._wait_until = now
        self._suspect_told = False
        self._missed_q_ms = 0
        self._missed_ns = self._disproof_due = NEVER
        self._dead, self._dead_ns = "", NEVER
        self._service_ns = self._lines_ns = NEVER
        self._token_counter = 0
        self._lines_drained = False
        self._granting_ns = NEVER
        self._released_seq = 0
        self.replayed = 0
        """Frames of the peer's that somebody recorded and sent again."""

    # --- inputs -------------------------------------------------------------------------------------------------------

    def heart_says(self, message: Message, now: int) -> None:
        """Any message of the heart; those that are not about the peer are passed over."""
        match message:
            case Heard(path, at_ns, age_ns, beat):
                self.beat(path, beat, None if age_ns < 0 else age_ns, at_ns)
            case Refused(path, at_ns):
                self.refused(path, at_ns)
            case PinsRead() if self.rules.lans:
                for index, lan in enumerate(self._lans):
                    self._paths.carrier(lan, bool(message.carriers >> index & 1), now)
            case Late(_, late_ns):
                self.was_away(late_ns, now)
            case Lost(at_ns):
                self._heart_ns = max(self._heart_ns, at_ns)
            case HeartTurn(at_ns, fresh):
                self._heart_ns = max(self._heart_ns, at_ns)
                self._paths.fresh(fresh)
            case Ready():
                self._heart_ns = now
            case _:
                pass

    def beat(self, path: int, beat: Beat, echo_age_ns: int | None, now: int) -> None:
        """A verified frame. `echo_age_ns`: age of our frame that it echoes, None when it echoes none of ours."""
        if not 0 <= path < len(self._paths.each):
            return
        rtt_ns = 2 * self._paths.each[path].delivery_ns
        if echo_age_ns is None or echo_age_ns >= self.rules.dead_ns + rtt_ns:
            self._stale(beat, now)
            return
        self._live(path, now)
        if beat.kind in (Kind.RELEASED_SERVICE, Kind.RELEASED_LINES):
            self._released(beat, now)
        else:
            self._newest(beat, now - echo_age_ns, now)

    def refused(self, path: int, now: int) -> None:
        """A datagram was refused: the peer's kernel lives, nobody listens there."""
        if 0 <= path < len(self._paths.each) and self._paths.refused(path, now):
            self._probe(now, f"{self._paths.each[path].name} refuses")

    def carrier(self, lan: str, up: bool, now: int) -> None:
        """A LAN's carrier, where it does not come with the pins."""
        self._paths.carrier(lan, up, now)

    def link_eof(self, now: int) -> None:
        """The hot-standby link ended: a suspicion, no more. Void when we woke late (`was_away` in this turn)."""
        if now >= self._wait_until:
            self._probe(now, "the hot-standby link ended")

    def was_away(self, late_ns: int, now: int) -> None:
        """We (or our heart) did not run for so long: the silence is extended by it, by D at most."""
        self._credit_ns = min(self._credit_ns + late_ns, self.rules.dead_ns)
        if late_ns >= self.rules.heartbeat_ns:
            self._wait_until = max(self._wait_until, now + self.rules.heartbeat_ns)

    def forget_tokens(self) -> None:
        """The role changed: what was proven for the old one is no proof for the next."""
        self._service_ns = self._lines_ns = self._dead_ns = NEVER
        self._lines_drained = False
        self._dead = ""

    def tick(self, now: int) -> PeerView:
        """The view as of `now`; call it after every message that was waiting was handed in."""
        if now > self._promised + self.rules.tick_ns:
            self.was_away(now - self._promised, now)
        silent_ns = self._silence(now)
        suspect = silent_ns >= self._suspect_after() and now >= self._wait_until
        silent = silent_ns >= self.rules.dead_ns + self._credit_ns and now >= self._wait_until
        if suspect:
            self._fresh_beats = 0
        if suspect != self._suspect_told and self._known:
            self._suspect_told = suspect
            self._events.append(SayMissed(max(1, silent_ns // MS) if suspect else 0))
            if suspect:
                self._probe(now, "two beats are missing")
        if self._known and not self._dead:
            self._dead = self._paths.dead(self._fresh_ns, now)
            self._dead_ns = now if self._dead else NEVER
        self._expire(now)
        self.view = self._make_view(now, silent_ns, suspect, silent)
        self.due(now)
        return self.view

    def due(self, now: int) -> int:
        """When `tick` must come next (monotonic ns): who comes later than he was told last was away."""
        after = self._silence_base(now)
        times = [after + self._suspect_after(), after + self.rules.dead_ns + self._credit_ns, self._wait_until]
        if self._disproof_due != NEVER:
            times.append(self._disproof_due)
        times += [t for t in (self._paths.answer_at(), self._paths.proof_at()) if t is not None]
        self._promised = min((t for t in times if t > now), default=now + self.rules.heartbeat_ns)
        return self._promised

    def events(self) -> list[Event]:
        """Drain what the heart is to be asked for."""
        events, self._events = self._events, []
        return events

    # --- beats --------------------------------------------------------------------------------------------------------

    def _live(self, path: int, now: int) -> None:
        if self._silence(now) >= self._suspect_after():
            self._fresh_beats = 0
        self._paths.each[path].fresh_ns = max(now, self._paths.each[path].fresh_ns)
        self._fresh_ns = max(self._fresh_ns, now)
        self._known = True
        self._credit_ns = 0
        self._dead, self._dead_ns = "", NEVER
        self._deaf_ns = NEVER

    def _newest(self, beat: Beat, echo_sent_ns: int, now: int) -> None:
        last = self._beat
        if last is not None and last.nonce == beat.nonce and not newer(beat.counter, last.counter):
            return  # the same beat over a slower path
        if last is not None and last.nonce != beat.nonce:
            self._reboots += 1
            self._fresh_beats = 0
            self.forget_tokens()
        self._beat, self._echo_sent_ns = beat, echo_sent_ns
        self._fresh_beats += 1
        self._highest_epoch = max(self._highest_epoch, beat.epoch)
        self._released_seq = max(self._released_seq, beat.released)
        if beat.flags & GRANTING:
            self._granting_ns = now
        if beat.role in (Role.ACTIVE, Role.TAKING_OVER) and newer(beat.counter, self._token_counter):
            self._service_ns = self._lines_ns = NEVER
        self._hears_us(beat, now)

    def _hears_us(self, beat: Beat, now: int) -> None:
        """Answer "I have not heard you for q ms" at once; the answer's echo takes it back."""
        if beat.suspect_q_ms:
            if self._disproof_due == NEVER:
                self._disproof_due = now + PROOF_NS + 2 * self._paths.slowest_living_ns(now)
                self._events.append(BeatNowWanted(f"the peer has not heard us for {beat.suspect_q_ms} ms"))
            self._missed_ns = now
        else:
            self._disproof_due = NEVER
        self._missed_q_ms = beat.suspect_q_ms

    def _released(self, beat: Beat, now: int) -> None:
        last = self._beat
        if beat.epoch < self._highest_epoch or (last is not None and last.nonce != beat.nonce):
            return  # of an epoch that is over, or of a run that is
        self._highest_epoch = max(self._highest_epoch, beat.epoch)
        self._token_counter = beat.counter
        if beat.kind == Kind.RELEASED_SERVICE:
            self._service_ns = now
        else:
            self._lines_ns = now
            self._lines_drained = bool(beat.flags & DRAINED)

    def _stale(self, beat: Beat, now: int) -> None:
        """Not life. But counters that rise where a recording would repeat mean: it speaks and does not hear us.

        However old it is, its epoch was used: a member thawed behind it must not claim a lower one.
        """
        self._highest_epoch = max(self._highest_epoch, beat.epoch)
        last = self._beat
        if last and last.nonce == beat.nonce and newer(last.counter, beat.counter + _REPLAYED_BEHIND & _U32):
            self.replayed += 1
        known = self._counters.get(beat.nonce, last.counter if last and last.nonce == beat.nonce else 0)
        if known and not newer(beat.counter, known):
            return
        if known:
            self._deaf_ns = now
        self._counters.pop(beat.nonce, None)
        self._counters[beat.nonce] = beat.counter
        while len(self._counters) > _NONCES_KEPT:
            del self._counters[next(iter(self._counters))]
        if beat.suspect_q_ms and last is not None and beat.nonce == last.nonce:
            self._hears_us(beat, now)

    # --- silence and death --------------------------------------------------------------------------------------------

    def _silence_base(self, now: int) -> int:
        """The last fresh beat; a heart that does not turn hears nothing, and its time is no silence."""
        return self._fresh_ns + max(0, now - self._heart_ns - _HEART_AWAKE_NS)

    def _silence(self, now: int) -> int:
        return max(0, now - self._silence_base(now))

    def _suspect_after(self) -> int:
        return 2 * self.rules.heartbeat_ns + self.rules.heartbeat_ns // 2

    def _probe(self, now: int, reason: str) -> None:
        if self._paths.may_probe(now):
            self._events.append(ProbeWanted(reason))

    def _expire(self, now: int) -> None:
        if self._service_ns != NEVER and now - self._service_ns > _TOKEN_NS:
            self._service_ns = NEVER
        if self._lines_ns != NEVER and now - self._lines_ns > _TOKEN_NS:
            self._lines_ns, self._lines_drained = NEVER, False
        if self._dead and now - self._paths.last_refused() > _TOKEN_NS:
            self._dead, self._dead_ns = "", NEVER  # nobody refuses any more: it may be back behind a cut cable
        if self._missed_q_ms and now - self._missed_ns > self.rules.dead_ns:
            self._missed_q_ms, self._disproof_due = 0, NEVER

    def _make_view(self, now: int, silent_ns: int, suspect: bool, silent: bool) -> PeerView:
        beat = self._beat
        return PeerView(
            now=now,
            known=self._known,
            heard=self._known and not suspect and not silent and not self._dead,
            role=beat.role if beat else Role.STARTING,
            epoch=beat.epoch if beat else 0,
            highest_epoch=self._highest_epoch,
            health=beat.health if beat else 0,
            flags=beat.flags if beat else 0,
            head=beat.head if beat else 0,
            released_seq=beat.released if beat else 0,
            nonce=beat.nonce if beat else 0,
            reboots=self._reboots,
            fresh_beats=self._fresh_beats,
            fresh_ns=self._fresh_ns if self._known else NEVER,
            echo_sent_ns=self._echo_sent_ns,
            silent_ns=silent_ns,
            suspect=suspect,
            silent=silent,
            settled=now >= self._paths.settled_at,
            isolated=self._paths.isolated,
            deaf=self._deaf_ns != NEVER and now - self._deaf_ns < self.rules.dead_ns,
            missed_q_ms=self._missed_q_ms,
            disowned=self._disproof_due != NEVER and now >= self._disproof_due,
            dead=self._dead,
            dead_ns=self._dead_ns,
            service_released_ns=self._service_ns,
            lines_released_ns=self._lines_ns,
            lines_drained=self._lines_drained,
            last_granting_ns=self._granting_ns,
            last_released_seq=self._released_seq,
            paths=self._paths.view(now),
        )
