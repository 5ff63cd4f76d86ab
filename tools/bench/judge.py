"""What became of the field's events and controls, judged from the ledgers alone.

*Sent*: a new value that a device gave out in a reply for the first time (whoever the reply reached). The process keeps
it for `hold_ms` after that, so a value whose reader died can still be read by the successor.
*Lost*: sent, and no event with that value and a stamp of its time ever reached the probe.
*Repeated*: an event that reached the probe once more, or again with the same value and nothing between.
*Executed*: a write request that reached the device and began a control. *Doubled*: executions beyond the first of one
control (setpoints carry a number of their own).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

_EARLY_US = 20_000  # stamps have milliseconds, and two clocks' readings are not one instant
_LATE_US = 3_000_000
_SPONTANEOUS = (3, 11, 12)
_BAD = 0xF0  # invalid, not topical, substituted, blocked

Line = dict[str, Any]


@dataclass(slots=True)
class Verdict:
    """Numbers, and the events behind the bad ones: (point, value, monotonic ns)."""

    sent: int = 0
    lost: int = 0
    repeated: int = 0
    missing: list[tuple[str, float, int]] = field(default_factory=list)
    again: list[tuple[str, float, int]] = field(default_factory=list)


def judge_events(sent: Iterable[Line], heard: Iterable[Line], tolerance: dict[str, float]) -> Verdict:
    """Match what the field sent with what the probe heard, point by point. `tolerance`: by served point."""
    verdict = Verdict()
    by_point: dict[str, tuple[list[Line], list[Line]]] = {name: ([], []) for name in tolerance}
    for line in sent:
        if line["point"] in by_point:
            by_point[line["point"]][0].append(line)
    for line in heard:
        good = not int(line.get("quality", 0)) & _BAD
        if line["point"] in by_point and line["cause"] in _SPONTANEOUS and good:
            by_point[line["point"]][1].append(line)
    for name, (given, arrived) in by_point.items():
        _judge_point(name, given, arrived, tolerance[name], verdict)
    return verdict


def _judge_point(name: str, given: list[Line], arrived: list[Line], tolerance: float, verdict: Verdict) -> None:
    taken: dict[int, int] = {}
    for line in arrived:
        found = _which(line, given, tolerance)
        if found is None:
            continue
        if found in taken:
            verdict.repeated += 1
            verdict.again.append((name, line["value"], line["t"]))
        taken[found] = taken.get(found, 0) + 1
    verdict.sent += len(given)
    for index, line in enumerate(given):
        if index not in taken:
            verdict.lost += 1
            verdict.missing.append((name, line["value"], line["t"]))


def _which(line: Line, given: list[Line], tolerance: float) -> int | None:
    """The index of the sent value that an event tells of: equal, and of its time."""
    stamp = line.get("time_us")
    for index in range(len(given) - 1, -1, -1):
        one = given[index]
        if abs(one["value"] - line["value"]) > tolerance:
            continue
        if stamp is None:
            if one["t"] <= line["t"]:
                return index
        elif -_EARLY_US <= stamp - one["utc_us"] <= _LATE_US:
            return index
    return None


def judge_stamped(sent: Iterable[Line], heard: Iterable[Line]) -> Verdict:
    """Events of devices with clocks of their own: point, value and stamp name one, and each reaches the probe once.

    A device may make several equal ones in a millisecond: as many are to arrive.
    """
    verdict = Verdict()
    arrived = Counter((line["point"], line["value"], line["time_us"]) for line in heard if line["cause"] == 3)
    given: dict[tuple[str, float, int], list[int]] = {}
    for line in sent:
        given.setdefault((line["point"], line["value"], line["utc_us"]), []).append(line["t"])
    for event, times in given.items():
        point, value, _ = event
        verdict.sent += len(times)
        verdict.lost += max(0, len(times) - arrived[event])
        verdict.repeated += max(0, arrived[event] - len(times))
        verdict.missing += [(point, value, t) for t in times[arrived[event] :]]
        verdict.again += [(point, value, times[0])] * max(0, arrived[event] - len(times))
    return verdict


def judge_controls(done: Iterable[Line], point: str) -> tuple[int, int]:
    """(executed, doubled) of all write requests that began a control; numbered ones are those of `point`."""
    began = [line for line in done if line["value"] is not None]
    numbered = Counter(line["value"] for line in began if line["point"] == point)
    return len(began), sum(count - 1 for count in numbered.values())
