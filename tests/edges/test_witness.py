"""The witness as a process: the product's own port asks it, it is killed and begins anew, strangers get no answer."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tandem.codec.witness import WitnessSeal, derive
from tandem.manage import witness as verb
from tandem.manage.pair import pair
from tandem.port import clock
from tandem.port.witness import WitnessPort
from tandem.standby.witness import Witness

_TTL_MS = 500


@pytest.fixture
def state(tmp_path: Path) -> Path:
    pair(tmp_path / "a", tmp_path / "b", "test")
    assert verb.run(["--state", str(tmp_path / "w"), "--learn", str(tmp_path / "a"), "--group", "cedar"]) == 0
    assert (tmp_path / "w" / "cedar.key").stat().st_mode & 0o077 == 0
    held = '{"holder": 0, "epoch": 0, "ttl_ms": 500}'  # it granted nothing lately: a first start would wait for 10 s
    (tmp_path / "w" / "cedar.json").write_text(held)
    return tmp_path


class Process:
    """A running witness on a port of its own."""

    def __init__(self, state: Path) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.state = state
        self.begin()

    def begin(self) -> None:
        options = ["--state", str(self.state / "w"), "--port", str(self.port), "--listen", "127.0.0.1"]
        command = [sys.executable, "-m", "tandem", "witness", *options]
        self.process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
        assert self.process.stderr and "witness of cedar at" in self.process.stderr.readline()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def running(state: Path) -> Iterator[Process]:
    process = Process(state)
    yield process
    process.kill()


class Asking:
    """A member's client on the real port."""

    def __init__(self, member: str, process: Process) -> None:
        seal = WitnessSeal(derive((process.state / member / "keys" / "beat.key").read_bytes()))
        self.client = Witness(member, seal, _TTL_MS, os.urandom, clock.monotonic_ns())
        loop = asyncio.get_running_loop()
        self.port = WitnessPort(loop, f"127.0.0.1:{process.port}", self._heard)
        self.wants = (False, 0)

    def _heard(self, octets: bytes) -> None:
        self.client.receive(octets, clock.monotonic_ns())

    def turn(self) -> bool:
        for ask in self.client.tick(clock.monotonic_ns(), *self.wants):
            self.port.send(ask)
        return self.client.view.granted


async def until_granted(*members: Asking) -> int:
    """Which of them was granted first."""
    ends = time.monotonic() + 20
    while time.monotonic() < ends:
        for index, member in enumerate(members):
            if member.turn():
                return index
        await asyncio.sleep(0.005)
    raise AssertionError([member.client.view for member in members])


def test_one_is_granted_and_keeps_it_over_a_kill(running: Process) -> None:
    async def story() -> None:
        a, b = Asking("a", running), Asking("b", running)
        a.wants = (True, 2)
        await until_granted(a)
        b.wants = (True, 3)
        running.kill()
        running.begin()
        assert await until_granted(b, a) == 1, "the killed witness remembers whom it granted"
        a.port.close()  # a is gone: its time runs out
        assert await until_granted(b) == 0
        b.port.close()

    asyncio.run(story())
    assert '"holder": 2, "epoch": 3' in (running.state / "w" / "cedar.json").read_text()


def test_a_stranger_gets_no_answer(running: Process) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.settimeout(0.2)
        stranger.connect(("127.0.0.1", running.port))
        for octets in (b"", b"hello", bytes(48), b"\xb7\x57\x01" + bytes(45)):
            stranger.send(octets)
        with pytest.raises(TimeoutError):
            stranger.recv(100)


def test_a_folder_without_keys_is_refused_with_the_cure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert verb.run(["--state", str(tmp_path), "--listen", "127.0.0.1", "--port", "0"]) == 2
    assert "--learn" in capsys.readouterr().err
