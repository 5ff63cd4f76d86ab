"""Lines of keys: everything that TOML allows is found where it stands."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.config.locate import Path, line_of, locate

TEXT = '''# a comment with [brackets] and = signs
title = "a # b [c]" # not a table

[a."b.c".'d']
key = { x = 1, y = [ { z = 2 },
  { z = 3 } ] }
multi = """
[not.a.table]
k = 1 \\""" """"
raw = \'\'\'
# "nothing" \\\'\'\'
"quoted key" = 1979-05-27 07:32:00
dotted.inner.key = [
  1,
  "]", # comment ]
  3,
]

[[list]]
n = 1
[[list.sub]]
n = 2
[list.sub.deep]
n = 3
[[list.sub]]
n = 4
[[list]]
[[list.sub]]
n = 5
'''

EXPECTED: list[tuple[Path, int]] = [
    (("title",), 2),
    (("a", "b.c", "d"), 4),
    (("a", "b.c", "d", "key", "x"), 5),
    (("a", "b.c", "d", "key", "y", 0, "z"), 5),
    (("a", "b.c", "d", "key", "y", 1, "z"), 6),
    (("a", "b.c", "d", "multi"), 7),
    (("a", "b.c", "d", "raw"), 10),
    (("a", "b.c", "d", "quoted key"), 12),
    (("a", "b.c", "d", "dotted", "inner", "key"), 13),
    (("a", "b.c", "d", "dotted", "inner", "key", 2), 16),
    (("list",), 19),
    (("list", 0, "n"), 20),
    (("list", 0, "sub", 0, "n"), 22),
    (("list", 0, "sub", 0, "deep", "n"), 24),
    (("list", 0, "sub", 1, "n"), 26),
    (("list", 1), 27),
    (("list", 1, "sub", 0, "n"), 29),
]


@pytest.mark.parametrize(("path", "line"), EXPECTED)
def test_a_key_is_found_on_its_line(path: Path, line: int) -> None:
    assert locate(TEXT)[path] == line


def test_the_text_is_toml_and_nothing_else_is_found() -> None:
    assert paths(tomllib.loads(TEXT)) == set(locate(TEXT)) - {("list", 0, "sub")} | {("list", 0, "sub")}


def paths(value: object, path: Path = ()) -> set[Path]:
    """Every path of a parsed text, except tables that only the path of a header makes."""
    found = {path} if path and path not in ((), ("a",), ("a", "b.c")) else set()
    if isinstance(value, dict):
        for key, inner in value.items():
            found |= paths(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found |= paths(inner, (*path, index))
    return found


def test_a_missing_key_has_the_line_of_its_table() -> None:
    assert line_of(locate(TEXT), ("list", 0, "sub", 1, "absent")) == 25
    assert line_of({}, ("x",)) == 1


_KEYS = st.text("ab-_.\"'# ]=é", min_size=1, max_size=4)
_VALUES = st.sampled_from(
    ["1", '"#"', "'\"'", "true", "[]", "[1, [2], {k = 3}]", "{}", '"""\n]\n"""', "'''\n'x''''", "1e3"]
)


@given(st.lists(st.tuples(_KEYS, _VALUES), max_size=8, unique_by=lambda pair: pair[0]))
def test_random_tables_are_located_as_they_are_parsed(pairs: list[tuple[str, str]]) -> None:
    text, lines = "", {}
    for key, value in pairs:
        quoted = '"' + key.replace('"', '\\"') + '"'
        lines[key] = text.count("\n") + 1
        text += f"{quoted} = {value}\n"
    located = locate(text)
    assert {key: located[(key,)] for key in tomllib.loads(text)} == lines
