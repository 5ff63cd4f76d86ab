"""The faults of the bench by their words, and how each is mended.

*kill* is SIGKILL of the supervisor (its heart lives), *kill-all* of both; *stall* is SIGSTOP of the supervisor,
*stall-heart* of the heart, *freeze* of both; *power* is every path cut without FIN or reset, then SIGKILL of both;
*switchover* is an order. A cut is named by what is cut: a LAN, `lans` (every LAN of the member), `crossover`.
"""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tools.bench.members import BOTH

if TYPE_CHECKING:
    from tools.bench.pair import Pair

KINDS = ("kill", "kill-all", "stall", "freeze", "power", "switchover")
"""What the loopback bench does; the laboratory can also be hurt in the ways of CUTS and `stall-heart`."""
CUTS = ("crossover", "lans")
_SIGNALS = {
    "kill": (signal.SIGKILL, ("supervisor",)),
    "kill-all": (signal.SIGKILL, BOTH),
    "stall": (signal.SIGSTOP, ("supervisor",)),
    "stall-heart": (signal.SIGSTOP, ("heart",)),
    "freeze": (signal.SIGSTOP, BOTH),
}


@dataclass(slots=True, frozen=True)
class Fault:
    """What was done to whom, at monotonic `t_ns`: just before the first signal or cut."""

    kind: str
    member: str
    t_ns: int
    what: str = ""


def hurt(pair: Pair, kind: str, member: str) -> Fault:
    """Do it. Raises ValueError for an unknown word."""
    gateway = pair.members[member]
    gateway.pids()
    t = time.monotonic_ns()
    if kind in _SIGNALS:
        signum, names = _SIGNALS[kind]
        gateway.signal(signum, *names)
    elif kind == "power":
        t = pair.bench.cut("power", member)
        gateway.signal(signal.SIGKILL, *BOTH)
    elif kind == "switchover":
        gateway.ask("switchover", to="peer")
    elif kind in (*CUTS, *(lan.name for lan in pair.config.lans)):
        t = pair.bench.cut(kind, None if kind == "crossover" else member)
        return Fault("cut", member, t, kind)
    else:
        raise ValueError(f"{kind!r} is no fault; these are: {', '.join((*KINDS, 'stall-heart', *CUTS))}, a LAN's name")
    return Fault(kind, member, t)


def mend(pair: Pair, fault: Fault) -> None:
    """Thaw, plug in, switch on, start again: a member whose process was hurt starts as after a boot."""
    if fault.kind == "cut":
        pair.bench.restore(fault.what, None if fault.what == "crossover" else fault.member)
        return
    if fault.kind == "switchover":
        return
    pair.members[fault.member].end()
    if fault.kind == "power":
        pair.bench.restore("power", fault.member)
    pair.members[fault.member].start()
