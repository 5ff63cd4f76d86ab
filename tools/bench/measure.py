"""What an outage was, read from the ledgers of probe, field and c104's client, and from the survivor's own words.

    data_ms     fault until the probe has STARTDT confirmed on a new connection and its first answer (an I frame)
    field_ms    fault until a value reaches the probe that a device gave out after the fault
    control_ms  fault until a control is executed at the device (the write request reached it)
    c104_ms     fault until c104's client hears an event on a new connection (it pauses a second by itself)

None where it did not happen in the time, or where the fault did not take the connection away.
`parts` are the survivor's: detection (fault to decision), fence, role (lease and addresses), service; a
service part that it does not tell is taken from outside: group address moved until the probe's first answer.
`outside` is what the relay bench saw, in ms since the fault: the group address moved, the old role contact opened for
good, the new one closed for good.
"""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tools.bench.plan import MS, other

if TYPE_CHECKING:
    from tools.bench.faults import Fault
    from tools.bench.pair import Pair

_PARTS = ("detection", "fence", "role", "service")
_OUTSIDE = ("address", "contact_open", "contact_closed")
_C104_S = 6.0


@dataclass(slots=True)
class Measurement:
    """Times in ms since the fault; `cause` is the survivor's sentence."""

    kind: str
    member: str
    data_ms: float | None = None
    field_ms: float | None = None
    control_ms: float | None = None
    c104_ms: float | None = None
    parts: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(_PARTS))
    outside: dict[str, float | None] = field(default_factory=lambda: dict.fromkeys(_OUTSIDE))
    cause: str = ""
    in_sync: bool | None = None
    listening_ms: float | None = None
    """Of control_ms: how long the survivor kept the line quiet, for a late answer to the old owner's request."""

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return asdict(self)


def measure(pair: Pair, fault: Fault, timeout_s: float) -> Measurement:
    """Wait for every time that can be expected, then read them."""
    found = Measurement(fault.kind, fault.member)
    began = time.monotonic()
    wanted = [_data, _field] + ([_control] if pair.operator.point else []) + ([_c104] if pair.foreign else [])
    while wanted and time.monotonic() - began < timeout_s:
        wanted = [read for read in wanted if not read(pair, fault.t_ns, found)]
        if found.control_ms is not None:
            pair.operator.calm()
        if wanted == [_c104] and time.monotonic() - began > _C104_S:
            break
        time.sleep(0.01)
    _ask_bench(pair, fault, found)
    _ask_survivor(pair, fault, found)
    return found


def _ms(t: int, since: int) -> float:
    return round((t - since) / MS, 2)


def _data(pair: Pair, t: int, found: Measurement) -> bool:
    answered = pair.probe_ledger.since(t, "answered")
    if answered:
        found.data_ms = _ms(answered[0]["t"], t)
    return bool(answered)


def _field(pair: Pair, t: int, found: Measurement) -> bool:
    """An event whose value the device first gave out after the fault; before its arrival at the probe, of course."""
    sent = pair.field_ledger.since(t, "sent")
    tolerance = pair.tolerances()
    for line in pair.probe_ledger.since(t, "event"):
        for one in sent:
            near = tolerance.get(one["point"], -1.0)
            same = one["point"] == line["point"] and abs(one["value"] - line["value"]) <= near
            if same and one["t"] <= line["t"]:
                found.field_ms = _ms(line["t"], t)
                return True
    return False


def _control(pair: Pair, t: int, found: Measurement) -> bool:
    done = [line for line in pair.field_ledger.since(t, "control") if line["value"] is not None]
    if done:
        found.control_ms = _ms(done[0]["t"], t)
    return bool(done)


def _c104(pair: Pair, t: int, found: Measurement) -> bool:
    opened = [s["t"] for s in pair.c104_ledger.since(t, "state") if s["state"] in ("OPEN", "OPEN_MUTED")]
    events = pair.c104_ledger.since(opened[0], "event") if opened else []
    if events:
        found.c104_ms = _ms(events[0]["t"], t)
    return bool(events)


def _ask_bench(pair: Pair, fault: Fault, found: Measurement) -> None:
    survivor = other(fault.member)
    for t, what, who, value in pair.bench.history(fault.t_ns):
        if what == "owner" and value == survivor and found.outside["address"] is None:
            found.outside["address"] = _ms(t, fault.t_ns)
        elif (what, who, value) == ("contact", fault.member, 0):
            found.outside["contact_open"] = _ms(t, fault.t_ns)
        elif (what, who, value) == ("contact", survivor, 1):
            found.outside["contact_closed"] = _ms(t, fault.t_ns)


def _ask_survivor(pair: Pair, fault: Fault, found: Measurement) -> None:
    last = pair.members[other(fault.member)].status().get("last_failover") or {}
    parts = last.get("parts") or {}
    for name in _PARTS:
        value = parts.get(f"{name}_ms", parts.get(name))
        found.parts[name] = round(value, 2) if isinstance(value, int | float) else None
    if found.parts["service"] is None and found.data_ms is not None and found.outside["address"] is not None:
        found.parts["service"] = round(max(0.0, found.data_ms - found.outside["address"]), 2)
    found.cause = str(last.get("cause", ""))
    found.in_sync = last.get("in_sync")
    found.listening_ms = last.get("listening_ms")
    if isinstance(decided := last.get("decided_ns"), int):
        found.parts["detection"] = _ms(decided, fault.t_ns)
