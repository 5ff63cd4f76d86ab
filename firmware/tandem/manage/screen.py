"""`python -m tandem status` in words: what matters of a member on one screen; all of it is in `status --json`."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Any

MOST_ROWS = 8
"""Devices, and control centers, that are told one by one; those with trouble first."""
_LABEL = 13
_NARROWEST = 40
_COUNTED = (("timeouts", "time-outs"), ("crc_errors", "wrong checksums"), ("exceptions", "refusals"))
_PARTS = (("detection_ms", "detection"), ("fence_ms", "fence"), ("role_ms", "addresses"))
_AFTER = (("service_ms", "first center served"), ("lines_ms", "lines held"))


def screen(status: dict[str, Any], width: int = 110) -> str:
    """The answer to the question "status", for people; lines are broken to fit `width`."""
    lines = []
    for label, text in _lines(status):
        rows = wrap(text, max(_NARROWEST, width - _LABEL - 1)) or [""]
        lines.append(f"{label:{_LABEL}} {rows[0]}".rstrip())
        lines += [" " * (_LABEL + 1) + row for row in rows[1:]]
    return "\n".join(lines)


def _lines(status: dict[str, Any]) -> Iterator[tuple[str, str]]:
    since = _span(status["since_ms"] / 1000)
    yield status["group"], f"member {status['member']} is {status['role'].upper()} for {since}, epoch {status['epoch']}"
    for alarm in status["alarms"]:
        yield "ALARM", alarm
    if status["out_of_service_because"]:
        yield "out because", status["out_of_service_because"]
    yield "health", _health(status["health"])
    yield "peer", _peer(status)
    yield "in sync", _sync(status)
    yield "paths", _states(status["paths"], "alive", "SILENT")
    yield "LANs", _states(status["lans"], "up", "DOWN")
    yield "lines", _relays(status)
    yield "controls", _controls(status)
    for name, tag in status["tags"].items():
        yield "tag", f"{name}: {tag}"
    yield from _masters(status)
    yield from _centers(status["centers"])
    yield from _failover(status["last_failover"])
    yield from _commit(status["commit"])
    yield "machine", _machine(status)


def _health(health: dict[str, Any]) -> str:
    return f"{health['value']} of 255" + (f": {', '.join(health['losses'])}" if health["losses"] else "")


def _peer(status: dict[str, Any]) -> str:
    peer, clock = status["peer"], status["clock"]
    text = f"{peer['role']}, epoch {peer['epoch']}"
    if peer["role"] != "not heard":
        text += f", health {peer['health']}"
    if clock["offset_ms"] is not None:
        side = "ahead" if clock["offset_ms"] >= 0 else "behind"
        text += f", its clock {abs(clock['offset_ms']):.1f} ms {side} (to {clock['round_trip_ms'] / 2:.1f} ms)"
    return text


def _sync(status: dict[str, Any]) -> str:
    mirror = status["mirror"]
    text = "yes" if status["in_sync"] else f"NO: {status['not_in_sync_because']}"
    if status["unprotected"]:
        text += "; UNPROTECTED: what is confirmed is on this member only"
    if status["takeover_unsynced"]:
        text += "; TOOK OVER UNSYNCED"
    text += f"; link {mirror['link'].replace('#', ', number ')}"
    if "lag_median_ms" in mirror:
        text += f", lag {mirror['lag_median_ms']:.1f} ms (99 %: {mirror['lag_p99_ms']:.1f})"
    return f"{text}, {mirror['head'] - mirror['acknowledged']} of {mirror['head']} records not acknowledged"


def _states(states: dict[str, bool], good: str, bad: str) -> str:
    return ", ".join(f"{name} {good if state else bad}" for name, state in states.items()) or "none"


def _relays(status: dict[str, Any]) -> str:
    contacts = status["contacts"]
    words = {name: "closed" if closed else "open" for name, closed in contacts.items()}
    fed = "coil on" if status["coil"] else "coil off"
    found = f"{fed}, own contact {words['own']}, the peer's {words['peer']}, watchdog {words['watchdog']}"
    return f"{status['lines']}; {found}; fence: {status['fence']}"


def _controls(status: dict[str, Any]) -> str:
    counts = [
        f"{word.replace('_', ' ')} {count}"
        for word, count in status["control_counts"].items()
        if count and word != "stray"
    ]
    remote = "" if status["remote"] == "permitted" else f"; remote {status['remote']}"
    return "; ".join([status["controls"] + remote, ", ".join(counts) or "none yet"])


def _masters(status: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, master in status["masters"].items():
        ready = "connected for a takeover" if master["connected"] else "not driven here"
        who = "driven here" if master["driven"] else ready
        yield "master", f"{name}: {who}, {master['answer']} of {master['devices']} devices answer"
    rows = sorted(status["devices"].items(), key=_urgency)
    for name, row in rows[:MOST_ROWS]:
        yield "  device", f"{name}: {_device(row)}"
    if len(rows) > MOST_ROWS:
        yield "", f"  and {len(rows) - MOST_ROWS} more: python -m tandem points --match _sys.device."


def _urgency(row: tuple[str, dict[str, Any]]) -> tuple[bool, bool, bool]:
    return not row[1]["enabled"], bool(row[1]["ok"]), not _trouble(row[1])


def _device(row: dict[str, Any]) -> str:
    if not row["enabled"]:
        return "disabled"
    state = "ok" if row["ok"] else "LOST" if row["known"] else "not asked yet"
    answers = row.get("answers", 0)
    counted = f", {answers:.0f} answers to this member, the last in {row['last_answer_ms']:.1f} ms" if answers else ""
    return state + counted + _trouble(row)


def _trouble(row: dict[str, Any]) -> str:
    return "".join(f", {row[key]:.0f} {word}" for key, word in _COUNTED if row.get(key))


def _centers(centers: dict[str, dict[str, float]]) -> Iterator[tuple[str, str]]:
    for name, row in list(centers.items())[:MOST_ROWS]:
        state = "connected" if row["connected"] else "not connected here"
        counts = f"{row['confirmed']:.0f} events confirmed, {row['repeated']:.0f} repeated"
        lost = f", {row['overflowed']:.0f} LOST (its buffer overflowed)" if row["overflowed"] else ""
        yield "center", f"{name}: {state}, {counts}{lost}"
    if len(centers) > MOST_ROWS:
        yield "", f"and {len(centers) - MOST_ROWS} more: python -m tandem points --match _sys.center."


def _failover(last: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if not last["cause"]:
        yield "last failover", "none to this member since its start"
        return
    parts = last["parts"]
    of_it = ", ".join(f"{word} {parts[key]:.0f}" for key, word in _PARTS if parts[key] is not None)
    after = "".join(f"; {word} after {parts[key]:.0f}" for key, word in _AFTER if parts[key] is not None)
    took = f"{last['total_ms']:.0f} ms ({of_it})" if last["total_ms"] is not None else "nobody served before"
    yield "last failover", f"{last['cause']}: {took}{after}"


def _commit(commit: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """What runs, as far as it is not simply what was committed last."""
    newest = commit["commit"]
    if newest is None:
        return
    step = f": {newest['steps'][-1][2]}" if newest["steps"] and newest["state"] != "done" else ""
    trial = "; what runs is on trial" if commit["on_trial"] else ""
    gone = f"; {commit['left_out']} events LEFT OUT, their points are gone" if commit["left_out"] else ""
    yield "commit", f"{newest['state']}{step}{trial}{gone}"


def _machine(status: dict[str, Any]) -> str:
    process = status["process"]
    facts = [
        f"up {_span(process['uptime_s'])}",
        f"{process['resident_mib']:.0f} MiB",
        f"{process['cpu_percent']:.1f} % of a core",
        f"worst turn {process['worst_turn_ms']:.1f} ms",
        "real-time" if status["realtime"] else "NOT real-time",
        "clock synchronised" if status["clock_synced"] else "clock NOT synchronised",
        f"disk {status['disk']}",
    ]
    return ", ".join(facts)


def _span(seconds: float) -> str:
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
