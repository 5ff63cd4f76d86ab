"""The real heart process beside a supervisor that dies or stands still: what the peer and the pins see, in order."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.codec.beat import CONTACT, Beat, Kind, Role, Seal
from tandem.point import MS
from tandem.port.kept_fds import KEPT_MAX
from tandem.standby.guard_words import PathRule, Rules

KEY = bytes(range(32))
SEAL = Seal(KEY)
HERE, THERE = "127.33.7.1", "127.33.7.2"
RULES = Rules(0, (PathRule("lan.station"), PathRule("serial.crossover", 6 * MS, True)), watchdog_ns=400 * MS, lans=1)
HOLD_S = 0.25


class Bench:
    """Plays pins and peer: the contact follows the coil after 5 ms, the watchdog contact the pulses."""

    def __init__(self, folder: Path, claims: bool) -> None:
        self.pins_listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.pins_listener.bind(str(folder / "pins-a"))
        self.pins_listener.listen(1)
        self.peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.peer.bind((THERE, 0))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind((HERE, 0))
            port = free.getsockname()[1]
        self.peer.connect((HERE, port))
        self.peer.setblocking(False)
        self.tty, theirs = os.openpty()
        os.set_blocking(self.tty, False)
        device = os.ttyname(theirs)
        serial = {"name": "serial.crossover", "device": device, "baud": 115200, "data_bits": 8, "parity": "none"}
        plan = {
            "key": KEY.hex(), "rules": RULES._asdict(), "pins": {"driver": "bench", "path": str(folder / "pins-a")},
            "priority": 0, "claims": claims,
            "paths": [
                {"name": "lan.station", "local": [HERE, port], "remote": list(self.peer.getsockname())},
                {**serial, "stop_bits": 1},
            ],
        }  # fmt: skip
        firmware = Path(__file__).resolve().parents[2] / "firmware"
        self.supervisor = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("heart_supervisor.py")), json.dumps(plan)],
            stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(firmware)}, text=True,
        )  # fmt: skip
        assert self.supervisor.stdout is not None
        self.heart_pid = int(self.supervisor.stdout.readline())
        self.pins = self.pins_listener.accept()[0]
        self.pins.setblocking(False)
        self.seen: list[tuple[float, str]] = []
        self.frames: list[tuple[float, str, Beat]] = []
        self.own = self.watchdog = self.lease = False
        self.moves_at = self.pulsed = 0.0
        self.tell()

    def tell(self) -> None:
        try:
            self.pins.send(b"S" + bytes([self.own, 0, self.watchdog, self.lease, 1]))
        except OSError:
            pass  # the heart has ended: the next read says so

    def run(self, seconds: float) -> None:
        """Play for so long, or until the heart has closed its pins."""
        until = time.monotonic() + seconds
        coil = self.own
        while (now := time.monotonic()) < until and self.pins.fileno() >= 0:
            select.select([self.pins.fileno(), self.peer.fileno(), self.tty], [], [], 0.002)
            now = time.monotonic()
            coil = self.read_pins(now, coil)
            if self.watchdog and now - self.pulsed > HOLD_S:
                self.watchdog = False
                self.tell()
            self.read_frames(now)
            if coil != self.own and now >= self.moves_at:
                self.own = coil
                self.seen.append((now, f"contact {'closed' if coil else 'open'}"))
                self.tell()

    def read_pins(self, now: float, coil: bool) -> bool:
        try:
            while word := self.pins.recv(64):
                if word in (b"C0", b"C1"):
                    coil, self.moves_at = word == b"C1", now + 0.005
                if word == b"P":
                    fresh, self.watchdog, self.pulsed = not self.watchdog, True, now
                    if fresh:
                        self.tell()
                    if self.seen and self.seen[-1][1] == word.decode():
                        continue
                if word in (b"L", b"D"):
                    self.lease = word == b"L"
                    self.tell()
                self.seen.append((now, word.decode()))
            self.pins.close()
        except BlockingIOError:
            pass
        return coil

    def read_frames(self, now: float) -> None:
        try:
            while beat := SEAL.verify(self.peer.recv(200)):
                self.frames.append((now, "lan", beat))
        except BlockingIOError:
            pass
        try:
            octets = os.read(self.tty, 4096)
            for at in range(0, len(octets) - 57, 58):
                if beat := SEAL.verify(octets[at : at + 58]):
                    self.frames.append((now, "serial", beat))
        except BlockingIOError:
            pass

    def kinds(self, path: str) -> list[int]:
        return [beat.kind for _, on, beat in self.frames if on == path]

    def close(self) -> None:
        self.supervisor.kill()
        self.supervisor.wait()
        assert self.supervisor.stdout is not None
        for thing in (self.supervisor.stdout, self.pins, self.pins_listener, self.peer):
            thing.close()
        os.close(self.tty)


@pytest.fixture
def bench(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Bench]:
    made = Bench(tmp_path, getattr(request, "param", True))
    made.run(0.5)
    yield made
    made.close()


def test_claims_are_carried_out_and_beats_leave_on_every_path(bench: Bench) -> None:
    words = [word for _, word in bench.seen]
    assert words.index("L") < words.index("A") < words.index("C1") < words.index("contact closed")
    assert words.index("L") < words.index("R") and "P" in words and bench.own
    for path in ("lan", "serial"):
        beats = [beat for _, on, beat in bench.frames if on == path]
        assert len(beats) > 12 and beats[-1].role == Role.ACTIVE and beats[-1].flags & CONTACT
        assert [b.counter for b in beats] == sorted({b.counter for b in beats})


@pytest.mark.parametrize("how", ["kill -9", "SIGSTOP"])
def test_a_supervisor_that_is_gone_is_released_in_order(bench: Bench, how: str) -> None:
    bench.seen.clear()
    bench.frames.clear()
    began = time.monotonic()
    bench.supervisor.send_signal(signal.SIGKILL if how == "kill -9" else signal.SIGSTOP)
    bench.run(1.5)
    words = [word for _, word in bench.seen]
    low = words.index("C0")
    assert words[low : low + 4] == ["C0", "D", "X", "contact open"] and "P" not in words[low:]
    assert bench.pins.fileno() < 0, "its work done, the heart has ended"
    assert bench.supervisor.wait(2) == -signal.SIGKILL
    for path in ("lan", "serial"):
        kinds = bench.kinds(path)
        first = kinds.index(Kind.RELEASED_SERVICE)
        lines = kinds.index(Kind.RELEASED_LINES)
        assert kinds[first : first + 3] == [Kind.RELEASED_SERVICE] * 3 and kinds.count(Kind.RELEASED_LINES) >= 3
        assert first < lines
    opened = next(at for at, word in bench.seen if word == "contact open")
    for at, _, beat in bench.frames:
        if beat.kind in (Kind.RELEASED_SERVICE, Kind.RELEASED_LINES):
            assert beat.epoch == 12 and beat.role == Role.DEAD
            assert beat.kind == Kind.RELEASED_SERVICE or at >= opened
    service = next(at for at, _, beat in bench.frames if beat.kind == Kind.RELEASED_SERVICE)
    assert how == "kill -9" or service - began > 0.030, "a stall is waited for"
    print(f"\n{how}: released-service after {1000 * (service - began):.1f} ms")


@pytest.mark.parametrize("bench", [False], indirect=True)
def test_a_standby_whose_supervisor_dies_says_dead_and_ends(bench: Bench) -> None:
    bench.frames.clear()
    bench.supervisor.send_signal(signal.SIGKILL)
    bench.run(1.0)
    assert bench.pins.fileno() < 0
    assert bench.frames[-1][2].role == Role.DEAD and set(bench.kinds("lan")) == {Kind.BEAT}


def test_a_frozen_heart_that_thaws_gives_everything_back_before_it_beats(bench: Bench) -> None:
    os.kill(bench.heart_pid, signal.SIGSTOP)
    bench.run(0.2)
    bench.seen.clear()
    bench.frames.clear()
    os.kill(bench.heart_pid, signal.SIGCONT)
    bench.run(0.9)
    words = [word for _, word in bench.seen]
    assert words[:3] == ["C0", "D", "X"] and "P" in words and "R" not in words and "C1" not in words
    assert not bench.own and Kind.RELEASED_SERVICE not in bench.kinds("lan")


def test_systemd_hears_of_a_heart_that_lives_and_of_no_frozen_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "300000")
        made = Bench(tmp_path, True)
        try:
            made.run(0.7)
            said = heard(systemd)
            assert 2 <= len(said) <= 8 and set(said) == {b"WATCHDOG=1"}
            os.kill(made.heart_pid, signal.SIGSTOP)
            time.sleep(0.05)
            heard(systemd)
            time.sleep(0.3)
            assert heard(systemd) == []
        finally:
            os.kill(made.heart_pid, signal.SIGKILL)
            made.close()


def heard(systemd: socket.socket) -> list[bytes]:
    found = []
    while select.select([systemd], [], [], 0)[0]:
        found.append(systemd.recv(100))
    return found


def test_the_heart_holds_the_newest_descriptors_that_it_was_given(bench: Bench) -> None:
    bench.run(HOLD_S)
    given = str(Path(__file__).with_name("heart_supervisor.py"))
    held = [fd for fd in Path(f"/proc/{bench.heart_pid}/fd").iterdir() if os.readlink(fd) == given]
    assert len(held) == KEPT_MAX


def test_the_heart_is_small(bench: Bench) -> None:
    status = Path(f"/proc/{bench.heart_pid}/status").read_text()
    sizes = {line.split(":")[0]: int(line.split()[1]) for line in status.splitlines() if line.startswith("Rss")}
    print(f"\nresident: {sizes}")
    assert sizes["RssAnon"] < 14 * 1024
