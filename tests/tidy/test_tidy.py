"""The rules of the house, run. Each test prints every place with the cure; the functions are in `rules` and `tree`."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from tests.tidy import tree
from tests.tidy.rules import ROOT, SOURCE_RULES, Source, Violation, docstrings, tracked


def sources() -> list[Source]:
    return [Source(name, (ROOT / name).read_text()) for name in tracked(".py")]


def kept(rule: Callable[[Source], Iterator[Violation]], source: Source) -> list[Violation]:
    try:
        return list(rule(source))
    except SyntaxError as error:
        return [source.bad(error.lineno or 1, f"it is no Python: {error.msg}")]


def check_quiet(*command: str) -> None:
    """A checker of its own process ends with 0; else the test fails with all that it printed."""
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.fail(done.stdout + done.stderr, pytrace=False)


def check_none(violations: Iterator[Violation] | list[Violation]) -> None:
    found = [str(v) for v in violations]
    if found:
        pytest.fail(f"{len(found)} to cure:\n" + "\n".join(found), pytrace=False)


@pytest.mark.parametrize("rule", SOURCE_RULES, ids=lambda rule: rule.__name__)
def test_every_python_file_keeps_its(rule: Callable[[Source], Iterator[Violation]]) -> None:
    check_none([violation for source in sources() for violation in kept(rule, source)])


@pytest.mark.parametrize("rule", [tree.machine_paths, tree.layout, tree.unfinished], ids=lambda rule: rule.__name__)
def test_every_file_keeps_its(rule: Callable[[str], Iterator[Violation]]) -> None:
    check_none([violation for name in tracked() for violation in rule(name)])


def test_no_module_is_an_orphan() -> None:
    check_none(tree.orphans())


def test_ruff_finds_nothing() -> None:
    check_quiet(sys.executable, "-m", "ruff", "check", "--quiet", "--output-format=concise", ".")


@pytest.mark.slow
@pytest.mark.parametrize("folder", ["firmware/guardian", "firmware/tandem", "tools", "tests/tidy"])
def test_types_are_strict(folder: str) -> None:
    check_quiet(sys.executable, "-m", "mypy", folder)


def test_no_dead_code() -> None:
    allowed = "tests/tidy/vulture_allow.py"
    check_quiet(sys.executable, "-m", "vulture", "firmware", "tools", allowed, "--min-confidence", "80")


def test_shell_scripts_are_clean() -> None:
    check_quiet(f"{sys.prefix}/bin/shellcheck", ".ci/run", *tracked(".sh"))


BAD = [
    ("firmware/tandem/codec/x.py", "from tandem.node import Node\n", "codec imports tandem.node"),
    ("firmware/tandem/codec/x.py", "import time\n", "sans-IO file imports time"),
    ("firmware/tandem/master/x.py", "from tandem.slave import base\n", "master imports tandem.slave"),
    ("firmware/tandem/master/x.py", "from tandem.port import tcp\n", "only supervisor, heart and manage"),
    ("firmware/tandem/manage/x.py", "import tandem.node\n", "only the supervisor owns a node"),
    ("firmware/tandem/port2.py", "from tools import run\n", "the firmware imports tools"),
    ("firmware/tandem/heart.py", "import time\nx = time.time()\n", "reads the wall clock"),
    ("firmware/tandem/heart.py", "import uuid\nx = uuid.uuid4()\n", "hidden randomness"),
    ("firmware/tandem/x.py", '"""X."""\ndef go():\n    pass\n', "go has no docstring"),
    ("tools/x.py", "# x = compute(1)\n", "commented-out code"),
    ("tools/x.py", "# TO" "DO: later\n", "a promise in a comment"),
    ("tools/x.py", "\n" * 301, "split the file"),
    ("tools/x.py", "def f():\n" + "    x = 1\n" * 70, "f has 71 lines"),
    ("tests/unit/test_x.py", "def test_x():\n    print(1)\n", "asserts nothing"),
]


@pytest.mark.parametrize(("name", "text", "said"), BAD)
def test_a_rule_catches_its_case(name: str, text: str, said: str) -> None:
    source = Source(name, text)
    found = [str(violation) for rule in SOURCE_RULES for violation in rule(source)]
    assert any(said in sentence for sentence in found), found
    assert all(sentence.startswith(f"{name}:") for sentence in found)


def test_a_good_file_has_no_violation() -> None:
    text = '"""A."""\n\n# (value, quality) of the frame, 7.2.6\n\n\ndef go() -> int:\n    """One."""\n    return 1\n'
    assert not [v for rule in SOURCE_RULES for v in rule(Source("firmware/tandem/codec/a.py", text))]
    assert list(docstrings(Source("firmware/tandem/codec/a.py", "x = 1\n")))
