"""What a center writes that is no control: parameters of measured values, freezes of counters.

A parameter stands at the address of its value, its kind (KPA) says which one it is; it counts from the moment it is
written and has the written row's type. A smoothing factor and persistent cyclic transmission are refused.
"""

from __future__ import annotations

import math

from tandem.codec.iec60870.asdu import Asdu
from tandem.slave.iec104.commands import Refused
from tandem.slave.iec104.packer import Packer
from tandem.slave.iec104.parameters import KINDS, THRESHOLD, TYPE_OF, Parameter, from_wire
from tandem.slave.iec104.rows import Monitor, Rows

LOADED, ADDRESSED = 1, 2
FREEZE, FREEZE_WITH_RESET, RESET = 1, 2, 3


class Writes:
    """Of one connection, into the memory of its center. Raises Refused with the sentence."""

    def __init__(self, rows: Rows, packer: Packer) -> None:
        self._rows = rows
        self._packer = packer
        self._memory = packer.memory

    def load(self, read: Asdu) -> bool:
        """P_ME_Nx_1; False where no row of that type has the address."""
        assert read.objects is not None, "the type is known"
        self._permit()
        if read.amount != 1:
            raise Refused(f"{read.name} has {read.amount} objects; a parameter is written alone")
        ioa, values = read.objects[0]
        row = self._rows.monitor_at.get((read.ca, ioa))
        if row is None or TYPE_OF.get(row.still) != read.type:
            return False
        kind, wire = values["kind"], values["value"]
        if kind not in KINDS:
            raise Refused(f"a parameter of kind {kind}; thresholds (KPA = 1) and limits (3, 4) can be written")
        value = from_wire(row, kind, wire)
        if not math.isfinite(value) or (kind == THRESHOLD and wire < 0):
            raise Refused(f"{wire} is no {'threshold; write 0 or more' if kind == THRESHOLD else 'limit'}")
        if not read.test:
            try:
                self._memory.write(row, kind, Parameter(value, not values["out_of_operation"]))
            except ValueError as error:
                raise Refused(str(error)) from error
        return True

    def use(self, read: Asdu, in_force: bool) -> bool:
        """P_AC_NA_1; False where the address has no written parameter."""
        assert read.objects is not None, "the type is known"
        self._permit()
        ioa, values = read.objects[0]
        if values["qualifier"] not in (LOADED, ADDRESSED):
            raise Refused(f"an activation with QPA = {values['qualifier']}; 1 (all that was loaded) and 2 are served")
        rows = self._addressed(read.ca, ioa) if values["qualifier"] == ADDRESSED else self._loaded(read.ca, ioa)
        if read.test:
            return bool(rows)
        return self._memory.use(rows, in_force)

    def _addressed(self, ca: int, ioa: int) -> list[Monitor]:
        row = self._rows.monitor_at.get((ca, ioa))
        return [row] if row is not None and row.slot in self._memory.parameters.written else []

    def _loaded(self, ca: int, ioa: int) -> list[Monitor]:
        monitors = self._rows.monitors
        return [row for slot in self._memory.parameters.written if not ioa and (row := monitors[slot]).ca == ca]

    def written(self, ca: int, group: int) -> list[Monitor]:
        """The rows with parameters that a station (group 0) or group interrogation reports, by address."""
        monitors = self._rows.monitors
        rows = [row for slot in self._memory.parameters.written if (row := monitors[slot]).ca == ca]
        return sorted((row for row in rows if group in (0, row.group)), key=lambda row: row.ioa)

    def freeze(self, ca: int, group: int, how: int, test: bool) -> None:
        """C_CI_NA_1 with FRZ above 0 for a group of counters, or (0) for all of them."""
        if not self._rows.freeze:
            raise Refused("a center may not freeze or reset counters here (freeze = false)")
        if test:
            return
        try:
            self._packer.freeze(self._rows.every_counter(ca, group), how != RESET, how != FREEZE)
        except ValueError as error:
            raise Refused(str(error)) from error

    def _permit(self) -> None:
        if not self._rows.parameters:
            raise Refused("a center may not write parameters here (parameters = false)")
