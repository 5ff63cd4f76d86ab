"""Which profile a board may use: what `tandem bench stalls` measured there, and the rules that judge it.

A stall is how much later than it should a real-time process of the gateway woke up, in ms. Lateness of the heart delays
beats and the lease's renewal; lateness of the supervisor delays its marks of progress.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

from tandem.config.schema import PROFILES, STANDBY

FILE = "stalls.json"
LEAST_MINUTES = 60
"""A shorter measurement is shown, and allows nothing: the worst stall of an hour is what counts."""
TICK_MS = {"normal": 10, "fast": 5}
"""How often the heart turns, by profile, where the group's times are the profile's own."""
_CURE = 'run `tandem bench stalls --state DIR` on this board for an hour, or write profile = "normal"'


@dataclass(slots=True, frozen=True)
class Stalls:
    """One process' stalls, in ms."""

    median_ms: float
    p99_ms: float
    p9999_ms: float
    worst_ms: float
    turns: int


@dataclass(slots=True, frozen=True)
class Measured:
    """One measurement. `realtime`: "" or what the machine did not permit; `at`: when, UTC."""

    minutes: float
    heart: Stalls
    supervisor: Stalls
    kernel: str
    machine: str
    cores: int
    realtime: str
    load: str
    at: str

    def to_json(self) -> str:
        """The file."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @classmethod
    def of(cls, text: str) -> Measured:
        """The file, read. Raises ValueError."""
        try:
            row: dict[str, Any] = json.loads(text)
            heart, supervisor = Stalls(**row.pop("heart")), Stalls(**row.pop("supervisor"))
            found = cls(heart=heart, supervisor=supervisor, **row)
            numbers = (found.minutes, heart.worst_ms, supervisor.worst_ms)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{FILE} is damaged ({error!r})") from None
        if not all(isinstance(number, int | float) and number >= 0 for number in numbers):
            raise ValueError(f"{FILE} is damaged: a time is no number")
        return found


def against(profile: str, measured: Measured) -> list[str]:
    """What speaks against a profile with its own times, in sentences; empty where its times have room."""
    times = {key.name: key.default for key in STANDBY} | PROFILES[profile]
    beat, dead, lease, stall = (int(str(times[k])) for k in ("heartbeat_ms", "dead_after_ms", "lease_ms", "stall_ms"))
    heart, supervisor, tick = measured.heart.worst_ms, measured.supervisor.worst_ms, TICK_MS[profile]
    worst = max(heart, supervisor)
    found = []
    if dead < 1.5 * worst + 2 * beat:
        found.append(f"dead_after_ms = {dead} is below 1.5 x worst stall {worst:.1f} + 2 x heartbeat_ms {beat}")
    if lease <= heart + tick:
        found.append(f"lease_ms = {lease} is not above the heart's worst stall {heart:.1f} + renewal {tick}")
    if stall <= supervisor + stall // 2:
        found.append(f"stall_ms = {stall} is not above the supervisor's worst stall {supervisor:.1f} + {stall // 2}")
    return found


def may_use(profile: str, measured: Measured) -> list[str]:
    """Why a profile may not be used on the board that was measured; empty: it may."""
    found = against(profile, measured)
    if profile != "normal" and measured.minutes < LEAST_MINUTES:
        found.append(f"measured for {measured.minutes:g} minutes, {LEAST_MINUTES} are needed")
    if profile != "normal" and measured.realtime:
        found.append(f"the machine did not permit {measured.realtime}")
    return found


def refusal(profile: str, text: str, kernel: str) -> str:
    """Why a start with this profile is refused, with the cure; "" where it is not. `text`: of FILE, "" for none."""
    if profile == "normal":
        return ""
    if not text:
        return f'profile = "{profile}": the stalls of this board were never measured; {_CURE}'
    try:
        measured = Measured.of(text)
    except ValueError as error:
        return f'profile = "{profile}": {error}; {_CURE}'
    if measured.kernel != kernel:
        return f'profile = "{profile}": measured under kernel {measured.kernel}, this is {kernel}; {_CURE}'
    found = may_use(profile, measured)
    return f'profile = "{profile}": {"; ".join(found)}; {_CURE}' if found else ""
