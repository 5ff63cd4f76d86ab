"""Another host with a group address: when the heart looks, asks and tells; what is said of it, and what is not done."""

from __future__ import annotations

from itertools import pairwise

from tandem.codec.heart import Claimed
from tandem.point import MS, SECOND
from tandem.standby.duplicate import QUIET_NS, Duplicates
from tandem.standby.duplicate_watch import ASK_NS, FIRST_LOOK_NS, LOOK_NS, NEVER, TELL_NS, Watch
from tests.support.node_rig import NodeRig

STRANGER, ANOTHER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
IP, IP6 = bytes((127, 20, 1, 10)), bytes.fromhex("fd77" + 13 * "00" + "10")
CLAIM = Claimed(0, STRANGER, IP)


def story(watch: Watch, claims: list[Claimed], seconds: int) -> tuple[list[int], list[int], list[tuple[int, Claimed]]]:
    """(looks, questions, what was told) with their times; the claims are heard at each look."""
    looks, questions, told = [], [], []
    watch.hold(True, 0)
    while watch.due < seconds * SECOND:
        now = watch.due
        assert watch.take(now) and not watch.take(now + 1)
        looks.append(now)
        questions += [now] if watch.asks(now) else []
        told += [(now, claim) for claim in watch.news(claims, now)]
    return looks, questions, told


def test_who_holds_nothing_neither_looks_nor_asks() -> None:
    watch = Watch()
    assert watch.due == NEVER and not watch.take(100 * SECOND)
    watch.hold(True, 0)
    watch.hold(False, 1)
    assert watch.due == NEVER and not watch.take(100 * SECOND) and not watch.asks(100 * SECOND)


def test_a_takeover_is_left_alone_then_it_looks_often_and_asks_seldom() -> None:
    looks, questions, told = story(Watch(), [], 31)
    assert looks[:2] == [FIRST_LOOK_NS, FIRST_LOOK_NS + LOOK_NS]
    assert questions == [FIRST_LOOK_NS, FIRST_LOOK_NS + ASK_NS, FIRST_LOOK_NS + 2 * ASK_NS]
    assert not told


def test_a_claim_is_told_now_and_then_whoever_and_however_many_make_it() -> None:
    watch = Watch()
    flood = [Claimed(0, n.to_bytes(6, "big"), IP) for n in range(200)]
    _, _, told = story(watch, [*flood, Claimed(1, ANOTHER, IP6)], 12)
    assert [claim.ip for _, claim in told] == [IP, IP6] * 3
    times = sorted({now for now, _ in told})
    assert all(later - earlier >= TELL_NS for earlier, later in pairwise(times))
    assert len(watch._told) == 2, "what it remembers does not grow with the strangers"


def test_what_came_before_the_addresses_is_not_told() -> None:
    watch = Watch()
    _, _, told = story(watch, [CLAIM], 2)
    assert told[0][0] == FIRST_LOOK_NS + LOOK_NS, "the first look only drains"


def test_a_claim_is_one_sentence_until_it_is_over() -> None:
    duplicates = Duplicates(("station", "control"))
    sentence = duplicates.told(CLAIM, 0)
    assert all(word in sentence for word in ("02:00:00:00:00:01", "127.20.1.10", "station"))
    assert not duplicates.told(Claimed(0, ANOTHER, IP), 5 * SECOND), "said once, whoever else claims it"
    assert duplicates.claimed("station") and not duplicates.claimed("control")
    assert [ANOTHER.hex(":") in alarm for alarm in duplicates.alarms()] == [True]
    assert not duplicates.tick(5 * SECOND + QUIET_NS - 1, holds=True) and duplicates.claimed("station")
    (over,) = duplicates.tick(5 * SECOND + QUIET_NS, holds=True)
    assert "127.20.1.10" in over and "station" in over
    assert not duplicates.claimed("station") and not duplicates.alarms()
    assert duplicates.told(Claimed(1, STRANGER, IP6), 0) and duplicates.claimed("control"), (
        "fd77::10 is another address"
    )


def test_who_lost_the_addresses_knows_of_none() -> None:
    duplicates = Duplicates(("station",))
    duplicates.told(CLAIM, 0)
    assert not duplicates.tick(1, holds=False) and not duplicates.alarms()


def test_an_active_member_says_so_and_its_role_and_health_stay() -> None:
    rig = NodeRig()
    rig.become_active()
    health = rig.value("health")
    assert rig.value("lan.station.duplicate") == 0
    rig.node.heart_says(CLAIM, rig.now)
    rig.after(500)
    assert rig.value("lan.station.duplicate") == 1 and rig.value("lan.control.duplicate") == 0
    assert any("02:00:00:00:00:01" in alarm for alarm in rig.node.reporter.alarms())
    rig.after(QUIET_NS // MS - 1000)
    assert rig.value("lan.station.duplicate") == 1
    rig.after(1000)
    assert rig.value("lan.station.duplicate") == 0 and not rig.node.reporter.alarms()
    assert rig.value("role_active") == 1 and rig.value("health") == health and rig.value("failovers") <= 1


def test_a_member_that_holds_nothing_says_nothing() -> None:
    rig = NodeRig()
    rig.node.heart_says(CLAIM, rig.now)
    rig.after(500)
    assert rig.value("lan.station.duplicate") == 0 and not rig.node.reporter.alarms()
