"""A guardian and the gateway's end of its line, in virtual milliseconds."""

from __future__ import annotations

from guardian import wire
from guardian.host import Host
from guardian.rules import CAUSES, Guardian, Settings

KEY, NONCE = b"k" * 32, 0x51


class Line:
    """Both ends of one line in virtual ms; contacts follow the coils at once. `cut`, `garbage` and `pulsing` change."""

    def __init__(self, settings: Settings | None = None, key: bytes = KEY) -> None:
        self.now = 1000
        self.guardian = Guardian(settings or Settings(), KEY, NONCE, self.now)
        self.host = Host(key, self.now)
        self.pulsing = self.feeding = True
        self.cut = False
        self.garbage = b""
        self.dropped_at = 0
        self.trouble = ""

    def run(self, ms: int) -> Line:
        for _ in range(ms):
            self.now += 1
            before = self.guardian.watchdog
            if self.feeding:
                if self.pulsing and self.now % 10 == 0:
                    self.host.say(b"P", self.now)
                self.host.tick(self.now)
                self.trouble = self.host.silent(self.now)
            octets, self.garbage = self.garbage + self.host.outgoing(), b""
            if not self.cut:
                self.guardian.receive(octets, self.now)
            k1, k2 = self.guardian.watchdog, self.guardian.role
            self.guardian.sense(wire.OWN_WATCHDOG * k1 | wire.OWN * (k1 and k2), self.now)
            self.guardian.tick(self.now)
            reported = self.guardian.outgoing()
            if not self.cut and self.feeding:
                self.host.receive(reported, self.now)
            if before and not self.guardian.watchdog:
                self.dropped_at = self.now
        return self

    def holds(self) -> Line:
        self.run(50)
        self.host.say(b"C1", self.now)
        self.run(30)
        assert self.guardian.watchdog and self.guardian.role and self.host.inputs == wire.OWN | wire.OWN_WATCHDOG
        return self

    @property
    def cause(self) -> str:
        return CAUSES[self.host.cause]
