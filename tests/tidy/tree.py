"""Rules over the whole tree: what a file may hold whatever its language, and what may lie where."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from tests.tidy.rules import BINARY_SUFFIXES, ROOT, Source, Violation, imports, tracked

# Spelled apart, so that this file does not break its own rule.
_PLACES = (r"/(wo" r"rk|ro" r"ot|fa" r"rm)/", r"/(ho" r"me|Us" r"ers|tm" r"p)/\w", r"/opt/(py" r"pi|wheels)")
_HOSTS = r"https?://[\w.-]*(py" r"pi|python" r"hosted|debi" r"an|npm" r"js)\.[\w./-]*"
MACHINE = re.compile("|".join((*_PLACES, _HOSTS)))

TOP_FOLDERS = {".ci", "board", "docs", "firmware", "overlays", "tests", "tools"}
TOP_FILES = {".gitignore", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "README.md", "build.sh", "pyproject.toml"}
TOP_FILES |= {"requirements-dev.txt"}
TEST_FOLDERS = {"unit", "wire", "dialogue", "interop", "edges", "sim", "pair", "tidy", "image", "browser"} | {
    "netns",
    "support",
}


def machine_paths(name: str) -> Iterator[Violation]:
    """A path or host that exists on one machine only."""
    if name.endswith(BINARY_SUFFIXES) or name in ("LICENSE",):
        return
    for number, line in enumerate((ROOT / name).read_text(errors="replace").splitlines(), 1):
        if found := MACHINE.search(line):
            cure = "take the path as an argument, or a temporary folder from the standard library"
            yield Violation(name, number, f"{found.group()!r} is a place on one machine; {cure}")


def layout(name: str) -> Iterator[Violation]:
    """A file where nobody looks for it, or with nothing in it."""
    path = Path(name)
    if len(path.parts) == 1 and name not in TOP_FILES:
        yield Violation(name, 1, "the root is the shop window; move it into a folder, or name it in tests/tidy/tree.py")
    if len(path.parts) > 1 and path.parts[0] not in TOP_FOLDERS:
        yield Violation(name, 1, f"{path.parts[0]}/ is no room of this house; see ARCHITECTURE.md")
    if path.parts[0] == "tests" and len(path.parts) > 2 and path.parts[1] not in TEST_FOLDERS:
        yield Violation(name, 1, f"tests/{path.parts[1]}/ is no level of the tests; one of {sorted(TEST_FOLDERS)}")
    if path.suffix != ".typed" and path.name != "__init__.py" and not (ROOT / name).stat().st_size:
        yield Violation(name, 1, "an empty file has no purpose; delete it")


def unfinished(name: str) -> Iterator[Violation]:
    """Whitespace and merge leftovers in text that no other checker reads."""
    if name.endswith((".py", *BINARY_SUFFIXES)) or name == "LICENSE":
        return
    text = (ROOT / name).read_text(errors="replace")
    for number, line in enumerate(text.splitlines(), 1):
        if line != line.rstrip() and not name.endswith((".csv", ".svg")):
            yield Violation(name, number, "blanks at the end of the line; delete them")
        if line.startswith(("<" * 7, ">" * 7)):
            yield Violation(name, number, "a merge was left half done; finish it")
    if text and not text.endswith("\n"):
        yield Violation(name, text.count("\n") + 1, "the last line has no end; add a newline")


def orphans() -> Iterator[Violation]:
    """A firmware module that nothing but a test imports or starts; `__main__` names its verbs' modules as words."""
    named: set[str] = set()
    for name in tracked(".py", ".sh", ".toml", ".service"):
        if name.startswith("tests/"):
            continue
        text = (ROOT / name).read_text(errors="replace")
        named |= set(re.findall(r"\btandem(?:\.\w+)+", text))
        if name.endswith(".py"):
            named |= {found for _, found in imports(Source(name, text))}
        if name == "firmware/tandem/__main__.py":
            named |= {f"tandem.manage.{word}" for word in re.findall(r'"(\w+)"', text)}
    for name in tracked(".py"):
        path = Path(name)
        if path.parts[:2] == ("firmware", "tandem") and path.name not in ("__init__.py", "__main__.py"):
            module = ".".join(path.with_suffix("").parts[1:])
            if not any(word == module or word.startswith(module + ".") for word in named):
                yield Violation(name, 1, f"nothing imports {module}; use it or delete it")
