"""From the files of the durable journal back to a journal: numbers, history, rings, present values and cursors."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field

from tandem.archive.block import Block, Damage, Kind, scan
from tandem.archive.durable import AFRESH, ALONE
from tandem.codec.record import SIZE, unpack
from tandem.database import Database, without_salvaged
from tandem.standby.histories import History


@dataclass(slots=True)
class Rebuilt:
    """A journal as its files hold it. `ids` names the point ids that its records use, see `Registry.lineage`."""

    ids: str = ""
    highest: int = 0
    head: int = 0
    history: History = field(default_factory=History)
    gone: tuple[int, int] = (0, 0)
    rows: list[bytes] = field(default_factory=list)
    slices: list[tuple[bytes, bytes]] = field(default_factory=list)
    cursors: dict[str, int] = field(default_factory=dict)
    outside: dict[str, bytes] = field(default_factory=dict)
    """Pages of what centers made their stations remember, by key."""
    released: int = 0
    """The highest number that a center or a device may have been answered for."""
    faults: list[str] = field(default_factory=list)

    def fill(self, database: Database) -> None:
        """An empty database takes it all; records of points that are not there any more are left out."""
        journal, mine = database.journal, database.known_of
        journal.soe.clear(self.gone[0])
        journal.analog.clear(self.gone[1])
        present = database.present
        for soe, analog in self.slices:
            soe, analog = mine(soe), mine(analog)
            journal.extend(journal.head, soe, analog)
            octets = soe + analog
            for record in without_salvaged(list(unpack(octets)), octets):
                present[record[3]] = record
        for octets in self.rows:
            for record in unpack(database.mirrored_of(octets)):
                if present[record[3]][0] < record[0] <= self.head:
                    present[record[3]] = record
        journal.head = self.head


def rebuild(files: Sequence[bytes]) -> Rebuilt | None:
    """The journal of these files, oldest first; None where there is none yet. Damage ends it, and is said."""
    parsed = [list(scan(octets)) for octets in files]
    start = next((i for i in range(len(parsed) - 1, -1, -1) if _is_whole(parsed[i])), None)
    if start is None:
        damaged = any(isinstance(block, Damage) for blocks in parsed for block in blocks)
        return Rebuilt(faults=["the journal on flash is damaged: none of its images is whole"]) if damaged else None
    found = Rebuilt()
    try:
        _image(parsed[start], found)
        for at in range(start, len(parsed)):
            if not _follow(parsed[at], found, first=at == start, last=at == len(parsed) - 1):
                break
    except (ValueError, KeyError, TypeError, IndexError) as error:
        found.faults.append(f"the journal on flash cannot be read after record {found.head}: {error}")
    return found


def _is_whole(blocks: list[Block | Damage]) -> bool:
    kinds = {block.kind for block in blocks if isinstance(block, Block)}
    return kinds >= {Kind.HEAD, Kind.BEGIN, Kind.END}


def _image(blocks: list[Block | Damage], found: Rebuilt) -> None:
    for block in blocks:
        if isinstance(block, Damage):
            continue
        if block.kind == Kind.HEAD:
            top = json.loads(block.payload)
            found.ids, found.highest = str(top["ids"]), int(top["highest"])
        elif block.kind == Kind.BEGIN:
            found.head = block.base
        elif block.kind == Kind.END:
            gone = json.loads(block.payload)
            found.gone = int(gone["soe"]), int(gone["analog"])
        elif block.kind == Kind.ROWS:
            found.rows.append(block.payload)
        elif block.kind == Kind.TAIL:
            found.slices.append(_both(block.payload))


def _follow(blocks: list[Block | Damage], found: Rebuilt, first: bool, last: bool) -> bool:
    """Take the slices of one file; False where the journal ends in it."""
    for at, block in enumerate(blocks):
        if isinstance(block, Damage):
            if at < len(blocks) - 1 or not last:
                found.faults.append(f"the journal on flash is damaged after record {found.head}: the rest is lost here")
            return False
        if block.kind == Kind.BEGIN and not first and (block.flags & AFRESH or block.base != found.head):
            return False
        if block.kind == Kind.CLAIMS:
            found.history = History.from_json(block.payload.decode())
        elif block.kind == Kind.BESIDE:
            row = json.loads(block.payload)
            found.cursors = {str(name): int(number) for name, number in row["cursors"].items()}
            found.released = max(found.released, int(row["released"]))
        elif block.kind == Kind.OUTSIDE:
            length = block.payload[0]
            found.outside[block.payload[1 : 1 + length].decode()] = block.payload[1 + length :]
        elif block.kind == Kind.SLICE:
            if block.base != found.head:
                found.faults.append(f"the journal on flash lacks what follows record {found.head}")
                return False
            found.slices.append(_both(block.payload))
            found.head = block.head
            found.released = block.head if block.flags & ALONE else found.released
    return True


def _both(payload: bytes) -> tuple[bytes, bytes]:
    size = int.from_bytes(payload[:4], "little")
    soe, analog = payload[4 : 4 + size], payload[4 + size :]
    if len(soe) != size or len(analog) % SIZE or size % SIZE:
        raise ValueError("a slice is not whole records")
    return soe, analog
