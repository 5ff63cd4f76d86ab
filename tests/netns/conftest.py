"""Namespaces for the tests of real ports; where they are not permitted, each test is skipped and says why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.netns.member import Member
from tests.support.namespaces import Site, refused, site


@pytest.fixture(scope="session")
def namespaces() -> Iterator[Site]:
    """Two members on two bridges."""
    if why := refused():
        pytest.skip(f"NETWORK NAMESPACES NOT RUN: {why}")
    with site() as made:
        yield made


@pytest.fixture
def member(namespaces: Site, tmp_path: Path) -> Iterator[Member]:
    """Member a, not started yet; its namespace is clean afterwards."""
    made = Member(namespaces, tmp_path)
    yield made
    made.end()
