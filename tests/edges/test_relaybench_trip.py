"""The peer-trip on the relay bench: a pulse of one member cuts the feed of the held coil of the other."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.edges.relaybench import Rig, rig


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    with rig(tmp_path_factory.mktemp("trip")) as made:
        yield made


def test_a_held_contact_opens_under_the_peers_pulse_and_stays_open_behind_the_own(running: Rig) -> None:
    running.close_contact("a")
    running.bench.hold("a")
    frozen = running.heart["a"].freeze()
    running.heart["b"].pulse()
    members = running.bench.state
    running.wait(lambda: members()["members"]["b"]["watchdog"] and not members()["members"]["a"]["watchdog"])
    assert members()["members"]["a"]["contact"], "held: W is over, and it is closed"
    running.heart["b"].say(b"Y1")
    running.wait(lambda: not members()["members"]["a"]["contact"])
    running.heart["b"].say(b"C1")
    running.wait(lambda: members()["members"]["b"]["contact"])
    running.heart["b"].say(b"Y0")
    opened, closed = running.times("contact", "a", 0)[-1], running.times("contact", "b", 1)[-1]
    assert frozen < running.times("trip", "b", 1)[0] < opened < closed
    running.wait(lambda: running.times("trip", "b", 0))
    state = members()
    assert not state["members"]["a"]["contact"] and "two contacts" not in state["counts"]
    running.bench.hold("a", on=False)
