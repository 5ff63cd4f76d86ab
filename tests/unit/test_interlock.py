"""Interlock expressions: binding, names, and what is said of a text that is none."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.interlock import parse, split

VALUES = {"a": True, "b": False, "c.d-1": True, "_sys.in_sync": False}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a", True),
        ("not a", False),
        ("not not a", True),
        ("a and b", False),
        ("a or b and b", True),
        ("(a or b) and b", False),
        ("not b and a", True),
        ("not (b and a)", True),
        ("not a or a", True),
        ("b or (c.d-1 and not (_sys.in_sync or b))", True),
    ],
)
def test_value(text: str, value: bool) -> None:
    assert parse(text).evaluate(VALUES.get) is value


@pytest.mark.parametrize("text", ["a or x", "x or a", "b and x", "not x"])
def test_an_operand_that_is_not_good_leaves_nothing_known(text: str) -> None:
    assert parse(text).evaluate(VALUES.get) is None


def test_names_and_renaming() -> None:
    expression = parse("not b and ( a or b )")
    assert expression.names == ("b", "a")
    renamed = expression.renamed(lambda name: f"F1.{name}")
    assert renamed == "not F1.b and (F1.a or F1.b)"
    assert parse(renamed).names == ("F1.b", "F1.a")


@pytest.mark.parametrize(
    ("text", "prefix", "rest"),
    [("on: a", "on", " a"), ("off:a", "off", "a"), (" on : a", "on", " a"), ("a", "", "a"), ("online", "", "online")],
)
def test_prefix(text: str, prefix: str, rest: str) -> None:
    assert split(text) == (prefix, rest)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "a point name is missing at the end"),
        ("a and", "missing at the end"),
        ("a b", '"and" or "or" is missing before "b" at position 3'),
        ("and a", 'a point name is missing before "and" at position 1'),
        ("(a", 'the "(" at position 1 is never closed'),
        ("a)", 'the ")" at position 2 closes nothing'),
        ("()", 'missing before ")" at position 2'),
        ("a & b", '"&" at position 3'),
        ("a not b", 'missing before "not" at position 3'),
        ("a or " * 200 + "a", "longer than 256 words"),
    ],
)
def test_a_text_that_is_none_is_told_where(text: str, sentence: str) -> None:
    with pytest.raises(ValueError) as caught:
        parse(text)
    assert sentence in str(caught.value)


_LEAVES = st.sampled_from(["a", "b", "c"])
_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        inner.map(lambda x: f"not ({x})"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda t: f"({t[0]}) {t[1]} ({t[2]})"),
    ),
    max_leaves=12,
)


@given(_TREES)
def test_values_are_those_of_the_same_words_in_python(text: str) -> None:
    expression = parse(text)
    for values in product((False, True), repeat=3):
        named = dict(zip("abc", values, strict=True))
        assert expression.evaluate(named.get) is eval(text, {}, named)


@given(st.text("ab ()notrd.&_-1é", max_size=40))
def test_any_text_is_an_expression_or_a_sentence(text: str) -> None:
    try:
        names = parse(text).names
    except ValueError as error:
        names = (str(error),)
    assert all(names)
