"""Counters as system points, looked at once a second: devices, control centers, the mirror, the process.

Many devices are taken in portions, so that no turn is long. A reset remembers what was counted until then; what a
master, a slave or the mirror counts for itself goes on.
"""

from __future__ import annotations

from itertools import islice
from typing import NamedTuple

from tandem.parts import Parts
from tandem.point import SECOND
from tandem.system import COUNTERS

EACH_NS = SECOND
PORTION = 64
"""Devices looked at in one turn, about; a channel is never divided."""
_NAMES = frozenset(name for name, _ in COUNTERS)
_READINGS = ("last_answer_ms", "unconfirmed")
_CENTER = ("confirmed", "repeated", "overflowed", "broken", "starts", "window_full", "unconfirmed")


class Figures(NamedTuple):
    """What a process costs, and its clock. `worst_turn_ms`: since told last; `cpu_percent` of one core since then."""

    turns: int = 0
    worst_turn_ms: float = 0.0
    resident_mib: float = 0.0
    cpu_percent: float = 0.0
    uptime_s: int = 0
    clock_error_ms: float = 0.0


class Statistics:
    """The slow part of the system points; `ids` are theirs, by name without the prefix."""

    def __init__(self, node: Parts, ids: dict[str, int]) -> None:
        self.node = node
        self._ids = ids
        self._channels = [channel for channels in node.channels.values() for channel in channels]
        self._points = {
            device.name: [(name, ids[f"device.{device.name}.{name}"]) for name in (*sorted(_NAMES), *_READINGS)]
            for master in node.config.masters
            for device in master.devices
        }
        self._next = iter(self._channels)
        self._round_at = 0
        self._base: dict[str, dict[str, float]] = {}
        self.figures = Figures()

    # --- the points -------------------------------------------------------------------------------------------------

    def tick(self, now: int, stamp_us: int) -> None:
        """A portion of what is due."""
        looked = 0
        while looked < PORTION and (found := list(islice(self._next, 1))):
            for name, row in found[0].statistics().items():
                looked += 1
                self._device(name, row, stamp_us)
        if looked < PORTION and now >= self._round_at:
            self._round_at = now + EACH_NS
            self._next = iter(self._channels)
            self._rest(stamp_us)

    def _device(self, device: str, row: dict[str, float], stamp_us: int) -> None:
        present, set_local = self.node.database.present, self.node.database.set_local
        base = self._base.get(device)
        for name, point_id in self._points.get(device, ()):
            value = row.get(name)
            if value is None:
                continue
            if base is not None:
                value -= base.get(name, 0.0)
            old = present[point_id]
            if old[2] != value or old[4]:
                set_local(point_id, value, stamp_us)

    def _rest(self, stamp_us: int) -> None:
        node, figures = self.node, self.figures
        for key, row in node.service.statistics().items():
            center = "center." + key.partition(".")[2]
            for counter in _CENTER:
                self._set(f"{center}.{counter}", row[counter], stamp_us)
            self._set(f"{center}.held", max(0.0, node.journal.head - row["cursor"]), stamp_us)
        granter = node.sync.granter
        self._set("mirror_lag_records", node.journal.head - granter.acknowledged if granter.active else 0, stamp_us)
        self._set("mirror_lag_ms", node.mirror.source.lag.last_ns / 1e6, stamp_us)
        self._set("process.turns", figures.turns, stamp_us)
        self._set("process.worst_turn_ms", figures.worst_turn_ms, stamp_us)
        self._set("process.resident_mib", round(figures.resident_mib, 1), stamp_us)
        self._set("process.cpu_percent", round(figures.cpu_percent, 1), stamp_us)
        self._set("process.uptime_s", figures.uptime_s, stamp_us)
        self._set("clock_error_ms", figures.clock_error_ms, stamp_us)

    def _set(self, name: str, value: float, stamp_us: int) -> None:
        self.node.database.set_local(self._ids[name], float(value), stamp_us)

    # --- what is told and asked ---------------------------------------------------------------------------------------

    def told(self, figures: Figures) -> None:
        """The process measured itself; the worst turn is kept until it is reset."""
        worst = max(self.figures.worst_turn_ms, figures.worst_turn_ms)
        self.figures = figures._replace(worst_turn_ms=worst)

    def devices(self) -> dict[str, dict[str, float]]:
        """By device, what was counted since the last reset, and the rest of what its master tells."""
        rows = self.node.field.statistics()
        for name, base in self._base.items():
            if name in rows:
                rows[name] = {key: value - base.get(key, 0.0) for key, value in rows[name].items()}
        return rows

    def reset(self, device: str = "") -> str:
        """Count anew from now on, for one device or for all of this member; returns what was done, as a sentence."""
        rows = self.node.field.statistics()
        if device and device not in rows:
            raise ValueError(f'there is no device "{device}"; the point list names them: _sys.device.NAME.ok')
        for name in (device,) if device else rows:
            self._base[name] = {key: value for key, value in rows[name].items() if key in _NAMES or key == "late_scans"}
        self._round_at = 0
        if device:
            return f"the statistics of device {device} begin anew on member {self.node.member}"
        self.figures = self.figures._replace(worst_turn_ms=0.0)
        return f"the statistics of {len(rows)} devices and of the process begin anew on member {self.node.member}"
