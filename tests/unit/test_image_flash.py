"""Writing a card: the guards against the wrong disk, and that what was written is what is read."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tools.image import flash
from tools.image.run import Failed

MIB = 1 << 20


def card(**changes: Any) -> dict[str, Any]:
    usual = {"name": "sdb", "size": 8 << 30, "type": "disk", "mountpoints": [None]}
    return {**usual, "rm": True, "ro": False, "tran": "usb", **changes}


def test_an_empty_card_is_written() -> None:
    assert flash.refusals(card(), {"/dev/sda1"}, 900 * MIB) == []
    assert flash.refusals(card(name="mmcblk0", rm=False, tran=None), set(), 900 * MIB) == []


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"type": "part"}, "is a part, not a whole disk"),
        ({"children": [{"name": "sdb1", "mountpoints": ["/media/stick"]}]}, "in use at /media/stick"),
        ({"children": [{"name": "sda1", "mountpoints": []}]}, "is what this computer runs from"),
        ({"rm": False, "tran": "nvme"}, "but built in"),
        ({"ro": True}, "write-protected"),
        ({"size": 100 * MIB}, "has 100 MiB, and the image needs 900"),
        ({"size": 4000 << 30}, "more than any card"),
    ],
)
def test_a_wrong_disk_is_refused_with_its_reason(changes: dict[str, Any], why: str) -> None:
    found = flash.refusals(card(**changes), {"/dev/sda1"}, 900 * MIB)
    assert any(why in sentence for sentence in found), found


def test_a_file_is_no_disk(tmp_path: Path) -> None:
    with pytest.raises(Failed, match="is no disk"):
        flash.describe(tmp_path)


def test_what_is_written_is_read_back(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if not shutil.which("zstd"):
        pytest.skip("zstd is not installed")
    image, target = tmp_path / "x.img", tmp_path / "card"
    image.write_bytes(bytes(range(256)) * 40_000)
    subprocess.run(["zstd", "-q", image], check=True)
    packed = tmp_path / "x.img.zst"
    total = flash.size_of(packed)
    assert total == image.stat().st_size
    assert flash.write(packed, target, total) == flash.read_back(target, total)
    assert "verified 100 %" in capsys.readouterr().err
    with target.open("r+b") as octets:
        octets.seek(5)
        octets.write(b"!")
    assert flash.read_back(target, total) != flash.write(packed, tmp_path / "other", total)
    packed.write_bytes(packed.read_bytes()[:-9])
    with pytest.raises(Failed, match="cut short"):
        flash.write(packed, target, total)
