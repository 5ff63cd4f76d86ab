"""The style rules as small functions: each takes one source file and yields what is wrong and the cure."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import tokenize
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FILE_LINES_MAX = 300
FUNCTION_LINES_MAX = 70

IO_ROOMS = ("port", "supervisor", "heart", "manage", "config", "__main__")
IO_MODULES = frozenset(
    ("socket", "asyncio", "time", "os", "random", "secrets", "threading", "select", "selectors", "subprocess", "signal")
)
WALL_CLOCK_CALLS = frozenset({"time.time", "time.time_ns", "datetime.now", "datetime.utcnow", "date.today"})
RANDOM_CALLS = frozenset({"uuid.uuid4", "uuid4", "uuid.uuid1", "uuid1"})
PORT_USERS = ("supervisor", "heart", "manage", "__main__", "port")
NODE_USERS = ("supervisor", "node", "__main__")
BINARY_SUFFIXES = (".pcap", ".pcapng", ".png", ".gz")


@dataclass(frozen=True)
class Violation:
    """One broken rule at one place; printed as file:line, what is wrong, and the cure."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Source:
    """One Python file of the tree: its name relative to the root, its text."""

    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        """The parsed file; parsed once for all rules."""
        return ast.parse(self.text, self.name)

    @cached_property
    def room(self) -> str:
        """The firmware's room: the first name below tandem (`heart` for heart_x.py too); empty outside the firmware."""
        parts = Path(self.name).with_suffix("").parts
        if parts[:2] != ("firmware", "tandem") or len(parts) < 3:
            return ""
        return parts[2] if parts[2].startswith("_") else parts[2].split("_")[0]

    def bad(self, line: int, text: str) -> Violation:
        """A violation in this file."""
        return Violation(self.name, line, text)


def tracked(*suffixes: str) -> list[str]:
    """Names of the files in the tree and of new ones that git does not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return sorted(n for n in set(names) if n and n.endswith(suffixes or ("",)) and (ROOT / n).is_file())


def imports(source: Source) -> Iterator[tuple[int, str]]:
    """(line, dotted name) of everything imported, as `module` and, for `from`, as `module.name` too."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or "."
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def sizes(source: Source) -> Iterator[Violation]:
    """A file or a function that ran away."""
    lines = source.text.count("\n")
    if lines > FILE_LINES_MAX:
        yield source.bad(lines, f"{lines} lines; at most {FILE_LINES_MAX}: split the file by subject")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES_MAX:
                cure = f"at most {FUNCTION_LINES_MAX}: name its parts as functions"
                yield source.bad(node.lineno, f"{node.name} has {length} lines; {cure}")


def _rooms_of(name: str) -> str:
    parts = name.split(".")
    return parts[1] if parts[0] == "tandem" and len(parts) > 1 else ""


def rooms(source: Source) -> Iterator[Violation]:
    """Imports that go the wrong way through the house."""
    if not source.room:
        return
    room = source.room
    for line, name in imports(source):
        target = _rooms_of(name)
        if name.split(".")[0] in ("tools", "tests"):
            yield source.bad(line, f"the firmware imports {name}; move what it needs into the firmware")
        if room == "codec" and name.startswith("tandem.") and target not in ("codec", "point"):
            yield source.bad(line, f"codec imports {name}; it may know only tandem.point: hand the value in")
        if {room, target} == {"master", "slave"}:
            yield source.bad(line, f"{room} imports {name}; they meet in the database and in control only")
        if target == "port" and room not in PORT_USERS:
            yield source.bad(line, f"{room} imports {name}; only supervisor, heart and manage touch a port")
        if target == "node" and room not in NODE_USERS:
            yield source.bad(line, f"{room} imports {name}; only the supervisor owns a node")


def sans_io(source: Source) -> Iterator[Violation]:
    """The operating system inside an engine."""
    if not source.room or source.room in IO_ROOMS:
        return
    for line, name in imports(source):
        if name.split(".")[0] in IO_MODULES:
            yield source.bad(line, f"a sans-IO file imports {name}; take octets, `now` or randomness as an argument")


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""


def calls(source: Source) -> Iterator[Violation]:
    """Wall clock and hidden randomness: anywhere in the firmware but its port."""
    if not source.room or source.room == "port":
        return
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        name = _dotted(node.func)
        if name in WALL_CLOCK_CALLS or name.removeprefix("datetime.") in WALL_CLOCK_CALLS:
            yield source.bad(node.lineno, f"{name}() reads the wall clock; take `now` and a Clock")
        if name in RANDOM_CALLS or name.startswith("random."):
            yield source.bad(node.lineno, f"{name}() is hidden randomness; take the octets as an argument")


def _is_public(node: ast.AST) -> bool:
    return not getattr(node, "name", "_").startswith("_")


Function = ast.FunctionDef | ast.AsyncFunctionDef
TOLD_IN_BASES = frozenset(
    (
        *("opened", "closed", "receive", "tick", "due", "outgoing", "events"),  # engine.Engine
        *("start", "drain", "drained", "stop", "control", "statistics"),  # master.base.Channel
        *("accept", "pump", "local_changed", "commands", "report", "cursors", "set_cursor"),  # slave.base.Station
        *("restore_cursors", "lowest_cursor", "released"),
        *("fileno", "say", "read", "close"),  # port.pins.Pins
    )
)


def _told(tree: ast.Module) -> set[str]:
    """Method names that some class of the file documents: in its other classes they mean the same."""
    methods = (m for c in ast.walk(tree) if isinstance(c, ast.ClassDef) for m in c.body if isinstance(m, Function))
    return {m.name for m in methods if ast.get_docstring(m)}


def _undocumented(body: list[ast.stmt], owner: str, told: set[str]) -> Iterator[tuple[int, str]]:
    for node in body:
        if not isinstance(node, Function | ast.ClassDef) or not _is_public(node):
            continue
        exempt = isinstance(node, Function) and (_says_by_itself(node) or (owner and node.name in told))
        if ast.get_docstring(node) is None and not exempt and not _plain_data(node, told):
            yield node.lineno, f"{owner}{node.name}"
        if isinstance(node, ast.ClassDef):
            yield from _undocumented(node.body, f"{node.name}.", told)


def _says_by_itself(node: Function) -> bool:
    """A setter, an overload, or an attribute of a Protocol written as a property."""
    marks = [_dotted(d) for d in node.decorator_list]
    stub = isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant)
    return any(m.endswith((".setter", "overload")) for m in marks) or ("property" in marks and stub)


def _plain_data(node: ast.AST, told: set[str]) -> bool:
    """A dataclass or named tuple whose fields say it all needs no sentence."""
    if not isinstance(node, ast.ClassDef):
        return False
    data = any("dataclass" in ast.dump(d) for d in node.decorator_list) or "NamedTuple" in map(_dotted, node.bases)
    return data and all(n.name in told for n in node.body if isinstance(n, ast.FunctionDef))


def docstrings(source: Source) -> Iterator[Violation]:
    """Public names of the firmware whose contract is not said, there or where a base class tells it."""
    if not source.room:
        return
    if ast.get_docstring(source.tree) is None:
        yield source.bad(1, "the file does not say what it is; begin with a docstring of one line")
    bases = source.name.endswith(("/engine.py", "/base.py"))
    told = _told(source.tree) | (set() if bases else TOLD_IN_BASES)
    for line, name in _undocumented(source.tree.body, "", told):
        yield source.bad(line, f"{name} has no docstring; say its contract in one line")


def comments(source: Source) -> Iterator[Violation]:
    """Promises and dead code in comments."""
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type != tokenize.COMMENT:
            continue
        line, text = token.start[0], token.string.lstrip("#").strip()
        if re.search(r"\b(TODO|FIXME|XXX|HACK)\b", text):
            yield source.bad(line, "a promise in a comment; do it, or file it as an issue")
        if _is_code(text):
            yield source.bad(line, f"commented-out code: {text!r}; delete it, git remembers")


def _is_code(text: str) -> bool:
    if not re.search(r"^(import \w|from \w+ import|def \w|class \w+[:(]|return\b|self\.)|\)$|^\w[\w.]* = ", text):
        return False
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return False
    code = (ast.Import, ast.ImportFrom, ast.Return, ast.Assign, ast.AugAssign)
    return bool(body) and (isinstance(body[0], code) or _is_statement_call(body[0]))


def _is_statement_call(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)


def hollow(source: Source) -> Iterator[Violation]:
    """A test that asserts nothing cannot fail."""
    if not Path(source.name).name.startswith("test_"):
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            dump = ast.dump(node).lower()
            if not any(word in dump for word in ("assert", "raises", "check", "expect", "raise(", "fail")):
                yield source.bad(node.lineno, f"{node.name} asserts nothing; a test must be able to fail")


SOURCE_RULES: tuple[Callable[[Source], Iterator[Violation]], ...] = (
    sizes,
    rooms,
    sans_io,
    calls,
    docstrings,
    comments,
    hollow,
)
