"""How far the standby lags behind: times from the end of a turn to the acknowledgement of its records."""

from __future__ import annotations

from collections import deque

_KEPT = 1000


class Lag:
    """The newest lags in ns, a thousand of them unless `kept` says otherwise."""

    def __init__(self, kept: int = _KEPT) -> None:
        self._lags: deque[int] = deque(maxlen=kept)

    def add(self, lag_ns: int) -> None:
        """One slice was acknowledged."""
        self._lags.append(lag_ns)

    @property
    def last_ns(self) -> int:
        """The newest; 0 before the first."""
        return self._lags[-1] if self._lags else 0

    def statistics(self) -> dict[str, float]:
        """Milliseconds: last, median, 99th percentile, worst; empty before the first."""
        if not self._lags:
            return {}
        ordered = sorted(self._lags)
        last = len(ordered) - 1
        marks = {"median": ordered[last // 2], "p99": ordered[last * 99 // 100], "worst": ordered[last]}
        return {f"lag_{name}_ms": ns / 1e6 for name, ns in {"last": self._lags[-1], **marks}.items()}
