"""GPIO pins through the RPi.GPIO API (a stand-in for the chip): what is driven, what is read, and what goes wrong."""

from __future__ import annotations

import mmap
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from guardian.blink import SLOT_MS
from tandem.codec.heart import KEY_LOCAL, LAMP_TEST
from tandem.config.signals import LED_NAMES
from tandem.manage import clean
from tandem.point import MS
from tandem.port.board import load_board
from tandem.port.pins import NEVER, PinsError, open_pins
from tandem.port.pins_gpio import GpioPins

STAND_IN = str(Path(__file__).resolve().parents[1] / "support" / "gpio")
PLAN = load_board("rpi4", "a").pins
LINE = {name: wire[0] for name, wire in PLAN["wires"].items()}
LEVEL, OUTPUT, CLAIMED, PULLED = 1, 2, 4, 8


class Chip:
    """The test's side of the lines: what hangs on them."""

    def __init__(self, file: Path, gone: Path) -> None:
        self.gone = gone
        file.write_bytes(bytes(64))
        with file.open("r+b") as opened:
            self.lines = mmap.mmap(opened.fileno(), 64)
        for name in ("own-contact", "own-watchdog", "peer-watchdog", "key-local", "lamp-test"):
            self.lines[LINE[name]] = LEVEL  # open contacts let the pull-up win

    def level(self, name: str) -> int:
        return self.lines[LINE[name]] & LEVEL

    def put(self, name: str, level: int) -> None:
        self.lines[LINE[name]] = self.lines[LINE[name]] & ~LEVEL | level


@pytest.fixture
def chip(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chip]:
    monkeypatch.syspath_prepend(STAND_IN)
    monkeypatch.setenv("FAKE_GPIO", str(tmp_path / "lines"))
    monkeypatch.setenv("FAKE_GPIO_GONE", str(tmp_path / "gone"))
    for name in ("RPi", "RPi.GPIO"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    made = Chip(tmp_path / "lines", tmp_path / "gone")
    yield made
    for name in ("RPi", "RPi.GPIO"):
        sys.modules.pop(name, None)


@pytest.fixture
def pins(chip: Chip) -> Iterator[GpioPins]:
    made = open_pins(PLAN)
    assert isinstance(made, GpioPins)
    yield made
    made.close()


def read(pins: GpioPins, now: int = MS) -> Any:
    found = pins.read(now)
    return found[-1] if found else None


def test_every_wire_is_claimed_and_outputs_begin_low(chip: Chip, pins: GpioPins) -> None:
    assert all(chip.lines[line] & CLAIMED for line in LINE.values())
    outputs = {name for name, line in LINE.items() if chip.lines[line] & OUTPUT}
    assert outputs == {"watchdog-pulse", "role-coil", *(f"led-{name}" for name in LED_NAMES)}
    assert not any(chip.level(name) for name in outputs)
    assert chip.lines[LINE["own-contact"]] & PULLED


def test_contacts_are_read_with_their_polarity(chip: Chip, pins: GpioPins) -> None:
    first = read(pins)
    assert (first.own, first.peer, first.watchdog, first.inputs) == (0, 0, 0, 0)
    chip.put("own-contact", 0)
    chip.put("key-local", 0)
    seen = read(pins, 2 * MS)
    assert (seen.own, seen.inputs, seen.at_ns) == (1, KEY_LOCAL, 2 * MS)
    chip.put("peer-contact", 1)
    assert read(pins).peer == 1, "its break contact opened, or the wire broke"
    assert read(pins) is None, "nothing changed"


def test_a_contact_that_is_to_follow_its_coil_is_watched_until_it_is_still(chip: Chip, pins: GpioPins) -> None:
    read(pins, 0)
    assert (pins.alarm, pins.due) == (NEVER, 10 * MS)
    pins.say(b"C1", 10 * MS)
    assert pins.alarm == 12 * MS
    read(pins, 12 * MS)
    assert pins.alarm == pins.due == 14 * MS
    chip.put("own-contact", 0)
    assert read(pins, 20 * MS).own
    read(pins, 68 * MS)
    assert pins.alarm == 70 * MS, "it may bounce"
    read(pins, 70 * MS)
    assert (pins.alarm, pins.due) == (NEVER, 80 * MS)
    pins.say(b"C0", 100 * MS)
    read(pins, 598 * MS)
    assert pins.alarm == 600 * MS, "welded, and not given up"
    read(pins, 600 * MS)
    assert pins.alarm == NEVER


def test_a_pulse_is_up_and_down_again(chip: Chip, pins: GpioPins, monkeypatch: pytest.MonkeyPatch) -> None:
    gpio, seen = sys.modules["RPi.GPIO"], []
    monkeypatch.setattr(gpio, "output", lambda line, value: seen.append((line, value)))
    pins.say(b"P", 0)
    assert seen == [(LINE["watchdog-pulse"], 1), (LINE["watchdog-pulse"], 0)]


def test_the_coil_follows_its_word_and_the_leases_words_are_not_for_pins(chip: Chip, pins: GpioPins) -> None:
    pins.say(b"C1", 0)
    assert chip.level("role-coil")
    for word in (b"L", b"R", b"D", b"A", b"X"):
        pins.say(word, 0)
    assert chip.level("role-coil")
    pins.say(b"C0", 0)
    assert not chip.level("role-coil")


def test_leds_blink_in_their_patterns_and_the_lamp_test_lights_them_all(chip: Chip, pins: GpioPins) -> None:
    read(pins)
    octets = dict.fromkeys(LED_NAMES, 0) | {"run": 0x01, "standby": 0x12, "peer": 0x21, "fault": 0x33}
    pins.say(b"T" + bytes(octets.values()), 0)
    rows = {name: "" for name in octets}
    for slot in range(16):
        pins.read(slot * SLOT_MS * MS)
        assert pins.due <= (slot + 1) * SLOT_MS * MS
        for name in rows:
            rows[name] += str(chip.level(f"led-{name}"))
    assert rows["run"] == "1" * 16 and rows["standby"] == "1" * 8 + "0" * 8
    assert rows["peer"] == "10" * 8 and rows["fault"] == "1" + "0" * 15 and rows["power"] == "0" * 16
    chip.put("lamp-test", 0)
    assert read(pins).inputs == LAMP_TEST
    assert all(chip.level(f"led-{name}") for name in LED_NAMES)


def test_closing_drives_everything_low_and_gives_the_lines_back(chip: Chip) -> None:
    pins = open_pins(PLAN)
    pins.say(b"C1", 0)
    pins.close()
    assert not any(chip.lines[LINE[name]] for name in ("role-coil", "led-run", "own-contact"))


def test_what_a_killed_heart_left_high_is_cleaned_away(chip: Chip, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("role-coil", "led-active"):
        chip.lines[LINE[name]] = LEVEL | OUTPUT
    clean.run(["--board", "rpi4"])
    assert "the GPIO outputs of board rpi4 are low" in capsys.readouterr().out
    assert not chip.level("role-coil") and not chip.level("led-active")


def test_a_line_that_somebody_else_has(chip: Chip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAKE_GPIO_TAKEN", "27")
    with pytest.raises(PinsError, match=r"GPIO line 27 \(role-coil\) cannot be had: GPIO busy; free it"):
        open_pins(PLAN)
    assert not any(chip.lines[line] & CLAIMED for line in LINE.values()), "the others were given back"
    monkeypatch.setenv("FAKE_GPIO_TAKEN", "")
    open_pins(PLAN).close()


def test_a_chip_that_is_missing_or_goes(chip: Chip) -> None:
    chip.gone.touch()
    with pytest.raises(PinsError, match="GPIO chip /dev/gpiochip0 cannot be opened: can not open gpiochip"):
        open_pins(PLAN)
    chip.gone.unlink()
    pins = open_pins(PLAN)
    chip.gone.touch()
    with pytest.raises(PinsError, match=r"\(peer-watchdog\) cannot be read"):
        pins.read(0)
    with pytest.raises(PinsError, match=r"\(role-coil\) cannot be driven"):
        pins.say(b"C1", 0)
    pins.close()


def test_without_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "RPi", None)
    with pytest.raises(PinsError, match="install rpi-lgpio"):
        open_pins(PLAN)


def test_qemus_board_names_a_revision_for_the_library(chip: Chip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RPI_LGPIO_REVISION", raising=False)
    open_pins(load_board("qemu-virt", "b").pins).close()
    assert os.environ.pop("RPI_LGPIO_REVISION") == "a02082" and os.environ["RPI_LGPIO_CHIP"] == "0"


def test_a_trip_is_driven_where_it_is_wired_and_ends_with_the_pins(chip: Chip) -> None:
    wired = {**PLAN, "wires": {**PLAN["wires"], "peer-trip": (22, True, "none")}}
    made = open_pins(wired)
    assert not chip.lines[22] & LEVEL
    made.say(b"Y1", MS)
    assert chip.lines[22] & LEVEL
    made.say(b"Y0", MS)
    assert not chip.lines[22] & LEVEL
    made.say(b"Y1", MS)
    made.close()
    assert not chip.lines[22] & (LEVEL | CLAIMED)


def test_a_trip_that_is_not_wired_moves_nothing(chip: Chip, pins: GpioPins) -> None:
    before = bytes(chip.lines[:])
    pins.say(b"Y1", MS)
    assert bytes(chip.lines[:]) == before
