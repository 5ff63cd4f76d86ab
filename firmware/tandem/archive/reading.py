"""An archive's files, read without the gateway: its events in order, with every gap and every salvaged tail."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple, Protocol

from tandem.archive.block import SALVAGED, Block, Damage, Gap, Kind, scan
from tandem.archive.index import Entry
from tandem.archive.recorder import Place
from tandem.codec.record import SIZE, Record, unpack
from tandem.point import Kind as PointKind
from tandem.registry import PointInfo

Read = Callable[[str], bytes]
EVER = -(1 << 63), (1 << 63) - 1


class Indexed(Protocol):
    """Files of which some have an index."""

    def entries(self, name: str) -> list[Entry] | None:
        """The file's index; None where it has none."""

    def part(self, name: str, at: int, size: int) -> bytes:
        """Octets of the file; fewer where it is gone."""


class Event(NamedTuple):
    """One archived event. `point` is None where no block names its id."""

    epoch: int
    record: Record
    point: PointInfo | None
    salvaged: bool


class Missing(NamedTuple):
    """Events may be missing after (epoch, base) and up to `head`; 0: nobody knows up to where. `lost`: how many."""

    epoch: int
    base: int
    head: int
    why: str
    lost: int = 0


def last_place(files: Iterable[bytes]) -> Place:
    """Where an archive ends; its files newest first."""
    for octets in files:
        ends = [Place(b.epoch, b.head) for b in scan(octets) if isinstance(b, Block) and _is_ours(b)]
        if ends:
            return ends[-1]
    return Place()


def _is_ours(block: Block) -> bool:
    return block.kind == Kind.EVENTS and not block.flags & SALVAGED


class Reader:
    """The archive in the files of these names, oldest first; each is read twice, one at a time.

    Of a file with an index only the blocks with events of the times that are asked for are read, and once.
    """

    def __init__(self, names: Sequence[str], read: Read, indexed: Indexed | None = None) -> None:
        self._names = names
        self._read = read
        self._indexed = indexed
        self._left = self._parted()

    def _parted(self) -> list[int]:
        """For each EVENTS block in order: up to which number its records are of the group's history."""
        ours: list[Block] = []  # without their payloads
        left: list[int] = []
        parted: set[Block] = set()  # one may stand twice, where its write failed half-way
        begins = 0  # the first block of the present journal
        for block in self._blocks(None):
            if isinstance(block, Damage):
                continue
            if block.kind == Kind.GAP and block.flags in (Gap.RESTART, Gap.FOREIGN):
                begins = len(ours)
            elif block.kind == Kind.EVENTS:
                if not _is_ours(block):
                    _unsay(ours, left, block)
                ours.append(block._replace(payload=b""))
                left.append(1 << 63 if _is_ours(block) else -1)
            elif block.kind == Kind.PARTED and block not in parted:
                parted.add(block)
                _mark(ours, left, block.base, begins)
        return left

    def _blocks(self, times: tuple[int, int] | None) -> Iterator[Block | Damage]:
        """Every block, events of other `times` (None: all) without payload where that spares reading them."""
        for name in self._names:
            entries = self._indexed.entries(name) if self._indexed is not None else None
            if entries is not None:
                yield from self._wanted(name, entries, times)
                continue
            found = list(scan(self._read(name)))
            torn = found and name == self._names[-1] and isinstance(found[-1], Damage)
            yield from found[:-1] if torn else found

    def _wanted(self, name: str, entries: list[Entry], times: tuple[int, int] | None) -> Iterator[Block | Damage]:
        assert self._indexed is not None, "who has entries is indexed"
        low, high = times or (1, 0)
        events = {e.at for e in entries if e.block.kind == Kind.EVENTS and e.low <= high and e.high >= low}
        for entry in entries:
            if entry.at not in events and not (events and entry.block.kind == Kind.NAMES):
                yield entry.block
                continue
            found = list(scan(self._indexed.part(name, entry.at, entry.size)))
            if len(found) == 1 and isinstance(found[0], Block):
                yield found[0]
            else:
                yield Damage(entry.at, entry.size)
                yield entry.block._replace(base=entry.block.head)  # nothing of what it covers is there

    def rows(self, times: tuple[int, int] = EVER) -> Iterator[Event | Missing]:
        """Everything stamped times[0] <= t <= times[1], perhaps more, in the order of writing; nothing twice."""
        points: dict[int, PointInfo] = {}
        chain, at = _Chain(), 0
        for block in self._blocks(times):
            if isinstance(block, Damage):
                chain.damaged = True
            elif block.kind == Kind.NAMES:
                points.update((p.id, p) for p in _points(block.payload))
            elif block.kind == Kind.GAP:
                yield from chain.reaches(block.base)
                yield from chain.gap(block)
            elif block.kind == Kind.PARTED:
                chain.place, chain.anew = Place(block.epoch, block.base), True
            elif block.kind == Kind.EVENTS:
                left, at = self._left[at], at + 1
                if _is_ours(block):
                    yield from chain.reaches(block.base)
                after = chain.follow(block)
                for record in _records(block.payload):
                    if record[0] > after:
                        yield Event(block.epoch, record, points.get(record[3]), record[0] > left)


class _Chain:
    """How far everything is there; `anew`: a gap or a fork was said, so the next block need not follow the last.

    A write that failed half-way was written again: whatever is numbered at or below what its epoch reached is no news.
    """

    def __init__(self) -> None:
        self.place = Place()
        self.anew = self.damaged = False
        self._reached: dict[tuple[int, int], int] = {}
        self._gap: Block | None = None

    def reaches(self, base: int) -> Iterator[Missing]:
        """What the next block says of the ones before it: a hole that no block explains is damage."""
        if self.place.epoch and base > self.place.head and not self.anew:
            yield Missing(*self.place, base, "damaged" if self.damaged else "unknown")
        self.damaged = False

    def gap(self, block: Block) -> Iterator[Missing]:
        """A gap that was noted."""
        if block != self._gap:
            yield Missing(block.epoch, block.base, block.head, _why(block.flags), _lost(block.payload))
        self._gap, self.anew = block, True

    def follow(self, block: Block) -> int:
        """The number above which the block's records are news."""
        reached = self._reached.get((block.epoch, 0), -1)
        if not _is_ours(block):  # what was told as the group's own stands there already
            reached = max(reached, self._reached.get((block.epoch, SALVAGED), -1))
        if block.head > reached:
            self._reached[block.epoch, block.flags & SALVAGED] = block.head
            if _is_ours(block):
                self.place, self.anew, self._gap = Place(block.epoch, block.head), False, None
        return max(block.base, reached)


def _mark(ours: list[Block], left: list[int], kept: int, begins: int) -> None:
    """A history ended above `kept`: back through its blocks, and no further than where its journal began."""
    for at in range(len(ours) - 1, begins - 1, -1):
        if left[at] < 0:
            continue
        if ours[at].head <= kept:
            return
        left[at] = min(left[at], kept)


def _unsay(ours: list[Block], left: list[int], salvaged: Block) -> None:
    """A write that was thought to have failed may have told these events as the group's own."""
    for at in range(len(ours) - 1, -1, -1):
        if ours[at].epoch == salvaged.epoch and left[at] >= 0:
            if ours[at].head <= salvaged.base:
                return
            left[at] = min(left[at], salvaged.base)


def _records(payload: bytes) -> Iterator[Record]:
    return unpack(payload) if len(payload) % SIZE == 0 and payload[SIZE - 1 : SIZE] in (b"", b"\x01") else iter(())


def _why(flags: int) -> str:
    try:
        return Gap(flags).name.lower()
    except ValueError:
        return str(flags)


def _lost(payload: bytes) -> int:
    try:
        return int(json.loads(payload)["lost"])
    except (ValueError, TypeError, KeyError):
        return 0


def _points(payload: bytes) -> list[PointInfo]:
    """The points of a NAMES block; one that a later version wrote otherwise is left out."""
    try:
        rows = json.loads(payload)
        return [
            PointInfo(int(i), str(name), PointKind.from_word(kind), unit=str(unit), states=tuple(map(str, states)))
            for i, name, kind, unit, states in rows
        ]
    except (ValueError, TypeError, KeyError):
        return []
