"""A withdrawal counts from a turn of the heart after it, so that turn is looked for while nothing else happens."""

from __future__ import annotations

from tandem.codec.beat import GRANTING, WITHDRAWN
from tandem.point import MS
from tandem.standby.grant import ACK_AGE_MAX_NS, Grant
from tandem.standby.guard_words import Rules
from tandem.standby.sync import Sync

S_MS, NONCE = 500, 77


def _state(sync: Sync) -> Grant:
    return sync.granter.state


def test_the_hearts_turn_is_looked_for_until_it_came_and_the_lease_runs_from_it() -> None:
    sync = Sync(Rules(0, ()), S_MS)
    granter = sync.granter
    granter.peer_hello(NONCE)
    granter.start(100, 0)
    granter.synced(90)
    granter.acknowledge(100, 100, None, 0)
    assert sync.flags(0) == GRANTING
    assert sync.due() is None, "nothing is withdrawn"

    granter.owed(MS)
    late = ACK_AGE_MAX_NS + 2 * MS
    granter.tick(late)
    assert sync.flags(late) == WITHDRAWN
    due = sync.due()
    assert due is not None and late < due <= late + 10 * MS

    sync.heart_turned(late, due)
    assert sync.flags(due) == WITHDRAWN, "that turn began before the page was published"
    again = sync.due()
    assert again is not None and again > due, "looked at again, and not at once: a heart may hang"

    sync.heart_turned(late + 4 * MS, again)
    assert sync.due() is None
    alone = granter.due()
    assert alone is not None and alone <= late + 4 * MS + (S_MS + 10) * MS + 1
    granter.tick(alone)
    assert _state(sync) is Grant.ALONE
