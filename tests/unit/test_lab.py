"""The laboratory as data, and what its observer makes of a frame."""

from __future__ import annotations

from pathlib import Path

from tandem.codec.neighbours import announcements
from tandem.config.load import load
from tests.support.configs import OWN6, with_ip6
from tools.bench.processes import ROOT
from tools.lab.observer import Book, kind_of
from tools.lab.site import center_hosts, prepare
from tools.lab.topology import topology

_MS = 1_000_000
_GROUP = {bytes((10, 9, 2, 10)): "10.9.2.10"}
_MAC = bytes.fromhex("020000000001")


def _frame(flags: int, source: bytes = bytes((10, 9, 2, 10))) -> bytes:
    head = bytes((0x45, 0, 0, 40, 0, 0, 0, 0, 64, 6, 0, 0)) + source + bytes((10, 9, 9, 31))
    return bytes(6) + _MAC + b"\x08\x00" + head + bytes(13) + bytes((flags,)) + bytes(6)


def test_the_example_becomes_six_namespaces_with_the_centers_behind_a_router(tmp_path: Path) -> None:
    folder, _ = prepare(ROOT / "tools" / "example-group", tmp_path, 9, relays=True)
    config = load(str(folder))
    assert center_hosts(config) == ("10.9.9.31", "10.9.9.30")
    plan = topology(config, "t-", ("10.9.9.30", "10.9.9.31"))
    assert plan.who == ["wires", "a", "b", "router", "field", "center"]
    words = {inside: lines for inside, lines in plan.words() if inside}
    assert "address add 10.9.1.11/24 dev station" in words["t-a"]
    assert "route add default via 10.9.2.1" in words["t-b"]
    assert "address add 10.9.9.1/24 dev outside" in words["t-router"]
    assert plan.port("b", "control") == "b-1"
    assert max(len(leg.port) for leg in plan.legs) < 16 and not plan.has_ip6


def test_a_group_with_an_ipv6_address_has_a_way_to_the_centers_by_ipv6_too(tmp_path: Path) -> None:
    folder, _ = prepare(with_ip6(tmp_path / "source"), tmp_path, 9, relays=True)
    config = load(str(folder))
    assert center_hosts(config) == ("10.9.9.31", "10.9.9.30")
    plan = topology(config, "t-", ("10.9.9.30", "10.9.9.31"))
    words = {inside: lines for inside, lines in plan.words() if inside}
    assert {f"address add {OWN6['a']}/64 dev control nodad", "route add ::/0 via fd00:2::1"} < set(words["t-a"])
    router, center = " ".join(words["t-router"]), words["t-center"]
    assert "address add fd00:2::1/64 dev lan" in router and "address add fd00:9::1/64 dev outside nodad" in router
    assert {"address add fd00:9::31/64 dev eth0 nodad", "route add ::/0 via fd00:9::1"} < set(center)
    assert plan.has_ip6 and not any("::" in line for line in words["t-field"])


def test_software_arbitrates_where_no_relays_are_played(tmp_path: Path) -> None:
    folder, board = prepare(ROOT / "tools" / "example-group", tmp_path, 9, relays=False)
    assert load(str(folder)).standby.arbitration == "software"
    assert 'guardian = "none"' in (board / "board.toml").read_text(encoding="utf-8")


def test_the_observer_tells_resets_from_answers_and_strangers_from_the_group() -> None:
    assert kind_of(_frame(0x10), _GROUP) == ("ip", "10.9.2.10")
    assert kind_of(_frame(0x14), _GROUP) == ("reset", "10.9.2.10")
    assert kind_of(_frame(0x10, bytes((10, 9, 2, 11))), _GROUP) == ("", "")
    for frame in announcements(_MAC, bytes((10, 9, 2, 10))):
        assert kind_of(frame, _GROUP) == ("announce", "10.9.2.10")


def test_what_a_loser_sends_after_the_successor_has_the_address_is_counted() -> None:
    book = Book(["10.9.2.10"])
    book.seen(1 * _MS, "a", "control", _frame(0x10))
    book.seen(2 * _MS, "b", "control", _frame(0x10))
    book.seen(3 * _MS, "a", "control", _frame(0x14))
    asked = {"do": "judge", "since": 0, "loser": "a", "survivor": "b"}
    assert (book.answer(asked)["late"], book.answer(asked)["resets"]) == (0, 1)
    book.seen(4 * _MS, "a", "control", _frame(0x12))
    book.seen(5 * _MS, "a", "control", b"cut off")
    assert book.answer(asked)["late"] == 1 and book.answer(asked)["last"] == 4 * _MS
    assert [e[2] for e in book.answer({"do": "owners", "since": 0})["events"]] == ["a", "b", "a"]
