"""The guardian's rules, sans-IO: beats and contacts in, relays, LEDs, reset line and reports out.

    beat with PULSE --> K1 held                   no pulse for hold_ms, or beats too fast --> K1 and K2 dropped, latched
    ROLE wanted, not latched --> K2               latched: ROLE must be seen low before it counts again
    no beat for silence_ms --> reset line pulled  at most resets_per_hour times, and once a silence
    TRIP, K1 held --> K3                          for trip_ms at most, trips_per_hour times; low between two of them

It trusts nothing but frames that are signed, for its present nonce, and newer than the last.
"""

from guardian import wire
from guardian.blink import levels

VERSION = "1.1.0"
REPORT_MS = 20
FAST_WINDOW_MS = 200
FAST_MOST = 50
"""A gateway sends 20 beats in the window; one that sends so many more is not in its right mind."""
HOUR_MS = 3_600_000
LEDS = 10
SILENT_LEDS = bytes((0x01, 0, 0, 0, 0x23, 0, 0, 0, 0, 0))
"""Power steady, fault fast: nobody feeds the guardian."""
NONE, SILENCE, FAST, BYE = 0, 1, 2, 3
CAUSES = ("none", "no pulse in time", "beats too fast", "the gateway ended")


class Settings:
    """What a guardian is told at its installation; times in ms."""

    def __init__(
        self,
        hold_ms: int = 80,
        reset: bool = False,
        silence_ms: int = 1000,
        pull_ms: int = 200,
        resets_per_hour: int = 3,
        trip_ms: int = 0,
        trips_per_hour: int = 3,
    ) -> None:
        self.hold_ms = hold_ms
        self.reset = reset
        self.silence_ms = silence_ms
        self.pull_ms = pull_ms
        self.resets_per_hour = resets_per_hour
        self.trip_ms = trip_ms
        self.trips_per_hour = trips_per_hour


class Guardian:
    """One controller. `nonce` is drawn at each start and never 0; `now` is monotonic ms."""

    def __init__(self, settings: Settings, key: bytes, nonce: int, now: int) -> None:
        self.settings = settings
        self.watchdog = False
        """K1's coil."""
        self.role = False
        """K2's coil, fed through K1."""
        self.trip = False
        """K3's coil, fed through K1 too: it cuts the feed of the peer's K2."""
        self.reset = False
        """The board's reset line is pulled."""
        self.inputs = 0
        self._seal = wire.Seal(key)
        self._frames = wire.Frames(self._seal, wire.TO_GUARDIAN)
        self._nonce = nonce
        self._sequence = 0
        self._echo = 0
        self._leds = SILENT_LEDS
        self._out = b""
        self._latched = True
        self._cause = NONE
        self._pulse_at = now
        self._beat_at = now
        self._window_at = now
        self._window = 0
        self._rests_until = now
        self._report_at = now
        self._armed = False
        self._pulls: list[int] = []
        self._trip_wanted = True  # it must be seen low first
        self._trips: list[int] = []

    def receive(self, octets: bytes, now: int) -> None:
        """Octets of the line, whatever they are."""
        for kind, flags, nonce, sequence, payload in self._frames.feed(octets):
            if nonce != self._nonce or sequence <= self._echo:
                continue
            self._echo = sequence
            if kind == wire.BEAT:
                self._beat(flags, payload, now)
            elif kind == wire.BYE:
                self._armed = False
                self._drop(BYE)
            elif kind == wire.ABOUT:
                about = VERSION.encode()
                self._send(wire.ABOUT, (about + bytes(10))[:10])

    def sense(self, inputs: int, now: int) -> None:
        """The inputs as they are now; a change is reported at once."""
        if inputs != self.inputs:
            self.inputs = inputs
            self._report_at = now

    def tick(self, now: int) -> None:
        """What is due; call it at least every 5 ms."""
        if self.watchdog and now - self._pulse_at >= self.settings.hold_ms:
            self._drop(SILENCE)
        if self.trip and now - self._trips[-1] >= self.settings.trip_ms:
            self.trip = False
        if self._armed and not self.reset and now - self._beat_at >= self.settings.silence_ms:
            self._pull(now)
        if self.reset and now - self._pulls[-1] >= self.settings.pull_ms:
            self.reset = False
        if now >= self._report_at:
            self._report_at = now + REPORT_MS
            self._report(now)

    def leds(self, now: int) -> list[bool]:
        """Which LEDs shine now."""
        silent = now - self._beat_at >= self.settings.hold_ms
        return levels(SILENT_LEDS if silent else self._leds, bool(self.inputs & wire.LAMP), now)

    def outgoing(self) -> bytes:
        """Drain the octets to send."""
        out, self._out = self._out, b""
        return out

    def _beat(self, flags: int, payload: bytes, now: int) -> None:
        self._beat_at = now
        self._armed = self.settings.reset
        self._leds = payload
        if now - self._window_at >= FAST_WINDOW_MS:
            self._window_at, self._window = now, 0
        self._window += 1
        if self._window > FAST_MOST:
            self._rests_until = now + FAST_WINDOW_MS
            self._drop(FAST)
        if now < self._rests_until:
            return
        if flags & wire.PULSE:
            self._pulse_at = now
            self.watchdog = True
        if not flags & wire.ROLE:
            self._latched = False
        role = bool(flags & wire.ROLE) and self.watchdog and not self._latched
        if role != self.role:
            self.role = role
            self._report_at = now
        self._trip_as_asked(bool(flags & wire.TRIP), now)

    def _trip_as_asked(self, wanted: bool, now: int) -> None:
        """A pulse begins when it is asked for anew, and ends when it is not, or by itself."""
        if wanted and not self._trip_wanted and self.watchdog:
            self._trips = [at for at in self._trips if now - at < HOUR_MS]
            if self.settings.trip_ms and len(self._trips) < self.settings.trips_per_hour:
                self._trips.append(now)
                self.trip = True
        self.trip = self.trip and wanted
        self._trip_wanted = wanted

    def _drop(self, cause: int) -> None:
        if self.watchdog or self.role:
            self._cause = cause
            self._report_at = 0
        self.watchdog = self.role = self.trip = False
        self._latched = self._trip_wanted = True

    def _pull(self, now: int) -> None:
        """Once a silence: what does not come back by a reset does not come back by many."""
        self._armed = False
        self._pulls = [at for at in self._pulls if now - at < HOUR_MS]
        if len(self._pulls) < self.settings.resets_per_hour:
            self._pulls.append(now)
            self.reset = True

    def _report(self, now: int) -> None:
        resets = sum(now - at < HOUR_MS for at in self._pulls)
        self._send(wire.REPORT, wire.pack_report(self._echo, self.inputs, self._cause, self._frames.bad, resets), now)

    def _send(self, kind: int, payload: bytes, now: int = 0) -> None:
        flags = wire.WATCHDOG_ON * self.watchdog | wire.ROLE_ON * self.role | wire.LATCHED * self._latched
        flags |= wire.TOO_FAST * (now < self._rests_until) | wire.RESET_PULLED * self.reset
        flags |= wire.TRIP_ON * self.trip
        self._sequence += 1
        self._out += wire.pack(self._seal, wire.FROM_GUARDIAN, kind, flags, self._nonce, self._sequence, payload)
