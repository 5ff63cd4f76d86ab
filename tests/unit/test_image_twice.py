"""What differs between two builds is found and named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools.image.twice import differences, tree_differences


def _tree(root: Path) -> Path:
    (root / "etc").mkdir(parents=True)
    (root / "etc/hosts").write_text("a")
    (root / "link").symlink_to("etc/hosts")
    for path in (root / "etc/hosts", root / "etc"):
        os.utime(path, (1, 1))
    return root


def test_the_same_trees_differ_in_nothing(tmp_path: Path) -> None:
    trees = [_tree(tmp_path / name) for name in "ab"]
    os.utime(trees[1] / "link", ns=(5, trees[0].joinpath("link").lstat().st_mtime_ns), follow_symlinks=False)
    assert tree_differences(*trees) == []


@pytest.mark.parametrize(
    ("change", "path", "what"),
    [
        (lambda root: (root / "more").write_text(""), "/more", "missing"),
        (lambda root: (root / "etc/hosts").chmod(0o600), "/etc/hosts", "mode or owner"),
        (lambda root: (root / "etc/hosts").write_text("b"), "/etc/hosts", "contents"),
        (lambda root: os.utime(root / "etc/hosts", (2, 2)), "/etc/hosts", "time"),
        (lambda root: ((root / "link").unlink(), (root / "link").symlink_to("x")), "/link", "target"),
    ],
)
def test_what_differs_is_named(tmp_path: Path, change, path: str, what: str) -> None:  # type: ignore[no-untyped-def]
    first, second = _tree(tmp_path / "a"), _tree(tmp_path / "b")
    change(second)
    assert (path, what) in tree_differences(first, second)


def test_results_are_compared_by_name() -> None:
    assert differences({"x": "1", "y": "2"}, {"x": "1", "y": "3"}) == {"y": "y differs"}
