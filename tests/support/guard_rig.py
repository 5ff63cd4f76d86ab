"""A guard with its clock and a supervisor that turns, for dialogues with the heart's rules."""

from __future__ import annotations

from tandem.codec import heart as say
from tandem.codec.beat import Beat, BeatBody, Kind, Role, Seal
from tandem.point import MS
from tandem.standby import guard_words as do
from tandem.standby.guard import Guard
from tandem.standby.guard_words import Output, PathRule, Rules

SEAL = Seal(b"the pairing key of this test....")
MINE, PEER = 0xA0A0, 0xB0B0
RULES = Rules(0, (PathRule("lan.station"), PathRule("lan.control"), PathRule("serial.crossover", 6 * MS, True)), lans=2)
TAKEN_BACK = ["Coil(on=False)", "Lease(word='drop')", "Addresses(on=False)"]


class Heart:
    """A guard with its clock; the supervisor finishes a turn every 10 ms unless it is `stalled`."""

    def __init__(self, rules: Rules = RULES) -> None:
        self.now = 1_000 * MS
        self.guard = Guard(rules, SEAL, MINE, self.now)
        self.stalled = False
        self.turn = 0
        self.body = BeatBody(Role.STANDBY)
        self.all: list[Output] = []

    def turns(self, ms: int) -> list[Output]:
        """Live for so long; what was to be carried out."""
        out: list[Output] = []
        until = self.now + ms * MS
        while self.now < until:
            self.now = min(until, max(self.now + MS, self.guard.due()))
            out += self.once()
        return out

    def once(self) -> list[Output]:
        if not self.stalled:
            self.turn = 1 + self.now // (10 * MS)
        self.guard.wake(self.now)
        self.guard.progress(self.turn, self.body, self.now)
        self.guard.tick(self.now)
        out = self.guard.outputs()
        self.all += out
        return out

    def asks(self, *requests: say.Request) -> list[Output]:
        for request in requests:
            self.guard.request(request, self.now)
        return self.guard.outputs()

    def pins(self, own: int, peer: int = 0, watchdog: int = 1, lease: int = 1, carriers: int = 3) -> list[Output]:
        self.guard.pins(say.PinsRead(0, own, peer, watchdog, lease, carriers), self.now)
        return self.guard.outputs()

    def serves(self) -> Heart:
        """Proof test done, service and lines held, contact closed."""
        self.pins(0, watchdog=0, lease=0)
        self.turns(20)
        self.pins(0, watchdog=1, lease=0)
        self.turns(20)
        self.asks(say.ServiceOn(12, 1), say.LinesOn(12, 1))
        self.pins(1)
        self.body = BeatBody(Role.ACTIVE, epoch=12)
        self.turns(20)
        return self

    def hears(self, path: int = 0, kind: Kind = Kind.BEAT, age_ms: int | None = 0, **fields: int) -> list[say.Message]:
        """The peer echoes the newest of our counters; what the supervisor is told by the next tick."""
        echo = (MINE, self.guard.ear._counter) if age_ms is not None else (0, 0)
        values = {"role": Role.ACTIVE, "counter": 1, "nonce": PEER, **fields}
        beat = Beat(
            kind, 1, values["role"], 255, 0, values["nonce"], values["counter"], *echo, values.get("epoch", 3), 0, 0, 0
        )
        self.guard.received(path, SEAL.pack(beat), self.now)
        return told([*self.guard.outputs(), *self.turns(11)])


def told(out: list[Output]) -> list[say.Message]:
    return [o.message for o in out if isinstance(o, do.Tell)]


def sent(out: list[Output], kind: Kind = Kind.BEAT) -> list[tuple[int, Beat]]:
    frames = [(o.path, SEAL.verify(o.octets)) for o in out if isinstance(o, do.Send)]
    return [(path, beat) for path, beat in frames if beat is not None and beat.kind == kind]


def doings(out: list[Output]) -> list[str]:
    """What is done besides telling, sending and feeding, as text: tuples of two classes may be equal."""
    return [repr(o) for o in out if not isinstance(o, do.Tell | do.Send | do.Pulse | do.Leds) and o != do.RENEW]


def has(out: list[Output], wanted: Output) -> bool:
    return repr(wanted) in map(repr, out)
