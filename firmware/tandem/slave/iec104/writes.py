"""What a center writes that is no control: parameters of measured values, freezes of counters.

A threshold (KPA = 1) counts from the moment it is written and is of the written row's type. Filter times and limits
have no meaning here, and persistent cyclic transmission is not served: both are refused.
"""

from __future__ import annotations

import math

from tandem.codec.iec60870.asdu import Asdu
from tandem.slave.iec104.commands import Refused
from tandem.slave.iec104.packer import Packer
from tandem.slave.iec104.rows import Monitor, Rows

THRESHOLD = 1
LOADED, ADDRESSED = 1, 2
FREEZE, FREEZE_WITH_RESET, RESET = 1, 2, 3
_MEASURED = {110: (9, 21), 111: (11,), 112: (13,)}


class Writes:
    """Of one connection, into the memory of its center. Raises Refused with the sentence."""

    def __init__(self, rows: Rows, packer: Packer) -> None:
        self._rows = rows
        self._packer = packer
        self._memory = packer.memory

    def load(self, read: Asdu) -> bool:
        """P_ME_Nx_1; False where no row of that type has the address."""
        assert read.objects is not None, "the type is known"
        if read.amount != 1:
            raise Refused(f"{read.name} has {read.amount} objects; a parameter is written alone")
        ioa, values = read.objects[0]
        row = self._rows.monitor_at.get((read.ca, ioa))
        if row is None or row.still not in _MEASURED[read.type]:
            return False
        if values["kind"] != THRESHOLD:
            raise Refused(f"a parameter of kind {values['kind']}; only the threshold (KPA = 1) can be written")
        threshold = abs(values["value"] / row.scale)
        if not math.isfinite(threshold) or values["value"] < 0:
            raise Refused(f"{values['value']} is no threshold; write 0 or more")
        if not read.test:
            try:
                self._memory.write(row, threshold, not values["out_of_operation"])
            except ValueError as error:
                raise Refused(str(error)) from error
        return True

    def use(self, read: Asdu, in_force: bool) -> bool:
        """P_AC_NA_1; False where the address has no written threshold."""
        assert read.objects is not None, "the type is known"
        ioa, values = read.objects[0]
        if values["qualifier"] not in (LOADED, ADDRESSED):
            raise Refused(f"an activation with QPA = {values['qualifier']}; 1 (all that was loaded) and 2 are served")
        rows = self._addressed(read.ca, ioa) if values["qualifier"] == ADDRESSED else self._loaded(read.ca, ioa)
        if read.test:
            return bool(rows)
        return self._memory.use(rows, in_force)

    def _addressed(self, ca: int, ioa: int) -> list[Monitor]:
        row = self._rows.monitor_at.get((ca, ioa))
        return [row] if row is not None and row.slot in self._memory.thresholds else []

    def _loaded(self, ca: int, ioa: int) -> list[Monitor]:
        monitors = self._rows.monitors
        return [row for slot in self._memory.thresholds if not ioa and (row := monitors[slot]).ca == ca]

    def freeze(self, ca: int, group: int, how: int, test: bool) -> None:
        """C_CI_NA_1 with FRZ above 0 for a group of counters, or (0) for all of them."""
        if test:
            return
        try:
            self._packer.freeze(self._rows.every_counter(ca, group), how != RESET, how != FREEZE)
        except ValueError as error:
            raise Refused(str(error)) from error
