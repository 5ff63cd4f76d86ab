"""The heart's rules: beats, lease, watchdog pulse, role coil, group addresses; and when they are taken back.

    supervisor --requests, progress--> GUARD --Send, Pulse, Coil, Lease, Addresses, KillSupervisor, Tell, Exit-->
    peer, pins ----frames, contacts-->

Outputs are to be carried out one by one, in order. What was lost stays lost (latched): pulses never close the coil
again, a lapsed lease is never renewed; only a request that was decided after the loss (its permit says so) claims anew.
"""

from __future__ import annotations

from collections.abc import Sequence

from tandem.codec import heart as say
from tandem.codec.beat import CONTACT, DRAINED, BeatBody, Kind, Role, Seal
from tandem.standby import guard_words as do
from tandem.standby.carriers import Carriers
from tandem.standby.ear import Ear
from tandem.standby.guard_lines import GuardLines
from tandem.standby.guard_words import Output, Rules
from tandem.standby.releases import TIMES, Releases

_RESET_NS = 50_000_000  # so long the addresses outlive the lease, that sessions can be reset from them


class Guard:
    """One member's heart. `nonce` is drawn at each start and never 0; `now` is monotonic ns."""

    def __init__(self, rules: Rules, seal: Seal, nonce: int, now: int) -> None:
        self.rules = rules
        self.permit = 1
        self.service = 0  # epoch for which the service is held, 0: not held
        self._lines = GuardLines(rules, now)
        self.pins_read = do.NO_PINS
        self.ear = Ear(rules, seal, nonce)
        self._seal, self.supervisor_alive = seal, True
        self._body = BeatBody()
        self._out: list[Output] = []
        self._turn = self._stalled_ns = self.suspects = 0  # the supervisor's turn; 0: it has not begun
        self._last = self._pulse_at = self._beat_at = now
        self._releases = Releases(rules.heartbeat_ns)
        self._gone_at = self._exit_at = self._owed = 0  # owed: epoch whose release waits for the supervisor's death
        self._carriers = Carriers(rules)
        self._off_at = 0  # addresses that outlive their lease; 0: there are none
        self.leased = rules.fenced
        """There is a lease, as far as is known: a release need not wait until the killed supervisor is seen dead."""
        self._network: tuple[int, int] | None = None  # lease and carriers, where they do not come with the pins

    # --- inputs -------------------------------------------------------------------------------------------------------

    def wake(self, now: int) -> None:
        """First call of each turn: a heart that was away longer than the lease takes everything back at once."""
        away = now - self._last
        late = away - self.rules.tick_ns
        if away > self.rules.lease_ns:
            self._lose(now, f"the heart was away for {away // 1_000_000} ms")
        if late > self.rules.heartbeat_ns:
            self._out.append(do.Tell(say.Late(now, late)))
            self._last = now

    def progress(self, turn: int, body: BeatBody, now: int) -> None:
        """What the shared page says; a stall is counted in the heart's own time, its lateness left out."""
        if self._gone_at:
            return
        if turn != self._turn:
            self._turn, self._stalled_ns, self._body = turn, 0, body
        elif turn:
            self._stalled_ns += min(now - self._last, 2 * self.rules.tick_ns)
            if self._stalled_ns > self.rules.stall_ns:
                self._take_back(now, f"the supervisor stands still for {self._stalled_ns // 1_000_000} ms")

    def request(self, request: say.Request, now: int) -> None:
        """A request of the supervisor."""
        if self._gone_at:
            return
        match request:
            case say.ServiceOn(epoch, permit) if self._permitted(permit, now):
                self._service_on(epoch, now)
            case say.ServiceOff(announce):
                self._service_off(announce, now)
            case say.LinesOn(epoch, permit) if self._permitted(permit, now):
                self._lines_on(epoch, now)
            case say.LinesOff(announce, drained):
                self._lines_off(announce, drained, now)
            case say.Trip(permit) if self._permitted(permit, now):
                self._out += self._lines.trip(self.pins_read, self.ear.hears(now), now)
            case say.BeatNow():
                self._beat_at = now
            case say.Probe():
                self._send(Kind.PROBE, self._body, now)
            case say.Suspect(q_ms):
                self.suspects, self._beat_at = q_ms, now
            case say.Leds(octets):
                self._out.append(do.Leds(octets))
            case say.End():
                self._take_back(now, "the supervisor ends", kill=False)

    def received(self, path: int, octets: bytes, now: int) -> None:
        """A datagram, or octets of a serial path."""
        tells, answer = self.ear.received(path, octets, now)
        self._out += tells
        if answer or path == self.ear.wakes_by:  # hearts that beat half a period apart wake each other least
            self._beat_at = min(self._beat_at, now + (0 if answer else self.rules.heartbeat_ns // 2))

    def refused(self, path: int, now: int) -> None:
        """The peer's kernel refused a datagram on this path."""
        self._out.append(do.Tell(say.Refused(path, now)))

    def pins(self, pins: say.PinsRead, now: int) -> None:
        """The contacts, whenever one changed. `at_ns` of `pins` is replaced by `now`."""
        if self._network is not None:
            pins = pins._replace(lease=self._network[0], carriers=self._network[1])
        before, self.pins_read = self.pins_read, pins._replace(at_ns=now)
        self._out.append(do.Tell(self.pins_read))
        if self._carriers.seen(before.carriers, pins.carriers, self._turn, now):
            self.ear.listen(now)
        if before.lease and not pins.lease and self.service and self.leased and not self._carriers.resting:
            self._lose(now, "the kernel lease lapsed")
        self._out += self._lines.contact(before.own, pins.own, now)

    def network(self, lease: int, carriers: int, now: int) -> None:
        """Lease and carriers of real interfaces, whenever one changed; from the first call on the pins tell of none."""
        self._network = lease, carriers
        self.pins(self.pins_read, now)

    def fence(self, leased: bool, sentence: str, now: int) -> None:
        """The lease's tables were loaded anew, the lease ended with them; or there can be none, says `sentence`."""
        self.leased = leased
        self._out.append(do.Tell(say.Fence(leased, sentence)))
        if leased and self.service and not self._carriers.resting:
            self._out.append(do.ACQUIRE)
        elif not leased and self.service and self.rules.lease_needed:
            self._lose(now, sentence)

    def pins_gone(self, reason: str, now: int) -> None:
        """Nobody reads the contacts: the own ones count as open, the peer's as closed, and nothing is proven."""
        self.pins(do.BLIND, now)
        self._out += self._lines.proof.gone(reason)

    def supervisor_died(self, now: int) -> None:
        """Its process has ended, says the kernel."""
        self.supervisor_alive = False
        self._off_at = min(self._off_at, now)  # its sessions ended with it
        if not self._gone_at:
            self._take_back(now, "the supervisor has died")
        elif self._owed:
            self._release_service(self._owed, now)

    def tick(self, now: int) -> None:
        """Last call of each turn: what is due, the lease before the beat."""
        if now >= self._pulse_at - self.rules.tick_ns // 2:  # awake anyhow
            self._pulse_at = now + self.rules.tick_ns + self.rules.tick_ns // 4
            if self.service:
                self._renew(now)
            if self._turn and not self._gone_at:
                self._out += self._lines.feed(self.pins_read, now)
        self._out += self._lines.trip_over(now)
        wish = self._carriers.wish(self.ear, self._body.health, self._turn, now) if self.service else ""
        if wish == "ask":
            self._send(Kind.PROBE, self._body, now)
        elif wish:
            self._hand_over(now)
        if self._off_at and now >= self._off_at:
            self._off_at = 0
            self._out.append(do.ADDRESSES_OFF)
        if self._lines.given is not None and not self.pins_read.own:
            self._release_lines(now)
        if now >= self._beat_at and self._turn:
            self._beat_at = now + self.rules.heartbeat_ns
            self._send(Kind.BEAT, self._body, now)
        self._releases.due(now, self._body, self._send)
        self._out += self.ear.drained(now)
        self._last = now
        if self._exit_at and now >= self._exit_at:
            self._out.append(do.EXIT)

    def due(self) -> int:
        """When the next turn must come (monotonic ns)."""
        due = min(self._pulse_at, self._carriers.due) if self.service else self._pulse_at
        return min(due, self._beat_at) if self._turn else due

    def outputs(self) -> list[Output]:
        """Drain what is to be carried out, one by one, in order."""
        self._out, out = [], self._out
        return out

    def overtaken(self, rest: Sequence[Output], now: int) -> None:
        """The heart froze between two outputs: of the `rest` only what gives back or tells is still to be done."""
        if now - self._last > self.rules.lease_ns:
            self._out = [o for o in rest if do.gives_back(o)] + self._out
            self.wake(now)
        else:
            self._out = [*rest, *self._out]

    # --- holding ------------------------------------------------------------------------------------------------------

    def _permitted(self, permit: int, now: int) -> bool:
        if permit != self.permit:
            late = f"a claim under permit {permit} came after its loss"
            self._out.append(do.Tell(say.Lost(now, self.permit, 0, late)))
        return permit == self.permit

    def _service_on(self, epoch: int, now: int) -> None:
        self.service, self._carriers.resting, self._off_at = epoch, False, 0
        self._releases.clear()
        self._out += [do.ACQUIRE, do.ADDRESSES_ON, do.Tell(say.Carried(now, say.SERVICE_ON, epoch))]

    def _service_off(self, announce: bool, now: int) -> None:
        epoch, self.service, self._off_at = self.service, 0, 0
        self._out += [do.DROP, do.ADDRESSES_OFF, do.Tell(say.Carried(now, say.SERVICE_OFF, epoch))]
        if announce and epoch:
            self._release_service(epoch, now)

    def _lines_on(self, epoch: int, now: int) -> None:
        out, hurry = self._lines.claim(epoch, now)
        self._out += out
        self._pulse_at = now if hurry else self._pulse_at

    def _lines_off(self, announce: bool, drained: bool, now: int) -> None:
        epoch = self._lines.epoch or self.service
        self._lines.drop()
        self._out.append(do.COIL_LOW)
        if announce and epoch:
            self._lines.given = epoch, DRAINED if drained else 0

    def _lose(self, now: int, reason: str) -> None:
        held = (1 if self.service else 0) | (2 if self._lines.epoch else 0)
        self._lines.drop()
        self.service, self._lines.given = 0, None
        self.permit += 1
        self._releases.clear()
        self._out += [do.COIL_LOW, do.DROP, *self._addresses_off(now)]
        self._out.append(do.Tell(say.Lost(now, self.permit, held, reason)))

    def _addresses_off(self, now: int) -> tuple[Output, ...]:
        """At once; but behind a closed gate that lets resets pass, when the sessions were reset or their time is up."""
        if self._network is None or not self.leased:
            return (do.ADDRESSES_OFF,)
        self._off_at = now + _RESET_NS
        return ()

    def _hand_over(self, now: int) -> None:
        """No LAN has a carrier, and the peer is better off: lost here, and said to it at once."""
        epoch, lines, drained = self.service, self._lines.epoch, self._body.flags & DRAINED
        self._lose(now, "no LAN has a carrier, and the peer is better off")
        if lines:
            self._lines.given = lines, drained
        self._release_service(epoch, now)

    def _renew(self, now: int) -> None:
        wish = self._carriers.renewal(self.pins_read.carriers, self.ear.hears(now), now)
        if wish == "renew":
            self._out.append(do.RENEW)
        elif wish == "rest":
            self._out.append(do.Tell(say.Said("no LAN has a carrier and the peer is not heard: the lease rests")))
        elif wish == "acquire":
            self._out += [do.ACQUIRE, do.ADDRESSES_ON]

    # --- taking back --------------------------------------------------------------------------------------------------

    def _take_back(self, now: int, reason: str, kill: bool = True) -> None:
        epoch, lines, drained = self.service, self._lines.epoch, self._body.flags & DRAINED
        self.service = self._lines.epoch = 0
        self.permit += 1
        self._gone_at, self._exit_at = now, now + self.rules.exit_ns
        self._body = BeatBody(role=Role.DEAD, epoch=self._body.epoch, head=self._body.head)
        self._beat_at = now
        dead = [do.Leds(bytes(self.rules.dead_leds))] if self.rules.dead_leds else []
        self._out += [do.COIL_LOW, *([do.KILL] if kill else ()), do.DROP, *self._addresses_off(now), *dead]
        self._out.append(do.Tell(say.Said(reason)))
        if epoch or lines:
            self._lines.given = lines or epoch, drained
        elif not self._releases:
            self._exit_at = now + 2 * self.rules.heartbeat_ns
        if epoch and (self.leased or not self.supervisor_alive):
            self._release_service(epoch, now)
        else:
            self._owed = epoch

    def _release_service(self, epoch: int, now: int) -> None:
        self._owed = 0
        self._releases.add(Kind.RELEASED_SERVICE, epoch, 0, now)
        self._releases.due(now, self._body, self._send)

    def _release_lines(self, now: int) -> None:
        if self._owed or self._lines.given is None:
            return
        epoch, flags = self._lines.given
        self._lines.given = None
        self._out.append(do.Tell(say.Carried(now, say.LINES_OFF, epoch)))
        self._releases.add(Kind.RELEASED_LINES, epoch, flags, now)
        if self._gone_at:
            self._exit_at = min(self._exit_at, now + TIMES * self.rules.heartbeat_ns)

    def _send(self, kind: Kind, body: BeatBody, now: int) -> None:
        contact = CONTACT if self.pins_read.own else 0
        said = body._replace(health=self._carriers.said(body.health, self._turn))
        octets = self._seal.pack(self.ear.frame(kind, said, contact, self.suspects, now))
        for path in self.ear.free_paths(now, kind is not Kind.BEAT):
            self._out.append(do.Send(path, octets))
