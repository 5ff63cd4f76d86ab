"""What a center at a standby is told when the mirror falls silent, comes back, and of points without hot standby."""

from __future__ import annotations

from tandem.config.model import Row
from tests.support.iec104_rig import STAMP, Rig

ROWS = (
    Row("breaker", "M_DP_TB_1", "1001"),
    Row("earth", "M_SP_TB_1", "1002"),
    Row("amp", "M_ME_TE_1", "2002", scale=100.0),
    Row("energy", "M_IT_TB_1", "3001"),
    Row("role", "M_SP_TB_1", "9001"),
)
NT, IV = 0x40, 0x80


def standby() -> Rig:
    """A standby's station whose image has values; the mirror runs."""
    rig = Rig(ROWS)
    for name, value in (("breaker", 2), ("earth", 1), ("amp", 2.5), ("energy", 7)):
        rig.update(name, value)
    rig.station.restore_cursors({"north": rig.journal.head, "east": rig.journal.head}, rig.journal.head)
    rig.database.mirroring = True
    return rig


def test_a_silent_mirror_is_told_at_once_with_its_time_and_so_is_its_return() -> None:
    rig = standby()
    client = rig.started()
    rig.pump()
    assert client.asdus() == []
    rig.database.mirror_silent = True
    rig.pump()
    assert client.asdus() == [
        f"1f 01 03 00 2f 00 e9 03 00 {2 | NT:02x} {STAMP}",
        f"1e 01 03 00 2f 00 ea 03 00 {1 | NT:02x} {STAMP}",
        f"23 01 03 00 2f 00 d2 07 00 fa 00 {NT:02x} {STAMP}",
        f"25 01 03 00 2f 00 b9 0b 00 07 00 00 00 {IV:02x} {STAMP}",
    ]
    client.acknowledge()
    rig.pump()
    assert client.asdus() == [], "once"
    rig.database.mirror_silent = False
    rig.pump()
    assert [text[27:29] for text in client.asdus()[:2]] == ["02", "01"]
    assert rig.counts()["sent"] == 0, "they are no events: nothing is repeated, no cursor moves"
    assert rig.station.cursors() == {}


def test_a_connection_that_starts_later_hears_it_with_its_interrogation_only() -> None:
    rig = standby()
    rig.database.mirror_silent = True
    rig.pump()
    client = rig.started()
    assert client.drain() == []
    client.ask("64 01 06 00 2f 00 00 00 00 14")
    assert f"03 01 14 00 2f 00 e9 03 00 {2 | NT:02x}" in client.drain()


def test_thousands_of_points_take_their_turns_with_events() -> None:
    rows = tuple(Row("earth", "M_SP_TB_1", str(n)) for n in range(1, 2001))
    rig = Rig((*rows, Row("breaker", "M_DP_TB_1", "9999")), options={"k": 4})
    rig.update("earth", 1)
    rig.station.restore_cursors({"north": 1, "east": 1}, 1)
    rig.database.mirroring = True
    client = rig.connect()
    client.send("68 04 07 00 00 00")
    client.drain()
    rig.database.mirror_silent = True
    rig.update("breaker", 2)
    rig.pump()
    first = client.asdus()
    assert len(first) == 4, "the window"
    client.acknowledge()
    rest = first + client.drain()
    assert {ioa for ioa, _ in client.values(rest)} == {*range(1, 2001), 9999}


def test_points_without_hot_standby_are_not_topical_on_a_standby_and_are_told_when_that_changes() -> None:
    rig = Rig(ROWS, cold=("earth", "energy"))
    for name, value in (("breaker", 2), ("earth", 1), ("amp", 2.5), ("energy", 7)):
        rig.update(name, value)
    rig.station.restore_cursors({"north": rig.journal.head, "east": rig.journal.head}, rig.journal.head)
    client = rig.started()
    rig.database.mirroring = True
    rig.pump()
    assert client.asdus() == [
        f"1e 01 03 00 2f 00 ea 03 00 {1 | NT:02x} {STAMP}",
        f"25 01 03 00 2f 00 b9 0b 00 07 00 00 00 {IV:02x} {STAMP}",
    ]
    client.acknowledge()
    rig.database.mirror_silent = True
    rig.pump()
    assert [ioa for ioa, _ in client.values(client.asdus())] == [1001, 2002]


def test_a_standby_does_not_wait_for_points_that_nobody_tells_it() -> None:
    rig = Rig(ROWS, cold=("earth", "energy", "breaker", "amp"), serve_after="valid")
    rig.local("role", 1)
    client = rig.connect()
    client.send("68 04 07 00 00 00")
    rig.pump()
    assert client.frames() == []
    rig.database.mirroring = True
    rig.pump()
    assert client.frames()[0] == "68 04 0b 00 00 00"
