"""The sync lease, cell by cell: what the active may release and what the standby may believe."""

from __future__ import annotations

from tandem.point import MS
from tandem.standby.grant import ACK_AGE_MAX_NS, Grant, Granter, Lease

S, J = 500 * MS, 10 * MS
NONCE = 77


def _state(granter: Granter) -> Grant:
    return granter.state


def _grants(granter: Granter) -> bool:
    return granter.granting


def _unprotected(granter: Granter) -> bool:
    return granter.unprotected


def _granted(head: int = 100, now: int = 1000 * MS) -> Granter:
    granter = Granter(S, J)
    granter.peer_hello(NONCE)
    granter.start(head, now)
    granter.synced(head - 10)
    granter.acknowledge(head, head, None, now)
    granter.published(granter.granting, now)
    assert _state(granter) is Grant.GRANTED
    return granter


def test_an_active_that_never_granted_is_alone_at_once_and_says_so() -> None:
    granter = Granter(S, J)
    assert not _unprotected(granter)
    granter.start(40, 5)
    assert (_state(granter), granter.limit(41)) == (Grant.ALONE, 41)
    assert _unprotected(granter) and not _grants(granter)
    assert granter.due() is None


def test_the_grant_needs_the_whole_image_and_the_head_once() -> None:
    granter = Granter(S, J)
    granter.peer_hello(NONCE)
    granter.start(40, 0)
    granter.acknowledge(40, 40, None, 1)
    assert not _grants(granter), "acknowledged, but no image is whole"
    granter.synced(30)
    assert not _grants(granter)
    granter.acknowledge(39, 45, 2, 3)
    assert not _grants(granter), "45 was the head when the image was whole"
    granter.acknowledge(45, 60, 3, 4)
    assert _grants(granter) and not _unprotected(granter)
    assert granter.limit(60) == 45, "what is not acknowledged stays here"


def test_a_late_acknowledgement_withdraws_and_releases_nothing() -> None:
    granter = _granted()
    granter.owed(1010 * MS)
    granter.owed(1050 * MS)
    assert granter.due() == 1010 * MS + ACK_AGE_MAX_NS + 1
    granter.tick(1010 * MS + ACK_AGE_MAX_NS)
    assert _grants(granter)
    granter.tick(granter.due() or 0)
    assert (_state(granter), _grants(granter), granter.limit(105)) == (Grant.WITHDRAWING, False, 100)
    assert not _unprotected(granter)


def _withdrawing() -> Granter:
    granter = _granted()
    granter.owed(1010 * MS)
    granter.tick(1061 * MS)
    granter.published(False, 1062 * MS)
    return granter


def test_alone_when_the_standby_heard_it() -> None:
    granter = _withdrawing()
    granter.peer_beat(NONCE, 1061 * MS, False, False, 1070 * MS)
    assert _state(granter) is Grant.WITHDRAWING, "that echo is of a beat that may still have granted"
    granter.peer_beat(NONCE, 1062 * MS, True, False, 1071 * MS)
    assert _state(granter) is Grant.WITHDRAWING, "its heart heard it, its supervisor still believes"
    granter.peer_beat(NONCE, 1063 * MS, False, False, 1072 * MS)
    assert (_state(granter), granter.limit(105), _unprotected(granter)) == (Grant.ALONE, 105, True)
    granter.published(False, 1073 * MS)
    assert granter.due() is None


def test_alone_when_the_standby_rebooted_or_is_out_of_service() -> None:
    granter = _withdrawing()
    granter.peer_beat(78, 1000 * MS, True, False, 1070 * MS)
    assert _state(granter) is Grant.ALONE
    granter = _withdrawing()
    granter.peer_beat(NONCE, 1000 * MS, True, True, 1070 * MS)
    assert _state(granter) is Grant.ALONE
    granter = _granted()
    granter.peer_hello(78)
    assert _state(granter) is Grant.ALONE, "a hello of another boot ends the grant at once"


def test_a_late_beat_of_a_boot_that_is_over_says_nothing() -> None:
    granter = _granted()
    granter.peer_hello(78)
    granter.synced(100)
    granter.acknowledge(100, 100, None, 1001 * MS)
    granter.published(True, 1002 * MS)
    granter.peer_beat(NONCE, 1003 * MS, False, True, 1004 * MS)
    assert _grants(granter), "78 believes, whatever 77 said last"


def test_alone_when_the_lease_has_run_out_and_not_before() -> None:
    granter = _withdrawing()
    assert granter.due() == 1062 * MS + S + J + 1
    granter.tick(1062 * MS + S + J)
    assert _state(granter) is Grant.WITHDRAWING
    granter.tick(1062 * MS + S + J + 1)
    assert _state(granter) is Grant.ALONE
    assert _unprotected(granter)


def test_a_beat_that_still_granted_starts_the_wait_again() -> None:
    granter = _granted()
    granter.unsynced("its tables differ")
    granter.published(False, 1010 * MS)
    granter.synced(100)
    granter.acknowledge(100, 100, None, 1020 * MS)
    assert _grants(granter), "caught up before it was given up"
    granter.published(True, 1021 * MS)
    granter.unsynced("its tables differ")
    granter.published(False, 1030 * MS)
    granter.tick(1010 * MS + S + J + 1)
    assert _state(granter) is Grant.WITHDRAWING
    granter.tick(1030 * MS + S + J + 1)
    assert _state(granter) is Grant.ALONE


def test_a_grant_that_no_beat_carried_needs_no_withdrawal() -> None:
    granter = Granter(S, J)
    granter.peer_hello(NONCE)
    granter.start(1, 0)
    granter.synced(1)
    granter.acknowledge(1, 1, None, 1)
    assert _grants(granter)
    granter.unsynced("a gap")
    assert _state(granter) is Grant.ALONE


def test_unprotected_is_sticky_until_the_next_grant() -> None:
    granter = _withdrawing()
    granter.tick(2000 * MS)
    granter.acknowledge(90, 110, None, 2001 * MS)
    assert _unprotected(granter) and granter.limit(110) == 110
    granter.acknowledge(110, 115, None, 2002 * MS)
    assert _grants(granter) and not _unprotected(granter) and granter.limit(115) == 110


def test_the_promise_of_an_earlier_term_is_kept() -> None:
    granter = _granted()
    granter.stop()
    granter.published(granter.granting, 1010 * MS)
    granter.start(120, 1100 * MS)
    assert (_state(granter), granter.limit(120)) == (Grant.WITHDRAWING, 100)
    granter.tick(1010 * MS + S + J + 1)
    assert granter.limit(120) == 120
    granter = _granted()
    granter.stop()
    granter.published(False, 1010 * MS)
    granter.start(120, 3000 * MS)
    assert _state(granter) is Grant.ALONE


def test_the_promise_of_an_earlier_boot_is_kept_too() -> None:
    granter = Granter(S, J)
    granter.booted(1000 * MS)
    granter.start(0, 1100 * MS)
    assert (_state(granter), granter.limit(3)) == (Grant.WITHDRAWING, 0)
    granter.peer_hello(NONCE)
    granter.peer_beat(NONCE, 990 * MS, False, False, 1110 * MS)
    assert _state(granter) is Grant.WITHDRAWING, "it has not heard this boot yet"
    granter.tick(1000 * MS + S + J + 1)
    assert _state(granter) is Grant.ALONE
    granter = Granter(S, J)
    granter.booted(1000 * MS)
    granter.start(0, 1100 * MS)
    granter.peer_beat(NONCE, 1101 * MS, False, False, 1102 * MS)
    assert _state(granter) is Grant.ALONE
    granter = Granter(S, J)
    granter.booted(1000 * MS)
    granter.start(0, 3000 * MS)
    assert _state(granter) is Grant.ALONE


def test_an_out_of_service_standby_gets_no_grant() -> None:
    granter = _withdrawing()
    granter.peer_beat(NONCE, 1070 * MS, False, True, 1070 * MS)
    granter.synced(100)
    granter.acknowledge(100, 100, None, 1071 * MS)
    assert _state(granter) is Grant.ALONE
    granter.peer_beat(NONCE, 1080 * MS, False, False, 1080 * MS)
    assert _grants(granter)


def _lease() -> Lease:
    lease = Lease(S)
    lease.whole, lease.applied, lease.epoch = True, 100, 2
    lease.beat(9, 1, True, 2, 100, 1000 * MS)
    assert lease.in_sync(1001 * MS)
    return lease


def test_a_late_beat_of_a_boot_that_was_never_heard_takes_no_belief_away() -> None:
    lease = _lease()
    lease.beat(8, 40, False, 1, 0, 960 * MS)
    assert lease.in_sync(1001 * MS)
    lease.beat(9, 2, True, 2, 100, 1002 * MS)
    assert lease.due() == 1002 * MS + S


def test_the_lease_ends_by_itself() -> None:
    lease = _lease()
    assert lease.due() == 1000 * MS + S
    assert lease.in_sync(1000 * MS + S - 1)
    assert lease.reason(1000 * MS + S) == "the last grant is too old"


def test_each_reason_not_to_be_in_sync() -> None:
    lease = _lease()
    lease.whole = False
    assert "not whole" in lease.reason(1001 * MS)
    lease = _lease()
    lease.applied = 99
    assert "record 100 was released and only 99 is here" in lease.reason(1001 * MS)
    lease = _lease()
    lease.epoch = 4
    assert "epoch 2, the image of epoch 4" in lease.reason(1001 * MS)
    lease = _lease()
    lease.beat(9, 2, False, 2, 100, 1002 * MS)
    assert "grants nothing" in lease.reason(1003 * MS)
    lease = _lease()
    lease.clear()
    assert not lease.in_sync(1001 * MS)


def test_an_older_beat_brings_no_belief_back_and_counters_wrap() -> None:
    lease = _lease()
    lease.beat(9, 5, False, 2, 100, 1002 * MS)
    lease.beat(9, 4, True, 2, 100, 1001 * MS)
    lease.beat(9, 5, True, 2, 100, 1001 * MS)
    assert not lease.in_sync(1003 * MS)
    lease = _lease()
    lease.beat(9, 0x7FFF_FFF0, False, 2, 100, 1002 * MS)
    lease.beat(9, 0xFFFF_FFF0, False, 2, 100, 1003 * MS)
    lease.beat(9, 2, True, 2, 100, 1004 * MS)
    assert lease.in_sync(1005 * MS)


def test_another_boot_of_the_active_starts_from_nothing() -> None:
    lease = _lease()
    lease.beat(10, 1, False, 2, 100, 1002 * MS)
    assert not lease.in_sync(1003 * MS)
    lease.beat(9, 50, True, 2, 100, 1001 * MS)
    assert not lease.in_sync(1003 * MS), "a late word of the boot before"
