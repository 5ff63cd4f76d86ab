"""The state folder on a real file system: whole files or none, and a sentence for every fault."""

from __future__ import annotations

from pathlib import Path

from tandem.action import Persist
from tandem.past import Unsaved
from tandem.point import SECOND
from tandem.port.disk import StateFolder


def test_what_was_written_is_read(tmp_path: Path) -> None:
    folder = StateFolder(str(tmp_path / "deep" / "state"))
    assert folder.read("standing.json") == ""
    assert folder.write("standing.json", "one") == ""
    assert folder.write("standing.json", "two") == ""
    assert folder.read("standing.json") == "two"
    assert [file.name for file in folder.path.iterdir()] == ["standing.json"]
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_a_full_disk_is_a_sentence_and_the_old_file_stays(tmp_path: Path) -> None:
    """/dev/full takes the place of the fresh file: the kernel says ENOSPC, to root too."""
    folder = StateFolder(str(tmp_path))
    assert folder.write("standing.json", "old") == ""
    (tmp_path / ".standing.json.new").symlink_to("/dev/full")
    assert folder.write("standing.json", "new") == f"{tmp_path}/standing.json: No space left on device"
    assert folder.read("standing.json") == "old"
    assert folder.write("standing.json", "new") == ""
    assert folder.read("standing.json") == "new"


def test_what_was_not_written_is_tried_again(tmp_path: Path) -> None:
    unsaved = Unsaved()
    registry, first = Persist("registry.json", "{}"), Persist("standing.json", "1")
    second = Persist("standing.json", "2")
    assert unsaved.written(first, "", 0) == ""
    assert "No space left; it is tried again" in unsaved.written(first, "standing.json: No space left", 0)
    assert unsaved.written(second, "standing.json: No space left", 0) == "", "said once"
    assert unsaved.written(registry, "", 0) == "", "another file is no news about this one"
    assert unsaved.fault
    assert unsaved.again(4 * SECOND) == []
    assert unsaved.again(5 * SECOND) == [second], "the newest text, once"
    assert unsaved.again(6 * SECOND) == []
    assert unsaved.written(second, "", 6 * SECOND) == "the state folder takes writes again"
    assert unsaved.fault == "" and unsaved.again(20 * SECOND) == []
