"""What happens in a story, drawn from its seed before it begins: one fault can be left out, and no other moves."""

from __future__ import annotations

import random
from typing import NamedTuple

from tools.sim import guardian, third
from tools.sim.aims import AIMS, Aim
from tools.sim.fault import Fault
from tools.sim.faults import GENTLE, KINDS

_COMMON: tuple[str, ...] = (
    "kill", "kill-all", "stall", "freeze", "power", "switchover", "cable-1", "cable-2", "apart", "one-way", "hang",
)  # fmt: skip
_TRIPS = (*_COMMON, "held", "held", "held", "held", "weld", "between", "freeze-heart", "kill-heart", "end", "crossover")
_OWN = frozenset({"held", *third.KINDS, *guardian.KINDS})
"""Kinds that stories on the usual boards do not draw."""
_TIMES_MS = (5, 20, 45, 60, 80, 120, 140, 160, 190, 240, 500, 510, 600)
"""Where something lapses: beat, P, L, D, W, claim timeouts, S, C."""
_LONGEST_MS = 2500
_QUIET_EVERY = 20  # so many stories hold one without a fault
_SCRIPT_EVERY = 8
_GENTLE_EVERY = 10


class Taste(NamedTuple):
    """What a story's faults are drawn from: how many, which kinds and aims ("" is none: at a time), what is `first`."""

    fewest: int = 5
    most: int = 9
    kinds: tuple[str, ...] = ()
    aims: tuple[str, ...] = ()
    first: tuple[Fault, ...] = ()


def draw_plan(seed: int, relays: bool = True, taste: Taste = Taste()) -> tuple[Fault, ...]:  # noqa: B008
    """The faults of a story. Equal seeds draw equal plans."""
    draw = random.Random(f"plan {seed}")
    faults = list(taste.first)
    common, kinds = _COMMON, tuple(k for k in KINDS if (relays or k != "weld") and k not in _OWN)
    if taste.kinds:
        common = kinds = taste.kinds
    elif seed % _QUIET_EVERY == 0:
        return ()
    elif seed % _GENTLE_EVERY == 3:
        common = kinds = tuple(sorted(GENTLE))
    elif seed % _SCRIPT_EVERY == 1:
        faults += draw.choice(list(SCRIPTS.values()))
    at_ms = 0
    for _ in range(max(0, draw.randint(taste.fewest, taste.most) - len(faults))):
        at_ms += draw.choice((0, draw.randrange(300), draw.randrange(_LONGEST_MS), draw.randrange(_LONGEST_MS)))
        kind = draw.choice(common if draw.random() < 0.5 else kinds)
        faults.append(Fault(at_ms, kind, draw.choice("ab"), _how_long(draw), _aim(draw, taste.aims)))
    return tuple(faults)


def taste_of(board: str, taste: Taste = Taste()) -> Taste:  # noqa: B008
    """A taste that says nothing of kinds is that of the board."""
    if board not in _TASTES or taste.kinds:
        return taste
    kinds, aims = _TASTES[board]
    return taste._replace(kinds=kinds, aims=aims)


def _how_long(draw: random.Random) -> int:
    if draw.random() < 0.4:
        return max(1, draw.choice(_TIMES_MS) + draw.randint(-6, 6))
    return draw.choice((draw.randrange(20, 300), draw.randrange(20, _LONGEST_MS)))


def _aim(draw: random.Random, aims: tuple[str, ...]) -> Aim | None:
    what = draw.choice(aims) if aims else "" if draw.random() < 0.5 else draw.choice(AIMS)
    if not what:
        return None
    after_ms = draw.choice((0, 0, draw.randrange(1, 40)))
    return Aim(what, draw.choice((1, 1, 1, 2, 3)), draw.choice((0, 0, 1, 2, 3, 5)), after_ms)


def _at(what: str, steps: int = 0, after_ms: int = 0) -> Aim:
    return Aim(what, 1, steps, after_ms)


def _half(*more: str) -> tuple[str, ...]:
    """Every second fault is aimed, and often at these."""
    aims = (*AIMS, *4 * more)
    return (*aims, *len(aims) * ("",))


_TASTES: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    **{board: (third.PLANS, ()) for board in third.BOARDS},
    "trip": (_TRIPS, _half("the peer is tripped")),
    guardian.GUARDIAN: (guardian.PLANS, _half(*guardian.AIMS)),
}
"""By board: what its stories are drawn from."""
SPECIAL = tuple(_TASTES)
"""Boards that are asked for by name."""

SCRIPTS: dict[str, tuple[Fault, ...]] = {
    "the successor dies in its claim": (
        Fault(0, "kill-all", "a", 1500), Fault(0, "kill", "b", 900, _at("do ServiceOn")),
    ),
    "frozen across everything, thawed with full buffers": (
        Fault(0, "freeze", "a", 900), Fault(900, "burst", "a", 0), Fault(1500, "freeze", "b", 700),
    ),
    "frozen between coil and lease": (
        Fault(0, "switchover", "a", 0), Fault(0, "freeze", "b", 300, _at("heart coil on", 1)),
        Fault(0, "freeze", "b", 300, _at("heart acquire", 1)),
    ),
    "a control, and nobody saw the answer": (
        Fault(0, "freeze", "a", 500, _at("write control")), Fault(600, "kill-all", "b", 900, _at("write control", 2)),
    ),
    "snapshot cut, then the source dies": (
        Fault(0, "kill-all", "b", 600), Fault(0, "switch-1", "a", 300, _at("the whole image follows", 0, 2)),
        Fault(0, "kill-all", "a", 900, _at("the whole image follows", 0, 1)),
    ),
    "out of sync, then alone, then back": (
        Fault(0, "kill-all", "b", 700), Fault(300, "kill", "a", 900), Fault(1200, "one-way", "b", 400),
    ),
    "one-way, then the deaf one is killed": (
        Fault(0, "one-way", "a", 900), Fault(400, "kill-all", "b", 500), Fault(1000, "one-way", "b", 900),
    ),
    "welded, then the owner dies": (
        Fault(0, "weld", "a", 2500), Fault(200, "kill-all", "a", 600), Fault(900, "power", "b", 700),
    ),
    "apart, both go on, together again": (
        Fault(0, "apart", "a", 1200), Fault(300, "burst", "a", 0), Fault(1300, "reset-link", "a", 0),
    ),
    "a switch dies in the handover": (
        Fault(0, "switchover", "a", 0), Fault(0, "switch-1", "a", 500, _at("active -> releasing", 0, 3)),
        Fault(0, "switch-2", "a", 500, _at("active -> releasing", 0, 4)),
    ),
    "old frames after a reboot": (
        Fault(0, "kill", "a", 300), Fault(50, "reboot-and-replay", "a", 200), Fault(700, "reboot-and-replay", "b", 300),
    ),
    "killed while the flash still writes which epoch was used": (
        Fault(0, "power", "a", 200), Fault(0, "power", "b", 200), Fault(200, "flash-slow", "a", 100),
        Fault(300, "power", "b", 1700), Fault(500, "kill-all", "a", 100),
    ),
    "both lose power, a flash lied": (
        Fault(0, "flash-lies", "a", 2000), Fault(300, "kill", "a", 300), Fault(900, "power", "b", 900),
        Fault(905, "power", "a", 700),
    ),
}  # fmt: skip
"""Worst cases that somebody thought of; random faults follow them."""
