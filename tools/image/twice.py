"""A second build of the same, from nothing: either it has the same octets, or what differs is named."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tools.image import build
from tools.image.board import Board
from tools.image.run import answer, say
from tools.image.step import hash_file

FILES_NAMED = 40
PARTS = ("rootfs.img", "boot.img", "firmware.fat", "data.ext4")
"""What the disk is made of; the bundle holds the first two."""


def compared(board: Board, release: bool) -> list[str]:
    """Build `board` again in a folder of its own, compare with the build at hand; what differs, in sentences."""
    first, began = build.Work.of(board, release, renew=False), time.monotonic()
    before = hashes(first)
    say(f"{board.name} once more, from nothing")
    with _second(first.folder) as folder:
        build.image(board, release, renew=False)
        second = build.Work.of(board, release, renew=False)
        found = differences(before, hashes(second))
        for name in PARTS:
            if name in found:
                found[name] += _inside(first.parts / name, second.parts / name, folder)
        if found and set(found) <= {_bundle(first)}:
            found[_bundle(first)] += ": its images are the same, its signature and its verity salt are new each time"
    say(f"built twice in {time.monotonic() - began:.0f} s: " + ("; ".join(found.values()) or "every octet is the same"))
    return [text for name, text in found.items() if name != _bundle(first)]


def _bundle(work: build.Work) -> str:
    return f"tandem-{work.board.name}-{work.version}.raucb"


def hashes(work: build.Work) -> dict[str, str]:
    """SHA-256 of every part and every result of a build, by name."""
    name = f"tandem-{work.board.name}-{work.version}"
    results = [work.out / f"{name}.{end}" for end in ("img.zst", "raucb", "spdx.json", "inputs.json")]
    return {file.name: hash_file(file) for file in [*(work.parts / part for part in PARTS), *results]}


def differences(first: dict[str, str], second: dict[str, str]) -> dict[str, str]:
    """Names whose octets are not the same, each with a sentence."""
    return {name: f"{name} differs" for name, octets in first.items() if second.get(name) != octets}


@contextmanager
def _second(folder: Path) -> Iterator[Path]:
    """While inside, builds work in a folder of their own, with the keys of the first."""
    again = folder.with_name(folder.name + ".twice")
    shutil.rmtree(again, ignore_errors=True)
    again.mkdir()
    if (folder / "keys").exists():
        shutil.copytree(folder / "keys", again / "keys")
    before = os.environ.get("TANDEM_IMAGE_CACHE")
    os.environ["TANDEM_IMAGE_CACHE"] = str(again)
    try:
        yield again
    finally:
        if before is None:
            del os.environ["TANDEM_IMAGE_CACHE"]
        else:
            os.environ["TANDEM_IMAGE_CACHE"] = before
        shutil.rmtree(again, ignore_errors=True)


def _inside(first: Path, second: Path, folder: Path) -> str:
    """The files in which two packed roots differ; of other parts the first octet that does."""
    if first.name != "rootfs.img":
        done = subprocess.run(["cmp", first, second], capture_output=True, text=True, check=False)
        return f" ({done.stdout.strip().rpartition(': ')[2] or 'in length'})"
    trees = [folder / "first", folder / "second"]
    for image, tree in zip((first, second), trees, strict=True):
        answer(["unsquashfs", "-quiet", "-no-progress", "-d", tree, image])
    named = [f"{name} ({what})" for name, what in tree_differences(*trees)]
    more = f" and {len(named) - FILES_NAMED} more" if len(named) > FILES_NAMED else ""
    return " in " + (", ".join(named[:FILES_NAMED]) + more if named else "its order, times or padding alone")


def tree_differences(first: Path, second: Path) -> list[tuple[str, str]]:
    """(path, what differs) of two trees: missing, kind, mode, owner, time or contents."""
    seen = [{file.relative_to(tree): file for file in tree.rglob("*")} for tree in (first, second)]
    found = []
    for name in sorted(seen[0].keys() | seen[1].keys()):
        if what := _differs(seen[0].get(name), seen[1].get(name)):
            found.append((f"/{name}", what))
    return found


def _differs(one: Path | None, other: Path | None) -> str:
    if one is None or other is None:
        return "missing"
    a, b = one.lstat(), other.lstat()
    if a.st_mode != b.st_mode or (a.st_uid, a.st_gid) != (b.st_uid, b.st_gid):
        return "mode or owner"
    if one.is_symlink():
        return "" if os.readlink(one) == os.readlink(other) else "target"
    if one.is_file() and (a.st_size != b.st_size or hash_file(one) != hash_file(other)):
        return "contents"
    return "" if a.st_mtime_ns == b.st_mtime_ns else "time"
