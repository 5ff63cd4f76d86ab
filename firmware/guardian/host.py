"""The gateway's end of the guardian's line, sans-IO: words and time in, frames out; reports in, contacts out."""

from guardian import wire

BEAT_MS = 10
SILENT_MS = 100
"""No living report for so long: nobody knows the contacts. One that echoes a beat as old is no living one."""
FIRST_MS = 1000
_REMEMBERED = 64
_EARLY_MS = 3  # a pulse takes the beat along that would leave so soon after it


class Host:
    """Feeds a guardian and believes only reports that echo a beat of ours. `now` is monotonic ms."""

    def __init__(self, key: bytes, now: int, silent_ms: int = SILENT_MS) -> None:
        self._silent_ms = silent_ms
        self._seal = wire.Seal(key)
        self._frames = wire.Frames(self._seal, wire.FROM_GUARDIAN)
        self._nonce = 0
        self._sequence = 0
        self._sent: dict[int, int] = {}  # sequence -> when
        self._pulse = False
        self._role = False
        self._trip = False
        self._leds = bytes(10)
        self._beat_at = now
        self._alive_until = now + FIRST_MS
        self._heard = False
        self._looked_at = now
        self._out = b""
        self.inputs = 0
        self.flags = 0
        self.cause = 0
        self.bad = 0
        self.version = ""

    def say(self, word: bytes, now: int) -> None:
        """A word of the heart; a change of the coil or the trip leaves at once."""
        head = word[:1]
        if head == b"P":
            self._pulse = True
            if now >= self._beat_at - _EARLY_MS:
                self._beat(now)
        elif head == b"C":
            role = word == b"C1"
            if role != self._role:
                self._role = role
                self._beat(now)
        elif head == b"Y":
            self._trip = word == b"Y1"
            self._beat(now)
        elif head == b"T":
            self._leds = (word[1:11] + bytes(10))[:10]

    def tick(self, now: int) -> None:
        """A beat when one is due."""
        if now >= self._beat_at:
            self._beat(now)

    def bye(self, now: int) -> None:
        """We end in order: no reset is wanted for the silence that follows."""
        self._role = self._pulse = self._trip = False
        self._frame(wire.BYE, now)

    def ask_version(self, now: int) -> None:
        """`version` has the answer when it has come."""
        self._frame(wire.ABOUT, now)

    def receive(self, octets: bytes, now: int) -> bool:
        """Octets of the line; True when a living report came."""
        living = False
        for kind, flags, nonce, _, payload in self._frames.feed(octets):
            if kind == wire.ABOUT and nonce == self._nonce:
                self.version = payload.rstrip(b"\0").decode()
            if kind != wire.REPORT:
                continue
            echo, inputs, cause, bad, _ = wire.unpack_report(payload)
            if nonce != self._nonce:
                self._nonce, self._sequence = nonce, echo
                self._sent = {}
            elif now - self._sent.get(echo, now - self._silent_ms) < self._silent_ms:
                self.inputs, self.flags, self.cause, self.bad = inputs, flags, cause, bad
                self._alive_until = now + self._silent_ms
                self._heard = living = True
        return living

    def silent(self, now: int) -> str:
        """Why the guardian counts as gone, "" while it answers. Our own lateness is not its fault."""
        late = now - self._looked_at
        self._looked_at = now
        if late > 2 * BEAT_MS:
            self._alive_until += late
        if now < self._alive_until:
            return ""
        if self._heard:
            return "no signed answer for {} ms: its power, its line, or the guardian itself".format(self._silent_ms)  # noqa: UP032
        if self._frames.octets and not self._nonce:
            return "what comes from it is not signed with this member's key: install it anew"
        return "it does not answer: its power, its line, or the port in the board's file"

    def outgoing(self) -> bytes:
        """Drain the octets to send."""
        out, self._out = self._out, b""
        return out

    def _beat(self, now: int) -> None:
        self._beat_at = now + BEAT_MS
        self._frame(wire.BEAT, now)
        self._pulse = False

    def _frame(self, kind: int, now: int) -> None:
        if not self._nonce:
            return
        self._sequence += 1
        self._sent[self._sequence] = now
        self._sent.pop(self._sequence - _REMEMBERED, None)
        flags = wire.PULSE * self._pulse | wire.ROLE * self._role | wire.TRIP * self._trip
        self._out += wire.pack(self._seal, wire.TO_GUARDIAN, kind, flags, self._nonce, self._sequence, self._leds)
