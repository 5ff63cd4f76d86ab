"""The image's build: what it decides before and beside the programs that it calls."""

import json
import os
import zlib
from pathlib import Path

import pytest

from tools.image import board, bundle, ci, disk, host, lock, mirror, rootfs, sbom, tree, wheels
from tools.image.qemu import Plan, words
from tools.image.step import Steps, digest


def test_a_mirror_comes_from_the_environment_or_from_apt(tmp_path: Path) -> None:
    folder = tmp_path / "etc/apt/sources.list.d"
    folder.mkdir(parents=True)
    (folder / "debian.sources").write_text("Types: deb\nURIs: http://here.example/debian/\nSuites: x\n")
    old = "# deb http://no.example/debian x\ndeb [a=b] http://s.example/debian-security x\n"
    (tmp_path / "etc/apt/sources.list").write_text(old)
    assert mirror.find({}, tmp_path) == mirror.Mirror("http://here.example/debian", "http://s.example/debian-security")
    given = {"DEBIAN_MIRROR": "http://mine.example/debian/"}
    assert mirror.find(given, tmp_path).main == "http://mine.example/debian"
    with pytest.raises(mirror.NoMirror, match="set DEBIAN_MIRROR"):
        mirror.find({}, tmp_path / "empty")


def test_no_mirror_stands_in_the_tree() -> None:
    for file in sorted(Path(mirror.__file__).parent.glob("*")):
        if file.is_file():
            assert "debian.org" not in file.read_text(), file


def test_versions_that_the_archive_no_longer_has_are_named() -> None:
    madison = " bash | 5.2 | mirror trixie/main arm64 Packages\n bash | 5.3 | mirror security/main arm64 Packages\n"
    assert lock.gone({"bash": "5.2"}, madison) == []
    assert lock.gone({"bash": "5.1", "dash": "1"}, madison) == [
        "bash is offered as 5.2, 5.3, and the lock says 5.1",
        "dash is offered as nothing, and the lock says 1",
    ]
    assert "--renew" in lock.refusal(["x"])


def test_the_lock_reads_what_it_writes_and_names_differences() -> None:
    written = lock.Lock(5, {"b": "1:2~x", "a": "3"})
    assert lock.parse(written.text()) == written
    assert written.preferences().startswith("Package: a\nPin: version 3\nPin-Priority: 1001\n")
    assert lock.differences({"a": "1", "b": "1", "c": "1"}, {"a": "1", "b": "2", "d": "4"}) == [
        "b is 2, and the lock says 1",
        "c 1 is in the lock and was not installed",
        "d 4 was installed and is not in the lock",
    ]
    with pytest.raises(ValueError, match="line 1: 'nothing'"):
        lock.parse("nothing")


def test_the_trees_lock_is_of_what_is_asked_for() -> None:
    found = lock.read()
    if found is None:
        pytest.skip("debian.lock is written by the first build")
    assert set(rootfs.wanted()) <= found.versions.keys()
    assert found.epoch > 0


def test_a_step_is_done_again_only_when_its_inputs_changed(tmp_path: Path) -> None:
    done: list[str] = []
    out = tmp_path / "out"

    def work() -> None:
        done.append("once")
        out.write_text("made")

    steps = Steps(tmp_path / "steps.json")
    assert steps.do("root", "1", [out], work)
    assert not Steps(tmp_path / "steps.json").do("root", "1", [out], work)
    assert steps.do("root", "2", [out], work)
    out.unlink()
    assert steps.do("root", "2", [out], work)
    assert len(done) == 3


def test_a_step_that_failed_is_done_again(tmp_path: Path) -> None:
    def fails() -> None:
        raise OSError("no")

    steps = Steps(tmp_path / "steps.json")
    steps.do("root", "1", [], lambda: None)
    with pytest.raises(OSError, match="no"):
        steps.do("root", "2", [], fails)
    assert steps.do("root", "1", [], lambda: None), "what stands there is of neither"


def test_a_digest_sees_names_octets_links_and_modes(tmp_path: Path) -> None:
    folder = tmp_path / "tree"
    folder.mkdir()
    seen = {digest(folder)}
    file = folder / "a"
    for change in (
        lambda: file.write_text("1"),
        lambda: file.write_text("2"),
        lambda: file.chmod(0o755),
        lambda: file.rename(folder / "b"),
        lambda: (folder / "c").symlink_to("b"),
        lambda: ((folder / "c").unlink(), (folder / "c").symlink_to("x")),
    ):
        change()
        seen.add(digest(folder))
    assert len(seen) == 7


def test_overlays_are_laid_with_links_and_modes(tmp_path: Path) -> None:
    source, root = tmp_path / "overlay", tmp_path / "root"
    (source / "usr/bin").mkdir(parents=True)
    root.mkdir()
    (root / "usr").mkdir()
    tool = source / "usr/bin/tool"
    tool.write_text("#!/bin/sh\n")
    tool.chmod(0o700)
    (source / "usr/plain").write_text("x")
    (source / "usr/plain").chmod(0o600)
    (source / "usr/off").symlink_to("/dev/null")
    tree.lay(source, root)
    assert (root / "usr/bin/tool").stat().st_mode & 0o777 == 0o755
    assert (root / "usr/plain").stat().st_mode & 0o777 == 0o644
    assert (root / "usr/off").readlink() == Path("/dev/null")


def test_no_file_belongs_to_two_overlays() -> None:
    owner: dict[str, str] = {}
    for overlay in tree.overlays():
        for file in overlay.rglob("*"):
            if not file.is_dir() or file.is_symlink():
                name = str(file.relative_to(overlay))
                assert owner.setdefault(name, overlay.name) == overlay.name, name


@pytest.mark.parametrize("name", board.names())
def test_each_boards_image_is_described(name: str, tmp_path: Path) -> None:
    found = board.read(name)
    described = disk.table(found, tmp_path)
    assert described.count("{") == described.count("}")
    for part in ("firmware", "boot-a", "root-a", "boot-b", "root-b", "data"):
        assert f"partition {part} {{" in described
    assert (found.folder / "config.txt").exists() == bool(found.loader)
    assert all((disk.TREES / f"{name}.dts").exists() for name in found.overlays)
    if found.loader:
        assert f"device_tree={found.tree}" in (found.folder / "config.txt").read_text()
    assert f"[image.rootfs.{name}]" in bundle.manifest(found, "1")


def test_an_unknown_board_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match="qemu-virt"):
        board.read("toaster")


def test_a_filled_file_system_tells_nothing_of_when_its_files_were_read(tmp_path: Path) -> None:
    made = []
    for number in range(2):
        source, out = tmp_path / f"source{number}", tmp_path / f"{number}.ext4"
        (source / "deep").mkdir(parents=True)
        (source / "deep/file").write_text("the same")
        os.utime(source / "deep/file", (1000 * number, 86_400))
        disk.ext4(out, 4, "boot", source, 86_400, tmp_path / "log")
        made.append(out.read_bytes())
    assert made[0] == made[1]


def test_the_boot_loaders_memory_is_checksummed() -> None:
    octets = disk.environment({"BOOT_ORDER": "A B"})
    assert len(octets) == disk.ENV_SIZE
    assert int.from_bytes(octets[:4], "little") == zlib.crc32(octets[4:])
    assert octets[4:].startswith(b"BOOT_ORDER=A B\0\0\xff")


def test_the_wheels_are_of_the_tests_lock() -> None:
    pinned = wheels.pins(wheels.LOCK.read_text())
    assert set(pinned) == set(wheels.NEEDED)
    with pytest.raises(ValueError, match="pyserial"):
        wheels.pins("cffi==1\n")


def test_a_wheel_of_other_octets_is_named(tmp_path: Path) -> None:
    (tmp_path / "a-1-py3-none-any.whl").write_bytes(b"x")
    assert wheels.differences({"a-1-py3-none-any.whl": "0" * 64}, tmp_path) == [
        "a-1-py3-none-any.whl has other octets than wheels.lock says"
    ]


def test_the_bill_names_every_package_and_is_always_the_same() -> None:
    wheel = {"pyserial-3.5-py2.py3-none-any.whl": "ab"}
    text = sbom.document("tandem-x", "1.0", {"udev": "257~1", "dbus": "1"}, wheel, 0)
    assert text == sbom.document("tandem-x", "1.0", {"dbus": "1", "udev": "257~1"}, wheel, 0)
    found = json.loads(text)
    assert found["creationInfo"]["created"] == "1970-01-01T00:00:00Z"
    assert [entry["name"] for entry in found["packages"]] == ["tandem", "dbus", "udev", "pyserial"]
    assert len({entry["SPDXID"] for entry in found["packages"]}) == 4
    assert len(found["relationships"]) == 4


def test_qemu_is_new_enough_or_not() -> None:
    assert host.qemu_version("QEMU emulator version 7.2.15 (Debian)") < host.QEMU_LEAST
    assert host.qemu_version("QEMU emulator version 10.0.2") >= host.QEMU_LEAST
    assert host.qemu_version("?") == (0, 0)


def test_two_machines_never_share_an_address_or_a_socket(tmp_path: Path) -> None:
    lines = [words(Plan(name, tmp_path, Path("i"), Path("l"), mac=mac)) for name, mac in (("a", 1), ("b", 2))]
    unique = [{word for word in line if "path=" in word or "mac=" in word or "unix:" in word} for line in lines]
    assert not unique[0] & unique[1]


@pytest.mark.parametrize(
    ("inputs", "minutes", "cached", "root", "wanted", "why"),
    [
        ([], 90, True, True, False, "nothing that goes into the image changed"),
        (["board/x"], 40, True, True, True, "1 inputs changed"),
        (["board/x"], 40, False, True, False, "takes 60 minutes and 40 are left"),
        (["board/x"], 90, True, False, False, "only root"),
    ],
)
def test_a_merge_boots_the_image_or_says_why_not(
    inputs: list[str], minutes: int, cached: bool, root: bool, wanted: bool, why: str
) -> None:
    found, said = ci.verdict(inputs, minutes, cached, root)
    assert found is wanted
    assert why in said
