"""The guardian under MicroPython's unix port, the real heart, and the line between them, which can be cut or spoilt."""

from __future__ import annotations

import json
import os
import pty
import random
import subprocess
import sys
import threading
import time
import tty
from pathlib import Path

from guardian import wire
from tandem.standby.guard_words import PathRule, Rules

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = Path(sys.prefix) / "bin" / "micropython"
KEY = bytes(range(32))
HOLD_MS = 600  # of a machine that many share: the order is tested here, the times in virtual time
AWAY_NS = 1_500_000_000
RULES = Rules(0, (PathRule("lan.station"),), lease_ns=AWAY_NS, stall_ns=AWAY_NS, watchdog_ns=AWAY_NS, fenced=False)


class Controller:
    """The guardian's process; relays follow its coils at once, and their contacts are what it senses."""

    def __init__(self, tty_name: str, reset: bool) -> None:
        self.process = subprocess.Popen(
            [str(MICROPYTHON), "-m", "guardian.unix", tty_name, KEY.hex(), str(HOLD_MS), str(int(reset))],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:.frozen"},
        )  # fmt: skip
        self.watchdog = self.role = self.reset = False
        self.leds = ""
        self.story: list[tuple[float, int, int, int]] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self.process.stdout is not None and self.process.stdin is not None
        for line in self.process.stdout:
            _, k1, k2, reset, self.leds = line.split()
            self.watchdog, self.role, self.reset = k1 == "1", k2 == "1", reset == "1"
            self.story.append((time.monotonic(), int(k1), int(k2), int(reset)))
            inputs = wire.OWN_WATCHDOG * self.watchdog | wire.OWN * (self.watchdog and self.role)
            try:
                self.process.stdin.write(f"{inputs}\n")
                self.process.stdin.flush()
            except OSError:
                return

    def when(self, watchdog: int, since: float) -> float:
        """When K1 was first seen so after `since`."""
        return next(at for at, k1, _, _ in self.story if at >= since and k1 == watchdog)


class Wire(threading.Thread):
    """Passes octets between two ptys; what a test does to it happens here."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._masters = []
        self.names = []
        self.cut = False
        self.noise: random.Random | None = None
        self.to_guardian = b""
        self.reports = wire.Frames(wire.Seal(KEY), wire.FROM_GUARDIAN)
        self.last_report: tuple[int, ...] = ()
        self.ending = False
        for _ in range(2):
            master, slave = pty.openpty()
            tty.setraw(slave)
            os.set_blocking(master, False)
            self._masters.append(master)
            self.names.append(os.ttyname(slave))

    def run(self) -> None:
        while not self.ending:
            time.sleep(0.001)
            for way, (here, there) in enumerate((self._masters, self._masters[::-1])):
                try:
                    octets = os.read(here, 4096)
                except OSError:
                    octets = b""
                if way == 0:
                    octets, self.to_guardian = octets + self.to_guardian, b""
                for found in self.reports.feed(octets) if way else ():
                    self.last_report = found[:4]
                if self.noise is not None and octets:
                    octets = self.noise.randbytes(self.noise.randrange(30)) + octets + b"Tg" + b"tG"
                if octets and not self.cut:
                    try:
                        os.write(there, octets)
                    except OSError:
                        pass  # nobody reads: as on a wire


class Rig:
    """Heart, line, guardian and relays; the supervisor claims the lines as soon as it can."""

    def __init__(self, reset: bool = False) -> None:
        self.wire = Wire()
        self.guardian = Controller(self.wire.names[1], reset)
        plan = {
            "key": bytes(32).hex(), "rules": RULES._asdict(), "priority": 0, "claims": True,
            "pins": {"driver": "uart", "device": self.wire.names[0], "baud": wire.BAUD, "key": KEY.hex(),
                     "silent_ms": HOLD_MS},
            "paths": [{"name": "lan.station", "local": ["127.33.11.1", 0], "remote": ["127.33.11.2", 4721]}],
        }  # fmt: skip
        self.supervisor = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("heart_supervisor.py")), json.dumps(plan)],
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT / "firmware")}, text=True,
        )  # fmt: skip
        assert self.supervisor.stdout is not None
        self.heart_pid = int(self.supervisor.stdout.readline())
        self.said: list[str] = []
        threading.Thread(target=self._listen, daemon=True).start()
        self.wire.start()

    def _listen(self) -> None:
        assert self.supervisor.stdout is not None
        for line in self.supervisor.stdout:
            self.said.append(line.strip())

    def wait(self, true: object, what: str, seconds: float = 10.0) -> None:
        """Until it is so."""
        assert callable(true)
        until = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < until, f"not in time: {what}; {self.guardian.story} {self.said[-5:]}"
            time.sleep(0.002)

    def holds(self) -> None:
        """K1 and K2 are held, and the heart reads their contacts closed."""
        self.wait(lambda: self.guardian.role, "the guardian holds both relays")
        self.wait(lambda: any("own=1, peer=0, watchdog=1" in line for line in self.said), "the heart reads them")

    def told(self, words: str) -> bool:
        """Whether the heart told its supervisor so."""
        return any(words in line for line in self.said)

    def close(self) -> None:
        """End everything that was started."""
        self.wire.ending = True
        for process in (self.supervisor, self.guardian.process):
            process.kill()
            process.wait()
        try:
            os.kill(self.heart_pid, 9)
        except ProcessLookupError:
            pass
