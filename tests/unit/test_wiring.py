"""Drawings and tables are what the boards' data say, and every wire of a board ends somewhere in them."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from tandem.config.board import board_names, parse_board, read_board
from tandem.config.signals import SIGNALS
from tools.wiring.__main__ import ROOT, pages
from tools.wiring.sheet import draw
from tools.wiring.wires import FEEDBACK, PANEL, destination, panel_of

DRAWN = [name for name in board_names() if name != "bench"]


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_everything_that_is_made_is_current() -> None:
    stale = [str(file.relative_to(ROOT)) for file, text in pages().items() if file.read_text(encoding="utf-8") != text]
    assert stale == [], "run ./build.sh wiring"


@pytest.mark.parametrize("name", DRAWN)
def test_every_wire_of_the_board_is_in_its_drawing(name: str) -> None:
    board = read_board(name)[0]
    assert board is not None
    drawn = words(draw(board))
    for pin in board.pins:
        assert pin.signal in drawn and destination(pin.signal) in drawn
    for member in "ab":
        for terminal in panel_of(board):
            assert any(f"P1{member}:{terminal.number}" in word for word in drawn), terminal
    assert all(relay + member in drawn for relay in ("K1", "K2") for member in "ab")
    trips = board.pin("peer-trip") is not None
    assert trips is ("K3a" in drawn) is ("K3b" in drawn) and trips is not ("peer-trip: not wired" in drawn)


def test_a_changed_board_is_another_drawing() -> None:
    text = (ROOT / "board" / "rpi4" / "board.toml").read_text(encoding="utf-8")
    before, after = (parse_board("x/board.toml", t)[0] for t in (text, text.replace("hold_ms = 80", "hold_ms = 79")))
    assert before is not None and after is not None and draw(before) != draw(after)


def test_feedback_wires_meet_the_contacts_that_they_tell_of() -> None:
    inside = {terminal.number: terminal for terminal in PANEL}
    assert {signal: inside[number].outside for signal, number in FEEDBACK.items()} == {s: s for s in FEEDBACK}
    assert inside[FEEDBACK["peer-contact"]].inside == "peer's K2 61-62", "so a broken wire claims nothing"
    assert all(destination(signal.name) for signal in SIGNALS)
