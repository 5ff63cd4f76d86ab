"""The heart's ear: own counters and when they were sent, whom to echo, and how old the echo of a frame is."""

from __future__ import annotations

from tandem.codec.beat import DRAINED, Beat, BeatBody, Kind, Seal, Splitter
from tandem.codec.heart import Foreign, Heard
from tandem.standby.guard_words import Note, Rules, Tell

_SENT_KEPT = 256  # own counters whose time is remembered
_ANSWER_PAUSE_NS = 2_000_000  # probes are answered this often at most
_DATAGRAM_MAX = 512
_FOREIGN_PAUSE_NS = 1_000_000_000  # so often strangers are told of at most
_U32, _HALF = 0xFFFF_FFFF, 1 << 31

Content = tuple[int, int, int, int, int, int]


class Ear:
    """Verifies and times frames: what is news is told, a fresh beat that says nothing new is noted."""

    def __init__(self, rules: Rules, seal: Seal, nonce: int) -> None:
        self.rules = rules
        self.nonce = nonce
        self.peer_nonce = 0
        self.peer_counter = 0
        self._counter = 0
        self._sent = [0] * _SENT_KEPT
        self._seal = seal
        self._splitters = {i: Splitter(seal) for i, path in enumerate(rules.paths) if path.serial}
        self._busy_until = [0] * len(rules.paths)
        self._fresh_at = 0
        self._lans = [i for i, path in enumerate(rules.paths) if not path.serial]
        self._heard_at = [0] * len(rules.paths)
        self.wakes_by = -1
        """The first LAN path that brings fresh beats: to be woken by it is enough. -1: by every path."""
        self._answered_at = self._listens_until = 0
        self._answers = False
        self._content: dict[int, Content] = {}
        self.peer_said = (0, 0, 0)
        """Role and health of the newest fresh beat, and when our frame was sent that it echoes: it is younger."""
        self.foreign = 0
        """Frames that the key did not sign, or that came back from ourselves."""
        self._foreign_told = self._foreign_at = 0

    def hears(self, now: int) -> bool:
        """True while the peer's answers to our own frames are younger than D."""
        return bool(self._fresh_at) and now - self._fresh_at < self.rules.dead_ns

    def next_counter(self, now: int) -> int:
        """A counter for a frame that is sent now."""
        self._counter += 1
        self._sent[self._counter % _SENT_KEPT] = now
        return self._counter

    def frame(self, kind: Kind, body: BeatBody, flags: int, suspect_q_ms: int, now: int) -> Beat:
        """A frame that is sent now, with the flags of the heart beside the body's own."""
        role, health, more, epoch, head, released = body
        return Beat(
            kind, self.rules.member, role, health, more | flags, self.nonce, self.next_counter(now), self.peer_nonce,
            self.peer_counter, epoch, suspect_q_ms, head, released,
        )  # fmt: skip

    def free_paths(self, now: int, urgent: bool) -> list[int]:
        """The paths that take a frame now. One that still sends is left out, unless it is `urgent` or was asked for."""
        urgent, self._answers = urgent or self._answers, False
        free = []
        for path, rule in enumerate(self.rules.paths):
            if not rule.serial:
                free.append(path)
            elif urgent or now >= self._busy_until[path]:
                self._busy_until[path] = max(now, self._busy_until[path]) + rule.delivery_ns
                free.append(path)
        return free

    def received(self, path: int, octets: bytes, now: int) -> tuple[list[Tell | Note], bool]:
        """(what the supervisor must know, at once or when it looks; whether a probe asks for a beat)."""
        if path in self._splitters:
            beats = self._splitters[path].feed(octets)
        else:
            beat = self._seal.verify(octets) if len(octets) <= _DATAGRAM_MAX else None
            beats = [beat] if beat is not None else []
            self.foreign += beat is None
        tells: list[Tell | Note] = []
        probed = False
        for beat in beats:
            if beat.member == self.rules.member:
                self.foreign += 1
                continue
            self._hear(path, beat, now, tells)
            probed |= beat.kind == Kind.PROBE
        if probed:
            self.listen(now)
        if probed and now - self._answered_at >= _ANSWER_PAUSE_NS:
            self._answered_at, self._answers = now, True
            return tells, True
        return tells, False

    def listen(self, now: int) -> None:
        """Somebody has lost something: every path wakes us for a while, though a LAN brought a beat a moment ago."""
        self._listens_until = now + self.rules.dead_ns

    def drained(self, now: int) -> list[Tell]:
        """All that came in this turn was handed in; returns how many strangers spoke, now and then."""
        self.wakes_by = self._living(now)
        if self.foreign == self._foreign_told or now < self._foreign_at:
            return []
        self._foreign_told, self._foreign_at = self.foreign, now + _FOREIGN_PAUSE_NS
        return [Tell(Foreign(self.foreign & _U32))]

    def _living(self, now: int) -> int:
        if now < self._listens_until:
            return -1
        since = now - 5 * self.rules.heartbeat_ns // 2
        for path in self._lans:
            if self._heard_at[path] > since:
                return path
        return -1

    def echo_age_ns(self, beat: Beat, now: int) -> int:
        """How long ago the echoed counter was sent; -1 when it is none of mine or too old to be remembered."""
        behind = (self._counter - beat.echo_counter) & _U32
        if beat.echo_nonce != self.nonce or behind >= min(_SENT_KEPT, self._counter):
            return -1
        return now - self._sent[beat.echo_counter % _SENT_KEPT]

    def _hear(self, path: int, beat: Beat, now: int, tells: list[Tell | Note]) -> None:
        age = self.echo_age_ns(beat, now)
        fresh = 0 <= age < self.rules.dead_ns + 2 * self.rules.paths[path].delivery_ns
        # Whom to echo: a replayed nonce must not draw the echo away from a peer that does answer.
        if beat.nonce == self.peer_nonce:
            if (beat.counter - self.peer_counter) & _U32 < _HALF:
                self.peer_counter = beat.counter
        elif fresh or not self.hears(now):
            self.peer_nonce, self.peer_counter = beat.nonce, beat.counter
        if fresh:
            self._fresh_at = self._heard_at[path] = now
            if now - age >= self.peer_said[2]:
                self.peer_said = beat.role, beat.health, now - age
        content = (beat.kind, beat.role, beat.flags & ~DRAINED, beat.nonce, beat.epoch, beat.suspect_q_ms)
        news = beat.kind != Kind.BEAT or self._content.get(path) != content
        self._content[path] = content
        heard = Heard(path, now, age, beat)
        tells.append(Tell(heard) if news or not fresh else Note(heard))
