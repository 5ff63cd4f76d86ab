"""The guardian on its controller: what is copied there, what is refused, and the program around the rules."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from guardian import wire
from guardian.host import Host
from guardian.rules import VERSION
from tandem.config.board import read_board
from tests.support import machine_stand_in as machine
from tools.guardian.install import FILES, GuardianError, install, settings

BEAT_KEY = bytes(range(32))
BOARD = read_board("cm4-dual")[0]
PICO = "micropython 1 28 Raspberry Pi Pico with RP2040"


class Remote:
    """mpremote as the installation sees it."""

    def __init__(self, who: str = PICO, version: str = VERSION) -> None:
        self.who, self.version = who, version
        self.files: dict[str, bytes] = {}
        self.done: list[str] = []

    def __call__(self, arguments: list[str]) -> str:
        self.done.append(" ".join(arguments[:2]) if arguments[0] == "fs" else arguments[0])
        if arguments[0] == "exec":
            return self.who if "uname" in arguments[1] else self.version
        if arguments[:2] == ["fs", "mkdir"]:
            raise GuardianError("mkdir: EEXIST")
        if arguments[:2] == ["fs", "cp"]:
            *sources, target = arguments[2:]
            for source in map(Path, sources):
                self.files[target + source.name if target.endswith("/") else target] = source.read_bytes()
        return ""


def told() -> dict[str, Any]:
    assert BOARD is not None
    return settings(BOARD, BEAT_KEY, "a")


def test_files_settings_and_key_reach_the_controller() -> None:
    remote = Remote()
    assert install(remote, told()) == VERSION
    assert set(remote.files) == {f":guardian/{name}" for name in FILES} | {":settings.json", ":main.py"}
    found = json.loads(remote.files[":settings.json"])
    assert found["key"] == wire.derive(BEAT_KEY, "a").hex() and found["hold_ms"] == 80
    assert found["trip_ms"] == 250 and found["wires"]["peer-trip"][0] == 22
    assert found["wires"]["peer-contact"] == [6, True, "up"] and found["reset_line"] == 21
    assert remote.done[-1] == "reset"


@pytest.mark.parametrize(
    ("remote", "said"),
    [
        (Remote("micropython 1 20 Raspberry Pi Pico with RP2040"), "too old"),
        (Remote("micropython 1 28 ESP32 module with ESP32"), "onto an RP2040 first"),
        (Remote("circuitpython 9 2 Pico with RP2040"), "onto an RP2040 first"), (Remote(""), "no MicroPython"),
        (Remote(version="0.9.0"), "it answers version 0.9.0"),
    ],
)  # fmt: skip
def test_what_is_refused(remote: Remote, said: str) -> None:
    with pytest.raises(GuardianError, match=said):
        install(remote, told())
    assert "reset" not in remote.done


def test_a_board_without_a_guardian() -> None:
    board = read_board("rpi4")[0]
    assert board is not None
    with pytest.raises(GuardianError, match="board rpi4 has no guardian"):
        settings(board, BEAT_KEY, "a")


@pytest.fixture
def ticks(monkeypatch: pytest.MonkeyPatch) -> machine.Ticks:
    made = machine.Ticks()
    made.put(monkeypatch)
    monkeypatch.setitem(sys.modules, "machine", machine.module())
    monkeypatch.delitem(sys.modules, "guardian.pico", raising=False)
    return made


def test_the_program_drives_its_pins_over_a_wrap_of_the_clock(ticks: machine.Ticks) -> None:
    pico = importlib.import_module("guardian.pico")
    controller = pico.Controller(told())
    host = Host(wire.derive(BEAT_KEY, "a"), 0)
    uart, pins = machine.UART.newest, machine.Pin.all
    assert uart.baud == 115200 and not pins[2].level and pins[21].level == 1
    tripped = False
    for now in range(300):
        ticks.sleep(1)
        host.receive(uart.sent, now)
        uart.sent = b""
        if now % 10 == 0 and now < 200:
            host.say(b"C1" if now > 100 else b"C0", now)
            host.say(b"Y1" if now == 150 else b"Y0", now)
            host.say(b"P", now)
            host.tick(now)
        uart.came += host.outgoing()
        controller.step()
        tripped |= bool(pins[22].level)
        pins[7].level = int(not pins[2].level)  # own-watchdog, closed is low
        if now == 190:
            assert pins[2].level and pins[3].level and host.inputs & wire.OWN_WATCHDOG
    assert not pins[2].level and not pins[3].level, "beats ended at 190, held for 80"
    assert tripped and not pins[22].level


def test_the_programs_own_watchdog_and_a_hand_at_its_plug(
    ticks: machine.Ticks, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.json").write_text(json.dumps(told()))
    monkeypatch.chdir(tmp_path)
    importlib.import_module("guardian.pico").main()
    assert machine.WDT.timeout == 500 and machine.WDT.fed == machine.WDT.ends_at
    assert not machine.Pin.all[2].level and not machine.Pin.all[3].level
    machine.Timer.newest.callback(None)
    assert machine.WDT.fed > machine.WDT.ends_at and machine.Timer.newest.period < machine.WDT.timeout
