"""Which configuration a start runs; and the state folder after a power cut at any moment."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from tandem import kept as keep
from tandem.config.finding import ConfigError
from tandem.config.load import load, parse_octets
from tandem.config.pack import Pack, unpack
from tandem.kept import Goal, Kept
from tandem.manage.choose import choose, is_on_trial
from tandem.port.disk import StateFolder
from tests.support.configs import EXAMPLE

PORTS = frozenset(("crossover-a", "crossover-b", "bus1-a", "bus1-b"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "config"
    target.mkdir()
    for file in EXAMPLE.iterdir():
        (target / file.name).write_bytes(file.read_bytes())
    return target


@pytest.fixture
def state(tmp_path: Path) -> StateFolder:
    return StateFolder(str(tmp_path / "state"))


def start(folder: Path, state: StateFolder) -> str:
    """The digest of what a start runs."""
    return choose(str(folder), state, None, PORTS).digest


def kept(state: StateFolder) -> Kept:
    return keep.read(state.read(keep.FILE))


def rename(folder: Path, name: str) -> None:
    """Change the folder: its first device has another name."""
    for file in ("gateway.toml", "scada.csv"):
        text = (folder / file).read_text(encoding="utf-8")
        (folder / file).write_text(text.replace('"F1"', f'"{name}"').replace("F1.", f"{name}."), encoding="utf-8")


def commit(folder: Path, state: StateFolder) -> str:
    """As an activation does it: the pack first, then the one file that says what runs."""
    files = {file.name: file.read_bytes() for file in folder.iterdir() if file.suffix in (".toml", ".csv")}
    config, _ = parse_octets(files)
    assert config is not None
    assert not state.write(keep.pack_file(config.digest), Pack(files).text())
    assert not state.write(keep.FILE, kept(state).activate(config.digest).to_json())
    return config.digest


def test_a_first_start_runs_the_folder_and_keeps_it(folder: Path, state: StateFolder) -> None:
    digest = start(folder, state)
    assert digest == load(str(folder)).digest == kept(state).running
    again = parse_octets(unpack(state.read(keep.pack_file(digest))).files)[0]
    assert again is not None and again.digest == digest
    assert not is_on_trial(state)


def test_an_activated_configuration_runs_not_the_folder(folder: Path, state: StateFolder, tmp_path: Path) -> None:
    first = start(folder, state)
    other = tmp_path / "other"
    folder.rename(other)
    folder.mkdir()
    for file in other.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    rename(other, "G1")
    second = commit(other, state)
    assert is_on_trial(state)
    assert start(folder, state) == second != first
    assert not state.write(keep.FILE, replace(kept(state), trial=0).to_json())
    assert start(folder, state) == second, "the folder holds what it did when it was activated"
    rename(folder, "H1")
    third = start(folder, state)
    assert third == load(str(folder)).digest not in (first, second), "a folder that was changed since is newer"
    assert kept(state).previous == second and kept(state).trial == 0


def test_a_commit_of_the_changed_folder_itself_stays(folder: Path, state: StateFolder) -> None:
    first = start(folder, state)
    rename(folder, "G1")
    second = commit(folder, state)
    assert start(folder, state) == second
    assert not state.write(keep.FILE, kept(state).activate(first).to_json())
    assert start(folder, state) == first, "after a rollback the folder is not newer either"
    assert not state.write(keep.FILE, replace(kept(state), trial=0).to_json())
    assert start(folder, state) == first


def test_a_trial_that_never_proves_itself_is_given_up(folder: Path, state: StateFolder) -> None:
    first = start(folder, state)
    rename(folder, "G1")
    second = commit(folder, state)
    assert [start(folder, state) for _ in range(keep.TRIAL_STARTS)] == [second] * keep.TRIAL_STARTS
    assert start(folder, state) == first
    assert "never healthy" in kept(state).why and not is_on_trial(state)
    assert start(folder, state) == first


def test_a_trial_whose_files_are_damaged_is_given_up_at_once(folder: Path, state: StateFolder) -> None:
    first = start(folder, state)
    rename(folder, "G1")
    second = commit(folder, state)
    (state.path / keep.pack_file(second)).write_text("AAAA")
    assert start(folder, state) == first and kept(state).why


def test_a_wrong_folder_runs_the_last_good_one_and_a_first_start_refuses(folder: Path, state: StateFolder) -> None:
    first = start(folder, state)
    (folder / "gateway.toml").write_text("[group]\n")
    assert start(folder, state) == first
    with pytest.raises(ConfigError):
        choose(str(folder), StateFolder(str(state.path / "fresh")), None, PORTS)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"running": 1}', "\x00"])
def test_a_damaged_record_falls_back_to_the_folder(folder: Path, state: StateFolder, text: str) -> None:
    first = start(folder, state)
    (state.path / keep.FILE).write_text(text)
    assert start(folder, state) == first


def test_packs_nobody_names_are_removed(folder: Path, state: StateFolder) -> None:
    start(folder, state)
    state.write(keep.pack_file("f" * 64), "x")
    start(folder, state)
    assert [file.name for file in state.path.glob("*.pack")] == [keep.pack_file(kept(state).running)]


class PowerCutError(Exception):
    """The power goes."""


@pytest.mark.parametrize("call", ["open", "fsync", "replace", "write"])
@pytest.mark.parametrize("at", range(4))
def test_a_power_cut_anywhere_leaves_the_old_or_the_new(
    folder: Path, state: StateFolder, monkeypatch: pytest.MonkeyPatch, call: str, at: int
) -> None:
    """Cut in front of each system call of an activation (both files), then start: one of the two, whole."""
    first = start(folder, state)
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    rename(folder, "G1")
    second = load(str(folder)).digest
    count = -1

    def cut(real: object) -> object:
        def wrapped(*arguments: object, **more: object) -> object:
            nonlocal count
            if state.path in map(Path, (str(a) for a in arguments)) or call != "open":
                count += 1
            if count == at:
                raise PowerCutError
            return real(*arguments, **more)  # type: ignore[operator]

        return wrapped

    place: object = {"open": os, "fsync": os, "replace": Path, "write": StateFolder}[call]
    with monkeypatch.context() as patch:
        patch.setattr(place, call, cut(getattr(place, call)))
        try:
            commit(folder, state)
        except PowerCutError:
            pass
    for name, octets in before.items():
        (folder / name).write_bytes(octets)
    assert start(folder, state) in (first, second)
    assert start(folder, state) in (first, second)


def test_what_is_kept_survives_its_own_form() -> None:
    goal = Goal("1f", "rolling", "b" * 64, "a" * 64).step(5, "a", "staged").step(6, "b", "activated", "done")
    one = Kept("a" * 64, "b" * 64, "c" * 64, 2, "why", {"a" * 64: "00ff"}, goal)
    assert keep.read(one.to_json()) == one
    assert keep.read(Kept().to_json()) == Kept()
    for _ in range(2 * keep.STEPS_MAX):
        goal = goal.step(7, "a", "again")
    assert len(goal.steps) == keep.STEPS_MAX


@pytest.mark.parametrize("text", ["", "AAAA", "!", "x" * 100, "e30=", json.dumps({"pack": 1})])
def test_a_damaged_pack_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack(text)


@pytest.mark.parametrize("name", ["../x.toml", "", ".hidden", "a/b.csv"])
def test_a_pack_names_no_other_folder(name: str) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack(Pack({name: b"x"}).text())
