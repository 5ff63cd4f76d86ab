"""The field's ledger, RUN/field.jsonl: one JSON object a line, appended, never changed.

    {"t": monotonic ns, "utc_us": ..., "what": "generated", "point": NAME, "value": V}   the process has a new value
    {"t": ..., "what": "sent", "point": NAME, "value": V}             a reply carried this value for the first time
    {"t": ..., "what": "control", "device": NAME, "point": NAME or "", "value": V, "table": ..., "raw": [...]}
    {"t": ..., "what": "counter", ...}                                like "sent", of a free-running counter

A 104 device has events with stamps of its own: "sent" has such a one as "utc_us". Besides, "connect" and
"started": {"again": events that were not acknowledged and are offered again}.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import IO, Any


class Ledger:
    """Writes lines and pushes them out at once: a reader sees what happened, also after a kill."""

    def __init__(self, path: Path, fresh: bool = True) -> None:
        """`fresh`: empty it first; a second process appends to what a first one made."""
        if fresh:
            path.write_text("")
        self._file: IO[str] = path.open("a", encoding="utf-8", buffering=1)

    def write(self, what: str, **fields: Any) -> int:
        """Append; returns the monotonic ns that it noted."""
        now = time.monotonic_ns()
        self._file.write(json.dumps({"t": now, "utc_us": time.time_ns() // 1000, "what": what, **fields}) + "\n")
        return now

    def close(self) -> None:
        """No more lines."""
        self._file.close()
