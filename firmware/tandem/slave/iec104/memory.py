"""What a center made this station remember for it: parameters that it wrote, counters that it froze or set back.

Each center has a memory of its own, so that none changes what another one is told. It travels to the other member in
pages of addresses; a page is replaced as a whole. Values are in engineering units.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable
from typing import NamedTuple

from tandem.slave.iec104.parameters import KINDS, TYPE_OF, Parameter, Parameters
from tandem.slave.iec104.rows import COUNTER, Monitor, Rows

MOST_PAGES = 64
"""Pages of 1,024 addresses that one center may have written to."""
_PAGE_BITS = 10
_FORMAT = 1
_PARAMETER = struct.Struct("<IdB")
_TOTAL = struct.Struct("<IddQdIBB")
_TOTALS = 2
_ENTRIES = {_TOTALS: _TOTAL} | dict.fromkeys(KINDS, _PARAMETER)
"""By its first octet: an entry of a page. A parameter's is its kind, of which 2 is never taken."""
_SEQUENCES = 32

Page = tuple[int, int]
"""(common address, object address >> 10)."""


class Frozen(NamedTuple):
    """A counter as it was at the last freeze."""

    value: float
    quality: int
    sequence: int


class Total(NamedTuple):
    """`base` is taken off what is numbered above `since`, `before` off what is older."""

    base: float = 0.0
    before: float = 0.0
    since: int = 0
    frozen: Frozen | None = None


class Memory:
    """Of one center. Rows are known by their slots, and in pages by their addresses."""

    def __init__(self, rows: Rows) -> None:
        self.parameters = Parameters()
        self.totals: dict[int, Total] = {}
        self._rows = rows
        self.changed: dict[Page, None] = {}
        """Pages that the other member was not told yet."""
        self.unshared: set[Page] = set()
        """Pages that the other member is not known to have as they are now."""
        self._pages: set[Page] = set()

    # --- parameters ------------------------------------------------------------------------------------------------

    def write(self, row: Monitor, kind: int, parameter: Parameter) -> None:
        """The center writes a row's parameter. Raises ValueError where it wrote to too many pages."""
        self._touch((row,))
        self._rows.weigh(row)
        self.parameters.put(row, kind, parameter)

    def use(self, rows: Iterable[Monitor], in_force: bool) -> bool:
        """Parameters that were written are in force from now on, or the list is; False where none was written."""
        known = [row for row in rows if row.slot in self.parameters.written]
        self._touch(known)
        for row in known:
            self.parameters.use(row, in_force)
        return bool(known)

    # --- counters ----------------------------------------------------------------------------------------------------

    def reading(self, slot: int, number: int, value: float) -> float:
        """A counter's value, numbered `number`, as the center is told it."""
        total = self.totals.get(slot)
        if total is None:
            return value
        if value > total.base or (number > total.since and value == total.base):
            return value - total.base
        if number <= total.since:
            return value - total.before if value >= total.before else value
        self.totals[slot] = Total(frozen=total.frozen)  # the device counts anew
        self._touch((self._rows.monitors[slot],))
        return value

    def freeze(self, readings: Iterable[tuple[Monitor, int, float, int]], keep: bool, reset: bool) -> None:
        """Keep readings (row, number, value, quality), and count from there on anew.

        Raises ValueError where the center would have too many pages.
        """
        readings = list(readings)
        self._touch([row for row, *_ in readings])
        for row, number, value, quality in readings:
            old = self.totals.get(row.slot, Total())
            frozen = old.frozen
            if keep:
                told = self.reading(row.slot, number, value)
                old = self.totals.get(row.slot, Total())
                frozen = Frozen(told, quality, ((frozen.sequence if frozen else 0) + 1) % _SEQUENCES)
            if reset and math.isfinite(value):
                old = Total(value, old.base, number)
            self.totals[row.slot] = old._replace(frozen=frozen)

    # --- pages -------------------------------------------------------------------------------------------------------

    def pages(self) -> list[tuple[Page, bytes]]:
        """Drain the pages that changed."""
        changed, self.changed = self.changed, {}
        return [(page, self._octets(page)) for page in changed]

    def shared(self, page: Page) -> None:
        """The other member has the page as it was told last."""
        if page not in self.changed:
            self.unshared.discard(page)

    def restore(self, page: Page, octets: bytes) -> None:
        """What the other member knows of a page; octets that cannot be read, and unknown rows, are nothing."""
        found = _read(octets)
        if found is None or (page not in self._pages and len(self._pages) >= MOST_PAGES):
            return
        self._pages.add(page)
        self.changed.pop(page, None)
        self.unshared.discard(page)
        for slot in self._slots(page):
            self.parameters.forget(slot)
            self.totals.pop(slot, None)
        for entry, address, *fields in found:
            row = self._rows.monitor_at.get((page[0], int(address)))
            if row is not None and row.ioa >> _PAGE_BITS == page[1]:
                self._restored(row, int(entry), fields)

    def _restored(self, row: Monitor, entry: int, fields: list[float]) -> None:
        """One entry of a page; what this configuration does not let a center write is not in force either."""
        if entry != _TOTALS and row.still in TYPE_OF and self._rows.parameters:
            self._rows.weigh(row)
            self.parameters.put(row, entry, Parameter(fields[0], bool(fields[1])))
        elif entry == _TOTALS and row.still == COUNTER and self._rows.freeze:
            base, before, since, value, quality, sequence, is_frozen = fields
            frozen = Frozen(value, int(quality), int(sequence)) if is_frozen else None
            self.totals[row.slot] = Total(base, before, int(since), frozen)

    def _touch(self, rows: Iterable[Monitor]) -> None:
        pages = dict.fromkeys((row.ca, row.ioa >> _PAGE_BITS) for row in rows)
        if len(self._pages.union(pages)) > MOST_PAGES:
            raise ValueError(f"a center may write to {MOST_PAGES} times 1024 addresses in a row; these would be more")
        self._pages.update(pages)
        self.changed.update(pages)
        self.unshared.update(pages)

    def _slots(self, page: Page) -> list[int]:
        monitors = self._rows.monitors
        known = self.parameters.written.keys() | self.totals.keys()
        return sorted(s for s in known if (monitors[s].ca, monitors[s].ioa >> _PAGE_BITS) == page)

    def _octets(self, page: Page) -> bytes:
        parts = [bytes((_FORMAT,))]
        for slot in self._slots(page):
            ioa = self._rows.monitors[slot].ioa
            for kind, parameter in self.parameters.written.get(slot, {}).items():
                parts.append(bytes((kind,)) + _PARAMETER.pack(ioa, *parameter))
            if total := self.totals.get(slot):
                frozen = total.frozen or Frozen(0.0, 0, 0)
                parts.append(bytes((_TOTALS,)) + _TOTAL.pack(ioa, *total[:3], *frozen, total.frozen is not None))
        return b"".join(parts)


def _read(octets: bytes) -> list[tuple[float, ...]] | None:
    """The entries of a page, each behind its kind, as they were packed; None for octets that are no page."""
    if octets[:1] != bytes((_FORMAT,)):
        return None
    at, rows = 1, []
    while at < len(octets):
        form = _ENTRIES.get(octets[at])
        if form is None or at + 1 + form.size > len(octets):
            return None
        rows.append((octets[at], *form.unpack_from(octets, at + 1)))
        at += 1 + form.size
    return rows
