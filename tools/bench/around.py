"""What happened around each kill, from the ledgers outside and the members' own logs: repetitions, controls' answers.

*Repeated* by a kill: an event that reached the center once more than the device gave it out, before the next kill. Its
*ASDU* is the one in which it had come first: a successor sends again what was not confirmed, at most k of them.
An answer is *true* when it is what the device did: "done" and once, "no" and never, or, where the members' log calls
the control unknown or failed, "no" and at most once. Who got no answer was told nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

Line = dict[str, Any]
BEFORE_NS, AFTER_NS = 1_000_000_000, 3_000_000_000
NOT_SENT = "there is no started connection"
_OPEN_OUTCOMES = frozenset(("unknown", "failed"))


class Repeats(NamedTuple):
    """After one kill: events that came once more, and the ASDUs in which they had come first."""

    events: int
    asdus: int


class Answers(NamedTuple):
    """Controls around the kills. `untrue`: sentences."""

    sent: int
    done: int
    refused: int
    unknown: int
    unanswered: int
    untrue: list[str]


def repeats(sent: Iterable[Line], heard: Iterable[Line], kills: Sequence[int]) -> list[Repeats]:
    """By kill, oldest first; what came again before the first kill is the first element."""
    given = Counter((line["point"], line["value"], line["utc_us"]) for line in sent)
    came: defaultdict[tuple[str, float, int], list[int]] = defaultdict(list)
    events = [0] * (len(kills) + 1)
    asdus: list[set[int]] = [set() for _ in events]
    for line in heard:
        if line["cause"] != 3:
            continue
        event = line["point"], line["value"], line["time_us"]
        if event in given and len(came[event]) >= given[event]:
            place = bisect_right(kills, line["t"])
            events[place] += 1
            asdus[place].add(came[event][len(came[event]) - given[event]])
        came[event].append(line["asdu"])
    return [Repeats(count, len(first)) for count, first in zip(events, asdus, strict=True)]


def answers(asked: Iterable[Line], done: Iterable[Line], stories: Iterable[Line], kills: Sequence[int]) -> Answers:
    """Of the controls that were sent around a kill; their values are unique, the device's ledger has each of them."""
    times = Counter(line["value"] for line in done)
    outcomes: defaultdict[float, set[str]] = defaultdict(set)
    for story in stories:
        outcomes[_number(story["value"])].add(story["outcome"])
    counts, untrue = Counter[str](), []
    for answer in asked:
        if not _is_around(answer["t"], kills) or answer.get("error") == NOT_SENT:
            continue
        value, executed = answer["value"], times[answer["value"]]
        if "cause" not in answer:
            word = "unanswered"
            true = executed <= 1
        elif answer["cause"] == 7 and not answer["negative"]:
            word, true = "done", executed == 1
        elif outcomes[value] & _OPEN_OUTCOMES:
            word, true = "unknown", executed <= 1
        else:
            word, true = "refused", executed == 0
        counts[word] += 1
        if not true:
            said = ", ".join(sorted(outcomes[value])) or "nothing"
            untrue.append(f"{value:g} was {word}, the device did it {executed} times, the log says {said}")
    return Answers(
        counts.total(), counts["done"], counts["refused"], counts["unknown"], counts["unanswered"], untrue
    )


def _is_around(t_ns: int, kills: Sequence[int]) -> bool:
    return any(kill - BEFORE_NS <= t_ns <= kill + AFTER_NS for kill in kills)


def _number(text: str) -> float:
    """A log's value as a number: "12.5 A" is 12.5."""
    try:
        return float(text.split()[0])
    except (ValueError, IndexError):
        return float("nan")
