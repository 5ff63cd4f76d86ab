"""The archive on a real file system: files, torn tails, a full disk, and the verb that reads it all."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tandem.__main__ import main
from tandem.action import Store
from tandem.archive import index
from tandem.archive.block import SIZE, Kind, pack
from tandem.archive.reading import last_place
from tandem.archive.recorder import Place
from tandem.port.logs import LogFolder, files_of
from tests.support.archive_rig import ArchiveRig


def _block(head: int, octets: int = 64) -> bytes:
    return pack(Kind.EVENTS, bytes(octets - SIZE), 2, head - 1, head)


def _state(tmp_path: Path) -> Path:
    """A state folder with an archive: three events, a restart, two more."""
    rig = ArchiveRig()
    for again in (False, True):
        for _ in range(2 if again else 3):
            rig.event()
        rig.settle()
        if not again:
            rig.boot()
    (tmp_path / "archive").mkdir()
    for at, octets in enumerate(rig.files):
        (tmp_path / "archive" / f"{at + 1:08}.seg").write_bytes(octets)
    return tmp_path


def test_a_torn_tail_is_cut_and_the_next_process_begins_a_file(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log = LogFolder(tmp_path / "archive", gives_way=True)
    assert log.append(Store("archive", _block(1), begin=True)) == ""
    assert log.append(Store("archive", _block(2))) == ""
    (file,) = files_of(tmp_path / "archive")
    file.write_bytes(file.read_bytes() + _block(3)[:50])
    log = LogFolder(tmp_path / "archive", gives_way=True)
    log.mend()
    assert "its last 50 octets were torn" in caplog.text
    assert file.read_bytes() == _block(1) + _block(2)
    assert last_place(log.newest_first()) == Place(2, 2)
    assert log.append(Store("archive", _block(3))) == ""
    assert [f.name for f in files_of(tmp_path / "archive")] == ["00000001.seg", "00000002.seg"]
    assert last_place(log.newest_first()) == Place(2, 3)


def test_the_oldest_files_go(tmp_path: Path) -> None:
    log = LogFolder(tmp_path / "archive", gives_way=True)
    for head in range(1, 6):
        assert log.append(Store("archive", _block(head, 1000), begin=True, keep_octets=2500)) == ""
    assert [file.name for file in files_of(tmp_path / "archive")] == [f"{n:08}.seg" for n in (3, 4, 5)]


def test_each_file_that_is_full_has_its_index_and_loses_it_with_itself(tmp_path: Path) -> None:
    log = LogFolder(tmp_path / "archive", True, index.build)
    for head in range(1, 5):
        assert log.append(Store("archive", _block(head, 1000), begin=True, keep_octets=2500)) == ""
    assert sorted(f.name for f in (tmp_path / "archive").iterdir()) == [
        "00000002.idx", "00000002.seg", "00000003.idx", "00000003.seg", "00000004.seg",
    ]  # fmt: skip
    again = LogFolder(tmp_path / "archive", True, index.build)
    again.mend()
    assert again.append(Store("archive", _block(5))) == ""
    assert (tmp_path / "archive" / "00000004.idx").exists(), "of the former process' file too"


def test_a_query_by_time_reads_no_file_that_its_index_rules_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    state = _state(tmp_path)
    first = state / "archive" / "00000001.seg"
    first.with_suffix(".idx").write_bytes(index.build(first.read_bytes()))
    read: list[str] = []
    opened = Path.open
    monkeypatch.setattr(Path, "open", lambda self, *how, **more: read.append(self.name) or opened(self, *how, **more))
    assert main(["archive", "--state", str(state), "--json", "--from", "1970-01-01T00:00:00.004"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["value"] for row in found] == ["", 4.0, 5.0], "its gaps are told all the same"
    assert first.name not in read
    assert main(["archive", "--state", str(state), "--json", "--to", "1970-01-01T00:00:00.002"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(row["value"], row["point"]) for row in found] == [(1.0, "F1.s2"), ("", "")]
    assert first.name in read


def test_a_full_disk_is_a_sentence_and_takes_the_oldest_file(tmp_path: Path) -> None:
    """/dev/full takes the place of the file that is written to: the kernel says ENOSPC, to root too."""
    log = LogFolder(tmp_path / "archive", gives_way=True)
    for head in (1, 2):
        log.append(Store("archive", _block(head), begin=True))
    with open("/dev/full", "wb") as full:
        log._file, kept = full.fileno(), log._file
        assert log.append(Store("archive", _block(3))) == f"{tmp_path}/archive: No space left on device"
        full.close = lambda: None  # type: ignore[method-assign]
    assert kept > 0
    assert [file.name for file in files_of(tmp_path / "archive")] == ["00000002.seg"]
    assert log.append(Store("archive", _block(3), begin=True)) == ""
    assert last_place(log.newest_first()) == Place(2, 3)


def test_events_by_time_and_point_as_csv(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = str(_state(tmp_path))
    assert main(["archive", "--state", state, "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert [row["value"] for row in rows] == ["1.0", "2.0", "3.0", "", "4.0", "5.0"]
    assert rows[0]["time"] == "1970-01-01 00:00:00.001" and rows[0]["point"] == "F1.s2" and rows[0]["epoch"] == "2"
    assert rows[3]["mark"] == "gap (restart): after 3"
    asked = ["--from", "1970-01-01T00:00:00.002", "--to", "1970-01-01 00:00:00.004", "--point", "F1.s*"]
    assert main(["archive", "--state", state, "--json", *asked]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["value"] for row in found] == [2.0, 3.0, ""]
    assert main(["archive", "--state", state, "--point", "F1.s1"]) == 0
    text = capsys.readouterr().out
    assert "F1.s1" in text and "F1.s2" not in text and "-- gap (restart)" in text


def test_what_cannot_be_read_is_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["archive", "--state", str(tmp_path)]) == 1
    assert "holds no archive; name a member's state folder" in capsys.readouterr().err
    assert main(["archive", "--state", str(tmp_path), "--from", "yesterday"]) == 2
    assert "write it as 2026-05-01" in capsys.readouterr().err
