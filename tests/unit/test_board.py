"""Boards as data: every one reads without a fault, and every fault has its sentence, place and cure."""

from __future__ import annotations

import pytest

from tandem.config.board import BOARDS, board_names, parse_board, read_board, way_ms
from tandem.config.load import load
from tandem.config.margins import RelayTimes, WatchdogTimes, margins
from tandem.config.signals import LED_NAMES, SIGNALS
from tandem.manage import check
from tandem.node import Node
from tandem.past import Past
from tandem.port.board import load_board
from tandem.standby.rules import guard_rules
from tests.support.configs import EXAMPLE

PI = (BOARDS / "rpi4" / "board.toml").read_text(encoding="utf-8")
CM4 = (BOARDS / "cm4-dual" / "board.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", board_names())
def test_every_board_is_right(name: str) -> None:
    board, findings = read_board(name)
    assert board is not None and findings == [] and board.name == name
    assert board.relay is not None and board.watchdog is not None
    assert all(margin.spare_ms >= 0 for margin in margins(board.relay, board.watchdog, way_ms(board.uart)))


@pytest.mark.parametrize("name", ["rpi4", "rpi3b", "cm4-dual"])
def test_a_whole_board_has_every_signal(name: str) -> None:
    board = read_board(name)[0]
    assert board is not None
    trips = board.pin("peer-trip") is not None
    assert [p.signal for p in board.pins] == [s.name for s in SIGNALS if trips or s.name != "peer-trip"]
    assert trips is (name == "cm4-dual")
    assert all(pin.pin for pin in board.pins), "each comes out at the header"
    assert len({pin.colour for pin in board.pins}) == len(board.pins) == 8 + trips + len(LED_NAMES)


FAULTS = [
    ("line = 17,", "line = 27,", 'role-coil: line 27 is watchdog-pulse already'),
    ("line = 17,", "line = 14,", "watchdog-pulse: line 14 is serial port crossover already"),
    ("line = 17,", "line = 40,", "line 40 is not on the header raspberry-40"),
    ("terminal = 1,", "terminal = 2,", "role-coil: terminal 2 is watchdog-pulse already"),
    ('colour = "white" ', 'colour = "mauve" ', 'colour = "mauve" is not known'),
    ("watchdog-pulse =", "watchdog-puls =", 'there is no signal watchdog-puls. Did you mean "watchdog-pulse"?'),
    ("own-contact    = {", "# own-contact = {", "relays, and no wire for own-contact"),
    ('guardian = "gpio"', 'guardian = "plc"', 'guardian = "plc" is not known'),
    ('guardian = "gpio"', 'guardian = "uart"', "no [guardian_uart] says where"),
    ("watchdog_ms = 115", "watchdog_ms = 100", "hold 80 + watchdog release 10 + role release 10 + bounce 8 = 108"),
    ("watchdog_ms = 115", "watchdog_ms = 121", "the board's watchdog relay opens after 121 ms"),
    ("hold_ms = 80", "hold_ms = 49", "hold_ms = 49 is below 4 pulses of 10 + kernel tick 10 = 50"),
    ("debounce_ms = 10", "debounce_ms = 10\nclaim_timeout_ms = 150", "claim_timeout_ms = 150 is below"),
    ("debounce_ms = 10", "debounce_ms = 5", "debounce_ms = 5 is below bounce_ms = 8"),
    ("operate_ms = 15 ", 'operate_ms = "15" ', "is not a number"),
    ("format = 1", "format = 2", "format = 2 is newer"),
    ("[gpio]\n", "[gpio]\nchips = 1\n", '[gpio] has no key "chips". Did you mean "chip"?'),
    ('bus1 = { device = "/dev/ttyAMA3",', "bus1 = {", "serial port bus1 has no device"),
    ("[relay]", "[relay", "this is not TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("right", "wrong", "said"), FAULTS, ids=[said for _, _, said in FAULTS])
def test_a_fault_is_named_with_its_place(right: str, wrong: str, said: str) -> None:
    assert right in PI
    board, findings = parse_board("rpi4/board.toml", PI.replace(right, wrong, 1))
    assert board is None
    sentences = [str(finding) for finding in findings]
    assert any(said in sentence for sentence in sentences), sentences
    assert all(sentence.startswith("rpi4/board.toml:") for sentence in sentences)


def test_a_guardian_needs_a_port() -> None:
    board, findings = parse_board("cm4-dual/board.toml", CM4.replace('device = "/dev/ttyAMA3"', "", 1))
    assert board is None and "[guardian_uart] has no device" in str(findings[0])


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (
            "trip_ms = 250 ",
            "trip_ms = 133 ",
            "trip_ms = 133 is below trip operate 15 + release 10 + bounce 8 + debounce",
        ),
        ("trip_ms = 250 ", "", "peer-trip is wired, and [relay] says no trip_ms"),
        ("peer-trip      =", "# peer-trip =", "trip_ms, and no wire for peer-trip"),
    ],
)
def test_a_trip_needs_its_wire_and_its_time(right: str, wrong: str, said: str) -> None:
    board, findings = parse_board("cm4-dual/board.toml", CM4.replace(right, wrong, 1))
    assert board is None and said in str(findings[0])


def test_what_a_trip_leaves_to_spare() -> None:
    relay = RelayTimes(115, 15, 10, 8, 10, trip_ms=250, trip_operate_ms=15)
    assert margins(relay, WatchdogTimes(80, 15, 10))[-1].spare_ms == 116
    assert "116 ms  a tripped peer's contact" in check.as_text(load(EXAMPLE), [], "cm4-dual")


def test_the_margins_are_what_the_times_leave() -> None:
    found = margins(RelayTimes(115, 15, 10, 8, 10), WatchdogTimes(80, 15, 10))
    assert [margin.spare_ms for margin in found] == [7, 5, 30, 0, 2, 90]


def test_a_board_alone(capsys: pytest.CaptureFixture[str]) -> None:
    assert check.run(["--board", "rpi4"]) == 0
    assert "7 ms  the role contact is open within W of the last pulse" in capsys.readouterr().out
    assert check.run([]) == 2 and check.run(["--board", "rpi5"]) == 1
    assert 'Did you mean "rpi' in capsys.readouterr().out


def test_a_board_without_a_lease_does_not_claim_one() -> None:
    board = load_board("rpi4", "a")
    config = load(EXAMPLE)
    rules = guard_rules(config, "a", board.relay, bool(board.pins), board.network)
    assert rules.has_pins and not rules.fenced and rules.lans == len(config.lans)
    node = Node(config, "a", board.relay, Past({}), lambda n: bytes(n), False, 0)
    assert node.rules.fenced, "where nobody says otherwise"
    node.network(board.network)
    assert node.status(0)["fence"] == "relay" and not node.role.lease_fenced
    node.fence(True, "")
    assert node.status(0)["fence"] == "both" and node.role.lease_fenced
