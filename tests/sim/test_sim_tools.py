"""What stands around the stories: the kill matrix, the walk, shrinking, the time line, the picture, the prompt."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tandem.standby import role_sense
from tandem.standby.role_table import Input
from tools.sim import matrix, prove
from tools.sim.draw import picture
from tools.sim.fault import Fault
from tools.sim.group import EXAMPLE
from tools.sim.mutants import MUTANTS
from tools.sim.plan import Taste
from tools.sim.play import Play
from tools.sim.shrink import same_way, shrink
from tools.sim.story import tell
from tools.sim.tale import Tale, told
from tools.sim.walk import Walk

_SHARES = 15
_FIRMWARE = Path(__file__).resolve().parents[2] / "firmware" / "tandem"
_FAULTS = (Fault(0, "burst", "a", 0), Fault(10, "between", "b", 900), Fault(20, "clock", "a", 0))


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda m: m.name)
def test_a_mutant_s_texts_stand_in_the_product_once(mutant: matrix.Mutant) -> None:
    assert [(_FIRMWARE / name).read_text(encoding="utf-8").count(old) for name, old, _ in mutant.edits] == [
        1 for _ in mutant.edits
    ]


def test_a_share_of_the_mutants_is_killed_and_every_run_takes_another() -> None:
    number = int(os.environ.get("TANDEM_SHARE") or time.time() // 3600)
    kills = list(matrix.run(matrix.share(number, _SHARES), 1))
    assert kills and all(kill.seeds for kill in kills), [(k.mutant.name, k.said) for k in kills if not k.seeds]


def test_the_shares_make_the_whole() -> None:
    every = [m.name for number in range(_SHARES) for m in matrix.share(number, _SHARES)]
    assert sorted(every) == sorted(m.name for m in MUTANTS) and len(set(every)) == len(every) > 23


def test_a_mutant_that_survives_is_said() -> None:
    harmless = MUTANTS[0]._replace(name="nothing at all", edits=(), within=1, taste=Taste(1, 1, ("burst",)))
    assert matrix.hunt(harmless).seeds == 0
    assert "has its text 0 times" in matrix.hunt(harmless._replace(edits=(("node.py", "no such text", ""),))).said


@pytest.mark.parametrize("relays", [False, True])
@pytest.mark.parametrize("active", ["a", "b"])
def test_every_way_of_two_steps_has_one_owner(active: str, relays: bool) -> None:
    walk = Walk(active, relays, 2, ends=12)  # type: ignore[arg-type]
    assert list(walk.run())[-1] > 40
    assert not walk.found, walk.found[:3]


def test_the_walk_finds_a_way_to_two_owners(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(role_sense.SENSES, Input.DISOWNED, lambda m: "")
    walk = Walk("a", False, 3, ends=0)
    for _ in walk.run():
        pass
    assert any(found.what == "both own the service" for found in walk.found)


def test_a_story_is_shrunk_to_what_matters(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(role_sense.SENSES, Input.FENCED, lambda m: "planted")
    _, fault = tell(5, _FAULTS)
    short = shrink(_FAULTS, same_way(5, "relays", str(EXAMPLE), fault))
    assert fault.startswith("I1") and [each.kind for each in short] == ["between"]


def test_a_story_is_told_and_drawn() -> None:
    tales: list[Tale] = []
    story, fault = tell(5, (Fault(100, "kill-all", "a", 600),), listen=lambda s: tales.append(Tale(s)))
    text, drawing = told(story, tales[0]), picture(tales[0], "seed 5 <of> all")
    assert not fault
    for words in ("kill-all of a", "group address is at b", "north is served by b", "does not hear a", "lease of a is"):
        assert words in text, words
    assert drawing.startswith("<svg") and "&lt;of&gt;" in drawing and "role of b: active" in drawing


def test_a_listener_changes_nothing() -> None:
    plan = (Fault(100, "kill-all", "a", 600),)
    hashes = [tell(5, plan, listen=listen)[0].world.digest for listen in (lambda s: None, Tale)]
    assert hashes[0] == hashes[1]


def test_the_prompt_cuts_and_heals() -> None:
    said: list[str] = []
    lines = ["nonsense", "freeze a", "step 400", "status", "heal", "step 1500", "status", "cut control b", "quit"]
    assert Play(5, "relays", EXAMPLE, said.append).run(lines) == 0
    states = [line for line in said if line.startswith("-- ")]
    assert "a: active, frozen" in states[0] and "b: active" in states[1] and "a: standby, in sync" in states[-2]


def test_the_ledger_goes_on_where_it_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text('{"commit": "x", "seeds": [5, 9], "stories": 5, "faults": 30, "takeovers": 4, '
                      '"simulated_hours": 0.1, "broken": []}\n{"torn', encoding="utf-8")  # fmt: skip
    monkeypatch.setattr(prove, "_PIECE_S", 1.0)
    argv = ["--hours", "0.0006", "--jobs", "1", "--ledger", str(ledger), "--stories-only"]
    assert prove.main(argv) == 0
    lines = prove.read(ledger)
    began = [line["seeds"][0] for line in lines[1:]]
    assert began and began == [line["seeds"][1] + 1 for line in lines[:-1]]
    assert all(line["stories"] >= 1 for line in lines) and "stories" in prove.summary(lines)
