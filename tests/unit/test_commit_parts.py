"""The parts of a commit that need no member: pieces on the link, what cannot roll, staging in a state folder."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem import kept as keep
from tandem.codec.link_commit import PIECE_MAX, Piece
from tandem.config.load import parse_group
from tandem.config.model import Config
from tandem.config.pack import PACK_MAX, Pack, unpack
from tandem.config.rollable import cannot_roll
from tandem.kept import Goal, Kept
from tandem.manage.stage import stage
from tandem.past import Past
from tandem.point import MS, SECOND
from tandem.port.board import Board
from tandem.port.disk import StateFolder
from tandem.registry import Registry
from tandem.standby import rolling
from tandem.standby.pieces import WINDOW, Receiver, Sender, digest
from tandem.standby.rolling import Rolling, Sight, Step
from tests.support.configs import EXAMPLE

BOARD = Board("bench", "", {"crossover-a": "", "crossover-b": "", "bus1-a": "", "bus1-b": ""})
FILES = {file.name: file.read_text(encoding="utf-8") for file in EXAMPLE.iterdir() if file.suffix in (".toml", ".csv")}


def config(file: str = "gateway.toml", old: str = "", new: str = "") -> Config:
    """The example group with one change."""
    found, findings = parse_group({**FILES, file: re.sub(old, new, FILES[file], count=1) if old else FILES[file]})
    assert found is not None, findings
    return found


@given(st.integers(1, 5 * PIECE_MAX), st.integers(0, 3))
def test_a_text_arrives_whole_and_little_is_on_its_way(size: int, late: int) -> None:
    text = "x" * (size - 1) + "y"
    sender, receiver = Sender(text), Receiver(size, digest(text))
    queue = sender.pieces()
    while not receiver.whole:
        assert 0 < len(queue) <= WINDOW
        receiver.take(queue.pop(0))
        if len(queue) <= late % WINDOW:
            sender.got(receiver.at)
            queue += sender.pieces()
    assert receiver.text() == text and not queue


def test_pieces_that_do_not_fit_are_refused_with_a_sentence() -> None:
    with pytest.raises(ValueError, match="at most"):
        Receiver(PACK_MAX + 1, "")
    receiver = Receiver(4, digest("abcd"))
    for wrong in (Piece(1, b"a"), Piece(0, b""), Piece(0, b"abcde")):
        with pytest.raises(ValueError, match="a piece at"):
            receiver.take(wrong)
    receiver.take(Piece(0, b"abcx"))
    with pytest.raises(ValueError, match="damaged on its way"):
        receiver.text()


TOGETHER = [
    ("dead_after_ms = 120", "dead_after_ms = 140", "dead_after_ms is 120 and becomes 140"),
    ("heartbeat_ms = 20", "heartbeat_ms = 15", "heartbeat_ms"),
    ('name = "cedar-creek"', 'name = "oak"', "the group cedar-creek becomes oak"),
    (r"127\.20\.1\.12/24", "127.20.1.13/24", "own addresses"),
    ("baud = 115200", "baud = 230400", "serial.crossover"),
]


@pytest.mark.parametrize(("old", "new", "says"), TOGETHER)
def test_what_both_must_change_at_once_cannot_roll(old: str, new: str, says: str) -> None:
    (sentence,) = cannot_roll(config(), config("gateway.toml", old, new))
    assert says in sentence and "stop both members" in sentence


def test_a_name_keeps_its_kind() -> None:
    assert cannot_roll(config(), config()) == []
    other = dict(FILES)
    other["scada.csv"] = FILES["scada.csv"].replace("F1.earth_switch,M_SP_TB_1", "F1.earth_switch,M_DP_TB_1")
    other["feeder-relay.csv"] = FILES["feeder-relay.csv"].replace(
        "earth_switch,binary,discrete:2", "earth_switch,double,discrete:2+3"
    )
    found, findings = parse_group(other)
    assert found is not None, findings
    sentences = cannot_roll(config(), found)
    assert any("F1.earth_switch was binary and becomes double" in one and "another name" in one for one in sentences)


def test_rows_addresses_and_centers_roll() -> None:
    assert not cannot_roll(config(), config("scada.csv", "F1.breaker,M_DP_TB_1,1001", "F1.breaker,M_DP_TB_1,1009"))
    assert not cannot_roll(config(), config("gateway.toml", "tcp_port = 2404", "tcp_port = 2405"))


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    """The state folder of a member that runs the example."""
    state = StateFolder(str(tmp_path / "state"))
    name = config().digest
    state.write(keep.pack_file(name), pack(FILES))
    state.write(keep.FILE, Kept(running=name).to_json())
    state.write(Past.REGISTRY, Registry({"retired": 7}).to_json())
    return state


def pack(files: dict[str, str], registry: str = "") -> str:
    return Pack({name: text.encode() for name, text in files.items()}, registry).text()


def inserted() -> dict[str, str]:
    """The example with a row before all others."""
    header, _, rows = FILES["m1.csv"].partition("\n")
    first = rows.partition("\n")[0].split(",")
    row = ",".join(["inserted", "binary", "discrete:40", *[""] * (len(first) - 3)])
    return {**FILES, "m1.csv": f"{header}\n{row}\n{rows}"}


def test_staging_gives_new_points_ids_and_keeps_the_old_ones(state: StateFolder) -> None:
    answer = stage(state, BOARD, pack(inserted()), False)
    registry = Registry.from_json(state.read(Past.REGISTRY))
    assert "1 of them new, 0 gone" in str(answer["about"]) and registry.id("retired") == 7
    staged = unpack(state.read(keep.pack_file(str(answer["id"]))))
    assert Registry.from_json(staged.registry).to_json() == registry.to_json()
    other = StateFolder(str(state.path / "peer"))
    for name in (keep.FILE, keep.pack_file(config().digest)):
        other.write(name, state.read(name))
    there = stage(other, BOARD, staged.text(), True)
    assert there == answer, "both members give every point the same id"
    assert Registry.from_json(other.read(Past.REGISTRY)).to_json() == registry.to_json()


def test_staging_refuses_with_the_first_faults(state: StateFolder) -> None:
    with pytest.raises(ValueError, match=r"m1\.csv"):
        stage(state, BOARD, pack({**FILES, "m1.csv": "name,kind\n"}), False)
    both = {**FILES, "gateway.toml": FILES["gateway.toml"].replace("dead_after_ms = 120", "dead_after_ms = 140")}
    assert "both members must do that" in str(stage(state, BOARD, pack(both), False)["why"])
    assert [file.name for file in state.path.glob("*.pack")] == [keep.pack_file(config().digest)]
    with pytest.raises(ValueError, match="damaged"):
        stage(state, BOARD, "nonsense", False)


GOAL = Goal("u", "rolling", "new", "old")


def test_time_limits_of_a_roll_begin_anew_with_each_decider() -> None:
    machine = Rolling()
    away = Sight("old", "", 0, False, "")
    assert machine.look(GOAL, away, 0) is Step.WAIT
    machine.rest()
    assert machine.look(GOAL, away, rolling.ACTIVATE_NS + 1) is Step.WAIT, "another member decided meanwhile"
    assert machine.look(GOAL, away, 2 * rolling.ACTIVATE_NS + 2) is Step.GIVE_UP
    assert "did not come back" in machine.why


def test_a_switchover_is_ordered_again_and_not_for_ever() -> None:
    machine = Rolling()
    ready = Sight("old", "new", 1, True, "")
    steps = [machine.look(GOAL, ready, now * 100 * MS) for now in range(400)]
    assert steps[0] is Step.SWITCH and steps[1:10] == [Step.WAIT] * 9 and steps[10] is Step.SWITCH
    assert Step.GIVE_UP in steps and steps.index(Step.GIVE_UP) * 100 * MS > rolling.SWITCHOVER_NS


def test_the_second_member_waits_until_the_first_serves_well() -> None:
    machine = Rolling()
    well, unwell = Sight("new", "old", 1, True, ""), Sight("new", "old", 1, True, "a door is shut")
    assert machine.look(GOAL, well, 0) is Step.WAIT
    assert machine.look(GOAL, unwell, SECOND) is Step.WAIT
    assert machine.look(GOAL, well, 2 * SECOND) is Step.WAIT, "it begins anew"
    assert machine.look(GOAL, well, 4 * SECOND) is Step.ACTIVATE
    machine = Rolling()
    machine.look(GOAL, unwell, 0)
    assert machine.look(GOAL, unwell, rolling.HEALTHY_MOST_NS + 1) is Step.GIVE_UP
