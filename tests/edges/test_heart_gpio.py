"""The real heart over GPIO lines (a stand-in for the chip): what is wrong with the pins is said before any claim."""

from __future__ import annotations

import json
import mmap
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tandem.port.board import load_board
from tandem.standby.guard_words import PathRule, Rules

ROOT = Path(__file__).resolve().parents[2]
PLAN = load_board("rpi4", "a").pins
LINE = {name: wire[0] for name, wire in PLAN["wires"].items()}
RULES = Rules(0, (PathRule("lan.station"),), watchdog_ns=115_000_000, fenced=False)
HOLD_S = 0.08


class Cabinet(threading.Thread):
    """Plays monostable, relays and contacts on the lines: watchdog after pulses, role contact after the coil."""

    def __init__(self, file: Path) -> None:
        super().__init__(daemon=True)
        file.write_bytes(bytes(64))
        with file.open("r+b") as opened:
            self.lines = mmap.mmap(opened.fileno(), 64)
        self.welded = False
        self.ending = False
        self.pulsed = 0.0
        for name in ("own-contact", "own-watchdog", "peer-watchdog", "key-local", "lamp-test"):
            self.lines[LINE[name]] = 1

    def contact(self, name: str, closed: bool) -> None:
        self.lines[LINE[name]] = self.lines[LINE[name]] & ~1 | int(not closed)

    def run(self) -> None:
        while not self.ending:
            time.sleep(0.0005)
            fed = self.closed("watchdog")
            self.contact("own-watchdog", fed)
            self.contact("own-contact", self.welded or (fed and bool(self.lines[LINE["role-coil"]] & 1)))

    def closed(self, what: str) -> bool:
        return time.monotonic() - self.pulsed < HOLD_S


@pytest.fixture
def cabinet(tmp_path: Path) -> Iterator[Cabinet]:
    made = Cabinet(tmp_path / "lines")
    yield made
    made.ending = True


@pytest.fixture
def heart(tmp_path: Path, cabinet: Cabinet) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(**environment: str) -> subprocess.Popen[str]:
        local = ["127.33.9.1", 0]
        stand_in = str(ROOT / "tests" / "support" / "gpio")
        plan = {
            "key": bytes(32).hex(), "rules": RULES._asdict(), "pins": {**PLAN, "paths": [stand_in]},
            "priority": 0, "claims": True,
            "paths": [{"name": "lan.station", "local": local, "remote": ["127.33.9.2", 4721]}],
        }  # fmt: skip
        paths = {"PYTHONPATH": str(ROOT / "firmware")}
        files = {"FAKE_GPIO": str(tmp_path / "lines"), "FAKE_GPIO_GONE": str(tmp_path / "gone")}
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("heart_supervisor.py")), json.dumps(plan)],
            stdout=subprocess.PIPE, env={**os.environ, **paths, **files, **environment}, text=True,
        )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def said(process: subprocess.Popen[str], wanted: str) -> str:
    assert process.stdout is not None
    until = time.monotonic() + 10
    while time.monotonic() < until:
        line = process.stdout.readline()
        if wanted in line:
            return line
    raise AssertionError(f"nobody said {wanted}")


def test_a_line_that_is_taken_is_said(heart: Callable[..., subprocess.Popen[str]]) -> None:
    line = said(heart(FAKE_GPIO_TAKEN="17"), "Proof(ok=False")
    assert "GPIO line 17 (watchdog-pulse) cannot be had: GPIO busy; free it" in line


def test_a_chip_that_is_missing_is_said_and_found_when_it_comes(
    heart: Callable[..., subprocess.Popen[str]], tmp_path: Path
) -> None:
    (tmp_path / "gone").touch()
    process = heart()
    assert "GPIO chip /dev/gpiochip0 cannot be opened" in said(process, "Proof(ok=False")
    (tmp_path / "gone").unlink()
    assert "own=0" in said(process, "PinsRead(at_ns=")


def test_a_contact_that_contradicts_its_coil_is_said_before_any_pulse(
    heart: Callable[..., subprocess.Popen[str]], cabinet: Cabinet
) -> None:
    cabinet.welded = True
    cabinet.start()
    assert "closed although no coil is fed" in said(heart(), "Proof(ok=False")
    assert not cabinet.lines[LINE["role-coil"]] & 1
