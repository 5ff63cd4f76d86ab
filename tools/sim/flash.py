"""The state folder on its flash: what a write does when the flash is well, slow, full, or says yes too early."""

from __future__ import annotations

import random

from tandem.action import Persist, Store
from tandem.archive import durable, reading, recorder
from tandem.archive.rebuild import rebuild
from tandem.past import Past
from tools.sim.world import MS

_SLOW_MS = 1200


class Flash:
    """`files` is what a restart finds; a power cut takes what a lying flash had not written yet."""

    def __init__(self, draw: random.Random) -> None:
        self.files: dict[str, str] = {}
        self.logs: dict[str, list[bytes]] = {}
        """By log: its files, oldest first."""
        self.mood = "well"
        """well, slow, full or lies."""
        self.lied = False
        """Something was lost by a power cut although it had been promised."""
        self._draw = draw
        self._safe: dict[str, str] = {}
        self._free_at = 0

    def write(self, now: int) -> tuple[int, str]:
        """(when the write ends, its fault). Writes go one after the other."""
        took_ms = self._draw.randrange(1, 30) + (_SLOW_MS if self.mood == "slow" else 0)
        self._free_at = max(self._free_at, now) + took_ms * MS
        return self._free_at, "No space left on device" if self.mood == "full" else ""

    def past(self) -> Past:
        """What a process finds at its start."""
        archive = reading.last_place(reversed(self.logs.get(recorder.LOG, [])))
        texts = {name: self.files.get(name, "") for name in Past.FILES}
        return Past(texts, archive, rebuild(self.logs.get(durable.LOG, [])))

    def _append(self, store: Store) -> None:
        files = self.logs.setdefault(store.log, [b""])
        if store.begin:
            files.append(b"")
        files[-1] += store.octets
        if store.keep_octets is not None:
            while len(files) > 1 and sum(map(len, files[:-1])) > store.keep_octets:
                del files[0]

    def reached(self, action: Persist | Store) -> None:
        """A write ended well, as far as the flash says."""
        if isinstance(action, Store):
            self._append(action)
            return
        self.files[action.name] = action.text
        if self.mood != "lies":
            self._safe = dict(self.files)

    def power_lost(self) -> None:
        """What was not on the flash is gone."""
        self.lied |= self.files != self._safe
        self.files = dict(self._safe)
        self._free_at = 0
