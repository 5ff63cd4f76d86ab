"""Ids are given once; damaged files are refused with a sentence; digests tell tables apart."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tandem.point import Kind
from tandem.registry import PointInfo, PointTable, Registry


@given(st.lists(st.text(min_size=1, max_size=5)), st.lists(st.text(min_size=1, max_size=5)))
def test_an_id_stays_whatever_names_come_and_go(before: list[str], after: list[str]) -> None:
    registry = Registry()
    given_once = {name: registry.id(name) for name in before}
    again = Registry.from_json(registry.to_json())
    for name in after:
        again.id(name)
    assert {name: again.id(name) for name in before} == given_once
    assert len({again.id(name) for name in before + after}) == len(set(before + after))
    assert again.highest == len(set(before + after))


DAMAGED = """{ [] {"a":0} {"a":-1} {"a":"1"} {"a":1,"b":1} {"a":true} {"a":1.5} {"a":99999999}""".split()


@pytest.mark.parametrize("text", ["", "[" * 100_000, *DAMAGED], ids=lambda text: text[:20] or "empty")
def test_a_damaged_registry_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="registry is damaged"):
        Registry.from_json(text)


def test_the_digest_sees_what_a_record_means_and_nothing_else() -> None:
    def table(**changes: object) -> PointTable:
        fields: dict[str, object] = {"id": 3, "name": "x", "kind": Kind.BINARY} | changes
        return PointTable([PointInfo(**fields), PointInfo(1, "y", Kind.ANALOG)], 9)  # type: ignore[arg-type]

    assert table().digest() == table(unit="A", description="other").digest()
    assert len({table(**c).digest() for c in ({}, {"id": 4}, {"name": "z"}, {"kind": Kind.STEP}, {"local": True})}) == 5
    assert len(table().digest()) == 32
    assert table().rows == 10 and table().id("y") == 1
    with pytest.raises(KeyError, match="nobody"):
        table().id("nobody")
